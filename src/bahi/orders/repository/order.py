"""Orders with their events: written together, so that the row is always the fold of its events."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from enum import EnumType
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.kernel.altered import made_of
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.errors import Conflict
from bahi.kernel.words import (
    AmoTime,
    EventSource,
    EventType,
    InstrumentType,
    LegType,
    OptionType,
    OrderStatus,
    OrderType,
    Product,
    Segment,
    Side,
    Validity,
)
from bahi.orders.model.order import (
    ACTIVE,
    DEFAULTS,
    FIELDS,
    TIME,
    Order,
    differences,
    values_of,
)
from bahi.orders.tables import order_events, order_keys, orders

COLUMN_OF: Final[Mapping[str, str]] = MappingProxyType(
    {name: name for name in FIELDS}
    | {
        "segment": "exchange_segment",
        "filled": "filled_qty",
        "disclosed_quantity": "disclosed_qty",
        "kind": "instrument_type",
        "lot": "lot_size",
        "expiry": "drv_expiry",
        "strike": "drv_strike",
        "option_type": "drv_option_type",
        "slice_total_quantity": "slice_total_qty",
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
    "kind": InstrumentType,
    "leg_type": LegType,
    "amo_time": AmoTime,
    "expiry": date.fromisoformat,
}
_FLAGS: Final = frozenset(
    {"trigger_pending", "is_exit", "is_external", "cancel_asked", "is_sliced", "is_amo", "is_kept"}
)
_INSTANTS: Final = frozenset(name for name in FIELDS if name.endswith("_at")) | {"send_before"}
_DERIVED: Final = ("remaining_qty", "average_price")
_COLUMNS: Final = tuple(orders.c[COLUMN_OF[name]] for name in FIELDS)

_ADD: Final = Statement(
    sa.insert(orders).values(
        {name: sa.bindparam(name) for name in (*COLUMN_OF.values(), *_DERIVED)}
    )
)
_SHAPES: Final = 256
"""How many ways of changing an order are kept spelt: a few dozen are all that there are."""
_ADD_EVENT: Final = Statement(
    sa.insert(order_events).values(
        {column.name: sa.bindparam(column.name) for column in order_events.columns}
    )
)
_ON_THE_WAY: Final = sa.text("status IN ('TRANSIT','UNKNOWN')")  # as the index says it
SELECT: Final = sa.select(*_COLUMNS)
_BY_ID: Final = Statement(SELECT.where(orders.c.id == sa.bindparam("id")))
_BY_CLIENT_ID: Final = Statement(
    SELECT.where(
        orders.c.account_id == sa.bindparam("account_id"),
        orders.c.client_order_id == sa.bindparam("client_order_id"),
    )
)
_BY_BROKER_ID: Final = Statement(
    SELECT.where(
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
    tx.put(_ADD, row_of(order))
    _add_event(tx, order, differences(None, order), (EventType.PLACED, source), now)


def save(
    tx: Tx, before: Order, after: Order, event: tuple[EventType, EventSource | None], now: datetime
) -> None:
    """Write an order's next version with the event that made it; it must not have moved since.

    Only what changed is named: SQLite rewrites the indexes of every column that is.
    """
    changed = differences(before, after)
    row = {COLUMN_OF[name]: _kept(name, value) for name, value in changed.items()}
    row |= _derived(after) | {"the_id": after.id, "was": before.version}
    if tx.change(_saving(tuple(changed)), row) != 1:
        raise Conflict(f"Order {after.id} changed meanwhile; read it again.")
    _add_event(tx, after, changed, event, now)


def find(tx: Tx, order_id: int) -> Order | None:
    """Return an order by our id."""
    return _found(tx.row(_BY_ID, {"id": order_id}))


def find_by_client_id(tx: Tx, account_id: int, client_order_id: str) -> Order | None:
    """Return an order by the name that its caller gave it."""
    asked = {"account_id": account_id, "client_order_id": client_order_id}
    return _found(tx.row(_BY_CLIENT_ID, asked))


def find_named(tx: Tx, ids: Collection[int], client_order_id: str, at_most: int) -> list[Order]:
    """Return orders of some accounts that their callers gave this name, the newest first."""
    clause = SELECT.where(orders.c.account_id.in_(ids), orders.c.client_order_id == client_order_id)
    found = tx.rows(clause.order_by(orders.c.id.desc()).limit(at_most))
    return [order_of(row) for row in found]


def find_archived(tx: Tx, account_id: int, client_order_id: str) -> int | None:
    """Return the id of an order of that name that moved to the archive."""
    row = tx.row(_ARCHIVED, {"account_id": account_id, "client_order_id": client_order_id})
    return None if row is None else int(row[0])


def find_by_broker_id(tx: Tx, account_id: int, broker_order_id: str) -> Order | None:
    """Return an order by the broker's name for it."""
    asked = {"account_id": account_id, "broker_order_id": broker_order_id}
    return _found(tx.row(_BY_BROKER_ID, asked))


