"""What a process needs before it may mint ids: a node of its own, and a clock that can be right.

A number that was taken is never given back; after 1024 starts they begin again, and by then the
process that had it first is long gone.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from bahi.db.opening import Database, there, transaction
from bahi.db.tables import nodes
from bahi.db.tx import Tx
from bahi.kernel.ids import NODES


def take_node(main: Database) -> int:
    """Take the next node from main's one row; committed when this returns."""
    taken = sa.text(
        f"INSERT INTO {nodes.name} (id, counter) VALUES (1, 1)"  # noqa: S608 - our own table
        f" ON CONFLICT (id) DO UPDATE SET counter = {nodes.name}.counter + 1 RETURNING counter"
    )
    with main.opened() as core, transaction(core):
        counter: int = core.execute(taken).scalar_one()
    return (counter - 1) % NODES


def newest_id(store: Database, tables: Iterable[str]) -> int:
    """Return the newest id in some of a store's tables, 0 if there is none; a look at an index."""
    newest = 0
    with store.opened() as core:
        for name in there(core, tables):
            table = sa.table(name, sa.column("id", sa.Integer))
            last = core.execute(sa.select(sa.func.max(table.c.id)))
            newest = max(newest, last.scalar_one() or 0)
    return newest


def newest_in(tx: Tx, tables: Iterable[str]) -> int:
    """Return the newest id in some of a store's tables, in a transaction of the store."""
    newest = 0
    for name in tables:
        table = sa.table(name, sa.column("id", sa.Integer))
        row = tx.row(sa.select(sa.func.max(table.c.id)))
        newest = max(newest, (row and row[0]) or 0)
    return newest
