"""Orders and events by which orders are checked."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.orders.model.order import ACTIVE, Order
from bahi.orders.repository.order import SELECT, order_of
from bahi.orders.tables import order_events, orders


def count(tx: Tx) -> int:
    """Return how many orders there are."""
    row = tx.row(sa.select(sa.func.count()).select_from(orders))
    return 0 if row is None else int(row[0])


def accounts(tx: Tx) -> list[int]:
    """Return the accounts that have orders."""
    return [row[0] for row in tx.rows(sa.select(orders.c.account_id).distinct())]


def some(tx: Tx, after: int, at_most: int) -> list[Order]:
    """Return orders in pages by their ids."""
    clause = SELECT.where(orders.c.id > after).order_by(orders.c.id).limit(at_most)
    return [order_of(row) for row in tx.rows(clause)]


def events_of(tx: Tx, ids: Collection[int]) -> dict[int, list[tuple[int, dict[str, Any]]]]:
    """Return the events of orders: the sequence and the changed fields of each."""
    clause = (
        sa.select(
            order_events.c.order_id,
            order_events.c.sequence,
            sa.cast(order_events.c.data, sa.Text),
        )
        .where(order_events.c.order_id.in_(list(ids)))
        .order_by(order_events.c.order_id, order_events.c.sequence)
    )
    found: dict[int, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
    for order_id, sequence, data in tx.rows(clause):
        found[order_id].append((sequence, json.loads(data)))
    return found


def count_active(tx: Tx, account_id: int) -> int:
    """Return how many of an account's orders may still fill."""
    clause = (
        sa.select(sa.func.count())
        .select_from(orders)
        .where(
            orders.c.account_id == account_id,
            orders.c.status.in_([str(it) for it in sorted(ACTIVE)]),
        )
    )
    row = tx.row(clause)
    return 0 if row is None else int(row[0])
