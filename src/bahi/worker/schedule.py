"""The schedule, kept: at each time of it the first process to look asks for the jobs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime

from bahi.db.stores import Store
from bahi.jobs import service
from bahi.jobs.model import Schedule
from bahi.kernel.clock import Clock
from bahi.kernel.errors import BahiError

log = logging.getLogger("bahi.worker")


async def keep_schedule(
    store: Store, declared: Sequence[Schedule], clock: Clock, poll_s: float
) -> None:
    """Bring the entries in line, then ask for what is due, for ever."""
    in_line = False
    while True:
        try:
            if not in_line:
                await store.write(service.sync_schedules, declared, clock())
                in_line = True
            upcoming = await store.read(service.next_tick_at, fresh=True)
            if upcoming is not None and upcoming <= clock():
                await store.write(service.tick, clock())
                continue
        except BahiError as fault:  # the database is away: it may come back
            log.warning("the schedule could not be kept: %s", fault)
            upcoming = None
        await asyncio.sleep(rest_s(upcoming, clock(), poll_s))


def rest_s(upcoming: datetime | None, now: datetime, poll_s: float) -> float:
    """Return how long to rest: until the next time known, and never longer than the poll."""
    if upcoming is None:
        return poll_s
    return min(poll_s, max(0.0, (upcoming - now).total_seconds()))
