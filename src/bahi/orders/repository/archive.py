"""Orders that leave for the archive: whole, with their events and changes, in families."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bahi.db import types
from bahi.db.permits import permitted
from bahi.db.tx import Tx
from bahi.kernel.clock import to_micros
from bahi.orders.model.order import ENDS
from bahi.orders.tables import order_events, order_keys, order_modifications, orders

Rows = list[dict[str, Any]]

_TABLES: Final = (orders, order_events, order_modifications)
"""A table behind those that it refers to."""


class Leaving(NamedTuple):
    """Some orders as they leave: the rows of each table, by its name."""

    rows: dict[str, Rows]

    @property
    def orders(self) -> Rows:
        """The orders themselves."""
        return self.rows[orders.name]


def old_families(tx: Tx, ended_before: datetime, at_most: int) -> list[int]:
    """Return orders that ended before an instant, those only whose parents and legs did as well."""
    clause = sa.select(orders.c.id).where(*_of_old_families(ended_before))
    return [row[0] for row in tx.rows(clause.order_by(orders.c.id).limit(at_most))]


def count_old(tx: Tx, ended_before: datetime) -> int:
    """Count them."""
    clause = sa.select(sa.func.count()).select_from(orders).where(*_of_old_families(ended_before))
    row = tx.row(clause)
    return 0 if row is None else int(row[0])


def _of_old_families(ended_before: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    leg, parent = orders.alias("leg"), orders.alias("parent")
    young = ~_old(leg, ended_before)
    young_leg = sa.exists().where(leg.c.parent_order_id == orders.c.id, young)
    young_sibling = sa.exists().where(leg.c.parent_order_id == orders.c.parent_order_id, young)
    young_parent = sa.exists().where(
        parent.c.id == orders.c.parent_order_id, ~_old(parent, ended_before)
    )
    return _old(orders, ended_before), ~young_leg, ~young_parent, ~young_sibling


def _old(table: sa.FromClause, ended_before: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.status.in_([str(it) for it in sorted(ENDS)]),
        table.c.completed_at < to_micros(ended_before),
    )


def read(tx: Tx, ids: Collection[int]) -> Leaving:
    """Return orders with all that belongs to them, as they are kept here."""
    found = {}
    for table in _TABLES:
        mine = table.c.id if table is orders else table.c.order_id
        clause = sa.select(table).where(mine.in_(list(ids))).order_by(table.c.id)
        names = [it.name for it in table.columns]
        found[table.name] = [dict(zip(names, row, strict=True)) for row in tx.rows(clause)]
    return Leaving(found)


def copy_in(tx: Tx, leaving: Leaving) -> None:
    """Write orders down here; those that are here already stay as they are."""
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    for table in _TABLES:
        for row in leaving.rows[table.name]:
            tx.change(insert(table).values(**row).on_conflict_do_nothing())


def is_same(one: Leaving, other: Leaving) -> bool:
    """Say whether two stores keep the same; a JSON document by what it says."""
    return all(_read_alike(table, one) == _read_alike(table, other) for table in _TABLES)


def _read_alike(table: sa.Table, of: Leaving) -> list[dict[str, Any]]:
    documents = [it.name for it in table.columns if isinstance(it.type, types.Json)]
    return [
        row | {name: json.loads(row[name]) for name in documents if row[name] is not None}
        for row in of.rows[table.name]
    ]


def let_go(tx: Tx, leaving: Sequence[tuple[int, int]], now: datetime) -> int:
    """Remove orders (id, version) that are in the archive; one that moved since stays."""
    ids = [it[0] for it in leaving]
    kept = {
        row[0]: row[1:]
        for row in tx.rows(
            sa.select(
                orders.c.id, orders.c.version, orders.c.account_id, orders.c.client_order_id
            ).where(orders.c.id.in_(ids))
        )
    }
    going = [it for it, version in leaving if it in kept and kept[it][0] == version]
    for order_id in going:
        _, account_id, name = kept[order_id]
        if name is not None:
            tx.change(
                sa.insert(order_keys).values(
                    account_id=account_id,
                    client_order_id=name,
                    order_id=order_id,
                    archived_at=to_micros(now),
                )
            )
    with permitted(tx, "orders to the archive"):
        tx.change(sa.delete(order_events).where(order_events.c.order_id.in_(going)))
        tx.change(sa.delete(order_modifications).where(order_modifications.c.order_id.in_(going)))
        tx.change(sa.delete(orders).where(orders.c.id.in_(going)))
    return len(going)
