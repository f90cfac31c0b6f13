"""The rules of work: a job's life under leases, and when the clock asks for one."""

from bahi.jobs.model.cron import Cron
from bahi.jobs.model.job import (
    BEAT_S,
    DEFAULT_RETRY,
    LEASE_S,
    Job,
    Later,
    Payload,
    Retry,
    Superseded,
    Terms,
)
from bahi.jobs.model.schedule import HOUSE_PLATFORM, Due, Entry, Run, Schedule, scheduled_by
from bahi.jobs.model.spoken import spoken

__all__ = [
    "BEAT_S",
    "DEFAULT_RETRY",
    "HOUSE_PLATFORM",
    "LEASE_S",
    "Cron",
    "Due",
    "Entry",
    "Job",
    "Later",
    "Payload",
    "Retry",
    "Run",
    "Schedule",
    "Superseded",
    "Terms",
    "scheduled_by",
    "spoken",
]
