"""What was begun is seen through, whoever leaves meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from bahi.bootstrap import House
from bahi.kernel.words import OrderStatus
from bahi.orders.repository.order import find
from bahi.orders.service.errands import Errands
from bahi.orders.service.placing import place_order
from tests.living import live_in, stopped
from tests.orders.balance import orders_of
from tests.orders.brokers import MemoryBroker
from tests.orders.desks import NOON, OPEN, limit, paper_desk


def test_a_caller_that_hangs_up_cuts_nothing_and_learns_that_it_was_cancelled(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        desk = await paper_desk(house)
        broker = MemoryBroker(house.clock)
        desk = replace(desk, broker=broker)
        broker.gate = asyncio.Event()
        caller = asyncio.create_task(place_order(desk, limit(desk)))
        await broker.reached.wait()
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        assert len(house.trading.errands) == 1
        broker.gate.set()
        assert await house.trading.errands.finish() == 0
        (order,) = await desk.store.read(orders_of, desk.account_id, fresh=True)
        assert order.status is OrderStatus.OPEN
        assert broker.calls == {order.tag: 1}

    live_in(home | OPEN, story, stopped(NOON))


def test_a_closing_house_waits_for_what_is_under_way(home: dict[str, str]) -> None:
    kept = {}

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        broker = MemoryBroker(house.clock)
        desk = replace(desk, broker=broker)
        broker.gate = asyncio.Event()
        kept["order"] = asyncio.create_task(place_order(desk, limit(desk)))
        await broker.reached.wait()
        asyncio.get_running_loop().call_soon(broker.gate.set)

    live_in(home | OPEN, story, stopped(NOON))
    order = kept["order"].result()
    assert order.status is OrderStatus.OPEN

    async def later(house: House) -> None:
        known = await house.stores["sandbox"].read(find, order.id, fresh=True)
        assert known == order

    live_in(home | OPEN, later, stopped(NOON))


def test_what_does_not_end_is_waited_for_within_a_bound() -> None:
    async def story() -> None:
        errands = Errands()
        caller = asyncio.create_task(errands.see_through(asyncio.Event().wait()))
        await asyncio.sleep(0)
        assert await errands.finish(within_s=0.01) == 1
        with pytest.raises(asyncio.CancelledError):
            await caller

    asyncio.run(story())
