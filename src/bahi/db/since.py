"""Rows that were added since: found by their ids, which sort by when they were minted.

A row with a smaller id may commit after one with a larger id. So whoever follows a table reads a
while back each time, and leaves out what was handed over already.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

import sqlalchemy as sa

from bahi.db.tx import Tx

PAGE: Final = 5_000
AT_ONCE: Final = 500
"""Ids that one statement names."""

T = TypeVar("T")


class Part(NamedTuple, Generic[T]):
    """Some rows; `cut` is the id behind which there may be more, None: these are all."""

    rows: list[T]
    cut: int | None


def added(
    tx: Tx,
    key: sa.Column[Any],
    above: int,
    known: Collection[int],
    at_most: int,
    *conditions: sa.ColumnElement[bool],
) -> Part[int]:
    """Return the ids above one that are not known yet, the smallest first."""
    found: list[int] = []
    while len(found) < at_most:
        clause = sa.select(key).where(key > above, *conditions).order_by(key).limit(PAGE)
        page: list[int] = [row[0] for row in tx.rows(clause)]
        found += [it for it in page if it not in known]
        if len(page) < PAGE:
            break
        above = page[-1]
    return Part(found[:at_most], found[at_most - 1] if len(found) >= at_most else None)


def newest(tx: Tx, key: sa.Column[Any]) -> int:
    """Return the largest id of a table, 0 where it is empty."""
    row = tx.row(sa.select(sa.func.max(key)))
    return 0 if row is None else int(row[0] or 0)


def in_parts(ids: Sequence[int]) -> list[Sequence[int]]:
    """Part ids so that a statement can name them."""
    return [ids[at : at + AT_ONCE] for at in range(0, len(ids), AT_ONCE)]
