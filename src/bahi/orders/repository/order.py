"""Orders with their events: written together, so that the row is always the fold of its events."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.errors import Conflict
from bahi.kernel.words import (
    EventSource,
    EventType,
    OptionType,
    OrderStatus,
    OrderType,
    Product,
    Segment,
    Side,
    Validity,
)
from bahi.orders.model.order import FIELDS, Order, differences
from bahi.orders.tables import order_events, order_keys, orders

COLUMN_OF: Final[Mapping[str, str]] = MappingProxyType(
    {name: name for name in FIELDS}
    | {
        "segment": "exchange_segment",
        "filled": "filled_qty",
        "disclosed_quantity": "disclosed_qty",
        "expiry": "drv_expiry",
        "strike": "drv_strike",
        "option_type": "drv_option_type",
    }
)
"""The column that keeps each field."""

_WORDS: Final[Mapping[str, Any]] = {
    "segment": Segment,
    "side": Side,
    "product": Product,
    "order_type": OrderType,
    "validity": Validity,
    "status": OrderStatus,
    "option_type": OptionType,
    "expiry": date.fromisoformat,
}
_FLAGS: Final = frozenset({"trigger_pending", "is_exit", "is_external"})
_INSTANTS: Final = frozenset(name for name in FIELDS if name.endswith("_at")) | {"send_before"}
_DERIVED: Final = ("remaining_qty", "average_price")
_COLUMNS: Final = tuple(orders.c[COLUMN_OF[name]] for name in FIELDS)

_ADD: Final = Statement(
    sa.insert(orders).values(
        {name: sa.bindparam(name) for name in (*COLUMN_OF.values(), *_DERIVED)}
    )
)
_FIXED: Final = frozenset(
    {"id", "account_id", "client_order_id", "side", "actor", "key_id", "placed_at", "intent_at"}
)
_SAVE: Final = Statement(
    sa.update(orders)
    .where(orders.c.id == sa.bindparam("the_id"), orders.c.version == sa.bindparam("was"))
    .values(
        {
            name: sa.bindparam(name)
            for name in (*COLUMN_OF.values(), *_DERIVED)
            if name not in _FIXED
        }
    )
)
_ADD_EVENT: Final = Statement(
    sa.insert(order_events).values(
        {column.name: sa.bindparam(column.name) for column in order_events.columns}
    )
)
_SELECT: Final = sa.select(*_COLUMNS)
_BY_ID: Final = Statement(_SELECT.where(orders.c.id == sa.bindparam("id")))
_BY_CLIENT_ID: Final = Statement(
    _SELECT.where(
        orders.c.account_id == sa.bindparam("account_id"),
        orders.c.client_order_id == sa.bindparam("client_order_id"),
    )
)
_BY_BROKER_ID: Final = Statement(
    _SELECT.where(
        orders.c.account_id == sa.bindparam("account_id"),
        orders.c.broker_order_id == sa.bindparam("broker_order_id"),
    )
)
_ARCHIVED: Final = Statement(
    sa.select(order_keys.c.order_id).where(
        order_keys.c.account_id == sa.bindparam("account_id"),
        order_keys.c.client_order_id == sa.bindparam("client_order_id"),
    )
)


def add(tx: Tx, order: Order, now: datetime, source: EventSource | None = None) -> None:
    """Write a new order with its first event."""
    tx.change(_ADD, row_of(order))
    _add_event(tx, None, order, (EventType.PLACED, source), now)


def save(
    tx: Tx, before: Order, after: Order, event: tuple[EventType, EventSource | None], now: datetime
) -> None:
    """Write an order's next version with the event that made it; it must not have moved since."""
    row = row_of(after) | {"the_id": after.id, "was": before.version}
    if tx.change(_SAVE, row) != 1:
        raise Conflict(f"Order {after.id} changed meanwhile; read it again.")
    _add_event(tx, before, after, event, now)


