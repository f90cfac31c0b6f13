"""A year that nobody entered: nothing expires by it, nothing is lost, and what is owed waits."""

from __future__ import annotations

import json

from bahi.calendar.model import read_document
from bahi.calendar.service import import_days
from bahi.kernel.words import OrderStatus, OrderType, Product, Side
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.repository.order import find
from bahi.orders.service.placing import place_order
from bahi.portfolio.model.money import Entry
from tests.orders.desks import ACTOR
from tests.test_settling import SHARES, Days, days_pass

MTF = SHARES._replace(product=Product.MTF)
REPUBLIC_DAY = {"date": "2038-01-26", "kind": "full_day", "description": "Republic Day"}
NEXT_YEAR = json.dumps(
    [it | {"segments": "all"} for it in ({"date": "2038", "kind": "year"}, REPUBLIC_DAY)]
)


async def day_after_day(days: Days, *dates: str) -> None:
    for it in dates:
        await days.at(f"{it} 07:40:00")
        await days.ends()


def test_what_is_held_stays_delivered_and_its_interest_is_charged_once_the_days_are_known(
    home: dict[str, str],
) -> None:
    async def story(days: Days) -> None:
        await days.at("2037-12-29 10:00:00")
        await days.buys(SHARES, 5)
        await days.buys(MTF, 20)
        await days.at("2037-12-29 16:20:00")
        await days.ends()
        await day_after_day(days, "2037-12-30", "2037-12-31")
        held = await days.held()
        assert held == [("SBIN", 5, 0)]
        charged = [it[0] for it in await days.lines(Entry.FEE)]
        assert charged == ["2037-12-30", "2037-12-31"]

        await day_after_day(days, *(f"2038-01-{it:02}" for it in (1, 5, 11)))
        assert await days.held() == held
        await days.is_right()
        main = days.house.stores["main"]
        await main.write(import_days, ACTOR, read_document(NEXT_YEAR), days.clock())
        await days.house.revisions.look()
        await day_after_day(days, "2038-01-12")
        fees = [it[0] for it in await days.lines(Entry.FEE)]
        assert fees == [*charged, *(f"2038-01-{it:02}" for it in range(1, 13))]
        await days.ends()
        assert len(await days.lines(Entry.FEE)) == len(fees)
        await days.is_right()

    days_pass(home, story)


def test_an_order_of_the_last_day_that_is_known_does_not_expire_unseen(
    home: dict[str, str],
) -> None:
    async def story(days: Days) -> None:
        await days.at("2037-12-31 10:00:00")
        seen = days.desk.look(SHARES.segment, SHARES.symbol)
        assert seen.price is not None
        lower = seen.price * 97 // 100 // 1000 * 1000
        wish = PlaceOrder(
            segment=SHARES.segment, symbol=SHARES.symbol, side=Side.BUY, quantity=5,
            product=Product.CNC, order_type=OrderType.LIMIT, price=lower,  # type: ignore[arg-type]
        )  # fmt: skip
        order = await place_order(days.desk, wish)
        assert order.status is OrderStatus.OPEN, order
        await days.at("2038-01-04 10:00:00")
        known = await days.desk.store.read(find, order.id, fresh=True)
        assert known is not None
        assert (known.status, known.error_code) == (OrderStatus.EXPIRED, None)  # as it was told
        await days.is_right()

    days_pass(home, story)
