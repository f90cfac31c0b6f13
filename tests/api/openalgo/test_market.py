"""Market data through the doors of OpenAlgo: prices, books, candles, days."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

from bahi.kernel.clock import exchange_day
from bahi.quotes.model.candles import Interval
from tests.api.openalgo.asking import Asking, asking, trading
from tests.api.standing import Standing, standing

SBIN = {"symbol": "SBIN", "exchange": "NSE"}
FIGURES = {"open", "high", "low", "ltp", "ask", "bid", "prev_close", "volume"}


def test_a_price_comes_with_its_day(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        found = (await me.good("quotes", **SBIN))["data"]
        assert set(found) >= FIGURES
        assert found["low"] <= found["ltp"] <= found["high"]
        assert found["oi"] is None  # a share has none, and none is not nothing
        assert found["bid"] < found["ask"]

    trading(house, story)


def test_of_several_each_has_its_price_or_its_reason(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        asked: list[dict[str, Any]] = [
            SBIN,
            {"symbol": "NOSUCH", "exchange": "NSE"},
            {"symbol": "SBIN", "exchange": "NASDAQ"},
            {"symbol": "NIFTY", "exchange": "NSE_INDEX"},
        ]
        results = (await me.good("multiquotes", symbols=asked))["results"]
        assert [row["symbol"] for row in results] == ["SBIN", "NOSUCH", "SBIN", "NIFTY"]
        assert [row["data"] is None for row in results] == [False, True, True, False]
        assert [row.get("code") for row in results] == [None, "not_found", "invalid", None]
        assert results[3]["data"]["bid"] is None  # an index has no book
        assert (await me.good("multiquotes", symbols=[]))["results"] == []
        said = await me.bad("multiquotes", 413, symbols=[SBIN] * 501)
        assert said["code"] == "too_much"

    trading(house, story)


def test_a_book_has_five_levels_of_each_side(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        found = (await me.good("depth", **SBIN))["data"]
        assert len(found["bids"]) == len(found["asks"]) == 5
        assert [row["price"] for row in found["bids"]] == sorted(
            (row["price"] for row in found["bids"]), reverse=True
        )
        assert found["totalbuyqty"] == sum(row["quantity"] for row in found["bids"])
        said = await me.bad("depth", 404, symbol="NIFTY", exchange="NSE_INDEX")
        assert said["code"] == "no_price"
        assert "index" in said["message"]

    trading(house, story)


def test_no_price_is_said_and_never_a_zero(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        for path in ("quotes", "depth"):
            said = await me.bad(path, 404, **SBIN)
            assert said["code"] == "no_price"
            assert "BAHI_MARKET" in said["message"]
        (row,) = (await me.good("multiquotes", symbols=[SBIN]))["results"]
        assert (row["data"], row["code"]) == (None, "no_price")

    standing({**house, "BAHI_MARKET": "off"}, story)


def test_candles_are_told_in_seconds_of_utc(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        today = exchange_day(it.house.clock())
        days = {"start_date": f"{today - timedelta(days=3)}", "end_date": f"{today}"}
        promised = (await me.good("intervals"))["data"]
        every = [each for some in promised.values() for each in some]
        assert every == ["1m", "3m", "5m", "10m", "15m", "30m", "1h", "D"]
        for interval in every:
            found = (await me.good("history", **SBIN, interval=interval, **days))["data"]
            times = [row["timestamp"] for row in found]
            assert times == sorted(set(times))
            assert all(type(at) is int for at in times)
            length = Interval(interval).minutes
            if length is None:
                read = [datetime.fromtimestamp(at, UTC) for at in times]
                assert [at.date() for at in read] == [
                    today - timedelta(days=back) for back in (3, 2, 1, 0)
                ]
                assert {at.hour for at in read} == {0}
            else:
                steps = {later - at for at, later in itertools.pairwise(times)}
                assert steps == {length * 60}
            assert set(found[0]) == {"timestamp", "open", "high", "low", "close", "volume"}
        stored = await me.good("history", **SBIN, interval="D", source="db", **days)
        assert len(stored["data"]) == 4
        future = {"start_date": "2099-01-01", "end_date": "2099-01-02"}
        assert (await me.good("history", **SBIN, interval="D", **future))["data"] == []

    trading(house, story)


WRONG = (
    ({"interval": "7m"}, 400, "interval"),
    ({"interval": "W"}, 400, "interval"),
    ({"start_date": "01-04-2026"}, 400, "start_date"),
    ({"end_date": "tomorrow"}, 400, "end_date"),
    ({"start_date": "2026-04-09"}, 400, "start_date"),
    ({"source": "memory"}, 400, "source"),
    ({"start_date": "2001-01-01"}, 413, "end_date"),
    ({"symbol": "NOSUCH"}, 404, ""),
    ({"exchange": "NASDAQ"}, 400, "exchange"),
)


def test_what_cannot_be_told_names_its_field(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        good = {**SBIN, "interval": "1m", "start_date": "2026-04-01", "end_date": "2026-04-08"}
        for wrong, status, field in WRONG:
            said = await me.bad("history", status, **{**good, **wrong})
            assert said["message"].startswith(f"{field}: " if field else ""), said
        assert (await me.bad("chart", 501))["code"] == "not_available"
        found = await me.client.get("/api/v1/chart", params={"apikey": me.key})
        assert found.status_code == 501

    trading(house, story)


def test_candles_come_by_address_too(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        today = exchange_day(it.house.clock())
        asked = {"apikey": me.key, "interval": "D", "from": f"{today}", "to": f"{today}"}
        found = await me.client.get("/api/v1/ticker/NSE:SBIN", params=asked)
        assert len(found.json()["data"]) == 1
        found = await me.client.get("/api/v1/ticker/SBIN", params={"apikey": me.key})
        assert len(found.json()["data"]) == 31
        bad = await me.client.get("/api/v1/ticker/NSE:SBIN", params={"apikey": "0" * 64})
        assert (bad.status_code, bad.json()["status"]) == (403, "error")

    trading(house, story)


async def of_day(me: Asking, day: str) -> dict[str, Any]:
    """Return the hours of a day, by exchange."""
    return {row["exchange"]: row for row in (await me.good("market/timings", date=day))["data"]}


def test_holidays_say_who_is_closed_and_until_when_others_trade(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        year = await me.good("market/holidays", year=2026)
        assert (year["year"], year["timezone"]) == (2026, "Asia/Kolkata")
        by_day = {row["date"]: row for row in year["data"]}
        republic = by_day["2026-01-26"]
        assert "Republic Day" in republic["description"]
        assert republic["holiday_type"] == "TRADING_HOLIDAY"
        assert set(republic["closed_exchanges"]) == {
            "NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX",
        }  # fmt: skip
        assert republic["open_exchanges"] == []
        holi = by_day["2026-03-03"]
        assert "NSE" in holi["closed_exchanges"]
        (evening,) = [row for row in holi["open_exchanges"] if row["exchange"] == "MCX"]
        assert evening["start_time"] < evening["end_time"]
        said = await me.bad("market/holidays", 404, year=2050)
        assert said["code"] == "unknown_day"
        await me.bad("market/holidays", 400, year=3000)
        assert (await me.good("market/holidays"))["year"] == it.house.clock().year

    trading(house, story)


def test_the_hours_of_a_day_are_told_in_milliseconds(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        friday = await of_day(me, "2025-12-19")
        assert set(friday) == {"NSE", "BSE", "NFO", "BFO", "CDS", "BCD", "MCX"}
        assert friday["NSE"]["start_time"] == 1766115900000
        assert friday["NSE"]["end_time"] == 1766138400000
        assert await of_day(me, "2026-01-26") == {}
        assert await of_day(me, "2025-12-20") == {}  # a Saturday
        said = await me.bad("market/timings", 404, date="2050-03-01")
        assert said["code"] == "unknown_day"
        await me.bad("market/timings", 400, date="19-12-2025")

    trading(house, story)
