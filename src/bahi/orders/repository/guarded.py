"""Orders whose exits are looked after, and these exits."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.orders.model.order import Order
from bahi.orders.repository.order import SELECT, order_of
from bahi.orders.tables import orders

AT_MOST: Final = 1_000
_KEPT: Final = sa.text("is_kept = 1")  # as the index says it


def kept(tx: Tx, account_id: int) -> list[int]:
    """Return the orders of an account whose exits are looked after, the oldest first."""
    clause = sa.select(orders.c.id).where(_KEPT, orders.c.account_id == account_id)
    return [row[0] for row in tx.rows(clause.order_by(orders.c.id).limit(AT_MOST))]


def accounts(tx: Tx) -> list[int]:
    """Return the accounts that have such orders."""
    return [row[0] for row in tx.rows(sa.select(orders.c.account_id).where(_KEPT).distinct())]


def younger(tx: Tx, entry: Order) -> list[Order]:
    """Return the guarded orders of the same position and side that came behind an order."""
    clause = SELECT.where(
        _KEPT,
        orders.c.account_id == entry.account_id,
        orders.c.exchange_segment == str(entry.segment),
        orders.c.symbol == entry.symbol,
        orders.c.product == str(entry.product),
        orders.c.side == str(entry.side),
        orders.c.id > entry.id,
    )
    return [order_of(row) for row in tx.rows(clause)]


def legs(tx: Tx, order_id: int) -> list[Order]:
    """Return the exits that were placed for an order, the oldest first."""
    clause = SELECT.where(orders.c.parent_order_id == order_id, orders.c.leg_type.is_not(None))
    return [order_of(row) for row in tx.rows(clause.order_by(orders.c.id))]
