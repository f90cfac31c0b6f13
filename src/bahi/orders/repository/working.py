"""What works on one position of an account: asked in each intent, so spelt once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import to_micros
from bahi.kernel.words import OrderStatus, Product, Segment, Side
from bahi.orders.model.guarding import Beside
from bahi.orders.model.order import Order
from bahi.orders.repository.order import SELECT, order_of
from bahi.orders.tables import WORKING, orders
from bahi.portfolio.model.position import Key

_OF_IT: Final = sa.and_(
    sa.text(WORKING),  # as the index says it
    orders.c.account_id == sa.bindparam("account_id"),
    orders.c.symbol == sa.bindparam("symbol"),
    orders.c.exchange_segment == sa.bindparam("segment"),
    orders.c.product == sa.bindparam("product"),
)
_AT_WORK: Final = orders.c.status.in_([str(OrderStatus.OPEN), str(OrderStatus.PARTIAL)])
_WORKING_ON: Final = Statement(SELECT.where(_OF_IT).order_by(orders.c.id))
_BESIDE: Final = Statement(
    sa.select(
        orders.c.parent_order_id,
        orders.c.is_exit,
        sa.func.sum(orders.c.remaining_qty),
        sa.func.max(orders.c.remaining_qty),
    )
    .where(
        _OF_IT,
        orders.c.side == sa.bindparam("side"),
        orders.c.id != sa.bindparam("but"),
    )
    .group_by(orders.c.parent_order_id, orders.c.is_exit)
)


def working_on(tx: Tx, account_id: int, key: Key) -> list[Order]:
    """Return an account's orders that may still move a position."""
    return [order_of(row) for row in tx.rows(_WORKING_ON, _asked(account_id, key))]


def waiting_for(tx: Tx, ids: Collection[int], what: str, at_most: int) -> list[Order]:
    """Return orders of some accounts that wait for something, the oldest first."""
    clause = SELECT.where(
        orders.c.account_id.in_(ids),
        orders.c.status == str(OrderStatus.PENDING),
        orders.c.waits_for == what,
    )
    return [order_of(row) for row in tx.rows(clause.order_by(orders.c.id).limit(at_most))]


def exits_on(tx: Tx, ids: Collection[int]) -> dict[int, set[Key]]:
    """Return the positions of some accounts that a working exit is about to close, or to cut."""
    it = orders.c
    clause = (
        sa.select(it.account_id, it.exchange_segment, it.symbol, it.product)
        .where(sa.text(WORKING), it.is_exit == 1, it.account_id.in_(ids))
        .distinct()
    )
    found: dict[int, set[Key]] = defaultdict(set)
    for account_id, segment, symbol, product in tx.rows(clause):
        found[account_id].add(Key(Segment(segment), symbol, Product(product)))
    return found


def left_over(tx: Tx, before: datetime, at_most: int) -> list[Order]:
    """Return orders of all accounts that work, and that were placed before an instant."""
    clause = (
        SELECT.where(sa.text(WORKING), _AT_WORK, orders.c.placed_at < to_micros(before))
        .order_by(orders.c.placed_at, orders.c.id)
        .limit(at_most)
    )
    return [order_of(row) for row in tx.rows(clause)]


def beside(tx: Tx, order: Order) -> tuple[Beside, Beside]:
    """Return what works beside an order, of its position and side, and the exits among it."""
    rows = _of_side(tx, order.account_id, order.key, order.side, but=order.id)
    return _together(rows), _together([row for row in rows if row[1]])


def exiting(tx: Tx, account_id: int, key: Key, side: Side) -> int:
    """Return how many of a position working exits of a side are about to close."""
    exits = _together([row for row in _of_side(tx, account_id, key, side) if row[1]])
    return exits.alone + sum(exits.families.values())


def _of_side(tx: Tx, account_id: int, key: Key, side: Side, but: int = 0) -> list[Row]:
    return tx.rows(_BESIDE, _asked(account_id, key) | {"side": str(side), "but": but})


def _asked(account_id: int, key: Key) -> dict[str, int | str]:
    return {
        "account_id": account_id,
        "segment": str(key.segment),
        "symbol": key.symbol,
        "product": str(key.product),
    }


def _together(rows: Sequence[Row]) -> Beside:
    families: dict[int, int] = {}
    for row in rows:
        if row[0] is not None:
            families[row[0]] = max(families.get(row[0], 0), int(row[3]))
    return Beside(sum(int(row[2]) for row in rows if row[0] is None), families)
