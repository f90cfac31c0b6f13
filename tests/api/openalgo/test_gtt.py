"""Orders that wait for a price, through the doors of OpenAlgo."""

from __future__ import annotations

from tests.api.openalgo.asking import Asking, asking, trading
from tests.api.standing import Standing

WISH = {"symbol": "SBIN", "exchange": "NSE", "product": "CNC", "quantity": 1, "strategy": "s"}


async def last_price(me: Asking) -> float:
    """Return what the bank costs, as a price on its tick."""
    asked = {"symbol": "SBIN", "exchange": "NSE", "action": "BUY", "quantity": 1, "product": "CNC"}
    name = (await me.good("placeorder", **asked))["orderid"]
    return float((await me.good("orderstatus", orderid=name))["data"]["average_price"])


def at(price: float, times: float) -> float:
    return float(round(price * times))


def test_one_trigger_is_placed_changed_listed_and_taken_back(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        last = await last_price(me)
        wish = {**WISH, "trigger_type": "SINGLE", "action": "BUY", "pricetype": "LIMIT"}
        below = {"price": at(last, 0.9), "triggerprice_sl": at(last, 0.91), "triggerprice_tg": 0.0}
        name = (await me.good("placegttorder", **wish, **below, client_order_id="g"))["trigger_id"]
        again = await me.good("placegttorder", **wish, **below, client_order_id="g")
        assert again["trigger_id"] == name
        (row,) = (await me.good("gttorderbook"))["data"]
        assert (row["trigger_id"], row["trigger_type"], row["status"]) == (name, "single", "active")
        assert row["trigger_prices"] == [at(last, 0.91)]
        assert row["last_price"] is not None
        above = {"price": 0, "triggerprice_sl": 0, "triggerprice_tg": at(last, 1.1)}
        market = {**wish, "pricetype": "MARKET"}
        await me.good("modifygttorder", **market, **above, trigger_id=name)
        (row,) = (await me.good("gttorderbook"))["data"]
        assert row["trigger_prices"] == [at(last, 1.1)]
        assert row["legs"][0]["pricetype"] == "MARKET"
        assert (await me.good("cancelgttorder", trigger_id=name))["trigger_id"] == name
        assert (await me.good("gttorderbook"))["data"] == []
        (row,) = (await me.good("gttorderbook", status="all"))["data"]
        assert row["status"] == "cancelled"
        await me.bad("cancelgttorder", 409, trigger_id=name)
        await me.bad("cancelgttorder", 404, trigger_id="1")

    trading(home, story)


def test_a_pair_is_one_line_and_changes_together(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        last = await last_price(me)

        def pair(low: float, high: float) -> dict[str, object]:
            return {
                **WISH,
                "trigger_type": "OCO",
                "action": "SELL",
                "pricetype": "LIMIT",
                "price": 0.0,
                "triggerprice_sl": at(last, low),
                "stoploss": at(last, low - 0.01),
                "triggerprice_tg": at(last, high),
                "target": at(last, high + 0.01),
            }

        name = (await me.good("placegttorder", **pair(0.9, 1.1)))["trigger_id"]
        await me.good("modifygttorder", **pair(0.92, 1.12), trigger_id=name)
        (row,) = (await me.good("gttorderbook"))["data"]
        assert row["trigger_type"] == "two-leg"
        assert row["trigger_prices"] == [at(last, 0.92), at(last, 1.12)]
        wrong = {**pair(0.93, 1.13), "target": 0.01}
        await me.bad("modifygttorder", 400, **wrong, trigger_id=name)
        (same,) = (await me.good("gttorderbook"))["data"]
        assert same["trigger_prices"] == row["trigger_prices"]
        one = {**pair(0.9, 1.1), "trigger_type": "SINGLE", "triggerprice_sl": 0}
        await me.bad("modifygttorder", 409, **one, trigger_id=name)
        await me.good("cancelgttorder", trigger_id=name)
        (ended,) = (await me.good("gttorderbook", status="cancelled"))["data"]
        assert ended["trigger_id"] == name

    trading(house, story)


def test_what_cannot_wait_is_refused_by_name(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        last = await last_price(me)
        good = {**WISH, "trigger_type": "SINGLE", "action": "BUY", "price": at(last, 0.9)}
        for wrong, field in (
            ({"triggerprice_sl": None}, "trigger_type"),
            ({"triggerprice_sl": at(last, 0.9), "triggerprice_tg": at(last, 1.1)}, "trigger_type"),
            ({"trigger_type": "OCO", "triggerprice_sl": at(last, 0.9)}, "trigger_type"),
            ({"trigger_type": "TWICE"}, "trigger_type"),
            ({"triggerprice_sl": at(last, 0.9), "price": 0}, "price"),
            ({"triggerprice_sl": at(last, 0.9), "pricetype": "SL"}, "pricetype"),
            ({"triggerprice_sl": -1}, "triggerprice_sl"),
        ):
            said = await me.bad("placegttorder", 400, **{**good, **wrong})
            assert field in said["message"], said
        assert (await me.bad("gttorderbook", 400, status="some"))["message"].startswith("status: ")

    trading(house, story)
