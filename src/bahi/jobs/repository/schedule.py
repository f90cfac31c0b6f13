"""Rows of the schedule and of its history.

A row keeps two things that no column is for (the platform, and the cron text as it was declared)
beside the payload, in its document; what a job is handed is the payload alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bahi.db.tx import Row, Tx
from bahi.jobs.model import HOUSE_PLATFORM, Entry, Run, Schedule
from bahi.jobs.repository.job import as_json
from bahi.jobs.tables import scheduler_runs, schedules
from bahi.kernel.clock import from_micros, to_micros

INSERTS: Final[Mapping[str, Callable[[sa.Table], sqlite.Insert | postgresql.Insert]]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}
ACTIVE: Final = schedules.c.is_active == 1


def add_if_missing(tx: Tx, entry: Entry, now: datetime) -> bool:
    """Write a new entry down; False where another process just did."""
    insert = INSERTS[tx.dialect.name](schedules).values(**_row(entry), updated_at=to_micros(now))
    return tx.change(insert.on_conflict_do_nothing(index_elements=["name"])) == 1


def save(tx: Tx, entry: Entry, now: datetime) -> None:
    """Write an entry as it is now."""
    values = _row(entry)
    this = schedules.c.name == values.pop("name")
    tx.change(schedules.update().where(this).values(**values, updated_at=to_micros(now)))


def move_on(
    tx: Tx, entry: Entry, last_run_at: datetime, next_run_at: datetime | None, now: datetime
) -> bool:
    """Move an entry to its next time; False where another process was first."""
    if entry.next_run_at is None:
        return False
    still = schedules.c.next_run_at == to_micros(entry.next_run_at)
    moved = schedules.update().where(schedules.c.name == entry.name, still, ACTIVE)
    upcoming = None if next_run_at is None else to_micros(next_run_at)
    stamps = {"last_run_at": to_micros(last_run_at), "updated_at": to_micros(now)}
    return tx.change(moved.values(next_run_at=upcoming, **stamps)) == 1


def forget_others(tx: Tx, declared: Collection[str], now: datetime) -> None:
    """Let what nobody declares any more never come round."""
    stray = schedules.c.name.not_in(sorted(declared)), schedules.c.next_run_at.is_not(None)
    tx.change(schedules.update().where(*stray).values(next_run_at=None, updated_at=to_micros(now)))


def find(tx: Tx, name: str, *, to_change: bool = False) -> Entry | None:
    """Return an entry."""
    clause = sa.select(*schedules.columns).where(schedules.c.name == name)
    row = tx.row(clause.with_for_update() if to_change else clause)
    return None if row is None else _entry(row)


def every(tx: Tx) -> list[Entry]:
    """Return all entries, by name."""
    return [_entry(row) for row in tx.rows(sa.select(*schedules.columns).order_by("name"))]


def due(tx: Tx, now: datetime) -> list[Entry]:
    """Return the entries whose time has come."""
    clause = sa.select(*schedules.columns).where(ACTIVE, schedules.c.next_run_at <= to_micros(now))
    return [_entry(row) for row in tx.rows(clause.order_by("next_run_at", "name"))]


def next_at(tx: Tx) -> datetime | None:
    """Return when the next entry comes round."""
    row = tx.row(sa.select(sa.func.min(schedules.c.next_run_at)).where(ACTIVE))
    return None if row is None or row[0] is None else from_micros(row[0])


def add_run(tx: Tx, run: Run) -> None:
    """Write down what came of an entry."""
    tx.change(
        scheduler_runs.insert().values(
            id=tx.new_id(),
            job_id=run.name,
            job_name=run.title,
            platform=run.platform,
            executed_at=to_micros(run.executed_at),
            success=int(run.success),
            result_message=run.message,
            error_details=run.error,
            duration_ms=run.duration_ms,
            retry_count=run.retry_count,
        )
    )


def runs(tx: Tx, name: str | None, limit: int) -> list[Run]:
    """Return the newest lines of the history, of one entry or of all."""
    table = scheduler_runs.c
    clause = sa.select(*RUN_COLUMNS).order_by(table.executed_at.desc(), table.id.desc())
    clause = clause if name is None else clause.where(table.job_id == name)
    return [_run(row) for row in tx.rows(clause.limit(limit))]


RUN_COLUMNS: Final = (
    scheduler_runs.c.job_id,
    scheduler_runs.c.job_name,
    scheduler_runs.c.platform,
    scheduler_runs.c.executed_at,
    scheduler_runs.c.success,
    scheduler_runs.c.result_message,
    scheduler_runs.c.error_details,
    scheduler_runs.c.duration_ms,
    scheduler_runs.c.retry_count,
)


def _run(row: Row) -> Run:
    name, title, platform, executed_at, success, message, error, duration_ms, retries = row
    return Run(
        name=name,
        title=title,
        platform=platform,
        executed_at=from_micros(executed_at),
        success=bool(success),
        message=message,
        error=error,
        duration_ms=duration_ms,
        retry_count=retries or 0,
    )


def _row(entry: Entry) -> dict[str, Any]:
    it = entry.schedule
    document = {
        "payload": dict(it.payload),
        "platform": it.platform,
        "declared_cron": entry.declared_cron or it.cron,
    }
    return {
        "name": it.name,
        "title": it.title,
        "job_type": it.job_type,
        "payload": as_json(document),
        "cron": it.cron,
        "grace_s": it.grace_s,
        "is_active": int(entry.is_active),
        "next_run_at": None if entry.next_run_at is None else to_micros(entry.next_run_at),
        "last_run_at": None if entry.last_run_at is None else to_micros(entry.last_run_at),
    }


def _entry(row: Row) -> Entry:
    values: dict[str, Any] = dict(zip(schedules.columns.keys(), row, strict=True))
    document = json.loads(values["payload"]) if values["payload"] else {}
    upcoming, last = values["next_run_at"], values["last_run_at"]
    schedule = Schedule(
        name=values["name"],
        title=values["title"],
        job_type=values["job_type"],
        cron=values["cron"],
        payload=document.get("payload", {}),
        grace_s=values["grace_s"],
        platform=document.get("platform", HOUSE_PLATFORM),
    )
    return Entry(
        schedule=schedule,
        is_active=bool(values["is_active"]),
        next_run_at=None if upcoming is None else from_micros(upcoming),
        last_run_at=None if last is None else from_micros(last),
        declared_cron=document.get("declared_cron", values["cron"]),
    )
