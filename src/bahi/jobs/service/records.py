"""Jobs as records: the functions that source 002 names, by its meaning."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.jobs.model import Job, Payload
from bahi.jobs.repository import job as rows
from bahi.jobs.service.queue import enqueue
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Conflict, Invalid, NotFound
from bahi.kernel.words import JobStatus

KEPT_DAYS: Final = 7
RECENT: Final = 10
LISTED: Final = 100
LISTED_AT_MOST: Final = 500
REMOVED_AT_ONCE: Final = 500


def create_job(
    tx: Tx,
    actor_name: str,
    job_type: str,
    now: datetime,
    payload: Payload | None = None,
    *,
    user_id: int | None = None,
) -> Job:
    """Write a job down: pending, nothing done yet."""
    return enqueue(tx, actor_name, job_type, payload or {}, now, user_id=user_id)


def update_job_status(
    tx: Tx,
    job_id: str,
    status: JobStatus,
    now: datetime,
    *,
    message: str | None = None,
    progress: int | None = None,
    result: Payload | None = None,
    error: str | None = None,
) -> Job:
    """Say how far a job is that is done outside of our workers; one of theirs is refused."""
    job = _to_change(tx, job_id)
    said = job.reported(status, now, message=message, progress=progress, result=result, error=error)
    rows.save(tx, said, job.fence)
    return said


def get_job(tx: Tx, job_id: str) -> Job:
    """Return a job by its name."""
    if job := rows.find_by_name(tx, job_id):
        return job
    raise _unknown(job_id)


def get_jobs_by_status(
    tx: Tx,
    status: JobStatus,
    *,
    job_type: str | None = None,
    user_id: int | None = None,
    before: int | None = None,
    limit: int = LISTED,
) -> list[Job]:
    """Return the newest jobs of a status, below an id."""
    return rows.newest(
        tx,
        limit=bounded(limit),
        before=before,
        status=status,
        job_type=job_type,
        user_id=user_id,
    )


def get_recent_jobs(
    tx: Tx,
    *,
    job_type: str | None = None,
    user_id: int | None = None,
    before: int | None = None,
    limit: int = RECENT,
    routine: bool = True,
) -> list[Job]:
    """Return the newest jobs, below an id; without `routine`, not what came round and went well."""
    return rows.newest(
        tx,
        limit=bounded(limit),
        before=before,
        job_type=job_type,
        user_id=user_id,
        routine=routine,
    )


def get_running_jobs(
    tx: Tx, *, user_id: int | None = None, before: int | None = None, limit: int = LISTED
) -> list[Job]:
    """Return what is being done, below an id."""
    return get_jobs_by_status(tx, JobStatus.RUNNING, user_id=user_id, before=before, limit=limit)


def ask_again(tx: Tx, actor: Actor, job_id: str, now: datetime) -> Job:
    """Begin a failed job anew."""
    job = _to_change(tx, job_id)
    again = job.asked_again(now)
    if not rows.save(tx, again, job.fence):
        raise Conflict(f"Job {job_id} was changed meanwhile.")
    old, new = {"status": str(job.status)}, {"status": str(again.status)}
    note(tx, actor, "job.retry", ("job", job_id), now, old=old, new=new)
    return again


def count_old_jobs(tx: Tx, now: datetime, days: int = KEPT_DAYS) -> int:
    """Count what a clean-up would remove: a dry run."""
    return rows.count_ended(tx, _before(now, days))


def cleanup_old_jobs(
    tx: Tx, actor: Actor, now: datetime, days: int = KEPT_DAYS, at_most: int = REMOVED_AT_ONCE
) -> int:
    """Remove jobs that ended so many days ago, a bounded number of them; return how many."""
    removed = rows.remove_ended(tx, _before(now, days), at_most)
    if removed:
        kept = {"removed": removed, "older_than_days": days}
        note(tx, actor, "job.cleanup", ("job", None), now, new=kept)
    return removed


def _before(now: datetime, days: int) -> datetime:
    if not 0 <= days <= 36_500:
        raise Invalid(f"days: {days} is not 0 to 36500.")
    return now - timedelta(days=days)


def bounded(limit: int) -> int:
    """Return a page's size, or say what it may be."""
    if not 1 <= limit <= LISTED_AT_MOST:
        raise Invalid(f"limit: {limit} is not 1 to {LISTED_AT_MOST}.")
    return limit


def _to_change(tx: Tx, job_id: str) -> Job:
    if job := rows.find_by_name(tx, job_id, to_change=True):
        return job
    raise _unknown(job_id)


def _unknown(job_id: str) -> NotFound:
    return NotFound(f"There is no job {job_id[:60]!r}.")
