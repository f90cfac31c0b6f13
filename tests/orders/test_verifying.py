"""`verify`: a book in order has nothing to find, and each planted fault is found by its name."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bahi.db.permits import permitted
from bahi.db.tx import Tx
from bahi.kernel.words import EventSource, Side
from bahi.orders.model.finding import Fault
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.ingesting import Word, ingest
from bahi.orders.service.placing import place_order
from bahi.orders.service.verifying import verify
from tests.orders.desks import away, limit
from tests.orders.stand import Stand, Story

Stage = Callable[[Story], None]


async def _trade(stand: Stand) -> None:
    """Have some orders of every kind: filled, filled in part, cancelled, resting."""
    chance = random.Random(7)
    for turn in range(8):
        stand.clock.advance(timedelta(seconds=1))
        side = Side.BUY if turn % 3 else Side.SELL
        order = await place_order(stand.desk, limit(stand.desk, side, chance.randint(2, 9)))
        known = stand.broker.orders[order.broker_order_id or ""]
        if turn % 4:
            stand.broker.fill(known, max(1, order.quantity - turn % 2))
            word = Word(known.told(), EventSource.WEBSOCKET)
            await stand.desk.store.write(
                ingest, stand.desk.account_id, word, stand.desk.terms, stand.clock()
            )
    resting = await place_order(stand.desk, limit(stand.desk, price=away(stand.desk, Side.BUY)))
    await cancel_order(stand.desk, resting.id)


async def _found(stand: Stand) -> list[tuple[str, str]]:
    told: list[tuple[int, int]] = []
    found = [
        (str(it.fault), it.sentence)
        async for it in verify(stand.desk.store, lambda *so_far: told.append(so_far))
    ]
    assert told[-1] == (9, 9)
    return found


def test_books_in_order_have_nothing_to_find(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        await _trade(stand)
        assert await _found(stand) == []

    at_a_stand(story)


FIRST = "(SELECT min(id) FROM orders WHERE status IN ('OPEN','PARTIAL'))"


@pytest.mark.parametrize(
    ("statement", "faults", "words"),
    [
        (
            f"UPDATE orders SET quantity = quantity + 1 WHERE id = {FIRST}",
            {Fault.ORDER_IS_NOT_ITS_EVENTS},
            "quantity is ",
        ),
        (
            f"UPDATE orders SET filled_qty = filled_qty + 1 WHERE id = {FIRST}",
            {
                Fault.ORDER_IS_NOT_ITS_EVENTS,
                Fault.FILLED_IS_NOT_ITS_TRADES,
                Fault.ORDER_MARGIN_IS_NOT_ITS_BLOCKS,
            },
            "its trades come to",
        ),
        (
            f"UPDATE orders SET traded_value = traded_value + 1 WHERE id = {FIRST}",
            {Fault.ORDER_IS_NOT_ITS_EVENTS, Fault.FILLED_IS_NOT_ITS_TRADES},
            "filled for",
        ),
        (
            f"UPDATE orders SET status = 'CANCELLED' WHERE id = {FIRST}",
            {
                Fault.ORDER_IS_NOT_ITS_EVENTS,
                Fault.OPEN_ORDERS_ARE_MISCOUNTED,
                Fault.ORDER_MARGIN_IS_NOT_ITS_BLOCKS,
            },
            "status is CANCELLED and should be",
        ),
        (
            f"UPDATE orders SET version = version + 1 WHERE id = {FIRST}",
            {Fault.EVENTS_ARE_MISSING},
            "has the events 1, 2",
        ),
        (
            f"DELETE FROM order_events WHERE order_id = {FIRST} AND sequence = 1",
            {Fault.EVENTS_ARE_MISSING},
            "has the events 2",
        ),
        (
            f"DELETE FROM order_events WHERE order_id = {FIRST}",
            {Fault.EVENTS_ARE_MISSING},
            "has the events none",
        ),
        (
            "UPDATE books SET open_orders = open_orders + 1",
            {Fault.OPEN_ORDERS_ARE_MISCOUNTED},
            "open orders, and",
        ),
        (
            f"UPDATE margin_blocks SET amount = amount + 7 WHERE order_id = {FIRST}",
            {Fault.ORDER_MARGIN_IS_NOT_ITS_BLOCKS},
            "its blocks come to",
        ),
        (
            "DELETE FROM trades WHERE id = (SELECT min(id) FROM trades)",
            {Fault.FILLED_IS_NOT_ITS_TRADES},
            "its trades come to 0 for 0.00",
        ),
    ],
)
def test_a_planted_fault_is_found_by_its_name(
    at_a_stand: Stage, statement: str, faults: set[Fault], words: str
) -> None:
    def spoil(tx: Tx) -> None:
        with permitted(tx, "a fault for a test"):
            tx.change(sa.text(statement))

    async def story(stand: Stand) -> None:
        await _trade(stand)
        await stand.desk.store.write(spoil)
        found = await _found(stand)
        assert {fault for fault, _ in found} == {str(it) for it in faults}
        assert any(words in sentence for _, sentence in found)

    at_a_stand(story)
