"""The driver: what rests fills when the market comes to it, and the book is told of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from bahi.bootstrap import House
from bahi.bootstrap.trading import LEASE_S, Lease, driver_of
from bahi.jobs.service import get_job
from bahi.kernel.clock import SystemClock
from bahi.kernel.money import Price
from bahi.kernel.words import JobStatus, OrderStatus, Segment, Side
from bahi.orders.repository.order import events_of, find
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import place_order
from bahi.portfolio.repository.position import of_account
from tests.living import live_in, stopped
from tests.orders.balance import assert_balanced
from tests.orders.desks import NOON, OPEN, limit, paper_desk

SOON = timedelta(minutes=30)


async def _below(house: House, desk: Desk, now: datetime) -> tuple[Price, datetime]:
    """Return a bid that nobody takes now, and when the simulated market has come through it."""
    instrument = desk.look(Segment.NSE_EQ, "SBIN").instrument
    assert house.prices.market is not None
    market, tick = await house.prices.market.now(), instrument.tick_size or Price(1)
    first = market.quote(instrument, now)
    assert first is not None
    assert first.bid is not None
    price = Price(first.bid - 2 * tick)
    for second in range(1, int(SOON.total_seconds())):
        quote = market.quote(instrument, at := now + timedelta(seconds=second))
        if quote is not None and quote.ask is not None and quote.ask < price:
            return price, at
    raise AssertionError("the simulated market never came down")


def test_a_resting_limit_fills_when_the_market_comes_to_it(home: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        driver = await driver_of(house)
        price, at = await _below(house, desk, clock())
        order = await place_order(desk, limit(desk, price=price))
        assert order.status is OrderStatus.OPEN
        assert (await driver.round()).told == 0
        clock.set(at)
        moved = await driver.round()
        assert (moved.moved, moved.told) == (1, 1)
        filled = await desk.store.read(find, order.id, fresh=True)
        assert filled is not None
        assert (filled.status, filled.filled, filled.margin) == (OrderStatus.EXECUTED, 10, 0)
        (held,) = await desk.store.read(of_account, desk.account_id, fresh=True)
        assert held.net == 10
        assert (await driver.round()).told == 0
        await desk.store.read(assert_balanced, desk.account_id, fresh=True)

    live_in(home | OPEN, story, clock)


def test_what_was_told_twice_is_booked_once(home: dict[str, str]) -> None:
    """As after a death between the book and the exchange's note that it told."""
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        driver = await driver_of(house)
        price, at = await _below(house, desk, clock())
        order = await place_order(desk, limit(desk, price=price))
        clock.set(at)
        await driver._exchange.match_resting()
        for seen in await driver._exchange.untold():
            assert await driver._hand(seen)
        before = await desk.store.read(events_of, order.id, fresh=True)
        assert await driver.tell() == 1
        assert await desk.store.read(events_of, order.id, fresh=True) == before
        await desk.store.read(assert_balanced, desk.account_id, fresh=True)

    live_in(home | OPEN, story, clock)


@asynccontextmanager
async def _open(house: House) -> AsyncIterator[None]:
    await house.begin()
    yield


def test_an_open_house_drives_by_itself(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        async with _open(house):
            desk = await paper_desk(house)
            exchange = (await driver_of(house))._exchange
            order = await place_order(desk, limit(desk, price=limit(desk, Side.SELL).price))
            assert order.status is OrderStatus.OPEN
            # taken back at the exchange, as its square-off would: only the driver can tell us
            assert order.broker_order_id is not None
            await exchange.cancel(desk.account_id, int(order.broker_order_id))
            house.trading.wake()
            while True:
                known = await desk.store.read(find, order.id, fresh=True)
                if known is not None and not known.is_active:
                    break
                await asyncio.sleep(0.02)
            assert known.status is OrderStatus.CANCELLED

    live_in(home | OPEN, story, SystemClock())


def test_one_process_drives_at_a_time_and_another_follows_it(home: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        store = house.stores["sandbox"]
        first, second = Lease(store, clock), Lease(store, clock)
        assert await first.is_ours()
        assert not await second.is_ours()
        clock.advance(timedelta(seconds=LEASE_S - 1))
        assert await first.is_ours()
        assert not await second.is_ours()
        clock.advance(timedelta(seconds=LEASE_S + 1))  # the first stands still, and wakes late
        assert await second.is_ours()
        assert not await first.is_ours()
        await second.give_back()
        job = await store.read(get_job, "trading", fresh=True)
        assert job.status is JobStatus.PENDING
        assert await first.is_ours()

    live_in(home | OPEN, story, clock)


def test_a_cancel_is_told_by_the_paper_exchange(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        order = await place_order(desk, limit(desk, price=limit(desk, Side.SELL).price))
        cancelled = await cancel_order(desk, order.id)
        assert (cancelled.status, cancelled.margin) == (OrderStatus.CANCELLED, 0)
        await (await driver_of(house)).round()
        await desk.store.read(assert_balanced, desk.account_id, fresh=True)

    live_in(home | OPEN, story, stopped(NOON))
