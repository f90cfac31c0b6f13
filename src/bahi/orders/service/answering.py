"""What was asked of an order that works, and what the broker's words show became of that."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from bahi.db.tx import Tx
from bahi.kernel.altered import altered
from bahi.kernel.ports import Update
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert
from bahi.orders.model.changing import Evidence, shows
from bahi.orders.model.order import Order
from bahi.orders.repository import change

NOT_MADE: Final = "The broker's book, read after it could have been sent, shows it unchanged."


def answered(
    tx: Tx, step: tuple[Order, Order], update: Update, evidence: Evidence, now: datetime
) -> Order:
    """Return an order as it is after a word that may settle what was asked of it."""
    known, after = step
    pending = change.pending(tx, after.id) if after.asked_quantity is not None else []
    is_late = evidence.is_late(after)
    changes: dict[str, Any] = {}
    if pending and shows(pending, after, update, evidence):
        change.settle(tx, after.id, None)
        untold = {it.kind.lower(): it.new for it in pending if it.kind == "VALIDITY"}
        changes = after.made() | untold
    elif pending and (is_late or not after.is_active):
        change.settle(tx, after.id, NOT_MADE if after.is_active else f"It was {after.status}.")
        changes = after.unmade()
    if after.cancel_asked and is_late and after.is_active:
        _tell_of_lost_cancel(tx, after, now)
    awaits = after.is_active and not is_late
    if not awaits or not (after.cancel_asked or (pending and not changes)):
        changes |= {"asked_at": None, "cancel_asked": False}
    if not changes:
        return after
    return known.changed(now, **changes) if after is known else altered(after, **changes)


def _tell_of_lost_cancel(tx: Tx, order: Order, now: datetime) -> None:
    cause = Cause(
        severity=Severity.WARNING,
        source="orders",
        message=f"The cancel of order {order.id} was not answered, and the broker's book shows "
        "that it still works; cancel it again.",
        topic=f"order_cancel:{order.id}",
        account_id=order.account_id,
    )
    raise_alert(tx, cause, now)
