"""Options through the doors of OpenAlgo: chains, offsets, synthetic futures, greeks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import exchange_day
from bahi.kernel.symbols import dated
from tests.api.openalgo.asking import Asking, asking, trading
from tests.api.standing import Standing

NIFTY = {"underlying": "NIFTY", "exchange": "NSE_INDEX"}


async def next_expiry(it: Standing) -> date:
    """Return the next day but one on which options end: one that is today may be over."""
    catalogue = await it.house.instruments.catalogue()
    today = exchange_day(it.house.clock())
    days = catalogue.expiries("NIFTY", "NFO", is_option=True)
    return next(day for day in days if day > today)


async def money(it: Standing, me: Asking, right: str = "CE") -> str:
    """Return the option at the money."""
    day = dated(await next_expiry(it))
    found = await me.good("optionsymbol", **NIFTY, expiry_date=day, offset="ATM", option_type=right)
    return str(found["symbol"])


def test_an_option_is_found_by_its_offset(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        day = dated(await next_expiry(it))

        async def strike(offset: str, right: str) -> float:
            found = await me.good(
                "optionsymbol", **NIFTY, expiry_date=day, offset=offset, option_type=right
            )
            assert found["exchange"] == "NFO"
            assert found["lotsize"] > 1
            assert found["underlying_ltp"] > 0
            listed = await me.good("symbol", symbol=found["symbol"], exchange="NFO")
            return float(listed["data"]["strike"])

        at = await strike("ATM", "CE")
        assert await strike("ITM2", "CE") < at < await strike("OTM2", "CE")
        assert await strike("OTM2", "PE") < at < await strike("ITM2", "PE")
        for wrong in ({"offset": "FAR"}, {"option_type": "XX"}, {"expiry_date": "31FEB26"}):
            given = {**NIFTY, "expiry_date": day, "offset": "ATM", "option_type": "CE", **wrong}
            said = await me.bad("optionsymbol", 400, **given)
            assert said["message"].startswith(f"{next(iter(wrong))}: ")

    trading(house, story)


def test_a_chain_has_both_sides_labels_and_prices(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        day = dated(await next_expiry(it))
        asked = {**NIFTY, "expiry_date": day, "strike_count": 3}
        found = await me.good("optionchain", **asked)
        strikes = [row["strike"] for row in found["chain"]]
        assert len(strikes) == 7
        assert strikes == sorted(strikes)
        assert strikes[3] == found["atm_strike"]
        assert [row["ce"]["label"] for row in found["chain"]][2:5] == ["ITM1", "ATM", "OTM1"]
        assert [row["pe"]["label"] for row in found["chain"]][2:5] == ["OTM1", "ATM", "ITM1"]
        leg = found["chain"][3]["ce"]
        assert {"ltp", "bid", "ask", "bid_qty", "ask_qty", "oi", "volume", "lotsize"} <= set(leg)
        assert "delta" not in leg
        assert found["greeks_included"] is False
        greek = await me.good("optionchain", **asked, with_greeks=True)
        call, put = greek["chain"][3]["ce"], greek["chain"][3]["pe"]
        assert call["implied_volatility"] == pytest.approx(put["implied_volatility"], abs=0.5)
        assert call["delta"] - put["delta"] == pytest.approx(1, abs=0.01)
        assert greek["forward_price"] > 0
        assert (greek["model"], greek["priced_on"]) == ("black76", "forward")
        missing = await me.bad("optionchain", 400, **NIFTY)
        assert missing["message"].startswith("expiry_date: it is missing")
        await me.bad("optionchain", 400, **asked | {"strike_count": 0})
        await me.bad("optionchain", 404, **asked | {"expiry_date": "01JAN20"})

    trading(house, story)


def test_a_call_and_a_put_make_a_future(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        day = dated(await next_expiry(it))
        found = await me.good("syntheticfuture", **NIFTY, expiry_date=day)
        assert found["expiry"] == day
        assert found["synthetic_future_price"] == pytest.approx(found["underlying_ltp"], rel=0.05)
        assert abs(found["atm_strike"] - found["underlying_ltp"]) <= 100

    trading(house, story)


def test_greeks_say_which_model_they_are_of(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        option = {"symbol": await money(it, me), "exchange": "NFO"}
        found = await me.good("optiongreeks", **option)
        assert (found["model"], found["priced_on"]) == ("black76", "spot")
        assert (found["underlying"], found["option_type"]) == ("NIFTY", "CE")
        assert found["implied_volatility"] > 0
        assert 0.2 < found["greeks"]["delta"] < 0.9
        assert found["greeks"]["theta"] < 0 < found["greeks"]["vega"]
        other = await me.good("optiongreeks", **option, model="black-scholes", interest_rate=6.5)
        assert other["model"] == "black-scholes"
        assert other["greeks"]["rho"] > 0 > found["greeks"]["rho"]
        forward = await me.good(
            "optiongreeks", **option, forward_price=found["spot_price"] + 20, interest_rate=6.5
        )
        assert (forward["priced_on"], forward["interest_rate"]) == ("forward", 6.5)
        future = await _future(it)
        named = {"underlying_symbol": future.symbol, "underlying_exchange": "NFO"}
        on_future = await me.good("optiongreeks", **option, **named)
        assert (on_future["priced_on"], on_future["underlying"]) == ("future", future.symbol)

    trading(house, story)


async def _future(it: Standing) -> Instrument:
    catalogue = await it.house.instruments.catalogue()
    today = exchange_day(it.house.clock())
    near = next(
        each
        for each in sorted(catalogue.contracts("NIFTY", "NFO"), key=lambda each: each.expiry or "")
        if each.strike is None and (each.expiry or "") > f"{today}"
    )
    return catalogue.get(near.symbol, "NFO")


def test_where_there_are_no_greeks_the_reason_is_said(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        option = {"symbol": await money(it, me), "exchange": "NFO"}
        said = await me.bad("optiongreeks", 400, **option, forward_price=1_000_000)
        assert said["code"] == "no_implied_volatility"
        assert "no volatility makes it" in said["message"]
        share = await me.bad("optiongreeks", 400, symbol="SBIN", exchange="NSE")
        assert "no option" in share["message"]
        for wrong in ({"forward_price": -1}, {"interest_rate": 500}, {"expiry_time": "tea"}):
            bad: dict[str, Any] = {**option, **wrong}
            await me.bad("optiongreeks", 400, **bad)
        both = [option, {"symbol": "NOSUCH", "exchange": "NFO"}]
        found = await me.good("multioptiongreeks", symbols=both)
        assert found["summary"] == {"total": 2, "success": 1, "failed": 1}
        assert [row["status"] for row in found["data"]] == ["success", "error"]
        assert found["data"][1]["code"] == "not_found"
        await me.bad("multioptiongreeks", 413, symbols=[option] * 51)

    trading(house, story)
