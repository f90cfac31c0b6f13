"""Lists of what may not be traded freely: added, never changed."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Final

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, to_micros
from bahi.risk.model.eligibility import DatedList, ListName
from bahi.risk.tables import eligibility_lists

_T: Final = eligibility_lists.c
_ROW: Final = sa.select(
    _T.id, _T.name, _T.since, _T.source, sa.cast(_T.symbols, sa.Text), _T.loaded_at
)


def add(tx: Tx, it: DatedList, by: str, now: datetime) -> None:
    """Write a list."""
    tx.change(
        sa.insert(eligibility_lists).values(
            id=it.id,
            name=str(it.name),
            since=str(it.since),
            source=it.source,
            symbols=json.dumps(sorted(it.symbols)),
            loaded_by=by,
            loaded_at=to_micros(now),
        )
    )


def since(tx: Tx, day: date) -> list[DatedList]:
    """Return of each list the newest that had begun on a day, and all that begin later."""
    newer = sa.alias(eligibility_lists)
    begun = sa.select(sa.func.max(newer.c.since)).where(
        newer.c.name == _T.name, newer.c.since <= str(day)
    )
    clause = _ROW.where(sa.or_(_T.since > str(day), _T.since == begun.scalar_subquery()))
    return [_list(row) for row in tx.rows(clause.order_by(_T.since, _T.id))]


def _list(row: Row) -> DatedList:
    return DatedList(
        id=row[0],
        name=ListName(row[1]),
        since=date.fromisoformat(row[2]),
        source=row[3],
        symbols=frozenset(json.loads(row[4])),
        loaded_at=from_micros(row[5]),
    )
