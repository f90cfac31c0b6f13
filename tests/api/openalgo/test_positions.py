"""What is a position and what is a holding: of delivery, today's part and the rest."""

from __future__ import annotations

from datetime import timedelta

from bahi.kernel.clock import StoppedClock
from tests.api.openalgo.asking import MARKET, asking, trading
from tests.api.standing import Standing
from tests.orders.desks import NOON

CNC = {**MARKET, "product": "CNC"}
ONE = {"symbol": "SBIN", "exchange": "NSE", "product": "CNC"}


def test_what_is_held_is_no_position_and_is_not_closed_with_them(home: dict[str, str]) -> None:
    clock = StoppedClock(NOON)

    async def story(it: Standing) -> None:
        me = await asking(it)
        await me.good("placeorder", **CNC)
        assert (await me.good("openposition", **ONE))["quantity"] == "10"
        assert (await me.good("holdings"))["data"]["holdings"] == []
        clock.advance(timedelta(days=1))
        assert (await me.good("openposition", **ONE))["quantity"] == "0"
        assert (await me.good("positionbook"))["data"] == []
        held = (await me.good("holdings"))["data"]
        assert [(row["symbol"], row["quantity"]) for row in held["holdings"]] == [("SBIN", 10)]
        assert held["statistics"]["totalinvvalue"] > 0
        assert held["statistics"]["totalprofitandloss"] == held["holdings"][0]["pnl"]
        closed = await me.good("closeposition")
        assert closed["message"] == "No open positions to close"
        await me.good("placeorder", **{**CNC, "action": "SELL", "quantity": 4})
        await me.good("placeorder", **MARKET)
        (sold,) = [
            row for row in (await me.good("positionbook"))["data"] if row["product"] == "CNC"
        ]
        assert sold["quantity"] == "-4"
        assert sold["pnl"] is not None
        held = (await me.good("holdings"))["data"]["holdings"]
        assert [row["quantity"] for row in held] == [6]
        smart = {**CNC, "position_size": -6, "quantity": 0}
        await me.good("placesmartorder", **smart)
        assert (await me.good("openposition", **ONE))["quantity"] == "-6"
        await me.good("closeposition")
        assert (await me.good("openposition", **ONE))["quantity"] == "0"
        held = (await me.good("holdings"))["data"]["holdings"]
        assert [row["quantity"] for row in held] == [10]
        intraday = {**ONE, "product": "MIS"}
        assert (await me.good("openposition", **intraday))["quantity"] == "0"

    trading(home, story, clock=clock)


def test_more_positions_than_a_second_takes_are_all_closed(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        for symbol in ("SBIN", "TCS", "INFY", "RELIANCE"):
            for product in ("MIS", "CNC"):
                wish = {**MARKET, "symbol": symbol, "product": product, "quantity": 1}
                while (await me.raw("placeorder", **wish)).status_code == 429:
                    pass
        said = await me.good("closeposition")
        assert len(said["results"]) == 8
        left = [row["quantity"] for row in (await me.good("positionbook"))["data"]]
        assert left == ["0"] * 8

    trading(house, story)
