"""Backups of a house: which there are, and one of every store made by a job."""

from __future__ import annotations

import asyncio
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from bahi.audit.service import note
from bahi.bootstrap.ground import migrators
from bahi.bootstrap.rooms import Rooms
from bahi.config import Settings
from bahi.db.schema import STORES
from bahi.db.tx import Tx
from bahi.db.upkeep.backup import STAMP, Backup, Backups, Keep
from bahi.jobs.model import Job
from bahi.jobs.service import JobContext, enqueue, get_job
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.clock import IST, Clock, in_utc
from bahi.kernel.errors import NotFound

JOB: Final = "backup"


def made_at(backup: Backup) -> datetime:
    """Return when a backup was made, as its name says."""
    return in_utc(datetime.strptime(backup.stamp, STAMP).replace(tzinfo=IST))


def backups_of(settings: Settings, clock: Clock) -> Backups:
    """Return the folder of a house's backups."""
    keep = Keep(settings.backups_keep, settings.backups_days)
    return Backups(settings.home / "backups", clock, keep)


async def list_backups(house: Rooms) -> list[Backup]:
    """Return every backup, the newest first."""
    backups = backups_of(house.settings, house.clock)

    def every() -> list[Backup]:
        found = [it for store in STORES for it in backups.of(store)]
        return sorted(found, key=lambda it: (it.stamp, it.store), reverse=True)

    return await asyncio.to_thread(every)


async def ask_for_backup(house: Rooms, actor: Actor, store: str | None, name: str | None) -> Job:
    """Have a worker save one store or all; the same name again is the same job."""
    require_admin(actor)
    if store is not None and store not in STORES:
        raise NotFound(f"There is no store {store!r}; the stores are {', '.join(STORES)}.")

    job_id = None if name is None else f"{JOB}:{blake2b(name.encode(), digest_size=16).hexdigest()}"

    def write(tx: Tx) -> Job:
        if job_id is not None and (known := _known(tx, job_id)) is not None:
            return known
        payload = {} if store is None else {"store": store}
        job = enqueue(tx, actor.name, JOB, payload, now, user_id=actor.user_id, job_id=job_id)
        note(tx, actor, "backup.ask", ("job", job.job_id), now, new=payload)
        return job

    now = house.clock()
    return await house.stores["main"].write(write)


def _known(tx: Tx, job_id: str) -> Job | None:
    try:
        return get_job(tx, job_id)
    except NotFound:
        return None


async def backup(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Save stores while they are in use, each by itself, and let the oldest copies go."""
    only = context.payload.get("store")
    backups = backups_of(house.settings, house.clock)
    every = migrators(house.settings, lambda _: None)
    saved: dict[str, str] = {}
    wanted = [name for name in every if only in {None, name}]
    for place, name in enumerate(wanted):
        said = f"{name}, {place + 1} of {len(wanted)} stores"
        await context.progress(100 * place // len(wanted), said)
        made = await asyncio.to_thread(backups.take, every[name].database)
        saved[name] = made.file.name
    return {"saved": saved}
