"""Counting how long things took, in the database: the buckets of `kernel.spread`, in SQL.

The bucket is found by halving, so that a row costs seven comparisons and no function that only one
of the databases has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.tx import Row
from bahi.kernel.spread import BOUNDS, Bucket

MEASURES: Final = 5
"""How many columns `measured` makes."""


def numbered(us: sa.ColumnElement[Any]) -> sa.ColumnElement[int]:
    """Return the number of the bucket that a while is in."""
    return _among(us, 0, len(BOUNDS))


def measured(us: sa.ColumnElement[Any]) -> tuple[sa.ColumnElement[Any], ...]:
    """Return what is asked of each bucket; group by the first of them."""
    func = sa.func
    return (
        numbered(us).label("bucket"),
        func.count().label("many"),
        func.sum(us).label("total"),
        func.min(us).label("least"),
        func.max(us).label("most"),
    )


def bucket_of(row: Sequence[Any] | Row) -> Bucket:
    """Return a bucket from what `measured` asked for."""
    number, many, total, least, most = row
    return Bucket(int(number), int(many), int(total), int(least), int(most))


def _among(us: sa.ColumnElement[Any], first: int, last: int) -> sa.ColumnElement[int]:
    """Return which of the bounds from one to another a while has reached, by halving."""
    if first == last:
        return sa.literal_column(str(first))
    middle = (first + last) // 2
    bound: sa.ColumnElement[int] = sa.literal_column(str(BOUNDS[middle]))
    return sa.case((us < bound, _among(us, first, middle)), else_=_among(us, middle + 1, last))
