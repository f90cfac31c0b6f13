"""What a worker may do with a job, all of it under the fence of its lease.

Each of these is refused with `Superseded` once another lease was given, and each may be repeated
when nobody knows whether it was committed: the second time finds nothing left to do.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.jobs.model import DEFAULT_RETRY, Job, Payload, Retry, Run, Superseded, Terms
from bahi.jobs.model.schedule import asked_by_schedule
from bahi.jobs.repository import job as rows
from bahi.jobs.repository import schedule as schedule_rows
from bahi.kernel.actor import the_house
from bahi.kernel.errors import Conflict
from bahi.kernel.words import JobStatus

WORKER: Final = the_house("worker")
WORKERS_DIED = "Its worker died at every one of {attempts} tries."


def claim(tx: Tx, terms: Terms, now: datetime, at_most: int = 1) -> list[Job]:
    """Lease what is due, of the types in the terms; what kills each of its workers ends here."""
    leased = []
    for job in rows.claimable(tx, terms.retries, now, at_most):
        if job.status is JobStatus.RUNNING and _was_last(job, terms):
            reason = job.error_details or WORKERS_DIED.format(attempts=job.attempts)
            _end(tx, job, job.failed(reason, now, Retry(1)), now)
            continue
        taken = job.claimed(terms, now)
        _save(tx, job, taken)
        leased.append(taken)
    return leased


def _was_last(job: Job, terms: Terms) -> bool:
    return terms.retries[job.job_type].rest_after(job.attempts) is None


def holding(tx: Tx, job: Job) -> Job:
    """Return the job as stored, if its lease is still ours; until we commit it stays ours."""
    held = rows.find_held(tx, job)
    if held is None:
        raise Superseded(
            f"Job {job.job_id} is not ours any more: its lease {job.fence} ended, or it did."
        )
    return held


def extend(tx: Tx, job: Job, now: datetime, lease_s: float) -> None:
    """Hold the lease for longer."""
    if not rows.extend(tx, job, now, now + timedelta(seconds=lease_s)):
        raise Superseded(f"Job {job.job_id} is not ours any more: lease {job.fence} is over.")


def progress(tx: Tx, job: Job, percent: int, message: str | None, now: datetime) -> Job:
    """Say how far it is."""
    held = holding(tx, job)
    return _save(tx, held, held.told(percent, message, now))


def complete(tx: Tx, job: Job, result: Payload | None, now: datetime) -> Job:
    """End it well; again is nothing, so a handler may do it in the transaction of its effect."""
    stored = rows.find(tx, job.id)
    if stored and stored.fence == job.fence and stored.status is JobStatus.COMPLETED:
        return stored
    held = holding(tx, job)
    return _end(tx, held, held.completed(result, now), now)


def fail(tx: Tx, job: Job, reason: str, now: datetime, retry: Retry = DEFAULT_RETRY) -> Job:
    """Note why it failed, and let it be tried again or end it, as the policy says."""
    held = holding(tx, job)
    return _end(tx, held, held.failed(reason, now, retry), now)


def postpone(tx: Tx, job: Job, run_at: datetime, why: str, now: datetime) -> Job:
    """Give the lease back until a time, counting no try."""
    held = holding(tx, job)
    return _save(tx, held, held.postponed(run_at, why, now))


def give_back(tx: Tx, job: Job, now: datetime) -> Job:
    """Give the lease back, for another worker to take it at once."""
    held = holding(tx, job)
    return _save(tx, held, held.given_back(now))


def _end(tx: Tx, before: Job, after: Job, now: datetime) -> Job:
    """Save it; what the schedule asked for goes into its history when it ends.

    The end of what a person asked for is told to them, by a row of the audit trail.
    """
    if after.user_id is not None and after.has_ended and not before.has_ended:
        ended = {"type": after.job_type, "status": after.status}
        note(tx, WORKER, "job.end", ("job", after.job_id), now, new=ended)
    name = asked_by_schedule(after)
    if name is not None and after.has_ended:
        entry = schedule_rows.find(tx, name)
        schedule_rows.add_run(tx, Run.of_job(after, name, entry, now))
    return _save(tx, before, after)


def _save(tx: Tx, before: Job, after: Job) -> Job:
    if not rows.save(tx, after, before.fence):
        raise Conflict(f"Job {before.job_id} was changed meanwhile.")
    return after
