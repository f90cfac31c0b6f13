"""Orders through the doors of OpenAlgo: placed, found in every book, changed, cancelled."""

from __future__ import annotations

from typing import Any

from tests.api.openalgo.asking import MARKET, asking, trading
from tests.api.standing import Standing

RESTING = {**MARKET, "pricetype": "LIMIT", "price": "1.00"}


def test_an_order_is_filled_and_stands_in_every_book(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        placed = await me.good("placeorder", **MARKET)
        assert placed["mode"] == "analyze"
        order = (await me.good("orderstatus", orderid=placed["orderid"]))["data"]
        assert order["order_status"] == "complete"
        assert order["average_price"] > 0
        book = (await me.good("orderbook"))["data"]
        assert [each["orderid"] for each in book["orders"]] == [placed["orderid"]]
        assert book["statistics"]["total_completed_orders"] == 1.0
        trades = (await me.good("tradebook"))["data"]
        assert sum(each["quantity"] for each in trades) == 10
        (position,) = (await me.good("positionbook"))["data"]
        assert (position["symbol"], position["quantity"]) == ("SBIN", "10")
        assert position["pnl"] is not None
        one = {"symbol": "SBIN", "exchange": "NSE", "product": "MIS"}
        assert (await me.good("openposition", **one))["quantity"] == "10"
        funds = (await me.good("funds"))["data"]
        assert float(funds["utiliseddebits"]) > 0
        closed = await me.good("closeposition", strategy="tests")
        assert closed["message"] == "All Open Positions Squared Off"
        assert (await me.good("openposition", **one))["quantity"] == "0"
        again = await me.good("closeposition", strategy="tests")
        assert again["message"] == "No open positions to close"
        made = await me.good("pnl/symbols")
        assert made["data"][0]["quantity"] == 0
        assert made["total_unrealized_pnl"] == 0

    trading(home, story)


def test_a_resting_order_is_changed_and_cancelled(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        low = await _low(me)
        name = (await me.good("placeorder", **{**RESTING, "price": low}))["orderid"]
        wish = {**RESTING, "orderid": name, "quantity": 5, "price": low}
        changed = await me.good("modifyorder", **wish)
        assert changed["orderid"] == name
        row = (await me.good("orderstatus", orderid=name))["data"]
        assert (row["quantity"], row["order_status"]) == ("5", "open")
        assert "stays" in (await me.good("modifyorder", **wish))["message"]
        for field, other in (("action", "SELL"), ("product", "CNC"), ("symbol", "TCS")):
            said = await me.bad("modifyorder", 409, **{**wish, field: other})
            assert said["message"].startswith(f"{field}: ")
        await me.good("cancelorder", orderid=name)
        assert (await me.good("orderstatus", orderid=name))["data"]["order_status"] == "cancelled"
        assert (await me.bad("cancelorder", 409, orderid=name))["code"] == "conflict"
        for _ in range(3):
            await me.good("placeorder", **{**RESTING, "price": low})
        every = await me.good("cancelallorder", strategy="another")
        assert len(every["canceled_orders"]) == 3
        assert every["message"] == "Canceled 3 orders. Failed to cancel 0 orders."

    trading(home, story)


def test_an_order_that_was_refused_is_an_error_with_its_id(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        said = await me.bad("placeorder", 422, **{**MARKET, "quantity": 900_000})
        row = (await me.good("orderstatus", orderid=said["orderid"]))["data"]
        assert row["order_status"] == "rejected"
        assert row["rejection_reason"] == said["message"]
        assert said["mode"] == "analyze"

    trading(house, story)


def test_the_same_client_order_id_is_one_order(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        wish = {**MARKET, "client_order_id": "mine-1"}
        first, again = [await me.good("placeorder", **wish) for _ in range(2)]
        assert first["orderid"] == again["orderid"]
        another = await me.bad("placeorder", 409, **{**wish, "quantity": "11"})
        assert another["code"] == "name_taken"
        basket = {"orders": [MARKET, MARKET], "client_order_id": "basket-1", "strategy": "s"}
        one, two = [(await me.good("basketorder", **basket))["results"] for _ in range(2)]
        assert [row["orderid"] for row in one] == [row["orderid"] for row in two]
        split = {**MARKET, "splitsize": "4", "client_order_id": "split-1"}
        one, two = [(await me.good("splitorder", **split))["results"] for _ in range(2)]
        assert [row["orderid"] for row in one] == [row["orderid"] for row in two]
        assert [row["quantity"] for row in one] == [4, 4, 2]
        assert len((await me.good("orderbook"))["data"]["orders"]) == 6

    trading(house, story)


def test_a_smart_order_brings_a_position_to_its_size(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)

        async def to(size: int, **more: Any) -> str:
            await me.good("placesmartorder", **{**MARKET, "position_size": str(size), **more})
            one = {"symbol": "SBIN", "exchange": "NSE", "product": "MIS"}
            return str((await me.good("openposition", **one))["quantity"])

        assert await to(5) == "5"
        assert await to(5) == "5"
        assert await to(-3) == "-3"
        assert await to(0) == "0"
        assert await to(0, quantity=0) == "0"
        assert await to(0, quantity=7, action="SELL") == "-7"

    trading(house, story)


def test_of_a_basket_each_order_is_answered(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        orders = [MARKET, {**MARKET, "symbol": "NOSUCH"}, {**MARKET, "action": "SELL"}]
        said = await me.good("basketorder", orders=orders, strategy="s")
        assert [row["status"] for row in said["results"]] == ["success", "error", "success"]
        assert said["results"][1]["code"] == "not_found"
        assert said["message"] == "2 of 3 orders were placed."
        none = await me.bad("basketorder", 422, orders=[{**MARKET, "symbol": "NOSUCH"}])
        assert none["results"][0]["symbol"] == "NOSUCH"
        wrong = await me.bad("basketorder", 400, orders=[MARKET, {**MARKET, "product": "BRACKET"}])
        assert wrong["message"].startswith("orders.1.product: ")
        assert len((await me.good("orderbook"))["data"]["orders"]) == 2

    trading(house, story)


def test_books_are_read_in_pages(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        names = [(await me.good("placeorder", **MARKET))["orderid"] for _ in range(5)]
        found: list[str] = []
        cursor = None
        while True:
            page = await me.good("orderbook", limit=2, cursor=cursor)
            found += [row["orderid"] for row in page["data"]["orders"]]
            cursor = page.get("next")
            if cursor is None:
                break
        assert found == names[::-1]
        trades = await me.good("tradebook", limit=3)
        rest = await me.good("tradebook", limit=500, cursor=trades["next"])
        seen = [row["tradeid"] for row in (*trades["data"], *rest["data"])]
        assert len(seen) == len(set(seen)) >= 5
        long_ago = {"from": "2020-01-01", "to": "2020-01-31"}
        assert (await me.good("orderbook", **long_ago))["data"]["orders"] == []
        assert (await me.good("tradebook", **long_ago))["data"] == []
        assert len((await me.good("tradebook", **{"from": "2020-01-01"}))["data"]) == len(seen)
        for wrong in (
            {"from": "soon"},
            {"cursor": "x"},
            {"limit": 0},
            long_ago | {"to": "2019-01-01"},
        ):
            await me.bad("orderbook", 400, **wrong)

    trading(house, story)


async def _low(me: Any) -> str:
    """Return a price within the band that nobody meets."""
    placed = await me.good("placeorder", **MARKET)
    got = (await me.good("orderstatus", orderid=placed["orderid"]))["data"]["average_price"]
    await me.good("closeposition")
    return str(int(got * 0.97))
