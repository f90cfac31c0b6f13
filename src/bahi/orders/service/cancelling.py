"""Cancelling: the wish is written before it is sent, and the broker alone says that it was done."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import Deadline, exchange_day
from bahi.kernel.errors import BahiError, NotFound, NotSent, Rejected, Silent
from bahi.kernel.ports import Update
from bahi.kernel.words import EventSource, OrderStatus, Segment
from bahi.orders.model.changing import Evidence, require_cancellable
from bahi.orders.model.order import PENDING, Order
from bahi.orders.repository import change
from bahi.orders.repository import order as rows
from bahi.orders.service.desk import Desk
from bahi.orders.service.ingesting import Word, ingest, move
from bahi.orders.service.placing import SEND_WITHIN_S
from bahi.portfolio.service.books import lock_book, save_book
from bahi.risk.model.verdict import counted

AT_ONCE: Final = 8
Call = Callable[[], Awaitable[Update]]

ALL_AT_MOST: Final = 10_000
LATE: Final = f"It was not sent within {SEND_WITHIN_S:g} seconds; ask again."


class Outcome(NamedTuple):
    """What became of one order of many: the order as it is now, or why not."""

    order_id: int
    order: Order | None
    fault: BahiError | None


class Asked(NamedTuple):
    """An order of which something was asked, and whether the broker is to be told."""

    order: Order
    is_to_send: bool


async def cancel_order(desk: Desk, order_id: int) -> Order:
    """Cancel what is left of an order; one that waits here is cancelled here.

    Returned is the order as it is known then: where the broker gave no answer, it still works, and
    `cancel_asked` says that the sweep settles it from the broker's book. A no is raised.
    """
    return await desk.errands.see_through(_cancel(desk, order_id))


async def cancel_all(
    desk: Desk,
    *,
    strategy: str | None = None,
    segment: Segment | None = None,
    symbol: str | None = None,
) -> list[Outcome]:
    """Cancel all that works on the account, of a strategy or a symbol alone; each by itself."""
    working = await would_cancel(desk, strategy=strategy, segment=segment, symbol=symbol)
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(order: Order) -> Outcome:
        async with turns:
            try:
                return Outcome(order.id, await cancel_order(desk, order.id), None)
            except BahiError as fault:
                return Outcome(order.id, None, fault)

    return list(await asyncio.gather(*(one(it) for it in working)))


async def would_cancel(
    desk: Desk,
    *,
    strategy: str | None = None,
    segment: Segment | None = None,
    symbol: str | None = None,
) -> list[Order]:
    """Return what `cancel_all` would take back, and take nothing back."""
    which = (strategy, segment, symbol)
    return await desk.store.read(rows.working_of, desk.account_id, which, ALL_AT_MOST, fresh=True)


async def _cancel(desk: Desk, order_id: int) -> Order:
    deadline = Deadline(SEND_WITHIN_S)
    account = desk.account_id
    order, is_to_send = await desk.store.write(
        record_cancel, desk.actor, account, order_id, desk.clock(), account=account
    )
    if not is_to_send:
        return order
    name = order.broker_order_id or ""
    update = await sent(desk, order, deadline, lambda: desk.broker.cancel(name))
    desk.wake()
    return order if update is None else await answer(desk, update)


async def sent(desk: Desk, order: Order, deadline: Deadline, call: Call) -> Update | None:
    """Ask the broker something of an order; None: no answer. A no is written down and raised."""
    try:
        if deadline.passed():
            raise NotSent(LATE)
        return await call()
    except Silent:
        return None
    except (NotSent, Rejected) as fault:
        asked = (order.id, order.asked_at)
        await desk.store.write(
            withdraw, desk.account_id, asked, str(fault), desk.clock(), account=desk.account_id
        )
        raise


async def answer(desk: Desk, update: Update) -> Order:
    """Write down what a broker answered to what was asked of an order."""
    word = Word(update, EventSource.REST_API, evidence=Evidence(is_answer=True))
    account = desk.account_id
    return await desk.store.write(ingest, account, word, desk.terms, desk.clock(), account=account)


def own_order(tx: Tx, account_id: int, order_id: int) -> Order:
    """Return an order of an account's; another's is not there."""
    order = rows.find(tx, order_id) if 0 < order_id < 1 << 63 else None
    if order is None or order.account_id != account_id:
        raise NotFound(f"There is no order {order_id} on this account.")
    return order


def record_cancel(tx: Tx, actor: Actor, account_id: int, order_id: int, now: datetime) -> Asked:
    """Write that an order is to be cancelled; one that waits here ends here."""
    before = lock_book(tx, account_id)
    order = own_order(tx, account_id, order_id)
    if order.cancel_asked:
        return Asked(order, is_to_send=False)  # its answer is awaited already
    if order.status is PENDING:
        after = order.moved(OrderStatus.CANCELLED, now, cancelled_by=actor.name)
    else:
        require_cancellable(order)
        after = order.changed(now, asked_at=now, cancel_asked=True, cancelled_by=actor.name)
    book = before.on(exchange_day(now))
    if after.is_active:  # it goes on the wire, and counts there; it is not refused for that
        book = counted(book, now, is_exit=True).book
    book = move(tx, book, (order, after), EventSource.SYSTEM, now)
    save_book(tx, before, book, now)
    note(
        tx,
        actor,
        "order.cancel",
        ("order", order.id),
        now,
        old={"status": order.status, "filled": order.filled},
        new={"status": after.status},
    )
    return Asked(after, is_to_send=after.is_active)


def withdraw(
    tx: Tx, account_id: int, asked: tuple[int, datetime | None], why: str, now: datetime
) -> Order:
    """Write that what was asked of an order was refused, or never sent."""
    order_id, asked_at = asked
    before = lock_book(tx, account_id)
    order = own_order(tx, account_id, order_id)
    if order.asked_at is None or order.asked_at != asked_at:
        return order  # it ended meanwhile, or something else is asked of it by now
    changes: dict[str, Any]
    if order.cancel_asked:  # a change that was asked for before is awaited still
        awaits = order.asked_quantity is not None
        changes = {"cancel_asked": False, "asked_at": order.asked_at if awaits else None}
    else:
        change.settle(tx, order.id, why)
        changes = {"asked_at": None} | order.unmade()
    after = order.changed(now, **changes)
    book = move(tx, before.on(exchange_day(now)), (order, after), EventSource.SYSTEM, now)
    save_book(tx, before, book, now)
    return after
