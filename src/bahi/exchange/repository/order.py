"""The exchange's journal: orders and their fills."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.exchange.model.matching import Reach
from bahi.exchange.model.order import Auction, PaperFill, PaperOrder, PlacedBy
from bahi.exchange.tables import paper_fills, paper_orders
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.errors import Conflict
from bahi.kernel.money import Price
from bahi.kernel.ports import Fill
from bahi.kernel.words import (
    AmoTime,
    OrderStatus,
    OrderType,
    Product,
    Segment,
    Side,
    Validity,
)

A_MOMENT_LATER: Final = paper_orders.c.updated_at + sa.literal_column("1")
"""Nothing changed that a client would know: left as it is, the row's trigger would say now."""
FIELDS: Final = tuple(it.name for it in fields(PaperOrder))
COLUMN_OF: Final = {name: name for name in FIELDS} | {
    "segment": "exchange_segment",
    "filled": "filled_qty",
    "disclosed": "disclosed_qty",
}
_WORDS: Final[dict[str, Any]] = {
    "segment": Segment,
    "placed_by": PlacedBy,
    "side": Side,
    "product": Product,
    "order_type": OrderType,
    "validity": Validity,
    "status": OrderStatus,
    "amo_time": AmoTime,
    "auction": Auction,
}
_DAYS: Final = frozenset({"session_day", "expires_on"})
_SELECT: Final = sa.select(*(paper_orders.c[COLUMN_OF[name]] for name in FIELDS))
_ADDED: Final[dict[str, Any]] = {name: sa.bindparam(name) for name in COLUMN_OF.values()}
_ADD: Final = {
    "sqlite": Statement(sqlite.insert(paper_orders).values(_ADDED).on_conflict_do_nothing()),
    "postgresql": Statement(
        postgresql.insert(paper_orders).values(_ADDED).on_conflict_do_nothing()
    ),
}
_SAVED: Final = tuple(
    COLUMN_OF[name]
    for name in (
        "order_type",
        "validity",
        "quantity",
        "disclosed",
        "price",
        "trigger_price",
        "is_triggered",
        "is_amo",
        "auction",
        "queue_ahead",
        "status",
        "filled",
        "filled_value",
        "reject_code",
        "reject_message",
        "remark",
        "modifications",
        "session_day",
        "due_at",
        "version",
        "told_version",
        "priority",
        "updated_at",
        "completed_at",
    )
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
_WORKING: Final = paper_orders.c.status.in_([str(OrderStatus.OPEN), str(OrderStatus.PARTIAL)])

_RESTING: Final = Statement(
    _SELECT.where(
        paper_orders.c.exchange_segment == sa.bindparam("segment"),
        paper_orders.c.symbol == sa.bindparam("symbol"),
        sa.text("status IN ('OPEN','PARTIAL')"),
    ).order_by(paper_orders.c.priority)
)

_HERE: Final = (
    paper_orders.c.exchange_segment == sa.bindparam("segment"),
    paper_orders.c.symbol == sa.bindparam("symbol"),
    sa.text("status IN ('OPEN','PARTIAL')"),
    sa.text("is_amo = 0"),
)
_BUY: Final = sa.text("side = 'BUY'")
_SELL: Final = sa.text("side = 'SELL'")
_PENDS: Final = sa.text("is_triggered = 0 AND trigger_price IS NOT NULL")
_LAST: Final[sa.BindParameter[int]] = sa.bindparam("last")
_CONCERNED: Final = Statement(
    sa.select(
        sa.union_all(
            _SELECT.where(*_HERE, _BUY, paper_orders.c.price >= sa.bindparam("buys_from")),
            _SELECT.where(*_HERE, _SELL, paper_orders.c.price <= sa.bindparam("sells_to")),
            _SELECT.where(*_HERE, _BUY, sa.text("price IS NULL")),
            _SELECT.where(*_HERE, _SELL, sa.text("price IS NULL")),
            _SELECT.where(*_HERE, _BUY, _PENDS, paper_orders.c.trigger_price <= _LAST),
            _SELECT.where(*_HERE, _SELL, _PENDS, paper_orders.c.trigger_price >= _LAST),
            _SELECT.where(*_HERE, sa.text("auction = 'OPENING'")),
        ).subquery()
    )
)


def add(tx: Tx, order: PaperOrder) -> bool:
    """Write a new order as it came out; say no where its client's mark is taken already."""
    return tx.change(_ADD[tx.dialect.name], _row(order)) == 1


def save(tx: Tx, before: PaperOrder, after: PaperOrder) -> None:
    """Write an order's next version; it must not have moved since."""
    row = _row(after)
    params = {name: row[name] for name in _SAVED} | {"the_id": after.id, "was": before.version}
    if tx.change(_SAVE, params) != 1:
        raise Conflict(f"Order {after.id} of the paper exchange changed meanwhile.")


def note_queue(tx: Tx, order_id: int, ahead: int | None) -> None:
    """Remember what waits before an order: nothing that its client is told of."""
    tx.change(
        sa.update(paper_orders)
        .where(paper_orders.c.id == order_id)
        .values(queue_ahead=ahead, updated_at=A_MOMENT_LATER)
    )


def add_fills(
    tx: Tx, order: PaperOrder, fills: Sequence[PaperFill], now: datetime
) -> tuple[Fill, ...]:
    """Write an order's further fills; `order` is as it was before. Return all that it has."""
    known = fills_of(tx, order.id) if order.filled else ()
    told = tuple(
        Fill(trade_id=str(tx.new_id()), quantity=it.quantity, price=it.price, at=now)
        for it in fills
    )
    tx.change_each(
        _ADD_FILL,
        [
            {
                "id": int(fill.trade_id),
                "order_id": order.id,
                "sequence": place,
                "quantity": fill.quantity,
                "price": fill.price,
                "filled_at": to_micros(now),
            }
            for place, fill in enumerate(told, len(known) + 1)
        ],
    )
    return known + told


def find(tx: Tx, order_id: int) -> PaperOrder | None:
    """Return an order by the exchange's number."""
    return _found(tx.row(_FIND, {"id": order_id}))


def find_by_tag(tx: Tx, client_id: int, tag: str) -> PaperOrder | None:
    """Return an order by its client's own mark."""
    return _found(tx.row(_BY_TAG, {"client_id": client_id, "tag": tag}))


def of_client(tx: Tx, client_id: int, since: datetime) -> list[PaperOrder]:
    """Return a client's orders since an instant, and all that work or that it was not told of."""
    clause = _SELECT.where(
        paper_orders.c.client_id == client_id,
        sa.or_(
            paper_orders.c.placed_at >= to_micros(since),
            _WORKING,
            paper_orders.c.told_version < paper_orders.c.version,
        ),
    ).order_by(paper_orders.c.id)
    return [_order(row) for row in tx.rows(clause)]


def resting(tx: Tx, segment: Segment, symbol: str) -> list[PaperOrder]:
    """Return what rests on an instrument, in the order in which it was accepted."""
    rows = tx.rows(_RESTING, {"segment": str(segment), "symbol": symbol})
    return [_order(row) for row in rows]


def concerned(tx: Tx, segment: Segment, symbol: str, reach: Reach) -> list[PaperOrder]:
    """Return what rests on an instrument and can move now, however much else rests there."""
    params = {"segment": str(segment), "symbol": symbol} | reach._asdict()
    found = (_order(row) for row in tx.rows(_CONCERNED, params))
    return list({it.id: it for it in found}.values())


def untold(tx: Tx, at_most: int) -> list[PaperOrder]:
    """Return orders that changed since their client was told of them."""
    clause = (
        _SELECT.where(paper_orders.c.told_version < paper_orders.c.version)
        .order_by(paper_orders.c.id)
        .limit(at_most)
    )
    return [_order(row) for row in tx.rows(clause)]


def mark_told(tx: Tx, told: Sequence[tuple[int, int]]) -> None:
    """Remember to which version clients were told of orders (`order, version`).

    What somebody is just matching is left out, and told again: units that match may hold orders of
    several meetings, and to wait for them while holding others could be to wait for each other.
    """
    versions = dict(sorted(told))  # the newest of each
    free = sa.select(paper_orders.c.id).where(paper_orders.c.id.in_(versions))
    rows = tx.rows(free.order_by(paper_orders.c.id).with_for_update(skip_locked=True))
    for (order_id,) in rows:
        version = versions[order_id]
        tx.change(
            sa.update(paper_orders)
            .where(paper_orders.c.id == order_id, paper_orders.c.told_version < version)
            .values(told_version=version, updated_at=A_MOMENT_LATER)
        )


def fills_of(tx: Tx, order_id: int) -> tuple[Fill, ...]:
    """Return an order's fills, as brokers report them."""
    rows = tx.rows(_FILLS, {"order_id": order_id})
    return tuple(
        Fill(trade_id=str(it[0]), quantity=it[3], price=Price(it[4]), at=from_micros(it[5]))
        for it in sorted(rows, key=lambda row: row[2])
    )


def _row(order: PaperOrder) -> dict[str, Any]:
    return {
        column: value if value is None or keep is None else keep(value)
        for (column, keep), value in zip(_KEEPS, _VALUES_OF(order), strict=True)
    }


def _keeper(name: str) -> Callable[[Any], Any] | None:
    """Return how a field's value is kept; None: as it is."""
    if name.endswith("_at"):
        return to_micros
    if name.startswith("is_"):
        return int
    return str if name in _WORDS or name in _DAYS else None


_VALUES_OF: Final[Callable[[PaperOrder], tuple[Any, ...]]] = attrgetter(*FIELDS)
_KEEPS: Final = tuple((COLUMN_OF[name], _keeper(name)) for name in FIELDS)


def _found(row: Row | None) -> PaperOrder | None:
    return None if row is None else _order(row)


def _order(row: Row) -> PaperOrder:
    return PaperOrder(**{name: _read(name, it) for name, it in zip(FIELDS, row, strict=True)})


def _read(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name.endswith("_at"):
        return from_micros(value)
    if name.startswith("is_"):
        return bool(value)
    if name in _DAYS:
        return date.fromisoformat(value)
    word = _WORDS.get(name)
    return value if word is None else word(value)
