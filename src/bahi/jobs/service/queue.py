"""Asking for work: a row in the transaction of its cause, and a ring of the bell after COMMIT."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from bahi.db.tx import Tx
from bahi.jobs.model import Job, Payload
from bahi.jobs.model.schedule import BY_SCHEDULE
from bahi.jobs.repository import job as rows
from bahi.jobs.service.bell import ring
from bahi.kernel.clock import in_utc
from bahi.kernel.errors import Invalid

LISTENERS: Final[dict[str, tuple[str, ...]]] = {}
"""Event -> the types of the jobs that listen to it; bootstrap fills it, once."""


def tell_listeners(listeners: Mapping[str, Sequence[str]]) -> None:
    """Say who listens to what, in place of whatever was said before."""
    LISTENERS.clear()
    LISTENERS.update({event: tuple(job_types) for event, job_types in listeners.items()})


def enqueue(
    tx: Tx,
    actor_name: str,
    job_type: str,
    payload: Payload,
    now: datetime,
    *,
    run_at: datetime | None = None,
    priority: int = 0,
    source_job_id: int | None = None,
    user_id: int | None = None,
    job_id: str | None = None,
) -> Job:
    """Ask for work; it exists if, and only if, this transaction commits."""
    if actor_name.startswith(BY_SCHEDULE):
        raise Invalid(f"{actor_name[:60]!r} is how the schedule asks; nobody else is called so.")
    return ask_for(
        tx,
        actor_name,
        job_type,
        payload,
        now,
        run_at=run_at,
        priority=priority,
        source_job_id=source_job_id,
        user_id=user_id,
        job_id=job_id,
    )


def ask_for(
    tx: Tx,
    actor_name: str,
    job_type: str,
    payload: Payload,
    now: datetime,
    *,
    run_at: datetime | None = None,
    priority: int = 0,
    source_job_id: int | None = None,
    user_id: int | None = None,
    job_id: str | None = None,
) -> Job:
    """Ask for work in whoever's name, the schedule's too."""
    identity = tx.new_id()
    job = Job(
        id=identity,
        job_id=job_id or str(uuid5(NAMESPACE_OID, f"bahi.job.{identity}")),
        job_type=job_type,
        payload=dict(payload),
        priority=priority,
        run_at=in_utc(run_at or now),
        source_job_id=source_job_id,
        created_by=actor_name,
        user_id=user_id,
        created_at=now,
        updated_at=now,
    )
    rows.add(tx, job)
    tx.after_commit(ring)
    return job


def announce(tx: Tx, event: str, payload: Payload, now: datetime) -> list[Job]:
    """Tell an event to those who listen: a job for each, and no row where nobody does."""
    return [enqueue(tx, event, job_type, payload, now) for job_type in LISTENERS.get(event, ())]


def next_at(tx: Tx, types: Collection[str]) -> datetime | None:
    """Return when something of these types is to be taken next."""
    return rows.next_at(tx, types)


def waiting(tx: Tx, now: datetime) -> int:
    """Count what is due and nobody has begun."""
    return rows.waiting(tx, now)


def oldest_due(tx: Tx, types: Collection[str] | None = None) -> datetime | None:
    """Return when the first of all that nobody has begun is due, or was; of these types alone.

    What only keeps a record of work done elsewhere, with no handler here, waits for nobody.
    """
    return rows.oldest_due(tx, types)
