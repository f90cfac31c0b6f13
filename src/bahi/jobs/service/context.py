"""What a handler is given: its job, the time, and the ways to act only while the lease stands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar, TypeVarTuple

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.jobs.model import Job, Payload
from bahi.jobs.service import lease
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.clock import Clock
from bahi.kernel.redaction import redact_text

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class JobContext:
    """A job in hand."""

    job: Job
    store: Store
    clock: Clock
    actor: Actor = field(default_factory=lambda: the_house("worker"))

    @property
    def payload(self) -> Payload:
        """With what it is to be done."""
        return self.job.payload

    async def progress(self, percent: int, message: str | None = None) -> None:
        """Say how far it is; refused once another worker has the job."""
        said = None if message is None else redact_text(message)
        await self.store.write(lease.progress, self.job, percent, said, self.clock())

    async def check(self) -> None:
        """Raise `Superseded` if another worker has the job by now."""
        await self.store.write(lease.holding, self.job)

    async def write(self, fn: Callable[[Tx, *Ts], T], *args: *Ts) -> T:
        """Run `fn(tx, *args)` in a transaction of the job's store that holds the lease."""
        return await self.store.write(_held, self.job, fn, args)

    async def finish(self, fn: Callable[[Tx, *Ts], Payload | None], *args: *Ts) -> Payload | None:
        """Run `fn(tx, *args)` and end the job in one transaction: what it does is done once."""
        return await self.store.write(_finished, self.job, self.clock, fn, args)


Handler = Callable[[JobContext], Awaitable[Payload | None]]


def _held(tx: Tx, job: Job, fn: Callable[..., T], args: tuple[Any, ...]) -> T:
    lease.holding(tx, job)
    return fn(tx, *args)


def _finished(
    tx: Tx,
    job: Job,
    clock: Clock,
    fn: Callable[..., Payload | None],
    args: tuple[Any, ...],
) -> Payload | None:
    lease.holding(tx, job)
    result = fn(tx, *args)
    lease.complete(tx, job, result, clock())
    return result
