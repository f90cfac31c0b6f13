"""A name that comes again while its order is on its way: who asks waits for what comes of it.

The order is sent once, by who asked first, and what is answered is its outcome. Of a sending in
this process one is told; one in another process is seen in what it writes.
"""

from __future__ import annotations

import asyncio
from typing import Final

from bahi.kernel.clock import Deadline
from bahi.orders.model.order import GRACE, TRANSIT, Order
from bahi.orders.repository import order as rows
from bahi.orders.service.desk import Desk

LOOK_AGAIN_S: Final = 0.05
LOOK_SELDOM_S: Final = 0.5
"""How soon one looks again for what another process writes, and how seldom in the end."""


async def outcome_of(desk: Desk, order: Order) -> Order:
    """Return an order that was asked for again, when its sending is over or patience ends.

    What nobody answered stays TRANSIT until the sweep settles it: then nobody sends it any more.
    """
    if order.status is not TRANSIT or order.send_before is None:
        return order
    left = min(desk.patience, order.send_before + GRACE - desk.clock()).total_seconds()
    deadline = Deadline(left)
    await desk.errands.others((order.account_id, order.client_order_id), deadline.left_s())
    order = await _now(desk, order)
    if desk.errands.is_ours(order.node) and order.waits_for is None:
        return order  # it was sent here, if at all: what was released may be sent elsewhere
    return await _look_until(desk, order, deadline)


async def _look_until(desk: Desk, order: Order, deadline: Deadline) -> Order:
    pause_s = LOOK_AGAIN_S
    while order.status is TRANSIT and not _is_over(desk, order) and not deadline.passed():
        await asyncio.sleep(min(pause_s, deadline.left_s()))
        pause_s = min(2 * pause_s, LOOK_SELDOM_S)
        order = await _now(desk, order)
    return order


def _is_over(desk: Desk, order: Order) -> bool:
    """Say whether nobody sends it any more, or nobody may wait any more."""
    late = order.send_before is None or desk.clock() >= order.send_before + GRACE
    return late or desk.errands.is_closing


async def _now(desk: Desk, order: Order) -> Order:
    return await desk.store.read(rows.find, order.id, fresh=True) or order
