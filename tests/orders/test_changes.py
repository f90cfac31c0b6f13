"""Cancelling and changing: written before it is sent, settled by the broker's word alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from bahi.kernel.errors import Conflict, Invalid, NotFound, NotSent, Rejected
from bahi.kernel.money import Price
from bahi.kernel.words import OrderStatus, Side, Validity
from bahi.orders.model.changing import ModifyOrder
from bahi.orders.model.order import Order
from bahi.orders.repository import order as rows
from bahi.orders.repository.change import of_order
from bahi.orders.service.cancelling import cancel_all, cancel_order
from bahi.orders.service.modifying import Denied, modify_order
from bahi.orders.service.placing import place_order
from bahi.portfolio.repository.book import read as read_book
from tests.orders.brokers import LOST, REFUSED, SILENT, UNREACHED
from tests.orders.desks import away, limit
from tests.orders.stand import LONG_AFTER, Stand, Story

Stage = Callable[[Story], None]


async def _resting(stand: Stand, quantity: int = 10, strategy: str | None = None) -> Order:
    price = away(stand.desk, Side.BUY)
    wish = replace(limit(stand.desk, quantity=quantity, price=price), strategy=strategy)
    order = await place_order(stand.desk, wish)
    assert order.status is OrderStatus.OPEN
    return order


async def _wishes(stand: Stand, order: Order) -> list[tuple[str, object, str]]:
    kept = await stand.desk.store.read(of_order, order.id, fresh=True)
    return [(it["kind"], it["new"], it["status"]) for it in kept]


async def _used(stand: Stand) -> int:
    book = await stand.desk.store.read(read_book, stand.desk.account_id, fresh=True)
    assert book is not None
    return book.margin_used


def test_a_cancel_frees_what_was_blocked_and_keeps_what_had_filled(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        order = await _resting(stand)
        stand.broker.fill(stand.broker.working[0], 4)
        cancelled = await cancel_order(stand.desk, order.id)
        assert (cancelled.status, cancelled.filled) == (OrderStatus.CANCELLED, 4)
        assert (cancelled.margin, cancelled.cancel_asked, cancelled.asked_at) == (0, False, None)
        with pytest.raises(Conflict, match="CANCELLED"):
            await cancel_order(stand.desk, order.id)
        with pytest.raises(NotFound):
            await cancel_order(stand.desk, order.id + 1)
        await stand.balanced()

    at_a_stand(story)


def test_a_cancel_that_got_no_answer_is_settled_from_the_book(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        arrived, lost = await _resting(stand), await _resting(stand)
        stand.broker.next.append(SILENT)
        assert (await cancel_order(stand.desk, arrived.id)).cancel_asked
        stand.broker.next.append(LOST)
        asked = await cancel_order(stand.desk, lost.id)
        assert (asked.status, asked.cancel_asked) == (OrderStatus.OPEN, True)
        assert (await cancel_order(stand.desk, lost.id)).cancel_asked  # awaited, not sent again
        assert stand.broker.calls[f"cancel {lost.broker_order_id}"] == 1
        await stand.sweep.round()
        assert (await stand.known(arrived)).cancel_asked  # it may still be on its way

        stand.clock.advance(LONG_AFTER)
        stand.broker.next.append(LOST)
        await stand.sweep.round()
        assert (await stand.known(arrived)).cancel_asked  # a failed reading says nothing
        await stand.sweep.round()
        assert (await stand.known(arrived)).status is OrderStatus.CANCELLED
        still = await stand.known(lost)
        assert (still.status, still.cancel_asked) == (OrderStatus.OPEN, False)
        assert await stand.alert(f"order_cancel:{lost.id}")
        assert (await cancel_order(stand.desk, lost.id)).status is OrderStatus.CANCELLED
        await stand.balanced()

    at_a_stand(story)


@pytest.mark.parametrize(("fault", "raised"), [(REFUSED, Rejected), (UNREACHED, NotSent)])
def test_a_no_to_a_cancel_or_a_change_is_raised_and_the_order_works_on(
    at_a_stand: Stage, fault: str, raised: type[Exception]
) -> None:
    async def story(stand: Stand) -> None:
        order = await _resting(stand)
        stand.broker.next.append(fault)
        with pytest.raises(raised):
            await cancel_order(stand.desk, order.id)
        stand.broker.next.append(fault)
        with pytest.raises(raised):
            await modify_order(stand.desk, ModifyOrder(order_id=order.id, quantity=20))
        known = await stand.known(order)
        assert (known.status, known.asked_at, known.quantity) == (OrderStatus.OPEN, None, 10)
        assert known.margin == order.margin
        assert await _wishes(stand, order) == [("QUANTITY", 20, "FAILED")]
        await stand.balanced()

    at_a_stand(story)


def test_an_order_that_waits_here_is_changed_and_cancelled_without_the_wire(
    at_a_stand: Stage,
) -> None:
    async def story(stand: Stand) -> None:
        order = await _resting(stand)
        desk = stand.desk

        def plant(tx: rows.Tx) -> Order:
            """Put a copy of the order into waiting, as approval will."""
            waiting = replace(
                order,
                id=tx.new_id(),
                status=OrderStatus.PENDING,
                version=1,
                broker_order_id=None,
                margin_blocked=order.margin_blocked * 0,
            )
            rows.add(tx, waiting, desk.clock())
            return waiting

        waiting = await desk.store.write(plant)
        changed = await modify_order(desk, ModifyOrder(order_id=waiting.id, quantity=5))
        assert (changed.quantity, changed.asked_at) == (5, None)
        assert changed.margin == order.margin // 2
        assert await _wishes(stand, waiting) == [("QUANTITY", 5, "SUCCESS")]
        cancelled = await cancel_order(desk, waiting.id)
        assert (cancelled.status, cancelled.margin) == (OrderStatus.CANCELLED, 0)
        assert len(stand.broker.calls) == 1  # the first order's, and nothing else was sent
        assert await _used(stand) == order.margin

    at_a_stand(story)


def test_all_are_cancelled_each_with_its_own_outcome(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        mine = [await _resting(stand, strategy="mine") for _ in range(3)]
        others = await _resting(stand)
        stand.broker.next.append(REFUSED)
        outcomes = await cancel_all(stand.desk, strategy="mine")
        assert {it.order_id for it in outcomes} == {it.id for it in mine}
        assert sum(it.fault is None for it in outcomes) == 2
        assert (await stand.known(others)).status is OrderStatus.OPEN
        assert await cancel_all(stand.desk, symbol="TCS") == []
        again = await cancel_all(stand.desk, symbol="SBIN")
        assert [it.fault for it in again] == [None, None]
        assert await _used(stand) == 0
        await stand.balanced()

    at_a_stand(story)


def test_a_change_moves_the_margin_with_it(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        order = await _resting(stand)
        more = await modify_order(stand.desk, ModifyOrder(order_id=order.id, quantity=25))
        assert (more.quantity, more.margin) == (25, order.margin * 25 // 10)
        assert await _used(stand) == more.margin
        stand.broker.fill(stand.broker.working[0], 5)
        price = Price((order.price or 0) - 10_000)
        less = await modify_order(
            stand.desk, ModifyOrder(order_id=order.id, quantity=8, price=price)
        )
        assert (less.quantity, less.price, less.filled) == (8, price, 5)
        assert less.margin == -(-price * 3 * 20 // 100)
        assert await _wishes(stand, order) == [
            ("QUANTITY", 25, "SUCCESS"),
            ("QUANTITY", 8, "SUCCESS"),
            ("PRICE", price, "SUCCESS"),
        ]
        await stand.balanced()

    at_a_stand(story)


def test_a_change_is_refused_where_it_cannot_be(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        order = await _resting(stand)
        desk = stand.desk
        stand.broker.fill(stand.broker.working[0], 4)
        await cancel_order(desk, (await _resting(stand)).id)
        for wrong, sentence in (
            (ModifyOrder(order_id=order.id), "may be"),
            (ModifyOrder(order_id=order.id, quantity=10), "may be"),
            (ModifyOrder(order_id=order.id, quantity=0), "not above zero"),
            (ModifyOrder(order_id=order.id, price=Price(1)), "tick"),
        ):
            with pytest.raises(Invalid, match=sentence):
                await modify_order(desk, wrong)
        too_much = ModifyOrder(order_id=order.id, quantity=10_000_000)
        with pytest.raises((Denied, Invalid)):
            await modify_order(desk, too_much)
        dear = ModifyOrder(order_id=order.id, quantity=900_000)
        with pytest.raises(Denied, match="free"):
            await modify_order(desk, dear)
        assert ("QUANTITY", 900_000, "FAILED") in await _wishes(stand, order)
        assert stand.broker.orders["B1"].ticket.quantity == 10
        await stand.balanced()

    at_a_stand(story)


def test_nothing_is_changed_to_less_than_has_filled(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        order = await _resting(stand)
        stand.broker.fill(stand.broker.working[0], 4)
        stand.broker.next.append(SILENT)
        asked = await modify_order(stand.desk, ModifyOrder(order_id=order.id, quantity=12))
        assert asked.asked_at is not None
        with pytest.raises(Conflict, match="awaited"):
            await modify_order(stand.desk, ModifyOrder(order_id=order.id, quantity=13))
        stand.clock.advance(LONG_AFTER)
        await stand.sweep.round()
        with pytest.raises(Invalid, match="4 of order"):
            await modify_order(stand.desk, ModifyOrder(order_id=order.id, quantity=4))

    at_a_stand(story)


def test_a_change_that_got_no_answer_blocks_the_dearer_of_the_two_until_the_book_tells(
    at_a_stand: Stage,
) -> None:
    async def story(stand: Stand) -> None:
        arrived, lost = await _resting(stand), await _resting(stand)
        stand.broker.next.append(SILENT)
        await modify_order(stand.desk, ModifyOrder(order_id=arrived.id, quantity=20))
        stand.broker.next.append(LOST)
        asked = await modify_order(stand.desk, ModifyOrder(order_id=lost.id, quantity=20))
        assert (asked.quantity, asked.margin) == (10, 2 * lost.margin)
        assert await _used(stand) == 4 * lost.margin
        await stand.balanced()
        stand.clock.advance(LONG_AFTER)
        await stand.sweep.round()
        assert ((await stand.known(arrived)).quantity, (await stand.known(lost)).quantity) == (
            20,
            10,
        )
        assert await _used(stand) == 3 * lost.margin
        assert await _wishes(stand, arrived) == [("QUANTITY", 20, "SUCCESS")]
        assert await _wishes(stand, lost) == [("QUANTITY", 20, "FAILED")]
        await stand.balanced()

    at_a_stand(story)


def test_a_change_of_validity_alone_is_made_by_its_answer(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        order = await _resting(stand)
        wish = ModifyOrder(order_id=order.id, validity=Validity.IOC)
        changed = await modify_order(stand.desk, wish)
        assert (changed.asked_at, changed.validity) == (None, Validity.IOC)
        assert await _wishes(stand, order) == [("VALIDITY", "IOC", "SUCCESS")]

    at_a_stand(story)


def test_a_cancel_overtakes_a_change_that_is_awaited(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        order = await _resting(stand)
        stand.broker.next.append(LOST)
        await modify_order(stand.desk, ModifyOrder(order_id=order.id, quantity=20))
        cancelled = await cancel_order(stand.desk, order.id)
        assert (cancelled.status, cancelled.margin) == (OrderStatus.CANCELLED, 0)
        assert await _wishes(stand, order) == [("QUANTITY", 20, "FAILED")]
        assert await _used(stand) == 0
        await stand.balanced()

    at_a_stand(story)


def test_many_cancels_of_one_order_are_one_call(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        order = await _resting(stand)
        asked = [cancel_order(stand.desk, order.id) for _ in range(8)]
        await asyncio.gather(*asked, return_exceptions=True)
        assert stand.broker.calls[f"cancel {order.broker_order_id}"] == 1
        assert (await stand.known(order)).status is OrderStatus.CANCELLED
        await stand.balanced()

    at_a_stand(story)
