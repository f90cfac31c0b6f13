"""One job in a worker's hands, from its claim to its end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.jobs import service
from bahi.jobs.model import BEAT_S, LEASE_S, Job, Later, Payload, Retry, Superseded
from bahi.kernel.clock import Clock, Deadline
from bahi.kernel.errors import BahiError, InDoubt, NotCommitted
from bahi.kernel.redaction import redact_text

SAY_AGAIN_S: Final = 0.2

log = logging.getLogger("bahi.worker")


@dataclass(frozen=True, slots=True)
class Craft:
    """How one type of job is done, and how often it is tried."""

    handler: service.Handler
    retry: Retry


@dataclass(frozen=True, slots=True)
class Pace:
    """For how long a job is leased, and how often the lease is renewed meanwhile."""

    lease_s: float = LEASE_S
    beat_s: float = BEAT_S


class Shift:
    """A job being done: its handler, and beside it the heart-beat that keeps the lease."""

    def __init__(self, store: Store, job: Job, craft: Craft, clock: Clock, pace: Pace) -> None:
        self._store, self._job, self._craft = store, job, craft
        self._clock, self._pace = clock, pace
        self._lost = self._stopped = False
        self._lease = Deadline(pace.lease_s)
        self._work: asyncio.Future[Payload | None] | None = None

    async def run(self) -> None:
        """Do the job, and write down how it ended."""
        context = service.JobContext(self._job, self._store, self._clock)
        work = self._work = asyncio.ensure_future(self._craft.handler(context))
        beat = asyncio.create_task(self._keep_lease(work))
        try:
            await asyncio.wait({work})
            await self._end(work)
        finally:
            beat.cancel()
            work.cancel()

    def stop(self) -> None:
        """Break off; the job is given back for another worker to take."""
        self._stopped = True
        if self._work is not None:
            self._work.cancel()

    async def _keep_lease(self, work: asyncio.Future[Payload | None]) -> None:
        while True:
            await asyncio.sleep(self._pace.beat_s)
            started = Deadline(self._pace.lease_s)
            try:
                async with asyncio.timeout(self._lease.left_s()):
                    await self._store.write(
                        service.extend, self._job, self._clock(), self._pace.lease_s
                    )
            except (Superseded, TimeoutError):
                self._lose(work)
                return
            except BahiError as fault:  # the database is away: it may come back in time
                log.warning("the lease of job %s was not renewed: %s", self._job.job_id, fault)
                continue
            self._lease = started

    def _lose(self, work: asyncio.Future[Payload | None]) -> None:
        if not work.done():
            log.warning("job %s was taken from this worker; it is broken off", self._job.job_id)
            self._lost = True
            work.cancel()

    async def _end(self, work: asyncio.Future[Payload | None]) -> None:
        if work.cancelled():
            if self._stopped and not self._lost:
                await self._say(service.give_back, self._clock())
            elif not self._lost:
                await self._fail("It was cancelled from within.")
            return
        error = work.exception()
        if error is None:
            await self._complete(work.result())
        elif isinstance(error, Later):
            await self._say(service.postpone, error.run_at, redact_text(error.why), self._clock())
        elif isinstance(error, Superseded):
            log.warning("job %s is done by another worker", self._job.job_id)
        else:
            await self._fail(_reason(error))

    async def _complete(self, result: Payload | None) -> None:
        try:
            await self._say(service.complete, result, self._clock())
        except BahiError as refusal:  # such as a result that cannot be kept
            await self._fail(_reason(refusal))

    async def _fail(self, reason: str) -> None:
        log.warning("job %s (%s) failed: %s", self._job.job_id, self._job.job_type, reason)
        await self._say(service.fail, reason, self._clock(), self._craft.retry)

    async def _say(self, ending: Callable[..., Job], *args: Any) -> None:
        """Write the end down, again and again while the database is away and the lease stands."""

        def write(tx: Tx) -> Job:
            return ending(tx, self._job, *args)

        while True:
            try:
                await self._store.write(write)
            except Superseded:  # another lease was given, or this end is written already
                return
            except (NotCommitted, InDoubt) as fault:
                if self._lease.passed():
                    log.warning("how job %s ended was not written: %s", self._job.job_id, fault)
                    return
                await asyncio.sleep(SAY_AGAIN_S)
            else:
                return


def _reason(error: BaseException) -> str:
    said = redact_text(str(error))
    return said if isinstance(error, BahiError) else f"{type(error).__name__}: {said}"
