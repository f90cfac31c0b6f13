"""The curve of the day: a point a minute while something trades, unknown where a price is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest

from bahi.bootstrap import House
from bahi.bootstrap.curves import Curves
from bahi.bootstrap.looking import look_at, worth_at
from bahi.bootstrap.trading import driver_of
from bahi.db.tx import Tx
from bahi.kernel.clock import StoppedClock, exchange_day
from bahi.kernel.money import Money
from bahi.kernel.words import Side
from bahi.orders.service.aiming import close_all
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import place_order
from bahi.portfolio.model.curve import Point
from bahi.portfolio.model.worth import unrealized
from bahi.portfolio.repository.position import save
from bahi.portfolio.service.books import open_book, positions_of
from bahi.portfolio.service.curve import curve_of, draw, forget_curves_before
from tests.living import MORNING
from tests.orders.desks import ACTOR, NOON, AtNoon, at_noon, limit
from tests.portfolio.books import opening
from tests.statements import counted

MINUTE = timedelta(minutes=1)


@pytest.fixture
def furnished_at() -> datetime:
    """Have these houses furnished on the morning of their day."""
    return MORNING


@pytest.fixture
def at_the_desk(home: dict[str, str]) -> Callable[[AtNoon], None]:
    """Return what tells a story at a paper desk, on either database."""
    return partial(at_noon, home)


async def points(desk: Desk) -> list[Point]:
    day = exchange_day(desk.clock())
    return await desk.store.read(curve_of, desk.account_id, day, fresh=True)


def test_it_has_a_point_a_minute_from_the_first_trade_on(
    at_the_desk: Callable[[AtNoon], None],
) -> None:
    async def story(house: House, desk: Desk, clock: StoppedClock) -> None:
        curves = Curves(house, desk.store)
        assert await curves.round() == 0  # nothing is open, and nothing was dealt in
        await place_order(desk, limit(desk, Side.BUY, 10))
        clock.set(NOON + MINUTE)
        assert await curves.round() == 1
        clock.set(NOON + MINUTE + timedelta(seconds=40))
        assert await curves.round() == 0
        clock.set(NOON + 2 * MINUTE)
        assert await curves.round() == 1
        worths = await worth_at(house, await look_at(house, ACTOR, desk.account_id))
        first, second = await points(desk)
        assert (first.at, second.at) == (NOON + MINUTE, NOON + 2 * MINUTE)
        assert second.unrealized == unrealized(worths) is not None
        assert second.realized == 0
        assert second.charges > 0
        assert second.net == second.unrealized - second.charges

    at_the_desk(story)


def test_who_got_out_goes_on_being_drawn_that_day_and_not_the_next(
    at_the_desk: Callable[[AtNoon], None],
) -> None:
    async def story(house: House, desk: Desk, clock: StoppedClock) -> None:
        curves = Curves(house, desk.store)
        await place_order(desk, limit(desk, Side.BUY, 10))
        await close_all(desk)
        await curves.round()
        (flat,) = await points(desk)
        assert flat.unrealized == 0
        assert flat.realized != 0
        clock.set(NOON + timedelta(days=1))
        assert await curves.round() == 0
        assert await points(desk) == []

    at_the_desk(story)


def test_while_no_market_is_open_only_what_changed_is_drawn(
    at_the_desk: Callable[[AtNoon], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(house: House, desk: Desk, clock: StoppedClock) -> None:
        curves = Curves(house, desk.store)
        await place_order(desk, limit(desk, Side.BUY, 10))
        monkeypatch.setattr(house.floor.market, "is_open", lambda _listed: False)
        assert await curves.round() == 1  # what was dealt in since the last point
        clock.set(NOON + MINUTE)
        assert await curves.round() == 0
        clock.set(NOON + timedelta(days=1))
        assert await curves.round() == 0

    at_the_desk(story)


def test_a_price_that_is_not_there_leaves_the_point_unknown(
    at_the_desk: Callable[[AtNoon], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(house: House, desk: Desk, clock: StoppedClock) -> None:
        await place_order(desk, limit(desk, Side.BUY, 10))
        monkeypatch.setattr(house.floor.market, "quote", lambda _listed: None)
        clock.set(NOON + MINUTE)
        assert await Curves(house, desk.store).round() == 1
        (point,) = await points(desk)
        assert (point.unrealized, point.gross, point.net) == (None, None, None)
        assert point.why == "There is no price of SBIN."
        assert point.charges > 0

    at_the_desk(story)


def test_the_driver_draws_and_the_newest_of_a_minute_stands(
    at_the_desk: Callable[[AtNoon], None],
) -> None:
    async def story(house: House, desk: Desk, clock: StoppedClock) -> None:
        await place_order(desk, limit(desk, Side.BUY, 10))
        await (await driver_of(house)).round()
        (drawn,) = await points(desk)
        newer = drawn._replace(at=NOON + timedelta(seconds=59), unrealized=Money(7), why="")
        assert await draw(desk.store, [(desk.account_id, newer)]) == 1
        assert await points(desk) == [newer]

    at_the_desk(story)


def test_a_round_costs_no_more_statements_for_many_accounts(
    at_the_desk: Callable[[AtNoon], None],
) -> None:
    async def story(house: House, desk: Desk, clock: StoppedClock) -> None:
        await place_order(desk, limit(desk, Side.BUY, 10))
        for each in range(7_000, 7_030):
            await desk.store.write(_also_holds, desk.account_id, each, clock())
        await house.floor.renew()
        with counted() as beside:  # the exchange's rules, and what else a desk has at hand
            await house.floor.renew()
        with counted() as cost:
            assert await Curves(house, desk.store).round() == 31
        assert cost.number - beside.number == 5

    at_the_desk(story)


def _also_holds(tx: Tx, like: int, account_id: int, now: datetime) -> None:
    """Begin a book that has what another has."""
    open_book(tx, replace(opening(account_id), cash=Money(0)), now)
    (held,) = positions_of(tx, like)
    save(tx, account_id, held, now, is_new=True)


def test_curves_are_forgotten_after_a_month(at_the_desk: Callable[[AtNoon], None]) -> None:
    async def story(house: House, desk: Desk, clock: StoppedClock) -> None:
        old = NOON - timedelta(days=31)
        at = [old, old + MINUTE, NOON - timedelta(days=29), NOON]
        for each in at:
            await draw(desk.store, [(desk.account_id, Point(each, Money(1), None, Money(0), "?"))])
        before = NOON - timedelta(days=30)
        assert await forget_curves_before(desk.store, before, dry_run=True) == 2
        assert await forget_curves_before(desk.store, before) == 2
        assert await forget_curves_before(desk.store, before) == 0
        assert len(await points(desk)) == 1

    at_the_desk(story)
