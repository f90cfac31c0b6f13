"""Rows of jobs. Every write that a worker makes has its fence in the WHERE."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.leaving import remove_some
from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.jobs.model import Job, Payload
from bahi.jobs.model.job import ENDED
from bahi.jobs.model.schedule import BY_SCHEDULE
from bahi.jobs.tables import jobs
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.errors import Invalid
from bahi.kernel.words import JobStatus

NAMES: Final = tuple(jobs.columns.keys())
INSTANTS: Final = ("run_at", "leased_until", "created_at", "started_at", "updated_at")
ALL_INSTANTS: Final = (*INSTANTS, "completed_at")
DOCUMENTS: Final = ("payload", "result")

# Said in the text and not as parameters: only so do both databases see that a partial index fits.
PENDING: Final = jobs.c.status == sa.literal_column("'pending'")
RUNNING: Final = jobs.c.status == sa.literal_column("'running'")

THIS: Final = jobs.c.id == sa.bindparam("this_id")
ITS_FENCE: Final = jobs.c.fence == sa.bindparam("its_fence")

ADD: Final = Statement(jobs.insert())
HELD: Final = Statement(sa.select(*jobs.columns).where(THIS, ITS_FENCE, RUNNING).with_for_update())
BY_ID: Final = Statement(sa.select(*jobs.columns).where(THIS).with_for_update())
BY_NAME: Final = Statement(
    sa.select(*jobs.columns).where(jobs.c.job_id == sa.bindparam("job_id")).with_for_update()
)
SEEN: Final = Statement(sa.select(*jobs.columns).where(jobs.c.job_id == sa.bindparam("job_id")))
MOVING: Final = tuple(name for name in NAMES if name not in {"id", "job_id", "created_at"})
SAVE: Final = Statement(
    jobs.update().where(THIS, ITS_FENCE).values({n: sa.bindparam(n) for n in MOVING})
)
EXTEND: Final = Statement(
    jobs.update()
    .where(THIS, ITS_FENCE, RUNNING)
    .values(leased_until=sa.bindparam("until"), updated_at=sa.bindparam("now"))
)


def add(tx: Tx, job: Job) -> None:
    """Write a new job down."""
    tx.change(ADD, _row(job))


def save(tx: Tx, job: Job, fence: int) -> bool:
    """Write a job as it is now; False where its fence is not the one it was read under."""
    values = _row(job)
    moved = {name: values[name] for name in MOVING}
    return tx.change(SAVE, {**moved, "this_id": job.id, "its_fence": fence}) == 1


def extend(tx: Tx, job: Job, now: datetime, until: datetime) -> bool:
    """Hold a lease for longer; False where it is not ours any more."""
    moved = {"until": to_micros(until), "now": to_micros(now)}
    return tx.change(EXTEND, {**moved, "this_id": job.id, "its_fence": job.fence}) == 1


def find_held(tx: Tx, job: Job) -> Job | None:
    """Return the job as stored while this lease stands; nobody else takes it before we commit."""
    return _found(tx.row(HELD, {"this_id": job.id, "its_fence": job.fence}))


def find(tx: Tx, identity: int) -> Job | None:
    """Return a job that is going to be changed."""
    return _found(tx.row(BY_ID, {"this_id": identity}))


def find_by_name(tx: Tx, job_id: str, *, to_change: bool = False) -> Job | None:
    """Return the job of a name."""
    return _found(tx.row(BY_NAME if to_change else SEEN, {"job_id": job_id}))


def claimable(tx: Tx, types: Collection[str], now: datetime, most: int) -> list[Job]:
    """Return what may be taken now: first what lost its worker, then by priority and time."""
    at = to_micros(now)
    lost = jobs.c.leased_until <= at
    taken = _claimable(tx, types, (RUNNING, lost), most)
    return taken + _claimable(tx, types, (PENDING, jobs.c.run_at <= at), most - len(taken))


def _claimable(
    tx: Tx, types: Collection[str], which: tuple[sa.ColumnElement[bool], ...], most: int
) -> list[Job]:
    if most <= 0:
        return []
    clause = (
        sa.select(*jobs.columns)
        .where(*which, jobs.c.job_type.in_(sorted(types)))
        .order_by(jobs.c.priority.desc(), jobs.c.run_at, jobs.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [_job(row) for row in tx.rows(clause)]


def next_at(tx: Tx, types: Collection[str]) -> datetime | None:
    """Return when something is to be taken next: due, or its lease at an end."""
    ours = jobs.c.job_type.in_(sorted(types))
    due = tx.row(sa.select(sa.func.min(jobs.c.run_at)).where(PENDING, ours))
    lost = tx.row(sa.select(sa.func.min(jobs.c.leased_until)).where(RUNNING, ours))
    known = [row[0] for row in (due, lost) if row is not None and row[0] is not None]
    return from_micros(min(known)) if known else None


def waiting(tx: Tx, now: datetime) -> int:
    """Count what is due."""
    due = jobs.c.run_at <= to_micros(now)
    found = tx.row(sa.select(sa.func.count()).select_from(jobs).where(PENDING, due))
    return found[0] if found else 0


def oldest_due(tx: Tx, types: Collection[str] | None) -> datetime | None:
    """Return when the first of all that wait is due, or was; of some types, or of every one."""
    ours = sa.true() if types is None else jobs.c.job_type.in_(sorted(types))
    found = tx.row(sa.select(sa.func.min(jobs.c.run_at)).where(PENDING, ours))
    return None if found is None or found[0] is None else from_micros(found[0])


def newest(
    tx: Tx,
    *,
    limit: int,
    before: int | None = None,
    status: JobStatus | None = None,
    job_type: str | None = None,
    user_id: int | None = None,
    routine: bool = True,
) -> list[Job]:
    """Return the newest jobs below an id, of one status, type or user where these are given.

    Without `routine`, what the schedule asked for and what went well is left out.
    """
    wished = [
        column == value
        for column, value in (
            (jobs.c.status, status and str(status)),
            (jobs.c.job_type, job_type),
            (jobs.c.user_id, user_id),
        )
        if value is not None
    ]
    if before is not None:
        wished.append(jobs.c.id < before)
    if not routine:
        asked = sa.func.coalesce(jobs.c.created_by, "").not_like(f"{BY_SCHEDULE}%")
        wished.append(sa.or_(asked, jobs.c.status != str(JobStatus.COMPLETED)))
    clause = sa.select(*jobs.columns).where(*wished).order_by(jobs.c.id.desc()).limit(limit)
    return [_job(row) for row in tx.rows(clause)]


def has_unended(tx: Tx, job_type: str, created_by: str) -> bool:
    """Say whether something that this one asked for is still to be done, or being done."""
    clause = (
        sa.select(jobs.c.id)
        .where(sa.or_(PENDING, RUNNING))
        .where(jobs.c.job_type == job_type, jobs.c.created_by == created_by)
        .limit(1)
    )
    return tx.row(clause) is not None


def count_ended(tx: Tx, before: datetime) -> int:
    """Count the jobs that ended before a time."""
    found = tx.row(sa.select(sa.func.count()).select_from(jobs).where(*_ended(before)))
    return found[0] if found else 0


def remove_ended(tx: Tx, before: datetime, most: int) -> int:
    """Delete some of the jobs that ended before a time; return how many."""
    some = sa.select(jobs.c.id).where(*_ended(before)).order_by(jobs.c.id).limit(most)
    return tx.change(jobs.delete().where(jobs.c.id.in_(some)))


def _ended(before: datetime) -> Sequence[sa.ColumnElement[bool]]:
    return (
        jobs.c.status.in_([str(status) for status in ENDED]),
        jobs.c.completed_at < to_micros(before),
    )


def _row(job: Job) -> dict[str, Any]:
    values: dict[str, Any] = {name: getattr(job, name) for name in NAMES}
    for name in ALL_INSTANTS:
        values[name] = None if values[name] is None else to_micros(values[name])
    values["status"] = str(job.status)
    values["payload"] = as_json(job.payload)
    values["result"] = None if job.result is None else as_json(job.result)
    return values


def _found(row: Row | None) -> Job | None:
    return None if row is None else _job(row)


def _job(row: Row) -> Job:
    values: dict[str, Any] = dict(zip(NAMES, row, strict=True))
    for name in ALL_INSTANTS:
        values[name] = None if values[name] is None else from_micros(values[name])
    for name in DOCUMENTS:
        values[name] = None if values[name] is None else json.loads(values[name])
    values["payload"] = values["payload"] or {}
    return Job(**values | {"status": JobStatus(values["status"])})


def as_json(document: Payload) -> str:
    """Write a document down; what JSON has no word for is refused."""
    try:
        return json.dumps(dict(document), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as fault:
        raise Invalid(f"That cannot be kept as JSON: {fault}.") from None


def erase_user(tx: Tx, store: str, user_id: int, most: int) -> dict[str, int]:
    """Remove some jobs that a user asked for."""
    leaving = ((jobs, jobs.c.user_id == user_id),)
    return remove_some(tx, store, leaving, most, f"erase user {user_id}")
