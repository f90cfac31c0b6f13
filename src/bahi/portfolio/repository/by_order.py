"""What trades and blocks come to for each of some orders."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.portfolio.tables import margin_blocks, trades


class OfOrder(NamedTuple):
    """What was traded of an order, at what value, and what is blocked for it."""

    quantity: int = 0
    value: int = 0
    blocked: int = 0


def of_orders(tx: Tx, ids: Collection[int]) -> dict[int, OfOrder]:
    """Return what trades and blocks come to for orders; of those that have none, nothing."""
    traded = (
        sa.select(
            trades.c.order_id, sa.func.sum(trades.c.quantity), sa.func.sum(trades.c.trade_value)
        )
        .where(trades.c.order_id.in_(list(ids)))
        .group_by(trades.c.order_id)
    )
    found = {row[0]: OfOrder(int(row[1]), int(row[2])) for row in tx.rows(traded)}
    blocked = (
        sa.select(margin_blocks.c.order_id, sa.func.sum(margin_blocks.c.amount))
        .where(margin_blocks.c.order_id.in_(list(ids)))
        .group_by(margin_blocks.c.order_id)
    )
    for order_id, amount in tx.rows(blocked):
        found[order_id] = found.get(order_id, OfOrder())._replace(blocked=int(amount))
    return found
