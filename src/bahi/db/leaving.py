"""Rows that leave for good, some at a time, facts too: what `erase` is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from bahi.db.permits import permitted
from bahi.db.tx import Tx

Leaving = tuple[sa.Table, sa.ColumnElement[bool]]
"""A table, and which of its rows leave."""


def remove_some(
    tx: Tx, store: str, leaving: Iterable[Leaving], most: int, reason: str
) -> dict[str, int]:
    """Remove at most so many rows, table after table; return how many left each.

    Tables that this store has not are passed over. When nothing is left, nothing is returned.
    """
    gone: dict[str, int] = {}
    room = most
    with permitted(tx, reason):
        for table, which in leaving:
            if room <= 0:
                break
            if store not in table.info["stores"]:
                continue
            removed = tx.change(table.delete().where(_some(table, which, room)))
            if removed:
                gone[table.name] = removed
                room -= removed
    return gone


def _some(table: sa.Table, which: sa.ColumnElement[bool], most: int) -> sa.ColumnElement[bool]:
    """Return a condition that so many of the rows meet."""
    named: Any = tuple(table.primary_key.columns)
    some = sa.select(*named).where(which).limit(most)
    if len(named) == 1:
        return named[0].in_(some)  # type: ignore[no-any-return]
    return sa.tuple_(*named).in_(some)
