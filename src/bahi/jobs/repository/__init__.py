"""The only SQL of this context: jobs in one file, the schedule in the other."""

from bahi.jobs.repository import job, schedule

__all__ = ["job", "schedule"]
