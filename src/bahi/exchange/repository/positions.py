"""What clients have of a day at the exchange, by its own journal: fills, and what was converted."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.exchange.model.order import OF_ONE_DAY, PlacedBy
from bahi.exchange.tables import paper_conversions, paper_orders
from bahi.kernel.clock import to_micros
from bahi.kernel.words import OrderStatus, Product, Segment, Side

_O: Final = paper_orders.c
_C: Final = paper_conversions.c
_BUYS: Final = _O.side == str(Side.BUY)
LOOKED_BACK: Final = timedelta(days=10)
"""How far back it is looked for what nobody squared off."""
_OF_ONE_DAY: Final = sorted(map(str, OF_ONE_DAY))
_MOVES: Final = sa.case((_BUYS, _O.filled_qty), else_=-_O.filled_qty)


class Held(NamedTuple):
    """What a client's fills of one day come to: its own orders', and those that squared off."""

    client_id: int
    segment: Segment
    symbol: str
    product: Product
    day: date
    net: int


class Conversion(NamedTuple):
    """A part of a position that becomes another product; `moves` is below zero for a sold one."""

    client_id: int
    tag: str
    segment: Segment
    symbol: str
    of: Product
    to: Product
    moves: int
    day: date


def held(tx: Tx, day: date) -> list[Held]:
    """Return what is open of a day's intraday positions."""
    traded = sa.select(
        _O.client_id, _O.exchange_segment, _O.symbol, _O.product, _MOVES.label("moves")
    ).where(_O.session_day == str(day), _O.product.in_(_OF_ONE_DAY), _O.filled_qty > 0)
    converted = sa.select(_C.client_id, _C.exchange_segment, _C.symbol, _C.product, _C.moves).where(
        _C.session_day == str(day), _C.product.in_(_OF_ONE_DAY)
    )
    it = sa.union_all(traded, converted).subquery().c
    net = sa.func.sum(it.moves)
    clause = (
        sa.select(it.client_id, it.exchange_segment, it.symbol, it.product, net)
        .group_by(it.client_id, it.exchange_segment, it.symbol, it.product)
        .having(net != 0)
        .order_by(it.exchange_segment, it.symbol, it.client_id, it.product)
    )
    return [
        Held(row[0], Segment(row[1]), row[2], Product(row[3]), day, int(row[4]))
        for row in tx.rows(clause)
    ]


class Covered(NamedTuple):
    """How a position of a day stands: what is open, and what the exchange did about it."""

    net: int
    working: int
    has_failed: bool
    squared: int


def covered(
    tx: Tx, client_id: int, where: tuple[Segment, str], product: Product, day: date
) -> Covered:
    """Return how a client's position of a day stands."""
    ours = _O.placed_by == str(PlacedBy.EXCHANGE)
    works = _O.status.in_([str(OrderStatus.OPEN), str(OrderStatus.PARTIAL)])
    rest = _O.quantity - _O.filled_qty
    row = tx.row(
        sa.select(
            sa.func.coalesce(sa.func.sum(_MOVES), 0),
            sa.func.coalesce(
                sa.func.sum(
                    sa.case((sa.not_(sa.and_(ours, works)), 0), (_BUYS, rest), else_=-rest)
                ),
                0,
            ),
            sa.func.coalesce(
                sa.func.max(sa.case((sa.and_(ours, sa.not_(works), rest > 0), 1), else_=0)), 0
            ),
            sa.func.coalesce(sa.func.sum(sa.case((ours, 1), else_=0)), 0),
        ).where(
            _O.client_id == client_id,
            _O.exchange_segment == str(where[0]),
            _O.symbol == where[1],
            _O.product == str(product),
            _O.session_day == str(day),
        )
    )
    assert row is not None  # noqa: S101 - an aggregate has one row
    net = int(row[0]) + _converted(tx, client_id, where, product, day)
    net = _beside_older(net, _older(tx, client_id, where, product, day) if net else 0)
    return Covered(net, int(row[1]), bool(row[2]), int(row[3]))


def _beside_older(net: int, older: int) -> int:
    """Return what a day opened: what it did against a position of before only closed that."""
    if net * older >= 0:
        return net
    return max(net + older, 0) if net > 0 else min(net + older, 0)


def _older(tx: Tx, client_id: int, where: tuple[Segment, str], product: Product, day: date) -> int:
    """Return what is left of the days before: sold short, and neither squared off nor converted."""
    since = str(day - LOOKED_BACK)
    moved = sa.select(sa.func.coalesce(sa.func.sum(_MOVES), 0)).where(
        _O.client_id == client_id,
        _O.exchange_segment == str(where[0]),
        _O.symbol == where[1],
        _O.product == str(product),
        _O.session_day >= since,
        _O.session_day < str(day),
        _O.filled_qty > 0,
    )
    converted = sa.select(sa.func.coalesce(sa.func.sum(_C.moves), 0)).where(
        _C.client_id == client_id,
        _C.exchange_segment == str(where[0]),
        _C.symbol == where[1],
        _C.product == str(product),
        _C.session_day >= since,
        _C.session_day < str(day),
    )
    rows = (tx.row(moved), tx.row(converted))
    return sum(int(it[0]) for it in rows if it is not None)


def _converted(
    tx: Tx, client_id: int, where: tuple[Segment, str], product: Product, day: date
) -> int:
    row = tx.row(
        sa.select(sa.func.coalesce(sa.func.sum(_C.moves), 0)).where(
            _C.client_id == client_id,
            _C.exchange_segment == str(where[0]),
            _C.symbol == where[1],
            _C.product == str(product),
            _C.session_day == str(day),
        )
    )
    return int(row[0]) if row else 0


def is_converted(tx: Tx, client_id: int, tag: str) -> bool:
    """Say whether a client converted something under a mark."""
    known = sa.select(_C.id).where(_C.client_id == client_id, _C.tag == tag).limit(1)
    return tx.row(known) is not None


def add_conversion(tx: Tx, it: Conversion, now: datetime) -> None:
    """Write a conversion: what it takes from one product, and gives to another."""
    for product, moves in ((it.of, -it.moves), (it.to, it.moves)):
        row = {
            "id": tx.new_id(),
            "client_id": it.client_id,
            "tag": it.tag,
            "exchange_segment": str(it.segment),
            "symbol": it.symbol,
            "product": str(product),
            "moves": moves,
            "session_day": str(it.day),
            "converted_at": to_micros(now),
        }
        tx.change(sa.insert(paper_conversions).values(row))
