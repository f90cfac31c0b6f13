"""What is told before an order is placed is what placing then blocks; and who is short hears it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from bahi.bootstrap import House
from bahi.bootstrap.margins import TOPIC, margin_for, remargin_all
from bahi.db.tx import Tx
from bahi.kernel.money import Money, parse_money
from bahi.kernel.words import OrderStatus, Product, Side
from bahi.notify.service import find_open
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.aiming import close_all
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import place_order
from bahi.orders.service.several import place_basket
from bahi.portfolio.model.money import Entry, Line
from bahi.portfolio.service.books import enter, lock_book, positions_of, save_book
from tests.living import live_in, stopped
from tests.orders.desks import ACTOR, NOON, OPEN, away, crossing, limit, paper_desk

BUY, SELL = Side
CNC, INTRADAY, MTF = Product.CNC, Product.INTRADAY, Product.MTF
Story = Callable[[House, Desk], Awaitable[None]]


@pytest.fixture
def at_the_desk(home: dict[str, str]) -> Callable[[Story], None]:
    """Return what tells a story at a paper desk, on either database."""
    clock = stopped(NOON)

    def tell(story: Story) -> None:
        async def whole(house: House) -> None:
            await story(house, await paper_desk(house))

        live_in(home | OPEN, whole, clock)

    return tell


async def has_free(desk: Desk, rupees: str) -> None:
    """Let the account have so much free, whatever it had."""

    def write(tx: Tx) -> None:
        before, now = lock_book(tx, desk.account_id), desk.clock()
        line = Line(Entry.RESET, "test", Money(parse_money(rupees) - before.available))
        save_book(tx, before, enter(tx, before, line, now), now)

    await desk.store.write(write, account=desk.account_id)


async def bought(desk: Desk, quantity: int, product: Product) -> None:
    order = await place_order(desk, limit(desk, BUY, quantity, product=product))
    assert order.status is OrderStatus.EXECUTED, order


def test_of_one_wish_it_is_what_placing_it_blocks(at_the_desk: Callable[[Story], None]) -> None:
    async def story(house: House, desk: Desk) -> None:
        async def agrees(wish: PlaceOrder) -> Money:
            (need,) = (await margin_for(house, ACTOR, desk.account_id, [wish])).each
            placed = await place_order(desk, wish)
            assert placed.status is OrderStatus.OPEN, placed
            assert need.total == placed.margin
            assert need.is_exit is placed.is_exit
            return need.total

        low, high = away(desk, BUY), away(desk, SELL)
        for product in (CNC, INTRADAY, MTF):
            assert await agrees(limit(desk, BUY, 10, price=low, product=product)) > 0
        assert await agrees(limit(desk, SELL, 10, price=high)) > 0
        await bought(desk, 10, INTRADAY)
        sell = limit(desk, SELL, 6, price=high)
        assert await agrees(replace(sell, quantity=11)) > 0  # past zero
        assert await agrees(sell) == 0
        assert await agrees(sell) > 0  # the first of them is about to close it already
        assert await agrees(replace(sell, quantity=4)) == 0

    at_the_desk(story)


@pytest.mark.parametrize("rupees", ["5000", "9000", "12000", "1000000"])
def test_a_basket_that_fits_is_placed_to_the_last_order(
    at_the_desk: Callable[[Story], None], rupees: str
) -> None:
    async def story(house: House, desk: Desk) -> None:
        await bought(desk, 10, CNC)
        other = desk.look(limit(desk).segment, "INFY")
        assert other.price is not None
        out = limit(desk, SELL, 10, product=CNC)
        into = replace(
            limit(desk, BUY, 6, product=CNC), symbol="INFY", price=crossing(desk, BUY, "INFY")
        )
        await has_free(desk, rupees)
        told = await margin_for(house, ACTOR, desk.account_id, [out, into])
        assert [it.is_exit for it in told.each] == [True, False]  # as they were asked
        answers = await place_basket(desk, [out, into])
        refused = [it.order.status is OrderStatus.REJECTED for it in answers if it.order]
        assert len(refused) == 2
        assert told.fits is not any(refused)

    at_the_desk(story)


def test_who_was_short_and_closed_everything_is_short_no_more(
    at_the_desk: Callable[[Story], None],
) -> None:
    async def story(house: House, desk: Desk) -> None:
        async def is_told() -> bool:
            topic = f"{TOPIC}{desk.account_id}"
            await remargin_all(house, desk.store, ACTOR)
            return await house.stores["main"].read(find_open, topic, fresh=True) is not None

        await bought(desk, 10, INTRADAY)
        assert not await is_told()
        await has_free(desk, "-1")
        assert await is_told()
        await close_all(desk)
        assert not await desk.store.read(positions_of, desk.account_id, fresh=True)
        assert not await is_told()

    at_the_desk(story)
