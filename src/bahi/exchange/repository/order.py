"""The exchange's journal: orders, fills, and what is left of each instrument's depth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.exchange.model.matching import Depth, PaperFill, PaperOrder
from bahi.exchange.tables import paper_depth, paper_fills, paper_orders
from bahi.kernel.clock import from_micros, instant_of, to_micros
from bahi.kernel.errors import Conflict
from bahi.kernel.money import Price
from bahi.kernel.ports import Fill, Level
from bahi.kernel.words import OrderStatus, OrderType, Product, Segment, Side, Validity

FIELDS: Final = tuple(it.name for it in fields(PaperOrder))
COLUMN_OF: Final = {name: name for name in FIELDS} | {
    "segment": "exchange_segment",
    "filled": "filled_qty",
}
_WORDS: Final[dict[str, Any]] = {
    "segment": Segment,
    "side": Side,
    "product": Product,
    "order_type": OrderType,
    "validity": Validity,
    "status": OrderStatus,
}
_SELECT: Final = sa.select(*(paper_orders.c[COLUMN_OF[name]] for name in FIELDS))
_ADD: Final = Statement(
    sa.insert(paper_orders).values({name: sa.bindparam(name) for name in COLUMN_OF.values()})
)
_SAVED: Final = (
    "quantity",
    "price",
    "status",
    "filled_qty",
    "filled_value",
    "version",
    "told_version",
    "updated_at",
    "completed_at",
)
_SAVE: Final = Statement(
    sa.update(paper_orders)
    .where(
        paper_orders.c.id == sa.bindparam("the_id"), paper_orders.c.version == sa.bindparam("was")
    )
    .values({name: sa.bindparam(name) for name in _SAVED})
)
_ADD_FILL: Final = Statement(
    sa.insert(paper_fills).values(
        {column.name: sa.bindparam(column.name) for column in paper_fills.columns}
    )
)
_FIND: Final = Statement(_SELECT.where(paper_orders.c.id == sa.bindparam("id")))
_BY_TAG: Final = Statement(
    _SELECT.where(
        paper_orders.c.client_id == sa.bindparam("client_id"),
        paper_orders.c.tag == sa.bindparam("tag"),
    )
)
_FILLS: Final = Statement(
    sa.select(paper_fills).where(paper_fills.c.order_id == sa.bindparam("order_id"))
)
_HERE: Final = (
    paper_depth.c.exchange_segment == sa.bindparam("the_segment"),
    paper_depth.c.symbol == sa.bindparam("the_symbol"),
)
_DEPTH: Final = sa.select(
    paper_depth.c.quoted_at,
    sa.cast(paper_depth.c.bids, sa.Text),
    sa.cast(paper_depth.c.asks, sa.Text),
).where(*_HERE)
_READ_DEPTH: Final = Statement(_DEPTH)
_LOCK_DEPTH: Final = Statement(_DEPTH.with_for_update())
_SAVE_DEPTH: Final = Statement(
    sa.update(paper_depth)
    .where(*_HERE)
    .values(
        version=paper_depth.c.version + sa.literal_column("1"),
        quoted_at=sa.bindparam("quoted_at"),
        bids=sa.bindparam("bids"),
        asks=sa.bindparam("asks"),
        updated_at=sa.bindparam("updated_at"),
    )
)
_WORKING: Final = paper_orders.c.status.in_([str(OrderStatus.OPEN), str(OrderStatus.PARTIAL)])


def add(tx: Tx, order: PaperOrder) -> None:
    """Write a new order."""
    tx.change(_ADD, _row(order))


def save(tx: Tx, before: PaperOrder, after: PaperOrder) -> None:
    """Write an order's next version; it must not have moved since."""
    row = _row(after)
    params = {name: row[name] for name in _SAVED} | {"the_id": after.id, "was": before.version}
    if tx.change(_SAVE, params) != 1:
        raise Conflict(f"Order {after.id} of the paper exchange changed meanwhile.")


def add_fills(
    tx: Tx, order: PaperOrder, fills: Sequence[PaperFill], now: datetime, begun: int
) -> None:
    """Write an order's further fills, numbered from `begun`."""
    tx.change_each(
        _ADD_FILL,
        [
            {
                "id": tx.new_id(),
                "order_id": order.id,
                "sequence": begun + place,
                "quantity": fill.quantity,
                "price": fill.price,
                "filled_at": to_micros(now),
            }
            for place, fill in enumerate(fills)
        ],
    )


def find(tx: Tx, order_id: int) -> PaperOrder | None:
    """Return an order by the exchange's number."""
    return _found(tx.row(_FIND, {"id": order_id}))


