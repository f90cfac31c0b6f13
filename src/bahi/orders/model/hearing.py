"""What is to be believed of what a broker says of an order, in whatever order and how often.

The same updates give the same order however they come: quantities only grow, by fills that are
each booked once; the status is the furthest that was told; price and quantity are those of the
broker's newest word, by the broker's own time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from bahi.kernel.money import Money, Price
from bahi.kernel.ports import Update
from bahi.kernel.words import OrderStatus
from bahi.orders.model.order import (
    CANCELLED,
    EXECUTED,
    EXPIRED,
    OPEN,
    PARTIAL,
    REJECTED,
    TRANSIT,
    UNKNOWN,
    Order,
)

_RANKED: Final = (TRANSIT, UNKNOWN, OPEN, PARTIAL, REJECTED, EXPIRED, CANCELLED, EXECUTED)
RANK: Final = {status: place for place, status in enumerate(_RANKED)}
"""The furthest told status is believed; EXECUTED follows from the quantities alone."""

_WORKING: Final = frozenset({OPEN, PARTIAL, EXECUTED})
_BROKEN_OFF: Final = frozenset({REJECTED, EXPIRED, CANCELLED})


class Booking(NamedTuple):
    """A trade that is not booked yet."""

    name: str
    quantity: int
    value: Money
    price: Price
    at: datetime
    told_as: str | None

    @property
    def is_cumulative(self) -> bool:
        """Whether it is a difference of quantities, and no fill that the broker named."""
        return self.told_as is None


class Told(NamedTuple):
    """What is booked of an order so far: the names of its trades, and if any was a difference."""

    names: Collection[str] = ()
    has_cumulative: bool = False


def to_book(order: Order, update: Update, told: Told, now: datetime) -> list[Booking]:
    """Return the trades that an update tells and nobody told before.

    Where a broker tells only how many in all, the difference is one trade; and once one was booked
    so, fills that come by name are only looked at for what they come to, since nobody can say which
    of them that difference was made of.
    """
    if update.fills is None or told.has_cumulative:
        return _difference(order, update, now)
    found: list[Booking] = []
    for fill in sorted(update.fills, key=lambda it: (it.at, it.trade_id)):
        name = f"{order.id}/{fill.trade_id}"
        is_fill = fill.quantity > 0 and fill.price > 0
        if not is_fill or name in told.names or any(it.name == name for it in found):
            continue
        value = Money(fill.price * fill.quantity)
        found.append(Booking(name, fill.quantity, value, fill.price, fill.at, fill.trade_id))
    return found


def _difference(order: Order, update: Update, now: datetime) -> list[Booking]:
    quantity = update.filled_quantity - order.filled
    worth = _worth(update)
    if quantity <= 0 or worth is None:
        return []
    value = worth - order.traded_value
    if value <= 0:  # an average that the broker rounded: the price of the whole is the nearest
        value = worth * quantity // update.filled_quantity
    price = Price((2 * value + quantity) // (2 * quantity))
    name = f"{order.id}:{update.filled_quantity}"
    return [Booking(name, quantity, Money(value), price, update.at or now, None)]


def _worth(update: Update) -> int | None:
    """Return what all that has filled came to; None: the update does not tell it."""
    fills = update.fills or ()
    if fills and sum(it.quantity for it in fills) == update.filled_quantity:
        return sum(it.price * it.quantity for it in fills)
    if update.average_price is None:
        return None
    return update.average_price * update.filled_quantity


def heard(order: Order, update: Update, booked: Sequence[Booking], now: datetime) -> Order:
    """Return the order as it stands after an update and the trades that it brought."""
    changes: dict[str, Any] = {}
    if order.broker_order_id is None and update.broker_order_id:
        changes["broker_order_id"] = update.broker_order_id
    if order.acked_at is None:
        changes["acked_at"] = now
    if booked:
        changes["filled"] = order.filled + sum(it.quantity for it in booked)
        changes["traded_value"] = Money(order.traded_value + sum(it.value for it in booked))
        firsts = [it.at for it in booked]
        changes["first_fill_at"] = min([*firsts, *filter(None, [order.first_fill_at])])
        changes["is_kept"] = order.is_kept or order.is_guarded  # what it opened has its exits
    changes |= _terms(order, update)
    filled = changes.get("filled", order.filled)
    status = _status(order, update, filled, changes.get("quantity", order.quantity))
    if order.end_is_inferred and status is not order.status:
        changes |= {"error_code": None, "error_message": None, "completed_at": None}
    if status in _BROKEN_OFF and status is not order.status and update.reason:
        changes["error_message"] = update.reason
    if status not in {OPEN, PARTIAL}:
        changes["trigger_pending"] = False
    changes = {name: it for name, it in changes.items() if it != getattr(order, name)}
    if status is order.status:
        return order.changed(now, **changes) if changes else order
    return order.moved(status, now, **changes)


def _terms(order: Order, update: Update) -> dict[str, Any]:
    """Return price and quantity where this is the broker's newest word on them."""
    if update.at is None:
        return {}
    theirs = (update.at, update.quantity, update.price or 0, update.trigger_price or 0)
    ours = (order.told_at, order.quantity, order.price or 0, order.trigger_price or 0)
    if order.told_at is not None and theirs <= ours:
        return {}
    return {
        "told_at": update.at,
        "quantity": update.quantity,
        "price": update.price if update.price is not None else order.price,
        "trigger_price": update.trigger_price or order.trigger_price,
        "trigger_pending": update.trigger_pending,
        "broker_status": update.broker_status,
    }


def _status(order: Order, update: Update, filled: int, quantity: int) -> OrderStatus:
    base = UNKNOWN if order.end_is_inferred else order.status
    told = [base]
    if update.status in _WORKING:
        told.append(OPEN)
    if update.status in _BROKEN_OFF:
        told.append(OrderStatus(update.status))
    if filled:
        told.append(EXECUTED if filled >= quantity else PARTIAL)
    return max(told, key=RANK.__getitem__)