def find(tx: Tx, order_id: int) -> Order | None:
    """Return an order by our id."""
    return _found(tx.row(_BY_ID, {"id": order_id}))


def find_by_client_id(tx: Tx, account_id: int, client_order_id: str) -> Order | None:
    """Return an order by the name that its caller gave it."""
    asked = {"account_id": account_id, "client_order_id": client_order_id}
    return _found(tx.row(_BY_CLIENT_ID, asked))


def find_archived(tx: Tx, account_id: int, client_order_id: str) -> int | None:
    """Return the id of an order of that name that moved to the archive."""
    row = tx.row(_ARCHIVED, {"account_id": account_id, "client_order_id": client_order_id})
    return None if row is None else int(row[0])


def find_by_broker_id(tx: Tx, account_id: int, broker_order_id: str) -> Order | None:
    """Return an order by the broker's name for it."""
    asked = {"account_id": account_id, "broker_order_id": broker_order_id}
    return _found(tx.row(_BY_BROKER_ID, asked))


def working_on(
    tx: Tx, account_id: int, instrument: tuple[Segment, str], statuses: Iterable[OrderStatus]
) -> list[Order]:
    """Return an account's orders of an instrument that are in one of some statuses."""
    segment, symbol = instrument
    clause = _SELECT.where(
        orders.c.account_id == account_id,
        orders.c.status.in_([str(it) for it in statuses]),
        orders.c.symbol == symbol,
        orders.c.exchange_segment == str(segment),
    ).order_by(orders.c.id)
    return [order_of(row) for row in tx.rows(clause)]


def events_of(tx: Tx, order_id: int) -> list[dict[str, Any]]:
    """Return the changed fields of each of an order's events, in its sequence."""
    clause = (
        sa.select(sa.cast(order_events.c.data, sa.Text))
        .where(order_events.c.order_id == order_id)
        .order_by(order_events.c.sequence)
    )
    return [json.loads(data) for (data,) in tx.rows(clause)]


def fold(events: Iterable[Mapping[str, Any]]) -> Order:
    """Return the order that its events make."""
    stored: dict[str, Any] = {}
    for changes in events:
        stored |= changes
    return Order(**{name: _read(name, value) for name, value in stored.items()})


def row_of(order: Order) -> dict[str, Any]:
    """Return an order as its row keeps it."""
    row = {column: _kept(name, getattr(order, name)) for name, column in COLUMN_OF.items()}
    row["remaining_qty"] = order.remaining
    row["average_price"] = order.average_price
    return row


def order_of(row: Row) -> Order:
    """Return the order that a row keeps."""
    return Order(**{name: _read(name, it) for name, it in zip(FIELDS, row, strict=True)})


def _found(row: Row | None) -> Order | None:
    return None if row is None else order_of(row)


def _add_event(
    tx: Tx,
    before: Order | None,
    after: Order,
    event: tuple[EventType, EventSource | None],
    now: datetime,
) -> None:
    kind, source = event
    changed = {name: _kept(name, it) for name, it in differences(before, after).items()}
    tx.change(
        _ADD_EVENT,
        {
            "id": tx.new_id(),
            "order_id": after.id,
            "event_type": kind,
            "source": source,
            "data": json.dumps(changed, separators=(",", ":")),
            "schema_number": 1,
            "event_at": to_micros(after.told_at or now),
            "recorded_at": to_micros(now),
            "sequence": after.version,
        },
    )


def _kept(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _INSTANTS:
        return to_micros(value)
    if name in _FLAGS:
        return int(value)
    if name == "expiry":
        return value.isoformat()
    return str(value) if name in _WORDS else value


def _read(name: str, value: Any) -> Any:
    if value is None:
        return 0 if name == "disclosed_quantity" else None
    if name in _INSTANTS:
        return from_micros(value)
    if name in _FLAGS:
        return bool(value)
    word = _WORDS.get(name)
    return value if word is None else word(value)
