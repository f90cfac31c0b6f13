"""Forever orders that fire: looked at as prices come, and their orders placed once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from bahi.audit.service import note
from bahi.db.lanes import Lane
from bahi.db.tx import Tx
from bahi.kernel.actor import the_house
from bahi.kernel.clock import Deadline
from bahi.kernel.errors import BahiError, Conflict
from bahi.kernel.money import plain
from bahi.kernel.words import ForeverStatus
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert
from bahi.orders.model.forever import TRIGGERED, Forever
from bahi.orders.model.guarding import PASSING
from bahi.orders.model.order import REJECTED, TRANSIT, Order
from bahi.orders.model.wishes import Seen
from bahi.orders.repository import forever as rows
from bahi.orders.service.desk import Desk
from bahi.orders.service.forever import end_forever, end_other, get_forever
from bahi.orders.service.placing import SEND_WITHIN_S, Intent, intent_of, record_intent, send
from bahi.portfolio.service.books import lock_book

WATCHER: Final = the_house("forever")


class NotYet(Conflict):
    """The order was refused for a reason that passes, so the trigger waits on."""

    code = "not_yet"


class Fired(NamedTuple):
    """What came of a trigger whose price came."""

    forever: Forever
    order: Order | None
    is_to_send: bool


async def watch(desk: Desk, forever: Forever) -> bool:
    """Look whether the price of one has come, and if so place its order; say if anything moved.

    The trigger and the intent are one transaction, so that it fires once, whoever looks and dies.
    """
    now = desk.clock()
    if forever.expires_at is not None and forever.expires_at <= now:
        return await desk.store.write(
            _expire, desk.account_id, forever.id, now, account=desk.account_id
        )
    seen = desk.look(forever.segment, forever.symbol)
    last = seen.price_at(now)
    if seen.is_open is not True or last is None or not forever.trigger.fires(last):
        return False
    await desk.freshen()
    return await desk.errands.see_through(_fire(replace(desk, actor=WATCHER), forever, seen))


async def _fire(desk: Desk, forever: Forever, seen: Seen) -> bool:
    deadline = Deadline(SEND_WITHIN_S)
    intent = intent_of(desk, forever.wish, seen)
    intent = replace(intent, needs_approval=forever.needs_approval)
    try:
        fired = await desk.store.write(
            fire, intent, forever, lane=Lane.INTENT, account=desk.account_id
        )
    except NotYet:
        return False
    except BahiError as fault:
        await desk.store.write(_tell, forever, str(fault), desk.clock())
        return False
    if fired.order is not None and fired.is_to_send and fired.order.status is TRANSIT:
        order = await send(desk, fired.order, deadline)
        desk.wake()
        if order.status is REJECTED:
            await desk.store.write(_tell, forever, order.error_message or "", desk.clock())
    return True


def fire(tx: Tx, intent: Intent, forever: Forever) -> Fired:
    """Write that a price has come, with the order that it places; as it was seen, or not at all."""
    now = intent.now
    lock_book(tx, intent.account_id)
    known = get_forever(tx, intent.account_id, forever.id)
    if not known.waits or (known.wish, known.trigger) != (forever.wish, forever.trigger):
        return Fired(known, None, is_to_send=False)
    forever = known
    order, is_new = record_intent(tx, intent)
    if order.error_code in PASSING:
        raise NotYet(order.error_message or "")
    after = forever.moved(TRIGGERED, now, triggered_at=now, triggered_order_id=order.id)
    rows.save(tx, forever, after)
    end_other(tx, forever, now)
    if order.status is REJECTED:
        _tell(tx, forever, order.error_message or "it was refused", now)
    seen = intent.seen.price
    note(
        tx,
        intent.actor,
        "forever.fire",
        ("forever_order", forever.id),
        now,
        new={"order": str(order.id), "last": None if seen is None else plain(seen)},
    )
    return Fired(after, order, is_to_send=is_new)


def _expire(tx: Tx, account_id: int, forever_id: int, now: datetime) -> bool:
    """End one whose time is over; another watcher may have seen it first, or its time moved."""
    lock_book(tx, account_id)
    known = get_forever(tx, account_id, forever_id)
    if not known.waits or known.expires_at is None or known.expires_at > now:
        return False
    end_forever(tx, WATCHER, account_id, (forever_id, ForeverStatus.EXPIRED), now)
    return True


def _tell(tx: Tx, forever: Forever, why: str, now: datetime) -> None:
    cause = Cause(
        severity=Severity.CRITICAL,
        source="orders",
        message=f"The price of forever order {forever.id} ({forever.side} {forever.quantity} "
        f"{forever.symbol}) came, and its order was not placed: {why}",
        topic=f"forever:{forever.id}",
        account_id=forever.account_id,
    )
    raise_alert(tx, cause, now)
