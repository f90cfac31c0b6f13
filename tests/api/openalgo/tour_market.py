"""Every market data method of the real client, called as its users call it.

It is given a client and `told`, which is handed each method's name with its answer. Nothing of the
house is imported: it runs in whatever Python the client needs.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

SBIN = {"symbol": "SBIN", "exchange": "NSE"}
NIFTY = {"underlying": "NIFTY", "exchange": "NSE_INDEX"}
FIGURES = {"open", "high", "low", "ltp", "ask", "bid", "prev_close", "volume"}
INTERVALS = ("1m", "3m", "5m", "10m", "15m", "30m", "1h", "D")

Told = Callable[[str, Any], None]


def tour(client: Any, told: Told) -> None:
    """Call them all; what is not as its clients rely on it fails."""
    prices(client, told)
    past(client, told)
    listed(client, told)
    options(client, told)
    days(client, told)


def good(told: Told, name: str, answer: Any) -> Any:
    """Report an answer that has to have succeeded."""
    told(name, answer)
    assert answer["status"] == "success", (name, answer)
    return answer.get("data", answer)


def prices(client: Any, told: Told) -> None:
    """Ask for prices and order books."""
    assert set(good(told, "quotes", client.quotes(**SBIN))) >= FIGURES
    several = [SBIN, {"symbol": "TCS", "exchange": "NSE"}]
    answer = client.multiquotes(symbols=several)
    good(told, "multiquotes", answer)
    assert [row["symbol"] for row in answer["results"]] == ["SBIN", "TCS"]
    assert all(set(row["data"]) >= FIGURES for row in answer["results"])
    book = good(told, "depth", client.depth(**SBIN))
    assert len(book["bids"]) == len(book["asks"]) == 5
    unknown = client.quotes(symbol="NOSUCH", exchange="NSE")
    told("quotes", unknown)
    assert (unknown["status"], unknown["code"]) == ("error", 404)


def past(client: Any, told: Told) -> None:
    """Ask for candles of every length; each comes as a table by time."""
    today = datetime.now().astimezone().date()
    for interval in INTERVALS:
        table = client.history(
            **SBIN,
            interval=interval,
            start_date=f"{today - timedelta(days=2)}",
            end_date=f"{today}",
        )
        told("history", str(type(table)))
        assert not isinstance(table, dict), table["message"][:300]
        assert {"open", "high", "low", "close", "volume"} <= set(table.columns)
        assert table.index.is_monotonic_increasing
        assert (str(table.index.tz) == "None") is (interval == "D")
    told_of = good(told, "intervals", client.intervals())
    assert [it for some in told_of.values() for it in some] == list(INTERVALS)
    good(told, "interval", client.interval())


def listed(client: Any, told: Told) -> None:
    """Ask for what is listed."""
    assert good(told, "symbol", client.symbol(**SBIN))["symbol"] == "SBIN"
    found = good(told, "search", client.search(query="NIFTY CE", exchange="NFO"))
    assert {row["exchange"] for row in found} == {"NFO"}
    ends = client.expiry(symbol="NIFTY", exchange="NFO", instrumenttype="options")
    assert good(told, "expiry", ends)
    for table in (client.instruments(exchange="NSE"), client.instruments()):
        told("instruments", str(type(table)))
        assert not isinstance(table, dict), table["message"][:300]
        assert {"symbol", "exchange", "token", "lotsize", "tick_size"} <= set(table.columns)
    assert len(set(table["exchange"])) >= 3


def options(client: Any, told: Told) -> None:
    """Ask for chains, offsets and greeks."""
    ends = client.expiry(symbol="NIFTY", exchange="NFO", instrumenttype="options")["data"]
    day = next(it.replace("-", "") for it in ends if _is_to_come(it))
    named = client.optionsymbol(**NIFTY, expiry_date=day, offset="ATM", option_type="CE")
    good(told, "optionsymbol", named)
    assert named["lotsize"] > 0
    chain = client.optionchain(**NIFTY, expiry_date=day, strike_count=5)
    good(told, "optionchain", chain)
    assert len(chain["chain"]) == 11
    assert {row["ce"]["label"] for row in chain["chain"]} >= {"ATM", "ITM1", "OTM1"}
    greeks = client.optiongreeks(
        symbol=named["symbol"],
        exchange="NFO",
        interest_rate=0.0,
        underlying_symbol="NIFTY",
        underlying_exchange="NSE_INDEX",
    )
    good(told, "optiongreeks", greeks)
    assert greeks["implied_volatility"] > 0
    assert set(greeks["greeks"]) == {"delta", "gamma", "theta", "vega", "rho"}
    made = client.syntheticfuture(**NIFTY, expiry_date=day)
    good(told, "syntheticfuture", made)
    assert abs(made["synthetic_future_price"] / made["underlying_ltp"] - 1) < 0.05


def _is_to_come(said: str) -> bool:
    day: date = datetime.strptime(said, "%d-%b-%y").date()  # noqa: DTZ007 - a day has no zone
    return day > datetime.now().astimezone().date() + timedelta(days=1)


def days(client: Any, told: Told) -> None:
    """Ask for holidays and hours."""
    year = good(told, "holidays", client.holidays(year=2026))
    assert {"date", "description", "holiday_type", "closed_exchanges"} <= set(year[0])
    hours = good(told, "timings", client.timings(date="2026-10-19"))
    assert {row["exchange"] for row in hours} >= {"NSE", "NFO", "MCX"}
