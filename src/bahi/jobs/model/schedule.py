"""The schedule: what is due when, what is passed over, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from bahi.jobs.model.cron import Cron
from bahi.jobs.model.job import Job, Payload
from bahi.kernel.clock import ist_text
from bahi.kernel.errors import Invalid
from bahi.kernel.words import JobStatus

HOUSE_PLATFORM: Final = "bahi"
GRACE_S: Final = 300
GRACE_AT_MOST_S: Final = 7 * 24 * 3600
BY_SCHEDULE: Final = "schedule:"
_MICROSECONDS_A_MS: Final = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """An entry of the schedule, as the code or a setting declares it."""

    name: str
    title: str
    job_type: str
    cron: str
    payload: Payload = field(default_factory=dict)
    grace_s: int = GRACE_S
    platform: str = HOUSE_PLATFORM

    def __post_init__(self) -> None:
        Cron(self.cron)
        if not 0 <= self.grace_s <= GRACE_AT_MOST_S:
            raise Invalid(f"{self.name}: grace is 0 to {GRACE_AT_MOST_S} seconds.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a moment means for an entry: which time counts, whether it is too late, what is next."""

    at: datetime
    too_late: bool
    next_run_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A schedule as it stands: its state is the database's, whoever declared it."""

    schedule: Schedule
    is_active: bool = True
    next_run_at: datetime | None = None
    last_run_at: datetime | None = None
    declared_cron: str = ""

    @property
    def name(self) -> str:
        """Its name."""
        return self.schedule.name

    @property
    def cron(self) -> Cron:
        """When it comes round."""
        return Cron(self.schedule.cron)

    def due(self, now: datetime) -> Due | None:
        """Judge the moment: of several times that were missed the last one in grace counts."""
        if not self.is_active or self.next_run_at is None or self.next_run_at > now:
            return None
        grace = timedelta(seconds=self.schedule.grace_s)
        in_grace = self.cron.latest(max(self.next_run_at, now - grace), now)
        return Due(
            at=in_grace or self.next_run_at,
            too_late=in_grace is None,
            next_run_at=self.cron.next_after(now),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One line of the schedule's history."""

    name: str
    title: str | None
    platform: str
    executed_at: datetime
    success: bool
    message: str | None = None
    error: str | None = None
    duration_ms: int | None = None
    retry_count: int = 0

    @staticmethod
    def passed_over(entry: Entry, at: datetime, now: datetime, why: str) -> Run:
        """Write down that a time went by unused, and why."""
        return Run(
            name=entry.name,
            title=entry.schedule.title,
            platform=entry.schedule.platform,
            executed_at=now,
            success=False,
            message="passed over",
            error=f"It was due at {ist_text(at)} (IST) and passed over: {why}",
        )

    @staticmethod
    def of_job(job: Job, name: str, entry: Entry | None, now: datetime) -> Run:
        """Write down how a job ended that the schedule had asked for."""
        well = job.status is JobStatus.COMPLETED
        said = (job.result or {}).get("message") or job.message
        return Run(
            name=name,
            title=entry.schedule.title if entry else None,
            platform=entry.schedule.platform if entry else HOUSE_PLATFORM,
            executed_at=job.started_at or now,
            success=well,
            message=str(said) if said else None,
            error=None if well else job.error_details,
            duration_ms=(now - (job.started_at or now)) // _MICROSECONDS_A_MS,
            retry_count=max(0, job.attempts - 1),
        )


def scheduled_by(name: str) -> str:
    """Name an entry of the schedule as the one who asked for a job."""
    return f"{BY_SCHEDULE}{name}"


def asked_by_schedule(job: Job) -> str | None:
    """Return the entry that asked for a job; None where somebody else did."""
    by = job.created_by or ""
    return by.removeprefix(BY_SCHEDULE) if by.startswith(BY_SCHEDULE) else None
