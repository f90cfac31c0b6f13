"""An order and its life. An order never changes: each move gives its next version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from bahi.kernel.errors import Conflict
from bahi.kernel.ids import tag
from bahi.kernel.money import NOTHING, Money, Price
from bahi.kernel.words import OptionType, OrderStatus, OrderType, Product, Segment, Side, Validity

PENDING, TRANSIT, UNKNOWN = OrderStatus.PENDING, OrderStatus.TRANSIT, OrderStatus.UNKNOWN
OPEN, PARTIAL, EXECUTED = OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.EXECUTED
CANCELLED, REJECTED = OrderStatus.CANCELLED, OrderStatus.REJECTED
EXPIRED = OrderStatus.EXPIRED

ENDS: Final = frozenset({EXECUTED, CANCELLED, REJECTED, EXPIRED})
ACTIVE: Final = frozenset(OrderStatus) - ENDS
"""An order in one of these may still fill."""

MOVES: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    PENDING: frozenset({TRANSIT, REJECTED, CANCELLED, EXPIRED}),
    TRANSIT: frozenset({UNKNOWN, OPEN, PARTIAL, *ENDS}),
    UNKNOWN: frozenset({OPEN, PARTIAL, *ENDS}),
    OPEN: frozenset({PARTIAL, *ENDS}),
    PARTIAL: ENDS,
    # A fill is believed in any status, so an end that the broker told can still be outdone.
    REJECTED: frozenset({EXPIRED, CANCELLED, EXECUTED}),
    EXPIRED: frozenset({CANCELLED, EXECUTED}),
    CANCELLED: frozenset({EXECUTED}),
    EXECUTED: frozenset(),
}
"""What may become of an order in each status."""

NOT_SENT: Final = "NOT_SENT"
NOT_FOUND: Final = "NOT_FOUND"
INFERRED: Final = frozenset({NOT_SENT, NOT_FOUND})
"""Ends that we concluded: the broker never told them, so its evidence outdoes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order as we know it; `version` grows with every change."""

    id: int
    account_id: int
    client_order_id: str | None = None
    broker_order_id: str | None = None
    correlation_id: str | None = None
    instrument_id: int | None = None
    segment: Segment
    symbol: str
    side: Side
    product: Product
    order_type: OrderType
    validity: Validity = Validity.DAY
    quantity: int
    disclosed_quantity: int = 0
    price: Price | None = None
    trigger_price: Price | None = None
    status: OrderStatus
    broker_status: str | None = None
    trigger_pending: bool = False
    filled: int = 0
    traded_value: Money = NOTHING
    margin_blocked: Money = NOTHING  # for all of it; see `margin`
    expiry: date | None = None
    strike: Price | None = None
    option_type: OptionType | None = None
    error_code: str | None = None
    error_message: str | None = None
    strategy: str | None = None
    actor: str
    key_id: int | None = None
    is_exit: bool = False
    is_external: bool = False
    waits_for: str | None = None
    release_at: datetime | None = None
    expires_at: datetime | None = None
    approved_by: str | None = None
    node: int | None = None
    version: int = 1
    send_before: datetime | None = None
    intent_at: datetime | None = None
    sent_at: datetime | None = None
    acked_at: datetime | None = None
    first_fill_at: datetime | None = None
    told_at: datetime | None = None
    placed_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None

    @property
    def tag(self) -> str:
        """What the order is called at its broker."""
        return tag(self.id)

    @property
    def remaining(self) -> int:
        """How many still work; of an order that has ended, none."""
        return self.quantity - self.filled if self.status in ACTIVE else 0

    @property
    def margin(self) -> Money:
        """What is blocked now, for that part of it which still works."""
        return Money(self.margin_blocked * self.remaining // max(self.quantity, 1))

    @property
    def average_price(self) -> Price | None:
        """What its fills came to each, to the nearest ten-thousandth; half away from zero."""
        if not self.filled:
            return None
        return Price((2 * self.traded_value + self.filled) // (2 * self.filled))

    @property
    def is_active(self) -> bool:
        """Whether it may still fill."""
        return self.status in ACTIVE

    @property
    def end_is_inferred(self) -> bool:
        """Whether it has ended by our conclusion alone."""
        return self.status is REJECTED and self.error_code in INFERRED

    def moved(self, to: OrderStatus, now: datetime, **changes: Any) -> Order:
        """Return its next version in another status; a move that is not in the table is refused."""
        if to is not self.status and to not in MOVES[self.status] and not self.end_is_inferred:
            raise Conflict(f"Order {self.id} is {self.status}; it cannot become {to}.")
        if to in ENDS and self.completed_at is None:
            changes.setdefault("completed_at", now)
        return self.changed(now, status=to, **changes)

    def changed(self, now: datetime, **changes: Any) -> Order:
        """Return its next version, which is never of the same instant as the one before."""
        changes.setdefault("updated_at", max(now, self.updated_at + timedelta(microseconds=1)))
        return replace(self, version=self.version + 1, **changes)

    def unsent(self, why: str, now: datetime) -> Order:
        """Return it as one that never reached the wire."""
        return self.moved(REJECTED, now, error_code=NOT_SENT, error_message=why)

    def lost(self, now: datetime) -> Order:
        """Return it as one of which only the broker's book can tell."""
        return self.moved(UNKNOWN, now)

    def not_found(self, now: datetime) -> Order:
        """Return it as one that the broker's book, read twice since, does not have."""
        return self.moved(
            REJECTED,
            now,
            error_code=NOT_FOUND,
            error_message="The broker's book, read twice after the time it could have been sent, "
            "does not have it.",
        )


FIELDS: Final = tuple(it.name for it in fields(Order))


def differences(before: Order | None, after: Order) -> dict[str, Any]:
    """Return what a move changed, by field; of a new order, all that is not empty."""
    if before is None:
        return {
            name: value
            for name in FIELDS
            if (value := getattr(after, name)) is not None and value is not False
        }
    return {
        name: value for name in FIELDS if (value := getattr(after, name)) != getattr(before, name)
    }
