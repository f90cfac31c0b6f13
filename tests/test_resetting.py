"""A paper account that begins anew, at the exchange and in the books alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from bahi.bootstrap import House
from bahi.bootstrap.resetting import reset_account
from bahi.bootstrap.trading import driver_of
from bahi.kernel.errors import Conflict
from bahi.kernel.money import parse_money
from bahi.kernel.words import Product, Side, TriggerType
from bahi.orders.model.forever import Trigger
from bahi.orders.service.desk import Desk
from bahi.orders.service.forever import PlaceForever, place_forever
from bahi.orders.service.placing import place_order
from bahi.portfolio.service.books import positions_of
from tests.living import MORNING, live_in, stopped
from tests.orders.balance import assert_balanced
from tests.orders.desks import ACTOR, NOON, OPEN, away, crossing, limit, paper_desk
from tests.test_carrying import TODAYS
from tests.test_reconciling import at_once
from tests.test_settling import MONDAY, Days, days_pass

CRORE = parse_money("10000000")


@pytest.fixture
def furnished_at() -> datetime:
    """Have these houses furnished on the morning of their day."""
    return MORNING


async def _trades(desk: Desk) -> None:
    await place_order(desk, limit(desk, quantity=20))
    await place_order(desk, replace(limit(desk, quantity=5), product=Product.CNC))
    await place_order(desk, limit(desk, price=away(desk, Side.BUY)))
    above = Trigger(kind=TriggerType.LTP_ABOVE, above=crossing(desk, Side.BUY))
    await place_forever(desk, PlaceForever(order=limit(desk), trigger=above))


def test_an_account_begins_anew_when_nothing_works_and_nothing_is_open(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        account = desk.account_id
        await _trades(desk)
        with pytest.raises(Conflict, match="1 forever orders wait"):
            await reset_account(house, ACTOR, account)
        book = await reset_account(house, ACTOR, account, flat=True, pause=at_once)
        assert (book.cash, book.margin_used, book.open_orders) == (CRORE, 0, 0)
        assert await desk.store.read(positions_of, account, fresh=True) == []
        await (await driver_of(house)).round()
        await desk.store.read(assert_balanced, account, fresh=True)
        less = await reset_account(house, ACTOR, account, parse_money("50000"))
        assert less.cash == parse_money("50000")
        await desk.store.read(assert_balanced, account, fresh=True)

    live_in(home | OPEN, story, stopped(NOON))


def test_what_is_open_or_works_is_named_when_it_is_refused(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        resting = await place_order(desk, limit(desk, price=away(desk, Side.BUY)))
        with pytest.raises(Conflict, match="1 orders are working"):
            await reset_account(house, ACTOR, desk.account_id)
        assert resting.is_active
        await place_order(desk, replace(limit(desk), product=Product.CNC))
        with pytest.raises(Conflict, match="Still open: SBIN; close that first"):
            await reset_account(house, ACTOR, desk.account_id)

    live_in(home | OPEN, story, stopped(NOON))


def test_the_exchange_squares_off_nothing_that_the_books_forgot(home: dict[str, str]) -> None:
    async def story(days: Days) -> None:
        await days.at(MONDAY)
        await days.buys(TODAYS, 20)
        account = days.desk.account_id
        with pytest.raises(Conflict, match="Still open at the exchange: NIFTYBEES"):
            await reset_account(days.house, ACTOR, account)
        await reset_account(days.house, ACTOR, account, flat=True, pause=at_once)
        await days.at("2036-11-24 15:20:00")
        assert (await days.position(TODAYS)).net == 0
        assert (await days.page()).cash == CRORE
        await days.is_right()

    days_pass(home, story)