def any_at_all(tx: Tx) -> bool:
    """Say whether the store has an order."""
    return tx.row(sa.select(orders.c.id).limit(1)) is not None


def unsettled(tx: Tx, sent_before: datetime, asked_before: datetime, at_most: int) -> list[Order]:
    """Return orders of which the broker's book has to tell, so many of each account.

    They are UNKNOWN, or in TRANSIT and were not to be sent after an instant, or something was asked
    of them before another and is not answered.
    """
    overdue = sa.and_(orders.c.status == "TRANSIT", orders.c.send_before <= to_micros(sent_before))
    sent = SELECT.where(
        _ON_THE_WAY,
        sa.or_(orders.c.status == "UNKNOWN", overdue),
    )
    asked = SELECT.where(
        orders.c.asked_at.is_not(None), orders.c.asked_at <= to_micros(asked_before)
    )
    found: dict[int, Order] = {}
    for clause, turn in ((sent, orders.c.id), (asked, orders.c.asked_at)):
        whose = clause.with_only_columns(orders.c.account_id).distinct()
        for (account_id,) in tx.rows(whose):  # so that one broker's silence starves no other
            mine = clause.where(orders.c.account_id == account_id).order_by(turn).limit(at_most)
            found |= {it.id: it for it in map(order_of, tx.rows(mine))}
    return list(found.values())


def on_the_way(tx: Tx) -> int:
    """Return how many orders are on their way, or nobody knows where."""
    row = tx.row(sa.select(sa.func.count()).select_from(orders).where(_ON_THE_WAY))
    return 0 if row is None else int(row[0])


def working_of(
    tx: Tx,
    account_id: int,
    only: tuple[str | None, Segment | None, str | None],
    at_most: int,
) -> list[Order]:
    """Return what works on an account: of a strategy, a segment, a symbol where these are given."""
    strategy, segment, symbol = only
    clause = SELECT.where(
        orders.c.account_id == account_id,
        orders.c.status.in_([str(it) for it in sorted(ACTIVE)]),
    )
    if strategy is not None:
        clause = clause.where(orders.c.strategy == strategy)
    if segment is not None:
        clause = clause.where(orders.c.exchange_segment == str(segment))
    if symbol is not None:
        clause = clause.where(orders.c.symbol == symbol)
    return [order_of(row) for row in tx.rows(clause.order_by(orders.c.id).limit(at_most))]


def of_account(tx: Tx, account_id: int, since: datetime, at_most: int) -> list[Order]:
    """Return an account's orders since an instant, newest first."""
    clause = (
        SELECT.where(orders.c.account_id == account_id, orders.c.placed_at >= to_micros(since))
        .order_by(orders.c.placed_at.desc())
        .limit(at_most)
    )
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
    row = {
        column: value if value is None or keep is None else keep(value)
        for value, (column, keep) in zip(values_of(order), _KEEPS, strict=True)
    }
    return row | _derived(order)


