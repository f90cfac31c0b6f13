"""Points of the day's curve: one a minute for each account, the newest of the minute."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bahi.db.tx import Tx
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.money import Money
from bahi.portfolio.model.curve import Point
from bahi.portfolio.repository.days import span
from bahi.portfolio.tables import equity_points

MINUTE: Final = 60_000_000


def put(tx: Tx, points: Sequence[tuple[int, Point]]) -> None:
    """Write a point of each of some accounts; one of the same minute gives way."""
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    statement = insert(equity_points).values([_row(*it) for it in points])
    newer: dict[str, Any] = {
        name: statement.excluded[name]
        for name in ("at", "realized", "unrealized", "charges", "why")
    }
    tx.change(statement.on_conflict_do_update(index_elements=["account_id", "minute"], set_=newer))


def _row(account_id: int, point: Point) -> dict[str, Any]:
    at = to_micros(point.at)
    return {
        "account_id": account_id,
        "minute": at - at % MINUTE,
        "at": at,
        "realized": point.realized,
        "unrealized": point.unrealized,
        "charges": point.charges,
        "why": point.why or None,
    }


def of_day(tx: Tx, account_id: int, day: date) -> list[Point]:
    """Return the points of an account on a day of the exchange, in their order."""
    it = equity_points.c
    first, after = span(day)
    clause = (
        sa.select(it.at, it.realized, it.unrealized, it.charges, it.why)
        .where(it.account_id == account_id, it.minute >= first, it.minute < after)
        .order_by(it.minute)
    )
    return [
        Point(
            at=from_micros(at),
            realized=Money(realized),
            unrealized=None if unrealized is None else Money(unrealized),
            charges=Money(charges),
            why=why or "",
        )
        for at, realized, unrealized, charges, why in tx.rows(clause)
    ]


def count_before(tx: Tx, before: int) -> int:
    """Count the points from before an instant."""
    clause = sa.select(sa.func.count()).where(equity_points.c.minute < before)
    row = tx.row(clause)
    return int(row[0]) if row else 0


def forget(tx: Tx, before: int, at_most: int) -> int:
    """Forget some points from before an instant; return how many there were."""
    it = equity_points.c
    old = (
        sa.select(it.account_id, it.minute)
        .where(it.minute < before)
        .order_by(it.minute)
        .limit(at_most)
    )
    return tx.change(equity_points.delete().where(sa.tuple_(it.account_id, it.minute).in_(old)))
