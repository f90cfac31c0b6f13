"""What orders look like to programs, with their whole lives."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Self

from pydantic import BaseModel

from bahi.api.forms import Amount, Id, Instant, Shown
from bahi.kernel.clock import IST, from_micros
from bahi.kernel.errors import BahiError
from bahi.kernel.money import plain
from bahi.kernel.words import (
    AmoTime,
    EventSource,
    EventType,
    LegType,
    OrderStatus,
    OrderType,
    Product,
    Segment,
    Side,
    Validity,
)
from bahi.orders.model.order import Order
from bahi.orders.service.looking import Timeline

MONEY: Final = frozenset(
    {
        "price",
        "trigger_price",
        "traded_value",
        "margin_blocked",
        "strike",
        "co_stop_loss",
        "bo_profit",
        "bo_stop_loss",
        "bo_trailing",
        "asked_margin",
    }
)
IDS: Final = frozenset({"id", "account_id", "instrument_id", "parent_order_id", "key_id"})
MICROSECOND: Final = timedelta(microseconds=1)


class OrderShown(Shown):
    """An order as it is; `version` grows with every change."""

    id: Id
    account_id: Id
    client_order_id: str | None
    broker_order_id: str | None
    segment: Segment
    symbol: str
    side: Side
    product: Product
    order_type: OrderType
    validity: Validity
    quantity: int
    disclosed_quantity: int
    price: Amount | None
    trigger_price: Amount | None
    status: OrderStatus
    trigger_pending: bool
    filled: int
    remaining: int
    average_price: Amount | None
    traded_value: Amount
    margin: Amount
    is_exit: bool
    is_external: bool
    error_code: str | None
    error_message: str | None
    strategy: str | None
    parent_order_id: Id | None
    leg_type: LegType | None
    slice_group_id: str | None
    slice_index: int | None
    is_amo: bool
    amo_time: AmoTime | None
    stop: Amount | None
    target: Amount | None
    trailing: Amount | None
    waits_for: str | None
    release_at: Instant | None
    expires_at: Instant | None
    cancel_asked: bool
    change_awaited: bool
    approved_by: str | None
    cancelled_by: str | None
    actor: str
    version: int
    placed_at: Instant
    updated_at: Instant
    completed_at: Instant | None

    @classmethod
    def of(cls, order: Order) -> Self:
        """Show an order."""
        guard = order.guard
        return cls.model_validate(
            {name: getattr(order, name) for name in _PLAIN}
            | {
                "stop": None if guard is None else guard.stop,
                "target": None if guard is None else guard.target,
                "trailing": None if guard is None else guard.trailing,
                "change_awaited": order.asked_at is not None and not order.cancel_asked,
            }
        )


_PLAIN: Final = frozenset(OrderShown.model_fields) - {
    "stop",
    "target",
    "trailing",
    "change_awaited",
}


class EventShown(BaseModel):
    """One thing that happened to an order, with the fields that it changed."""

    sequence: int
    type: EventType
    source: EventSource | None
    at: Instant
    recorded_at: Instant
    changes: dict[str, Any]


class ChangeShown(BaseModel):
    """A wish to change an order, and what became of it."""

    kind: str
    old: str | None
    new: str | None
    status: str
    error: str | None


class Took(BaseModel):
    """Microseconds from the intent, to each step that was reached."""

    sent: int | None
    acked: int | None
    first_fill: int | None
    done: int | None


class TimelineShown(BaseModel):
    """An order with its whole life: what happened, what was asked of it, its parts."""

    order: OrderShown
    events: list[EventShown]
    changes: list[ChangeShown]
    parts: list[OrderShown]
    took_us: Took

    @classmethod
    def of(cls, it: Timeline) -> Self:
        """Show an order's life."""
        return cls(
            order=OrderShown.of(it.order),
            events=[
                EventShown(
                    sequence=event.sequence,
                    type=event.kind,
                    source=event.source,
                    at=event.event_at,
                    recorded_at=event.recorded_at,
                    changes=told(event.changes),
                )
                for event in it.events
            ],
            changes=[
                ChangeShown(
                    kind=change["kind"],
                    old=_as_text(change["kind"], change["old"]),
                    new=_as_text(change["kind"], change["new"]),
                    status=change["status"],
                    error=change["error"],
                )
                for change in it.changes
            ],
            parts=[OrderShown.of(part) for part in it.parts],
            took_us=_took(it.order),
        )


class Fault(BaseModel):
    """Why there is no order, in the words of a problem answer."""

    code: str
    message: str

    @classmethod
    def of(cls, fault: BahiError | None) -> Fault | None:
        """Show what went wrong, if anything did."""
        return None if fault is None else cls(code=fault.code, message=str(fault))


def told(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Write the changed fields of an order as programs read them."""
    return {name: _told(name, value) for name, value in changes.items()}


def _told(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.endswith("_at") or name == "send_before":
        return from_micros(value).astimezone(IST).isoformat()
    if name in MONEY:
        return plain(value)
    return str(value) if name in IDS else value


def _as_text(kind: str, value: Any) -> str | None:
    if value is None:
        return None
    return plain(value) if kind in {"PRICE", "TRIGGER_PRICE"} else str(value)


def _took(order: Order) -> Took:
    begun = order.intent_at or order.placed_at

    def after(at: datetime | None) -> int | None:
        return None if at is None else (at - begun) // MICROSECOND

    return Took(
        sent=after(order.sent_at),
        acked=after(order.acked_at),
        first_fill=after(order.first_fill_at),
        done=after(order.completed_at),
    )
