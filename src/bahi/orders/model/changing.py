"""What may be changed of an order that works, and whether a broker's word shows that it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from bahi.kernel.errors import Conflict, Invalid, Outdated
from bahi.kernel.money import Price
from bahi.kernel.ports import Update
from bahi.kernel.words import Validity
from bahi.orders.model.order import SETTLED_AFTER, TRANSIT, UNKNOWN, Order
from bahi.orders.model.wishes import LIMITED, STOPS, PlaceOrder

CHANGEABLE = "its quantity, price, trigger price and validity"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModifyOrder:
    """A wish to change an order; None leaves as it is.

    `version` is the one that the caller has seen: any other is not changed.
    """

    order_id: int
    quantity: int | None = None
    price: Price | None = None
    trigger_price: Price | None = None
    validity: Validity | None = None
    version: int | None = None


class Alteration(NamedTuple):
    """One thing that is to change: which, from what, to what."""

    kind: str
    old: Any
    new: Any


FIELD_OF = {
    "QUANTITY": "quantity",
    "PRICE": "price",
    "TRIGGER_PRICE": "trigger_price",
    "VALIDITY": "validity",
}
"""The field that each kind of alteration changes."""


def alterations(order: Order, wish: ModifyOrder) -> list[Alteration]:
    """Return what a wish would change of an order; a wish for nothing is refused."""
    found = [
        Alteration(kind, old, new)
        for kind, name in FIELD_OF.items()
        if (new := getattr(wish, name)) is not None and new != (old := getattr(order, name))
    ]
    if not found:
        raise Invalid(f"Nothing would change; of an order {CHANGEABLE} may be.")
    return found


def changed_terms(found: list[Alteration]) -> dict[str, Any]:
    """Return the fields as they are to be."""
    return {FIELD_OF[it.kind]: it.new for it in found}


def require_changeable(order: Order, wish: ModifyOrder) -> None:
    """Refuse to change an order that is not there to be changed, or below what has filled."""
    if wish.version is not None and wish.version != order.version:
        raise Outdated(
            f"Order {order.id} is at version {order.version}, not {wish.version}; look again."
        )
    for sentence in _obstacles(order, "changed"):
        raise Conflict(sentence)
    if order.asked_at is not None:
        raise Conflict(
            f"The answer to an earlier change of order {order.id} is awaited; ask again after it."
        )
    if wish.quantity is not None and order.filled and wish.quantity <= order.filled:
        raise Invalid(
            f"quantity: {order.filled} of order {order.id} have filled already; ask for more than "
            "that, or cancel the rest."
        )


def require_cancellable(order: Order) -> None:
    """Refuse to cancel an order that is not there to be cancelled."""
    for sentence in _obstacles(order, "cancelled"):
        raise Conflict(sentence)


def _obstacles(order: Order, done: str) -> Iterator[str]:
    if not order.is_active:
        yield f"Order {order.id} is {order.status}; it cannot be {done} any more."
    if order.status in {TRANSIT, UNKNOWN} and order.broker_order_id is None:
        yield (
            f"Order {order.id} is {order.status}: its broker has not told of it yet; it can be "
            f"{done} as soon as that is known."
        )


def as_wish(order: Order, terms: dict[str, Any]) -> PlaceOrder:
    """Return an order with changed terms as if it were asked for now, to be checked like one."""
    price = order.price if order.order_type in LIMITED else None
    trigger = order.trigger_price if order.order_type in STOPS else None
    return PlaceOrder(
        segment=order.segment,
        symbol=order.symbol,
        side=order.side,
        quantity=terms.get("quantity", order.quantity),
        product=order.product,
        order_type=order.order_type,
        price=terms.get("price", price),
        trigger_price=terms.get("trigger_price", trigger),
        disclosed_quantity=order.disclosed_quantity,
        guard=order.guard,
        validity=terms.get("validity", order.validity),
    )


def only_shrinks(found: list[Alteration]) -> bool:
    """Say whether a change asks for fewer pieces and nothing else: that is never refused."""
    return all(it.kind == "QUANTITY" and it.new < it.old for it in found)


class Evidence(NamedTuple):
    """What a word of the broker's is worth to a change that is awaited.

    `is_answer`: it is the answer to the change itself, so what it does not tell was accepted.
    `begun`: it is of a book whose reading began then.
    """

    is_answer: bool = False
    begun: datetime | None = None

    def is_late(self, order: Order) -> bool:
        """Say whether what was asked of an order must have arrived before this, if at all."""
        return (
            self.begun is not None
            and order.asked_at is not None
            and self.begun >= order.asked_at + SETTLED_AFTER
        )


def shows(pending: list[Alteration], after: Order, update: Update, evidence: Evidence) -> bool:
    """Say whether a broker's word shows that a change was made."""
    told = {"QUANTITY": after.quantity, "PRICE": after.price, "TRIGGER_PRICE": after.trigger_price}
    for it in pending:
        if it.kind in told and told[it.kind] != it.new:
            return False
        if it.kind == "VALIDITY" and not evidence.is_answer:
            asked = update.asked
            if asked is None or asked.validity != it.new:
                return False
    return bool(pending)
