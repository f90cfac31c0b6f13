"""What the driver does for accounts by itself, at the paper exchange and a market that moves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

import pytest

from bahi.bootstrap import House
from bahi.bootstrap.trading import driver_of
from bahi.kernel.clock import StoppedClock
from bahi.kernel.money import Price
from bahi.kernel.words import ForeverStatus, LegType, OrderStatus, Segment, Side, TriggerType
from bahi.orders.model.forever import Forever, Trigger
from bahi.orders.model.order import APPROVED_WITHIN, Order
from bahi.orders.model.wishes import Guard
from bahi.orders.repository import forever as forevers
from bahi.orders.repository import guarded
from bahi.orders.repository.order import find
from bahi.orders.service.desk import Desk
from bahi.orders.service.forever import PlaceForever, place_forever
from bahi.orders.service.placing import place_order
from bahi.portfolio.service.books import positions_of
from bahi.quotes.model.quote import Quote
from tests.living import MORNING, live_in, stopped
from tests.orders.balance import assert_balanced, orders_of
from tests.orders.desks import NOON, OPEN, crossing, limit, paper_desk

T = TypeVar("T")
HALF_AN_HOUR = 1_800


@pytest.fixture
def furnished_at() -> datetime:
    """Have these houses furnished on the morning of their day."""
    return MORNING


@dataclass
class Attended:
    """A paper account, and the market as it will be: the simulated one is known beforehand."""

    house: House
    desk: Desk
    clock: StoppedClock

    @classmethod
    async def begin(cls, house: House, clock: StoppedClock) -> Attended:
        return cls(house, await paper_desk(house), clock)

    @property
    def tick(self) -> Price:
        return self.desk.look(Segment.NSE_EQ, "SBIN").instrument.tick_size or Price(1)

    async def quote(self, at: datetime) -> Quote:
        assert self.house.prices.market is not None
        market = await self.house.prices.market.now()
        found = market.quote(self.desk.look(Segment.NSE_EQ, "SBIN").instrument, at)
        assert found is not None
        return found

    async def when(self, comes: Callable[[Quote], bool]) -> datetime:
        """Return when the market first comes to something."""
        begun = self.clock()
        for second in range(1, HALF_AN_HOUR):
            at = begun + timedelta(seconds=second)
            if comes(await self.quote(at)):
                return at
        raise AssertionError("the simulated market never came there")

    async def round(self, at: datetime | None = None) -> None:
        """Have a driver that begins now do one round, at an instant."""
        if at is not None:
            self.clock.set(at)
        await (await driver_of(self.house)).round()

    async def known(self, order: Order) -> Order:
        found = await self.desk.store.read(find, order.id, fresh=True)
        assert found is not None
        return found

    async def legs(self, entry: Order) -> dict[LegType | None, Order]:
        found = await self.desk.store.read(guarded.legs, entry.id, fresh=True)
        return {it.leg_type: it for it in found}

    async def orders(self) -> list[Order]:
        return await self.desk.store.read(orders_of, self.desk.account_id, fresh=True)

    async def net(self) -> int:
        held = await self.desk.store.read(positions_of, self.desk.account_id, fresh=True)
        return sum(it.net for it in held)

    async def forever(self, it: Forever) -> Forever:
        found = await self.desk.store.read(forevers.find, it.id, fresh=True)
        assert found is not None
        return found

    async def balanced(self) -> None:
        await self.desk.store.read(assert_balanced, self.desk.account_id, fresh=True)


def attend(
    home: dict[str, str],
    story: Callable[[Attended], Awaitable[T]],
    at: datetime = NOON,
    opens: str = "yes",
) -> T:
    """Let a story happen in a house that is new to the stores, as after a death."""
    clock = stopped(at)

    async def whole(house: House) -> T:
        return await story(await Attended.begin(house, clock))

    return live_in(home | OPEN | {"BAHI_MARKET_ALWAYS_OPEN": opens}, whole, clock)


async def _bracket(it: Attended, stop: int, target: int) -> Order:
    """Buy now, with a stop so many ticks below the price, and a target so many above."""
    quote = await it.quote(it.clock())
    ask, last = quote.ask, quote.last // it.tick * it.tick
    assert ask is not None
    guard = Guard(stop=Price(last - stop * it.tick), target=Price(ask + target * it.tick))
    wish = replace(limit(it.desk, Side.BUY, 10, price=ask), guard=guard)
    entry = await place_order(it.desk, wish)
    assert entry.status is OrderStatus.EXECUTED
    return entry


def _wide(it: Attended) -> int:
    """Return ticks that the market does not move in half an hour."""
    return int(crossing(it.desk, Side.BUY) // 50 // it.tick)


def test_a_target_that_the_market_reaches_fills_and_its_stop_goes(home: dict[str, str]) -> None:
    async def story(it: Attended) -> None:
        entry = await _bracket(it, _wide(it), _near(it))
        await it.round()
        legs = await it.legs(entry)
        assert {kind: (leg.status, leg.remaining) for kind, leg in legs.items()} == {
            LegType.SL: (OrderStatus.OPEN, 10),
            LegType.TARGET: (OrderStatus.OPEN, 10),
        }
        target = legs[LegType.TARGET].price
        assert target is not None
        await it.round(await it.when(lambda quote: (quote.bid or 0) > target))
        legs = await it.legs(entry)
        assert legs[LegType.TARGET].status is OrderStatus.EXECUTED
        assert legs[LegType.SL].status is OrderStatus.CANCELLED
        await it.round()
        assert (await it.net(), (await it.known(entry)).is_kept) == (0, False)
        before = await it.orders()
        await it.round()
        assert await it.orders() == before
        await it.balanced()

    attend(home, story)


def _near(it: Attended) -> int:
    """Return ticks that the market does move in half an hour."""
    return max(_wide(it) // 200, 3)


def test_a_stop_that_the_market_reaches_fires_and_its_target_goes(home: dict[str, str]) -> None:
    async def story(it: Attended) -> None:
        entry = await _bracket(it, _near(it), _wide(it))
        await it.round()
        stop = (await it.legs(entry))[LegType.SL]
        assert stop.trigger_pending
        trigger = stop.trigger_price
        assert trigger is not None
        await it.round(await it.when(lambda quote: quote.last <= trigger))
        for _ in range(30):  # what it did not find at once it finds as the depth comes anew
            if not await it.net():
                break
            await it.round(it.clock() + timedelta(seconds=1))
        await it.round()
        legs = await it.legs(entry)
        assert legs[LegType.SL].status is OrderStatus.EXECUTED
        assert legs[LegType.TARGET].status is OrderStatus.CANCELLED
        assert (await it.net(), (await it.known(entry)).is_kept) == (0, False)
        await it.balanced()

    attend(home, story)


def test_a_driver_that_dies_between_two_rounds_is_followed_by_one_that_goes_on(
    home: dict[str, str],
) -> None:
    async def begins(it: Attended) -> Order:
        return await _bracket(it, _wide(it), _near(it))

    entry = attend(home, begins)

    async def protects(it: Attended) -> datetime:
        await it.round()
        target = (await it.legs(entry))[LegType.TARGET].price
        assert target is not None
        return await it.when(lambda quote: (quote.bid or 0) > target)

    at = attend(home, protects)

    async def dies(it: Attended) -> None:
        """Of the round in which the market came there only the exchange's part was done."""
        await it.house.floor.renew()
        assert await it.house.floor.exchange.drive() == 1

    attend(home, dies, at)

    async def goes_on(it: Attended) -> None:
        await it.round()
        await it.round()
        assert len(await it.legs(entry)) == 2
        assert (await it.net(), (await it.known(entry)).is_kept) == (0, False)
        assert len(await it.orders()) == 3
        await it.balanced()

    attend(home, goes_on, at)


