"""Jobs as people ask for them: of both trading stores, and each person their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Final

from bahi.db.stores import Store, Stores
from bahi.db.tx import Tx
from bahi.jobs.model import Job
from bahi.jobs.repository import job as rows
from bahi.jobs.service import records
from bahi.jobs.service.bell import ring
from bahi.kernel.actor import Actor, require_admin, require_change
from bahi.kernel.errors import NotFound
from bahi.kernel.words import JobStatus

HAVE_JOBS: Final = ("main", "sandbox")

Look = Callable[[Tx], list[Job]]


async def seen_job(stores: Stores, actor: Actor, job_id: str) -> Job:
    """Return a job that is the actor's to see; any other does not exist for them."""
    _, job = await _find(stores, actor, job_id)
    return job


async def recent_jobs(
    stores: Stores,
    actor: Actor,
    limit: int = records.RECENT,
    *,
    job_type: str | None = None,
    before: int | None = None,
    routine: bool = True,
) -> list[Job]:
    """Return the newest jobs below an id, an admin those of everybody.

    Without `routine`, what the schedule asked for and what went well is left out.
    """
    look = partial(
        records.get_recent_jobs,
        job_type=job_type,
        user_id=_whose(actor),
        before=before,
        limit=limit,
        routine=routine,
    )
    return await _newest(stores, look, limit)


async def running_jobs(
    stores: Stores, actor: Actor, limit: int = records.LISTED, *, before: int | None = None
) -> list[Job]:
    """Return what is being done, below an id."""
    return await jobs_by_status(stores, actor, JobStatus.RUNNING, limit, before=before)


async def jobs_by_status(
    stores: Stores,
    actor: Actor,
    status: JobStatus,
    limit: int = records.LISTED,
    *,
    job_type: str | None = None,
    before: int | None = None,
) -> list[Job]:
    """Return the newest jobs of a status, below an id."""
    look = partial(
        records.get_jobs_by_status,
        status=status,
        job_type=job_type,
        user_id=_whose(actor),
        before=before,
        limit=limit,
    )
    return await _newest(stores, look, limit)


async def run_again(stores: Stores, actor: Actor, job_id: str, now: datetime) -> Job:
    """Begin a failed job anew."""
    require_change(actor)
    store, _ = await _find(stores, actor, job_id)
    return await store.write(_ask_again, actor, job_id, now)


def _ask_again(tx: Tx, actor: Actor, job_id: str, now: datetime) -> Job:
    tx.after_commit(ring)
    return records.ask_again(tx, actor, job_id, now)


async def clean_up(
    stores: Stores,
    actor: Actor,
    now: datetime,
    days: int = records.KEPT_DAYS,
    *,
    dry_run: bool = False,
) -> int:
    """Remove jobs that ended so many days ago, or only count them; return how many."""
    require_admin(actor)
    if dry_run:
        counted = (
            stores[name].read(records.count_old_jobs, now, days, fresh=True) for name in HAVE_JOBS
        )
        return sum(await asyncio.gather(*counted))
    return sum([await _clean_store(stores[name], actor, now, days) for name in HAVE_JOBS])


async def _clean_store(store: Store, actor: Actor, now: datetime, days: int) -> int:
    total = 0
    while removed := await store.write(records.cleanup_old_jobs, actor, now, days):
        total += removed
    return total


async def _find(stores: Stores, actor: Actor, job_id: str) -> tuple[Store, Job]:
    for name in HAVE_JOBS:
        with suppress(NotFound):
            job = await stores[name].read(records.get_job, job_id, fresh=True)
            if actor.owns(job.user_id):
                return stores[name], job
    raise NotFound(f"There is no job {job_id[:60]!r}.")


async def _newest(stores: Stores, look: Look, limit: int) -> list[Job]:
    found = await asyncio.gather(*(stores[name].read(look, fresh=True) for name in HAVE_JOBS))
    newest = sorted(chain(*found), key=lambda job: job.id, reverse=True)
    return newest[:limit]


def _whose(actor: Actor) -> int | None:
    """Return whose jobs the actor sees; None is everybody's, and nobody's is -1."""
    if actor.is_admin:
        return None
    return -1 if actor.user_id is None else actor.user_id


erase_user: Final = rows.erase_user
"""Remove some jobs that a user asked for; return how many."""