def find_by_tag(tx: Tx, client_id: int, tag: str) -> PaperOrder | None:
    """Return an order by its client's own mark."""
    return _found(tx.row(_BY_TAG, {"client_id": client_id, "tag": tag}))


def of_client(tx: Tx, client_id: int, since: datetime) -> list[PaperOrder]:
    """Return a client's orders since an instant, and all that still work."""
    clause = _SELECT.where(
        paper_orders.c.client_id == client_id,
        sa.or_(paper_orders.c.placed_at >= to_micros(since), _WORKING),
    ).order_by(paper_orders.c.id)
    return [_order(row) for row in tx.rows(clause)]


def resting(tx: Tx, segment: Segment, symbol: str) -> list[PaperOrder]:
    """Return what rests on an instrument, in the order in which it was accepted."""
    clause = _SELECT.where(
        paper_orders.c.exchange_segment == str(segment),
        paper_orders.c.symbol == symbol,
        _WORKING,
    ).order_by(paper_orders.c.priority)
    return [_order(row) for row in tx.rows(clause)]


def resting_on(tx: Tx) -> list[tuple[Segment, str]]:
    """Return the instruments that anything rests on."""
    clause = (
        sa.select(paper_orders.c.exchange_segment, paper_orders.c.symbol).where(_WORKING).distinct()
    )
    return [(Segment(segment), symbol) for segment, symbol in tx.rows(clause)]


def untold(tx: Tx, at_most: int) -> list[PaperOrder]:
    """Return orders that changed since their client was told of them."""
    clause = (
        _SELECT.where(paper_orders.c.told_version < paper_orders.c.version)
        .order_by(paper_orders.c.id)
        .limit(at_most)
    )
    return [_order(row) for row in tx.rows(clause)]


def mark_told(tx: Tx, told: Sequence[tuple[int, int]]) -> None:
    """Remember to which version clients were told of orders (`order, version`)."""
    for order_id, version in told:
        tx.change(
            sa.update(paper_orders)
            .where(paper_orders.c.id == order_id, paper_orders.c.told_version < version)
            .values(told_version=version)
        )


def fills_of(tx: Tx, order_id: int) -> tuple[Fill, ...]:
    """Return an order's fills, as brokers report them."""
    rows = tx.rows(_FILLS, {"order_id": order_id})
    return tuple(
        Fill(trade_id=str(it[0]), quantity=it[3], price=Price(it[4]), at=from_micros(it[5]))
        for it in sorted(rows, key=lambda row: row[2])
    )


def lock_depth(tx: Tx, segment: Segment, symbol: str, now: datetime) -> Depth:
    """Return what is left of an instrument's depth; nobody else matches it meanwhile."""
    where = {"the_segment": str(segment), "the_symbol": symbol}
    statement = _READ_DEPTH if tx.dialect.name == "sqlite" else _LOCK_DEPTH
    row = tx.row(statement, where)
    if row is None:
        insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
        tx.change(
            insert(paper_depth)
            .values(exchange_segment=str(segment), symbol=symbol, updated_at=to_micros(now))
            .on_conflict_do_nothing()
        )
        row = tx.row(statement, where)
    assert row is not None  # noqa: S101 - it is there, or was put there just now
    return Depth(instant_of(row[0]), _levels(row[1]), _levels(row[2]))


def save_depth(tx: Tx, segment: Segment, symbol: str, depth: Depth, now: datetime) -> None:
    """Write what is left."""
    tx.change(
        _SAVE_DEPTH,
        {
            "the_segment": str(segment),
            "the_symbol": symbol,
            "quoted_at": None if depth.quoted_at is None else to_micros(depth.quoted_at),
            "bids": json.dumps([[it.price, it.quantity] for it in depth.bids]),
            "asks": json.dumps([[it.price, it.quantity] for it in depth.asks]),
            "updated_at": to_micros(now),
        },
    )


def _levels(stored: str | None) -> tuple[Level, ...]:
    return tuple(Level(Price(price), size) for price, size in json.loads(stored or "[]"))


def _row(order: PaperOrder) -> dict[str, Any]:
    return {COLUMN_OF[name]: _kept(name, getattr(order, name)) for name in FIELDS}


def _kept(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.endswith("_at"):
        return to_micros(value)
    return str(value) if name in _WORDS else value


def _found(row: Row | None) -> PaperOrder | None:
    return None if row is None else _order(row)


def _order(row: Row) -> PaperOrder:
    return PaperOrder(**{name: _read(name, it) for name, it in zip(FIELDS, row, strict=True)})


def _read(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.endswith("_at"):
        return from_micros(value)
    word = _WORDS.get(name)
    return value if word is None else word(value)