def test_a_forever_order_fires_once_when_its_price_comes(home: dict[str, str]) -> None:
    async def story(it: Attended) -> None:
        last = (await it.quote(it.clock())).last
        above = Price((last // it.tick + _near(it)) * it.tick)
        wish = PlaceForever(
            order=limit(it.desk, Side.BUY, 10),
            trigger=Trigger(kind=TriggerType.LTP_ABOVE, above=above),
        )
        (waits,) = await place_forever(it.desk, wish)
        await it.round()
        assert (await it.forever(waits)).waits
        await it.round(await it.when(lambda quote: quote.last >= above))
        await it.round()
        fired = await it.forever(waits)
        (order,) = await it.orders()
        assert fired.status is ForeverStatus.TRIGGERED
        assert (fired.triggered_order_id, order.status) == (order.id, OrderStatus.EXECUTED)
        await it.balanced()

    attend(home, story)


def test_an_order_that_nobody_approves_lapses(home: dict[str, str]) -> None:
    async def story(it: Attended) -> None:
        desk = replace(it.desk, needs_approval=lambda _: True)
        order = await place_order(desk, limit(it.desk))
        await it.round(it.clock() + APPROVED_WITHIN - timedelta(seconds=1))
        assert (await it.known(order)).status is OrderStatus.PENDING
        await it.round(it.clock() + timedelta(seconds=1))
        lapsed = await it.known(order)
        assert (lapsed.status, lapsed.error_code) == (OrderStatus.EXPIRED, "LAPSED")
        await it.balanced()

    attend(home, story)


def test_an_order_goes_out_at_its_time_and_once(home: dict[str, str]) -> None:
    async def story(it: Attended) -> None:
        later = it.clock() + timedelta(minutes=5)
        order = await place_order(it.desk, replace(limit(it.desk), send_at=later))
        await it.round(later - timedelta(seconds=1))
        assert (await it.known(order)).status is OrderStatus.PENDING
        await it.round(later)
        await it.round()
        sent = await it.known(order)
        assert (sent.status, sent.filled) == (OrderStatus.EXECUTED, 10)
        assert await it.net() == 10
        await it.balanced()

    attend(home, story)


def test_an_order_whose_market_does_not_open_on_its_day_ends_with_it(home: dict[str, str]) -> None:
    later = NOON + timedelta(minutes=5)

    async def places(it: Attended) -> Order:
        return await place_order(it.desk, replace(limit(it.desk), send_at=later))

    order = attend(home, places)

    async def waits(it: Attended) -> None:
        """Nobody knows the market's days of this year, and unknown is not open."""
        await it.round()
        assert (await it.known(order)).status is OrderStatus.PENDING
        await it.round(later + timedelta(days=1))
        ended = await it.known(order)
        assert (ended.status, ended.error_code) == (OrderStatus.EXPIRED, "LAPSED")
        await it.balanced()

    attend(home, waits, later, opens="no")
