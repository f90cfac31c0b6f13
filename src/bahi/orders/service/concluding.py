"""What a person says of an order when no broker can tell any more what became of it."""

from __future__ import annotations

from datetime import datetime

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_person
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict
from bahi.kernel.words import EventSource
from bahi.notify.service import resolve
from bahi.orders.model.order import UNKNOWN, Order
from bahi.orders.service.cancelling import own_order
from bahi.orders.service.desk import Desk
from bahi.orders.service.ingesting import move, topic_of
from bahi.portfolio.service.books import lock_book, save_book
from bahi.risk.service.switching import checked_reason


async def conclude_order(desk: Desk, order_id: int, why: str) -> Order:
    """End an UNKNOWN order that never traded, as its person found at the broker.

    A broker's book is of the day, so only an order of a day that is over is concluded so; what did
    trade comes in as the broker tells it, and outdoes this end.
    """
    require_person(desk.actor, "What became of it is said")
    return await desk.store.write(
        conclude, desk.actor, desk.account_id, (order_id, checked_reason(why)), desk.clock(),
        account=desk.account_id,
    )  # fmt: skip


def conclude(tx: Tx, actor: Actor, account_id: int, what: tuple[int, str], now: datetime) -> Order:
    """Write that an order never traded, by whom and why."""
    order_id, why = what
    before = lock_book(tx, account_id)
    order = own_order(tx, account_id, order_id)
    if order.status is not UNKNOWN:
        raise Conflict(f"Order {order_id} is {order.status}; only an UNKNOWN one is concluded.")
    if not order.is_of_a_day_before(now):
        raise Conflict(
            f"Order {order_id} is of today, and the broker's book still tells of it; wait for that."
        )
    after = order.concluded(f"Concluded by {actor.name}: {why}", now)
    book = move(tx, before.on(exchange_day(now)), (order, after), EventSource.SYSTEM, now)
    save_book(tx, before, book, now)
    resolve(tx, topic_of(order), now)
    note(
        tx,
        actor,
        "order.conclude",
        ("order", order_id),
        now,
        old={"status": order.status},
        new={"status": after.status, "why": why},
    )
    return after
