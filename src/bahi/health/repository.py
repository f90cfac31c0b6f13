"""The only SQL of health: its history, and what is asked of the databases themselves."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.health.model import Looked, Remembered
from bahi.health.tables import system_health
from bahi.kernel.clock import from_micros
from bahi.kernel.words import Health

LATELY: Final = 200
"""The newest looks among which each part's last one is sought: some rounds of all parts."""
_ADD: Final = Statement(system_health.insert())
_NEWEST: Final = (
    sa.select(system_health)
    .order_by(system_health.c.checked_at.desc(), system_health.c.id.desc())
    .limit(1)
)


def newest_step(tx: Tx) -> int:
    """Return the version of a store."""
    row = tx.row(sa.text("SELECT max(version) FROM schema_migrations"))
    return int(row[0]) if row and row[0] else 0


def written_up_to(tx: Tx) -> str:
    """Return how far a PostgreSQL primary has written."""
    row = tx.row(sa.text("SELECT CAST(pg_current_wal_lsn() AS text)"))
    return str(row[0]) if row else ""


def replayed(tx: Tx, up_to: str) -> tuple[bool, bool, float | None]:
    """Say whether this is a replica, whether it is as far, and how old its newest row is."""
    row = tx.row(
        sa.text(
            "SELECT pg_is_in_recovery(),"
            " coalesce(pg_last_wal_replay_lsn() >= CAST(:up_to AS pg_lsn), false),"
            " CAST(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())"
            " AS double precision)"
        ),
        {"up_to": up_to},
    )
    assert row is not None  # noqa: S101 - a SELECT without FROM has one row
    return bool(row[0]), bool(row[1]), row[2]


def newest(tx: Tx, component: str) -> Remembered | None:
    """Return how a part was when it was asked last."""
    row = tx.row(_NEWEST.where(system_health.c.component == component))
    return None if row is None else _remembered(row)


def newest_of_each(tx: Tx) -> list[Remembered]:
    """Return how each part was when it was asked last, by name."""
    found: dict[str, Remembered] = {}
    for it in history(tx, LATELY, None, None):
        found.setdefault(it.component, it)
    return [found[name] for name in sorted(found)]


def add(tx: Tx, looked: Looked, error_count: int, now: int) -> None:
    """Write down how a part is."""
    tx.change(
        _ADD,
        {
            "id": tx.new_id(),
            "component": looked.component,
            "status": str(looked.status),
            "checked_at": now,
            "response_time_ms": looked.response_time_ms,
            "error_count": error_count,
            "details": looked.details or None,
        },
    )


def history(tx: Tx, limit: int, before: int | None, component: str | None) -> list[Remembered]:
    """Return the newest looks (at a part), below an id."""
    clause = sa.select(system_health).order_by(system_health.c.id.desc()).limit(limit)
    if component is not None:
        clause = clause.where(system_health.c.component == component)
    if before is not None:
        clause = clause.where(system_health.c.id < before)
    return [_remembered(row) for row in tx.rows(clause)]


def count_before(tx: Tx, before: int) -> int:
    """Count the looks from before an instant."""
    clause = sa.select(sa.func.count()).select_from(system_health)
    row = tx.row(clause.where(system_health.c.checked_at < before))
    return int(row[0]) if row else 0


def forget(tx: Tx, before: int, at_most: int) -> int:
    """Forget some looks from before an instant; return how many there were."""
    old = (
        sa.select(system_health.c.id)
        .where(system_health.c.checked_at < before)
        .order_by(system_health.c.id)
        .limit(at_most)
    )
    return tx.change(system_health.delete().where(system_health.c.id.in_(old)))


def _remembered(row: Row) -> Remembered:
    it: dict[str, Any] = dict(zip((c.name for c in system_health.columns), row, strict=True))
    it["status"] = Health(it["status"])
    it["checked_at"] = from_micros(it["checked_at"])
    it["error_count"] = it["error_count"] or 0
    return Remembered(**it)
