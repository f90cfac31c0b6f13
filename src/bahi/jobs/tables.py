"""Work that must happen: jobs with their leases, and what the schedule did."""

from __future__ import annotations

from bahi.db.schema import (
    HOUSE,
    MAIN,
    TRADING,
    check,
    flag,
    index,
    instant,
    json,
    key,
    text,
    whole,
    word,
)
from bahi.kernel.words import JobStatus

jobs = HOUSE.table(
    "jobs",
    "Work to do, written in the transaction of its cause; done at least once, by one at a time.",
    key(),
    text("job_id", "Its name, as callers ask for it.", unique=True),
    text("job_type", "What is to be done."),
    json("payload", "With what.", null=True),
    word("status", JobStatus, "How far it is."),
    text("message", "How far it is, in words.", null=True),
    whole("progress_percent", "How far it is, of a hundred.", default=0),
    whole("priority", "Larger goes first.", default=0),
    instant("run_at", "Not before."),
    whole("attempts", "How often it was tried.", default=0),
    text("lease_owner", "Who works on it.", null=True),
    instant("leased_until", "Until when nobody else may.", null=True),
    whole("fence", "Grows with every lease; an older one's writes are refused.", default=0),
    whole("source_job_id", "The job of another store that asked for it.", null=True, unique=True),
    text("created_by", "Who asked.", null=True),
    instant("created_at", "When it was asked for."),
    instant("started_at", "When it was first tried.", null=True),
    instant("updated_at", "When anything here changed."),
    instant("completed_at", "When it ended.", null=True),
    json("result", "What came of it.", null=True),
    text("error_details", "Why it failed, the newest time.", null=True),
    check("progress", "progress_percent BETWEEN 0 AND 100"),
    index("status", "job_type"),
    index("run_at", "priority", where="status = 'pending'"),
    index("leased_until", where="status = 'running'"),
    stores=TRADING,
)

scheduler_runs = HOUSE.table(
    "scheduler_runs",
    "What the schedule did, and how it ended.",
    key(),
    text("job_id", "Which entry of the schedule."),
    text("job_name", "Its name for people.", null=True),
    text("platform", "For which broker or part of the house."),
    instant("executed_at", "When."),
    flag("success", "Did it work?"),
    text("result_message", "What came of it.", null=True),
    text("error_details", "Why not.", null=True),
    whole("duration_ms", "How long it took.", null=True),
    whole("retry_count", "How often it was tried again.", null=True, default=0),
    index("job_id", "platform", "executed_at"),
    stores=MAIN,
)
