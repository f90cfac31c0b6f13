"""The day's money as it ticks: exact, by symbol and by strategy, unknown with why, and cheap."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from bahi.bootstrap import House
from bahi.bootstrap.looking import look_at
from bahi.bootstrap.today import Days, Today, today_of
from bahi.kernel.clock import StoppedClock, exchange_day
from bahi.kernel.money import Money
from bahi.kernel.words import OrderStatus, Side
from bahi.orders.service.aiming import close_all
from bahi.orders.service.desk import Desk
from bahi.orders.service.looking import strategies_of
from bahi.orders.service.placing import place_order
from bahi.portfolio.model.gains import Total, summed
from bahi.portfolio.model.today import Made
from bahi.portfolio.service.reports import Period, gains, strategy_of
from tests.living import MORNING
from tests.orders.desks import ACTOR, NOON, AtNoon, at_noon, crossing, limit
from tests.statements import counted

BUY, SELL = Side


@pytest.fixture
def furnished_at() -> datetime:
    """Have these houses furnished on the morning of their day."""
    return MORNING


@pytest.fixture
def at_the_desk(home: dict[str, str]) -> Callable[[AtNoon], None]:
    """Return what tells a story at a paper desk, on either database."""
    return partial(at_noon, home)


async def deal(
    desk: Desk, side: Side, quantity: int, strategy: str | None = None, symbol: str = "SBIN"
) -> None:
    price = crossing(desk, side, symbol)
    wish = limit(desk, side, quantity, price=price)
    wish = replace(wish, symbol=symbol, strategy=strategy)
    order = await place_order(desk, wish)
    assert order.status is OrderStatus.EXECUTED, order


async def today(house: House, desk: Desk, days: Days | None = None) -> Today:
    return await today_of(house, days or Days(), await look_at(house, ACTOR, desk.account_id))


def adds_up(it: Today) -> None:
    """Prove that symbols, and strategies, come to the whole."""
    for parts in (it.symbols, it.strategies):
        assert _sum(parts.values(), "realized") == it.whole.realized
        assert _sum(parts.values(), "charges") == it.whole.charges
        if it.whole.unrealized is not None:
            assert _sum(parts.values(), "unrealized") == it.whole.unrealized


def _sum(many: Iterable[Made], name: str) -> Any:
    return sum(getattr(it, name) for it in many)


async def agrees_with_the_report(house: House, desk: Desk, it: Today) -> None:
    """Prove that what was closed is what the day's report says."""
    found = await gains(desk.store, desk.account_id, Period(it.day, it.day))
    ids = {gain.order_id for gain in found if gain.order_id is not None}
    by = strategy_of(await strategies_of(ids, desk.store))
    whole = summed(found, lambda _: None).get(None, Total())
    assert (it.whole.realized, it.whole.charges) == (whole.gross, whole.charges)
    for strategy, total in summed(found, by).items():
        made = it.strategies[strategy]
        assert (made.realized, made.charges) == (total.gross, total.charges)


def test_it_is_what_was_closed_and_what_is_open_less_what_it_cost(
    at_the_desk: Callable[[AtNoon], None],
) -> None:
    async def story(house: House, desk: Desk, clock: StoppedClock) -> None:
        assert (await today(house, desk)).whole == Made()
        await deal(desk, BUY, 30, "alpha")
        await deal(desk, BUY, 10, "beta")
        await deal(desk, SELL, 15, "alpha")
        await deal(desk, SELL, 5, None, "INFY")
        clock.set(NOON + timedelta(minutes=3))
        it = await today(house, desk)
        assert it.whole.net is not None
        assert it.whole.net == it.whole.realized + it.whole.unrealized - it.whole.charges  # type: ignore[operator]
        assert set(it.symbols) == {"SBIN", "INFY"}
        assert set(it.strategies) == {"alpha", "beta", None}
        adds_up(it)
        await agrees_with_the_report(house, desk, it)
        sbin = it.symbols["SBIN"].unrealized
        alpha, beta = (it.strategies[name].unrealized for name in ("alpha", "beta"))
        assert sbin is not None
        assert alpha == sbin * 15 // 25
        assert beta == sbin - alpha

    at_the_desk(story)


def test_what_is_open_since_before_is_of_who_opened_it(
    at_the_desk: Callable[[AtNoon], None],
) -> None:
    async def story(house: House, desk: Desk, clock: StoppedClock) -> None:
        await deal(desk, BUY, 10, "alpha")
        clock.set(NOON + timedelta(days=1))
        days = Days()
        it = await today(house, desk, days)
        assert it.whole.realized == it.whole.charges == 0
        assert set(it.strategies) == {"alpha"}
        await deal(desk, BUY, 10, "beta")
        await deal(desk, SELL, 4, "beta")
        it = await today(house, desk, days)
        assert set(it.strategies) == {"alpha", "beta"}
        adds_up(it)
        await agrees_with_the_report(house, desk, it)
        await close_all(desk)
        it = await today(house, desk, days)
        assert it.whole.unrealized == 0
        adds_up(it)
        await agrees_with_the_report(house, desk, it)

    at_the_desk(story)


def test_one_price_that_is_missing_makes_the_whole_unknown_and_says_why(
    at_the_desk: Callable[[AtNoon], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(house: House, desk: Desk, clock: StoppedClock) -> None:
        await deal(desk, BUY, 10, "alpha")
        await deal(desk, BUY, 5, "beta", "INFY")
        market = house.floor.market
        quote = market.quote
        monkeypatch.setattr(market, "quote", lambda it: None if it.symbol == "INFY" else quote(it))
        it = await today(house, desk)
        for unknown in (it.whole, it.symbols["INFY"], it.strategies["beta"]):
            assert (unknown.unrealized, unknown.gross, unknown.net) == (None, None, None)
            assert unknown.why == "There is no price of INFY."
        assert it.symbols["SBIN"].net is not None
        assert it.strategies["alpha"].net is not None

    at_the_desk(story)


def test_it_ticks_with_prices_at_the_cost_of_one_statement(
    at_the_desk: Callable[[AtNoon], None],
) -> None:
    async def story(house: House, desk: Desk, clock: StoppedClock) -> None:
        days = Days()
        await deal(desk, BUY, 10)
        first = await today(house, desk, days)
        seen = {first.whole.unrealized}
        for second in range(1, 6):
            clock.set(NOON + timedelta(seconds=10 * second))
            await house.floor.renew()
            kept = await look_at(house, ACTOR, desk.account_id)
            with counted() as beside:
                await house.floor.renew()
            with counted() as cost:
                seen.add((await today_of(house, days, kept)).whole.unrealized)
            assert cost.number - beside.number == 1
        assert len(seen) > 1
        await deal(desk, SELL, 4)
        with counted() as cost:
            after = await today_of(house, days, kept)
        assert cost.number - beside.number <= 6
        assert after.whole.charges > first.whole.charges

    at_the_desk(story)


def test_another_day_begins_with_nothing(at_the_desk: Callable[[AtNoon], None]) -> None:
    async def story(house: House, desk: Desk, clock: StoppedClock) -> None:
        days = Days()
        await deal(desk, BUY, 10)
        await close_all(desk)
        assert (await today(house, desk, days)).whole.charges > 0
        clock.set(NOON + timedelta(days=1))
        it = await today(house, desk, days)
        assert it.day == exchange_day(clock())
        assert it.whole == Made(Money(0), Money(0), Money(0))

    at_the_desk(story)
