"""Options by their distance from the money: alone, in parts, and as the legs of a spread."""

from __future__ import annotations

from bahi.kernel.clock import exchange_day
from bahi.kernel.symbols import dated
from tests.api.openalgo.asking import asking, trading
from tests.api.standing import Standing

INDEX = {"underlying": "NIFTY", "exchange": "NSE_INDEX", "strategy": "s"}
LEG = {"pricetype": "MARKET", "product": "NRML", "option_type": "CE"}


async def near(it: Standing) -> tuple[str, int]:
    """Return the nearest expiry of options on NIFTY, and their lot."""
    catalogue = await it.house.instruments.catalogue()
    today = exchange_day(it.house.clock())
    day = next(d for d in catalogue.expiries("NIFTY", "NFO", is_option=True) if d > today)
    lot = next(
        one.lot_size
        for one in catalogue.contracts("NIFTY", "NFO")
        if one.expiry == day.isoformat() and one.option_type
    )
    return dated(day), lot or 1


def test_an_option_is_found_by_its_distance_from_the_money(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        day, lot = await near(it)
        wish = {**INDEX, **LEG, "action": "BUY", "quantity": str(lot), "expiry_date": day}
        placed = await me.good("optionsorder", **wish, offset="OTM1", splitsize="0")
        assert placed["exchange"] == "NFO"
        assert placed["underlying_ltp"] > 0
        assert placed["symbol"].startswith(f"NIFTY{day}")
        assert placed["symbol"].endswith("CE")
        row = (await me.good("orderstatus", orderid=placed["orderid"]))["data"]
        assert (row["symbol"], row["order_status"]) == (placed["symbol"], "complete")
        parts = await me.good(
            "optionsorder", **{**wish, "quantity": 3 * lot}, offset="ATM", splitsize=lot
        )
        assert [each["quantity"] for each in parts["results"]] == [lot, lot, lot]
        for wrong, field in (
            ({"offset": "MIDDLE"}, "offset"),
            ({"expiry_date": "tomorrow"}, "expiry_date"),
            ({"expiry_date": None}, "expiry_date"),
            ({"option_type": "XX"}, "option_type"),
            ({"exchange": "NYSE"}, "exchange"),
            ({"product": "CNC"}, "product"),
        ):
            said = await me.bad("optionsorder", 400, **{**wish, "offset": "ATM", **wrong})
            assert said["message"].startswith(f"{field}: "), said

    trading(home, story)


def test_legs_are_answered_one_by_one_in_their_order(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        day, lot = await near(it)
        legs = [
            {**LEG, "offset": "OTM2", "action": "SELL", "quantity": lot},
            {**LEG, "offset": "OTM4", "action": "BUY", "quantity": lot},
        ]
        said = await me.good("optionsmultiorder", **INDEX, legs=legs, expiry_date=day)
        assert [(row["leg"], row["action"]) for row in said["results"]] == [(1, "SELL"), (2, "BUY")]
        assert {row["mode"] for row in said["results"]} == {"analyze"}
        ids = [int(row["orderid"]) for row in said["results"]]
        assert ids[1] < ids[0]  # what is bought went first

    trading(house, story)


def test_what_was_not_bought_is_not_sold_against(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        day, lot = await near(it)
        legs = [
            {**LEG, "offset": "OTM2", "action": "SELL", "quantity": lot},
            {**LEG, "offset": "OTM4", "action": "BUY", "quantity": lot + 1},
        ]
        said = await me.bad("optionsmultiorder", 422, **INDEX, legs=legs, expiry_date=day)
        assert "Leg 2 was not bought" in said["results"][0]["message"]
        assert (await me.good("orderbook"))["data"]["orders"] == []

    trading(house, story)


def test_the_margin_of_several_orders_is_told_together(house: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        me = await asking(it)
        share = {"symbol": "SBIN", "exchange": "NSE", "product": "MIS", "pricetype": "MARKET",
                 "price": "0", "trigger_price": "0"}  # fmt: skip
        one = {**share, "action": "BUY", "quantity": "10"}
        alone = (await me.good("margin", positions=[one]))["data"]
        both = (await me.good("margin", positions=[one, one]))["data"]
        assert 0 < alone["total_margin_required"] < both["total_margin_required"]
        assert alone["fits"] is True
        wrong = await me.bad("margin", 400, positions=[{**one, "exchange": "X"}])
        assert wrong["message"].startswith("positions.0.exchange: ")
        await me.bad("margin", 400, positions=[])

    trading(house, story)
