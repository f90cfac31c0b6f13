"""A name that comes again while its order is sent waits for the answer, and sends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from bahi.bootstrap import build
from bahi.config import Settings
from bahi.kernel.words import OrderStatus
from bahi.orders.model.order import Order
from bahi.orders.service.aiming import place_smart
from bahi.orders.service.desk import Desk
from bahi.orders.service.errands import Errands, Name
from bahi.orders.service.placing import place_order
from bahi.orders.service.several import place_basket, place_sliced
from bahi.orders.service.waiting import approve_order
from tests.living import stopped
from tests.orders.balance import orders_of
from tests.orders.brokers import LOST, REFUSED, WELL, MemoryBroker
from tests.orders.desks import NOON, OPEN, limit, paper_desk
from tests.orders.stand import Stand, Story

Stage = Callable[[Story], None]
NextDoor = tuple[MemoryBroker, asyncio.Task[list[Order]], Desk]

AGAIN = 5
NO_WAIT_S = 10.0
"""Half of what one would wait for a sending: who is answered sooner did not wait."""


class Queue(Errands):
    """Errands that open a gate when so many wait for somebody else's."""

    def __init__(self, node: int | None, gate: asyncio.Event, count: int) -> None:
        super().__init__(node)
        self._gate, self._missing = gate, count

    async def others(self, name: Name, at_most_s: float) -> None:
        self._missing -= 1
        if not self._missing:
            asyncio.get_running_loop().call_soon(self._gate.set)
        await super().others(name, at_most_s)


def _held(stand: Stand, count: int = AGAIN) -> Desk:
    """Return a desk whose broker answers when so many who ask again wait for it."""
    stand.broker.gate = asyncio.Event()
    return replace(stand.desk, errands=Queue(None, stand.broker.gate, count))


@asynccontextmanager
async def _sent_next_door(home: dict[str, str]) -> AsyncIterator[NextDoor]:
    """Have one house send an order that its broker does not answer yet; give another's desk."""
    clock, settings = stopped(NOON), Settings.from_environment(home | OPEN)
    here, there = build(settings, clock=clock), build(settings, clock=clock)
    try:
        broker = MemoryBroker(clock)
        broker.gate = asyncio.Event()
        mine = replace(await paper_desk(here), broker=broker)
        theirs = replace(await paper_desk(there), broker=broker)
        first = asyncio.create_task(_place(mine))
        await broker.reached.wait()
        yield broker, first, theirs
    finally:
        await there.close()
        await here.close()


async def _place(desk: Desk) -> list[Order]:
    return [await place_order(desk, limit(desk, name="mine"))]


async def _aim(desk: Desk) -> list[Order]:
    return list((await place_smart(desk, limit(desk, name="mine"), 10)).orders)


async def _slice(desk: Desk) -> list[Order]:
    return list((await place_sliced(desk, limit(desk, name="mine"), 10)).slices)


async def _basket(desk: Desk) -> list[Order]:
    answers = await place_basket(desk, [limit(desk, name="mine")])
    return [it.order for it in answers if it.order is not None]


@pytest.mark.parametrize("fate", [WELL, REFUSED])
@pytest.mark.parametrize("ask", [_place, _aim, _slice, _basket])
def test_who_asks_again_waits_for_the_answer_and_hears_the_same(
    at_a_stand: Stage, ask: Callable[[Desk], Awaitable[list[Order]]], fate: str
) -> None:
    async def story(stand: Stand) -> None:
        desk = _held(stand)
        stand.broker.next.append(fate)
        asked = [asyncio.create_task(ask(desk)) for _ in range(1 + AGAIN)]
        answers = [order for it in asked for order in await it]
        wanted = OrderStatus.OPEN if fate == WELL else OrderStatus.REJECTED
        assert {it.status for it in answers} == {wanted}
        assert len(answers) == 1 + AGAIN
        assert all(it == answers[0] for it in answers)
        assert stand.broker.calls == {answers[0].tag: 1}
        await stand.balanced()

    at_a_stand(story)


def test_who_asks_again_while_a_released_order_is_sent_waits_too(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        held = replace(stand.desk, needs_approval=lambda _: True)
        order = await place_order(held, limit(held, name="mine"))
        assert order.status is OrderStatus.PENDING
        desk = _held(stand)
        released = asyncio.create_task(approve_order(desk, order.id))
        await stand.broker.reached.wait()
        answers = await asyncio.gather(*(_place(desk) for _ in range(AGAIN)))
        sent = await released
        assert all(answer == [sent] for answer in answers)
        assert sent.status is OrderStatus.OPEN
        assert stand.broker.calls == {order.tag: 1}

    at_a_stand(story)


def test_patience_ends_and_what_is_not_known_is_answered_so(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        gate = stand.broker.gate = asyncio.Event()
        first = asyncio.create_task(_place(stand.desk))
        await stand.broker.reached.wait()
        (again,) = await _place(replace(stand.desk, patience=timedelta(milliseconds=20)))
        assert again.status is OrderStatus.TRANSIT
        gate.set()
        (order,) = await first
        assert (order.id, order.status) == (again.id, OrderStatus.OPEN)
        assert stand.broker.calls == {order.tag: 1}

    at_a_stand(story)


def test_of_an_order_that_nobody_answered_nobody_waits_for_more(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        stand.broker.next.append(LOST)
        (silent,) = await _place(stand.desk)
        async with asyncio.timeout(NO_WAIT_S):
            answers = await asyncio.gather(*(_place(stand.desk) for _ in range(AGAIN)))
        assert all(answer == [silent] for answer in answers)
        assert silent.status is OrderStatus.TRANSIT
        assert stand.broker.calls == {silent.tag: 1}

    at_a_stand(story)


def test_another_process_looks_until_the_answer_is_written(home: dict[str, str]) -> None:
    async def both() -> None:
        async with _sent_next_door(home) as (broker, first, theirs):
            (early,) = await _place(replace(theirs, patience=timedelta(milliseconds=20)))
            assert early.status is OrderStatus.TRANSIT
            again = [asyncio.create_task(_place(theirs)) for _ in range(AGAIN)]
            asyncio.get_running_loop().call_later(0.05, broker.gate.set)
            answers = [await it for it in again]
            sent = await first
            assert all(answer == sent for answer in answers)
            assert answers[0][0].status is OrderStatus.OPEN
            assert sum(broker.calls.values()) == 1

    asyncio.run(both())


def test_a_house_that_closes_waits_for_nobody_elses_answer(home: dict[str, str]) -> None:
    async def both() -> None:
        async with _sent_next_door(home) as (broker, first, theirs):
            again = asyncio.create_task(theirs.errands.see_through(_basket(theirs)))
            await asyncio.sleep(0)
            assert await theirs.errands.finish() == 0
            (order,) = await again
            assert order.status is OrderStatus.TRANSIT
            broker.gate.set()
            assert [it.status for it in await first] == [OrderStatus.OPEN]

    asyncio.run(both())


def test_a_name_is_free_again_when_its_try_came_to_nothing(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        errands, name = Errands(), (stand.desk.account_id, "mine")
        with pytest.raises(LookupError), errands.trying(name):
            raise LookupError
        async with asyncio.timeout(NO_WAIT_S):
            await errands.others(name, 2 * NO_WAIT_S)
        (order,) = await _place(replace(stand.desk, errands=errands))
        assert await stand.desk.store.read(orders_of, stand.desk.account_id, fresh=True) == [order]

    at_a_stand(story)
