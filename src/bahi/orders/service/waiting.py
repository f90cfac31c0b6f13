"""Orders that wait: for a person's approval, or for their time; released by a verdict anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final

from bahi.audit.service import note
from bahi.db.lanes import Lane
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_person
from bahi.kernel.clock import Deadline, end_of_day, exchange_day
from bahi.kernel.errors import Conflict
from bahi.kernel.money import Money
from bahi.kernel.words import EventSource, EventType
from bahi.orders.model.order import (
    APPROVAL,
    CANCELLED,
    EXPIRED,
    PENDING,
    REJECTED,
    SEND_WITHIN,
    TIME,
    TRANSIT,
    Order,
)
from bahi.orders.model.wishes import Seen, require_hours
from bahi.orders.repository import order as rows
from bahi.orders.service.cancelling import own_order
from bahi.orders.service.desk import Desk
from bahi.orders.service.ingesting import move
from bahi.orders.service.judging import Grounds, judge
from bahi.orders.service.placing import SEND_WITHIN_S, send
from bahi.portfolio.service.books import lock_book, save_book
from bahi.risk.service import deny
from bahi.risk.service.switching import checked_reason

due: Final = rows.due
"""Return orders that wait no longer; `due(tx, now, at_most)`."""


async def approve_order(desk: Desk, order_id: int) -> Order:
    """Let an order go out that waits for a person; the verdict on it is asked for anew."""
    require_person(desk.actor, "An approval is given")
    return await _let_go(desk, order_id, APPROVAL)


async def decline_order(desk: Desk, order_id: int, why: str) -> Order:
    """End an order that waits for a person."""
    require_person(desk.actor, "An approval is given")
    return await desk.store.write(
        decline, desk.actor, desk.account_id, (order_id, checked_reason(why)), desk.clock(),
        lane=Lane.FACT, account=desk.account_id,
    )  # fmt: skip


async def release_order(desk: Desk, order_id: int) -> Order:
    """Send an order whose time has come, if nothing speaks against it by now."""
    return await _let_go(desk, order_id, TIME)


async def _let_go(desk: Desk, order_id: int, waited_for: str) -> Order:
    waiting = await desk.store.read(own_order, desk.account_id, order_id, fresh=True)
    if waiting.waits_for not in {None, waited_for}:
        raise Conflict(f"Order {order_id} waits for {waiting.waits_for}, not for {waited_for}.")
    seen = desk.look(waiting.segment, waiting.symbol)
    if not waiting.is_early(desk.clock()):
        require_hours(seen, waiting.amo_time)
    await desk.freshen()
    return await desk.errands.see_through(_release(desk, order_id, seen))


async def _release(desk: Desk, order_id: int, seen: Seen) -> Order:
    deadline = Deadline(SEND_WITHIN_S)
    order = await desk.store.write(
        release, desk.actor, desk.account_id, (order_id, Grounds(seen, desk.terms)), desk.clock(),
        lane=Lane.INTENT, account=desk.account_id,
    )  # fmt: skip
    if order.status is not TRANSIT:
        return order
    order = await send(desk, order, deadline)
    desk.wake()
    return order


def release(
    tx: Tx, actor: Actor, account_id: int, what: tuple[int, Grounds], now: datetime
) -> Order:
    """Judge an order that waits, as if it came now; what it blocks already is its own."""
    order_id, grounds = what
    before = lock_book(tx, account_id)
    order = _waiting(tx, account_id, order_id, now)
    today = before.on(exchange_day(now))
    if order.is_early(now):
        return _approved_early(tx, actor, order, now)
    without = replace(
        today,
        margin_used=Money(today.margin_used - order.margin),
        open_orders=today.open_orders - 1,
        orders_today=max(today.orders_today - 1, 0),
    )
    judged = judge(tx, without, order, grounds, now)
    book = replace(today, rates=judged.book.rates, latched_at=judged.book.latched_at)
    if judged.denial is None:
        sent = {"send_before": now + SEND_WITHIN, "approved_by": actor.name}
        known = {"is_exit": judged.order.is_exit, "margin_blocked": judged.order.margin_blocked}
        after = order.moved(TRANSIT, now, **sent, **known)
    else:
        why = {"error_code": judged.denial.violation, "error_message": judged.denial.sentence}
        after = order.moved(REJECTED, now, **why)
        deny(tx, (account_id, order_id), judged.denial, now)
    book = move(tx, book, (order, after), EventSource.SYSTEM, now)
    save_book(tx, before, book, now)
    note(tx, actor, "order.release", ("order", order_id), now, new={"status": after.status})
    return after


def _approved_early(tx: Tx, actor: Actor, order: Order, now: datetime) -> Order:
    """Have an order that was approved wait for its time."""
    lapses = None if order.release_at is None else end_of_day(order.release_at)
    after = order.changed(now, waits_for=TIME, expires_at=lapses, approved_by=actor.name)
    rows.save(tx, order, after, (EventType.MODIFIED, EventSource.SYSTEM), now)
    note(tx, actor, "order.approve", ("order", order.id), now, new={"waits_for": TIME})
    return after


def decline(tx: Tx, actor: Actor, account_id: int, what: tuple[int, str], now: datetime) -> Order:
    """End an order that waits, because a person said no."""
    order_id, why = what
    before = lock_book(tx, account_id)
    order = _waiting(tx, account_id, order_id, now)
    said = f"Declined by {actor.name}{f': {why}' if why else ''}."
    after = order.moved(CANCELLED, now, error_code="DECLINED", error_message=said)
    book = move(tx, before.on(exchange_day(now)), (order, after), EventSource.SYSTEM, now)
    save_book(tx, before, book, now)
    note(tx, actor, "order.decline", ("order", order_id), now, new={"status": after.status})
    return after


def lapse(tx: Tx, account_id: int, order_id: int, now: datetime) -> bool:
    """End an order that waited for a person longer than it may; say whether it did."""
    before = lock_book(tx, account_id)
    order = rows.find(tx, order_id)
    if order is None or order.status is not PENDING or not order.has_lapsed(now):
        return False
    after = order.moved(EXPIRED, now, error_code="LAPSED", error_message=_LAPSED[order.waits_for])
    book = move(tx, before.on(exchange_day(now)), (order, after), EventSource.SYSTEM, now)
    save_book(tx, before, book, now)
    return True


_LAPSED: Final = {
    APPROVAL: "Nobody approved it in time.",
    TIME: "Its day was over before it could be sent.",
    None: "It waited too long.",
}


def _waiting(tx: Tx, account_id: int, order_id: int, now: datetime) -> Order:
    order = own_order(tx, account_id, order_id)
    if order.status is not PENDING:
        raise Conflict(f"Order {order_id} is {order.status}: it does not wait any more.")
    if order.has_lapsed(now):
        raise Conflict(f"Order {order_id} waited too long; place it anew.")
    return order
