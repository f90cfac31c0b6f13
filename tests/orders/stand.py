"""A desk at a broker in memory, with the sweep that looks after it, and a clock of one's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from bahi.bootstrap import House
from bahi.kernel.clock import StoppedClock, exchange_day
from bahi.kernel.words import EventSource, Segment
from bahi.notify.service import find_open
from bahi.orders.model.order import GRACE, SEND_WITHIN, Order
from bahi.orders.repository.order import find
from bahi.orders.service.desk import Desk
from bahi.orders.service.ingesting import Word, ingest
from bahi.orders.service.sweeping import Grounds, Sweep
from tests.orders.balance import assert_balanced
from tests.orders.brokers import MemoryBroker, Placed
from tests.orders.desks import paper_desk

LONG_AFTER = SEND_WITHIN + GRACE


class Stand(NamedTuple):
    """A desk at a broker in memory, and the sweep that looks after it."""

    house: House
    desk: Desk
    broker: MemoryBroker
    sweep: Sweep
    clock: StoppedClock
    grounds: Grounds

    async def known(self, order: Order) -> Order:
        found = await self.desk.store.read(find, order.id, fresh=True)
        assert found is not None
        return found

    async def balanced(self) -> list[Order]:
        return await self.desk.store.read(assert_balanced, self.desk.account_id, fresh=True)

    async def hear(self, placed: Placed) -> Order:
        """Take in what the broker says of an order now."""
        word = Word(placed.told(), EventSource.WEBSOCKET)
        desk = self.desk
        return await desk.store.write(ingest, desk.account_id, word, desk.terms, desk.clock())

    async def alert(self, topic: str) -> bool:
        return await self.desk.store.read(find_open, topic, fresh=True) is not None


def around_the_clock(_segment: Segment, day: date, now: datetime) -> bool:
    """Say of a market that opens at each midnight whether it has opened since a day."""
    return exchange_day(now) > day


async def stand_of(house: House, clock: StoppedClock) -> Stand:
    desk = await paper_desk(house)
    await house.floor.renew()
    broker = MemoryBroker(clock)
    desk = replace(desk, broker=broker)
    grounds = Grounds(
        store=desk.store,
        broker_of=lambda _: broker,
        terms_of=house.floor.terms_of,
        listed=house.floor.market.instrument,
        clock=clock,
        has_reopened=around_the_clock,
    )
    return Stand(house, desk, broker, Sweep(grounds), clock, grounds)


Story = Callable[[Stand], Awaitable[None]]