def order_of(row: Row) -> Order:
    """Return the order that a row keeps."""
    values = list(row)
    for place, default, read in _READS:
        value = values[place]
        values[place] = default if value is None else read(value)
    return made_of(Order, values)


def _found(row: Row | None) -> Order | None:
    return None if row is None else order_of(row)


def _derived(order: Order) -> dict[str, Any]:
    """Return what a row keeps beside an order's own fields."""
    return {"remaining_qty": order.remaining, "average_price": order.average_price}


@lru_cache(_SHAPES)
def _saving(changed: tuple[str, ...]) -> Statement:
    """Return what writes some fields of an order's next version."""
    named = (*(COLUMN_OF[name] for name in changed), *_DERIVED)
    return Statement(
        sa.update(orders)
        .where(orders.c.id == sa.bindparam("the_id"), orders.c.version == sa.bindparam("was"))
        .values({name: sa.bindparam(name) for name in named})
    )


def _add_event(
    tx: Tx,
    after: Order,
    differing: Mapping[str, Any],
    event: tuple[EventType, EventSource | None],
    now: datetime,
) -> None:
    kind, source = event
    changed = {name: _kept(name, it) for name, it in differing.items()}
    tx.put(
        _ADD_EVENT,
        {
            "id": tx.new_id(),
            "order_id": after.id,
            "event_type": kind,
            "source": source,
            "data": _WRITTEN(changed),
            "schema_number": 1,
            "event_at": to_micros(after.told_at or now),
            "recorded_at": to_micros(now),
            "sequence": after.version,
        },
    )


def _keeper(name: str) -> Callable[[Any], Any] | None:
    """Return how a field's value is kept; None: as it is."""
    if name in _INSTANTS:
        return to_micros
    if name in _FLAGS:
        return int
    if name == "expiry":
        return date.isoformat
    return str if name in _WORDS else None


def _reader(name: str) -> Callable[[Any], Any] | None:
    """Return how a field's value is read; None: as it is."""
    if name in _INSTANTS:
        return from_micros
    if name in _FLAGS:
        return bool
    word = _WORDS.get(name)
    if isinstance(word, EnumType):
        members: Iterable[Any] = word.__members__.values()
        return {str(it): it for it in members}.__getitem__  # sooner than the enumeration itself
    return word


_KEEPS: Final = tuple((COLUMN_OF[name], _keeper(name)) for name in FIELDS)
_READS: Final = tuple(
    (place, default, _reader(name) or int)  # a number, where only its default says so
    for place, (name, default) in enumerate(zip(FIELDS, DEFAULTS, strict=True))
    if _reader(name) is not None or (default is not None and orders.c[COLUMN_OF[name]].nullable)
)
"""What is not simply as its row keeps it: where, what nothing stands for, and how it is read."""
_KEEPER_OF: Final = {name: _keeper(name) for name in FIELDS}
_WRITTEN: Final = json.JSONEncoder(separators=(",", ":")).encode
_READER_OF: Final = {name: _reader(name) for name in FIELDS}


def _kept(name: str, value: Any) -> Any:
    keep = _KEEPER_OF[name]
    return value if value is None or keep is None else keep(value)


def _read(name: str, value: Any) -> Any:
    read = _READER_OF[name]
    return value if value is None or read is None else read(value)


def due(tx: Tx, now: datetime, at_most: int) -> list[Order]:
    """Return orders that wait no longer: their time has come, or nobody approved them in time."""
    at = to_micros(now)
    clause = SELECT.where(
        sa.text("status = 'PENDING'"),
        sa.or_(
            sa.and_(orders.c.waits_for == TIME, orders.c.release_at <= at),
            orders.c.expires_at <= at,
        ),
    ).order_by(orders.c.id)
    return [order_of(row) for row in tx.rows(clause.limit(at_most))]
