"""A job's life: asked for, leased to one worker at a time, ended, or tried again later.

    pending -> running -> completed | failed
               running -> pending   (tried again later, put off, or given back)
               failed  -> pending   (a person asks for it again)

Whoever works holds a lease and its fence. The next lease has a greater fence, and what is written
with an older one is refused: a worker that lost its lease can harm nothing, however late it wakes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from bahi.kernel.clock import in_utc
from bahi.kernel.errors import BahiError, Conflict, Invalid
from bahi.kernel.words import JobStatus

LEASE_S: Final = 30.0
BEAT_S: Final = 10.0
ENDED: Final = (JobStatus.COMPLETED, JobStatus.FAILED)

Payload = Mapping[str, Any]


class Superseded(Conflict):
    """Another worker has this job by now."""

    code = "superseded"


class Later(BahiError):
    """The work cannot be done yet: the lease is given back, and no try is counted."""

    code = "later"

    def __init__(self, run_at: datetime, why: str = "") -> None:
        super().__init__(why)
        self.run_at = in_utc(run_at)
        self.why = why


@dataclass(frozen=True, slots=True)
class Retry:
    """How often work is tried, and how long it rests in between; the last rest repeats."""

    attempts: int = 5
    delays_s: tuple[float, ...] = (1.0, 5.0, 30.0, 120.0)

    def __post_init__(self) -> None:
        if self.attempts < 1 or any(delay < 0 for delay in self.delays_s):
            raise Invalid("Work is tried at least once, and no rest is shorter than none.")

    def rest_after(self, attempts: int) -> timedelta | None:
        """Return how long to rest after so many tries; None when there is no further one."""
        if attempts >= self.attempts:
            return None
        if not self.delays_s:
            return timedelta()
        return timedelta(seconds=self.delays_s[min(attempts, len(self.delays_s)) - 1])


DEFAULT_RETRY: Final = Retry()


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work to do; a move returns the job as it is afterwards."""

    id: int
    job_id: str
    job_type: str
    run_at: datetime
    created_at: datetime
    updated_at: datetime
    payload: Payload = field(default_factory=dict)
    status: JobStatus = JobStatus.PENDING
    message: str | None = None
    progress_percent: int = 0
    priority: int = 0
    attempts: int = 0
    lease_owner: str | None = None
    leased_until: datetime | None = None
    fence: int = 0
    source_job_id: int | None = None
    created_by: str | None = None
    user_id: int | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    result: Payload | None = None
    error_details: str | None = None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        return self.status in ENDED

    def can_be_claimed(self, now: datetime) -> bool:
        """Say whether a worker may take it: it is due, or the lease of its last one ran out."""
        if self.status is JobStatus.PENDING:
            return self.run_at <= now
        lost = self.leased_until is not None and self.leased_until <= now
        return self.status is JobStatus.RUNNING and lost

    def claimed(self, terms: Terms, now: datetime) -> Job:
        """Lease it to a worker, under a fence of its own."""
        if not self.can_be_claimed(now):
            raise Conflict(f"Job {self.job_id} cannot be taken now: it is {self.status}.")
        return replace(
            self,
            status=JobStatus.RUNNING,
            attempts=self.attempts + 1,
            lease_owner=terms.owner,
            leased_until=now + timedelta(seconds=terms.lease_s),
            fence=self.fence + 1,
            started_at=self.started_at or now,
            updated_at=now,
        )

    def told(self, percent: int, message: str | None, now: datetime) -> Job:
        """Note how far it is."""
        if not 0 <= percent <= 100:
            raise Invalid(f"Progress is 0 to 100 percent, not {percent}.")
        said = self.message if message is None else message
        return replace(self, progress_percent=percent, message=said, updated_at=now)

    def completed(self, result: Payload | None, now: datetime) -> Job:
        """End it well."""
        done = replace(self, progress_percent=100, result=result, error_details=None)
        return _ended(done, JobStatus.COMPLETED, now)

    def failed(self, reason: str, now: datetime, retry: Retry) -> Job:
        """Note why it failed; try again after a rest, or end it."""
        rest = retry.rest_after(self.attempts)
        noted = replace(self, error_details=reason)
        if rest is None:
            return _ended(noted, JobStatus.FAILED, now)
        return _freed(noted, now + rest, now)

    def postponed(self, run_at: datetime, why: str, now: datetime) -> Job:
        """Put it off until a time, as if it had not been tried."""
        waits = replace(self, attempts=self.attempts - 1, message=why or self.message)
        return _freed(waits, max(run_at, now), now)

    def given_back(self, now: datetime) -> Job:
        """Let another worker have it at once, as if it had not been tried."""
        return self.postponed(now, "", now)

    def asked_again(self, now: datetime) -> Job:
        """Begin a failed one anew; its last reason stays until it is done."""
        if self.status is not JobStatus.FAILED:
            raise Conflict(
                f"Job {self.job_id} is {self.status}; only a failed one can be tried again."
            )
        fresh = replace(self, attempts=0, progress_percent=0, completed_at=None)
        return _freed(fresh, now, now)

    def reported(
        self,
        status: JobStatus,
        now: datetime,
        *,
        message: str | None,
        progress: int | None,
        result: Payload | None,
        error: str | None,
    ) -> Job:
        """Follow what somebody says who does the work outside of our workers."""
        if self.lease_owner is not None:
            raise Conflict(f"Job {self.job_id} is in the hands of {self.lease_owner}.")
        if self.has_ended:
            raise Conflict(f"Job {self.job_id} has ended already: {self.status}.")
        percent = self.progress_percent if progress is None else progress
        noted = replace(
            self.told(percent, message, now),
            result=self.result if result is None else result,
            error_details=self.error_details if error is None else error,
        )
        if status is JobStatus.COMPLETED:
            return noted.completed(noted.result, now)
        if status is JobStatus.FAILED:
            return _ended(noted, JobStatus.FAILED, now)
        started = now if status is JobStatus.RUNNING else None
        return replace(noted, status=status, started_at=self.started_at or started)


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a worker takes jobs: who it is, for how long, which types, how many tries."""

    owner: str
    lease_s: float
    retries: Mapping[str, Retry]


def _ended(job: Job, status: JobStatus, now: datetime) -> Job:
    return replace(
        job,
        status=status,
        lease_owner=None,
        leased_until=None,
        started_at=job.started_at or now,
        completed_at=now,
        updated_at=now,
    )


def _freed(job: Job, run_at: datetime, now: datetime) -> Job:
    return replace(
        job,
        status=JobStatus.PENDING,
        lease_owner=None,
        leased_until=None,
        run_at=run_at,
        updated_at=now,
    )
