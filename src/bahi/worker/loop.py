"""The worker: takes what is due from both trading stores, a bounded number of jobs at a time.

It looks when the bell rings, when a job of its own ends, when the next job it knows of is due, and
once in each poll, which is the safety.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Final, Protocol

from bahi.db.stores import Store, Stores
from bahi.jobs import service
from bahi.jobs.model import DEFAULT_RETRY, Retry, Schedule, Terms
from bahi.jobs.service import Bell, Handler
from bahi.kernel.clock import Clock
from bahi.kernel.errors import BahiError
from bahi.worker.ears import listening
from bahi.worker.schedule import keep_schedule, rest_s
from bahi.worker.shift import Craft, Pace, Shift

AT_ONCE: Final = 4
POLL_S: Final = 1.0
FINISH_WITHIN_S: Final = 5.0
GIVE_BACK_WITHIN_S: Final = 3.0
SERVED: Final = ("main", "sandbox")

log = logging.getLogger("bahi.worker")


class Workplace(Protocol):
    """What a worker needs of a house."""

    @property
    def stores(self) -> Stores:
        """Where the jobs lie."""

    @property
    def clock(self) -> Clock:
        """What tells the time."""

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """How each type of job is done."""

    @property
    def retries(self) -> Mapping[str, Retry]:
        """How often a type is tried, where the usual is not right."""

    @property
    def schedules(self) -> Sequence[Schedule]:
        """What comes round."""

    @property
    def bell(self) -> Bell:
        """What wakes it."""


class Worker:
    """Does the work of a house, until it is stopped."""

    def __init__(
        self,
        stores: Stores,
        handlers: Mapping[str, Handler],
        clock: Clock,
        *,
        retries: Mapping[str, Retry] | None = None,
        schedules: Sequence[Schedule] | None = None,
        bell: Bell | None = None,
        at_once: int = AT_ONCE,
        pace: Pace = Pace(),  # noqa: B008 - frozen
        poll_s: float = POLL_S,
        finish_within_s: float = FINISH_WITHIN_S,
    ) -> None:
        known = retries or {}
        self._crafts = {
            job_type: Craft(handler, known.get(job_type, DEFAULT_RETRY))
            for job_type, handler in handlers.items()
        }
        self._stores, self._clock = stores, clock
        self._turns = deque(stores[name] for name in SERVED)
        self._schedules, self._bell = schedules, bell
        self._at_once, self._poll_s, self._pace = at_once, poll_s, pace
        self._finish_within_s = finish_within_s
        name = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        retries_of = {job_type: craft.retry for job_type, craft in self._crafts.items()}
        self._terms = Terms(name, pace.lease_s, retries_of)
        self._shifts: dict[asyncio.Task[None], Shift] = {}
        self._woken, self._stopping = asyncio.Event(), False

    async def run(self) -> None:
        """Work until `stop`; then finish what is in hand or give it back, within a bound."""
        async with self._at_the_bell(), self._at_the_clock():
            try:
                while not self._stopping:
                    self._woken.clear()
                    rest = await self._take_what_is_due()
                    if rest > 0 and not self._stopping:
                        with suppress(TimeoutError):
                            await asyncio.wait_for(self._woken.wait(), rest)
            finally:
                await self._wind_down()

    def stop(self) -> None:
        """Take nothing more; `run` ends soon. Called in its loop."""
        self._stopping = True
        self._woken.set()

    @property
    def busy(self) -> int:
        """How many jobs are in hand."""
        return len(self._shifts)

    async def _take_what_is_due(self) -> float:
        """Begin what there is room for; return how long to rest."""
        rest = self._poll_s
        self._turns.rotate()
        for store in tuple(self._turns):
            free = self._at_once - len(self._shifts)
            if free <= 0:
                break
            try:
                rest = min(rest, await self._take_from(store, free))
            except BahiError as fault:  # the database is away: it may come back
                log.warning("no jobs could be taken from %s: %s", store.name, fault)
        return rest

    async def _take_from(self, store: Store, free: int) -> float:
        """Look first, since a look costs no write; return how long there is nothing to do."""
        upcoming = await store.read(service.next_at, tuple(self._crafts), fresh=True)
        now = self._clock()
        if upcoming is None or upcoming > now:
            return rest_s(upcoming, now, self._poll_s)
        claimed = await self._claim(store, now, free)
        return 0.0 if claimed else self._poll_s  # none: another was faster, or holds them locked

    async def _claim(self, store: Store, now: datetime, free: int) -> int:
        jobs = await store.write(service.claim, self._terms, now, free)
        for job in jobs:
            craft = self._crafts[job.job_type]
            shift = Shift(store, job, craft, self._clock, self._pace)
            task = asyncio.create_task(shift.run(), name=f"job {job.job_id}")
            self._shifts[task] = shift
            task.add_done_callback(self._over)
        return len(jobs)

    def _over(self, task: asyncio.Task[None]) -> None:
        del self._shifts[task]
        self._woken.set()
        if not task.cancelled() and (fault := task.exception()):
            log.error(
                "%s ended without a word of how: its lease will run out",
                task.get_name(),
                exc_info=fault,
            )

    async def _wind_down(self) -> None:
        """Wait for what is in hand; break off and give back what takes too long."""
        if self._shifts:
            await asyncio.wait(tuple(self._shifts), timeout=self._finish_within_s)
        for shift in tuple(self._shifts.values()):
            shift.stop()
        if self._shifts:
            await asyncio.wait(tuple(self._shifts), timeout=GIVE_BACK_WITHIN_S)
        left = tuple(self._shifts)  # they heed no cancelling: their leases run out
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=GIVE_BACK_WITHIN_S)

    @asynccontextmanager
    async def _at_the_bell(self) -> AsyncIterator[None]:
        if self._bell is None:
            yield
            return
        async with listening(self._bell, self._woken.set):
            yield

    @asynccontextmanager
    async def _at_the_clock(self) -> AsyncIterator[None]:
        if self._schedules is None:
            yield
            return
        keeping = asyncio.create_task(
            keep_schedule(self._stores["main"], self._schedules, self._clock, self._poll_s)
        )
        keeping.add_done_callback(lambda _: self.stop())  # it never ends but by a fault of ours
        try:
            yield
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping


def worker_of(house: Workplace) -> Worker:
    """Make the worker of a house."""
    return Worker(
        house.stores,
        house.handlers,
        house.clock,
        retries=house.retries,
        schedules=house.schedules,
        bell=house.bell,
    )
