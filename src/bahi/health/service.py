"""Asking the parts of the house how they are, all at once and each within a bound.

What is asked is handed in: some checks are made here from what they need, others (the worker,
tokens) by whoever joins the house.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.health import repository
from bahi.health.model import Check, Finding, Looked, Remembered, Report, Transition, graded
from bahi.kernel.actor import Actor
from bahi.kernel.clock import Clock, to_micros
from bahi.kernel.errors import BahiError, Forbidden, Invalid
from bahi.kernel.ids import CLOCK_MAY_LAG, minted_at
from bahi.kernel.redaction import redact_text
from bahi.kernel.words import Health

ANSWER_WITHIN_S: Final = 3.0
PAGE_AT_MOST: Final = 500
ROWS_AT_ONCE: Final = 500
DETAILS_AT_MOST: Final = 500
LOOK_AGAIN_S: Final = 0.2
LAG_DEGRADED_S: Final = 5.0
LAG_UNHEALTHY_S: Final = 30.0
MIB: Final = 1 << 20
GB: Final = 10**9
KINDS: Final = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
ROOM_LOW: Final = 2048 * MIB
ROOM_OUT: Final = 256 * MIB

Checks = Sequence[Check]
"""What is asked, in the order in which it is shown."""

log = logging.getLogger("bahi.health")


async def look_around(checks: Sequence[Check], *, within_s: float = ANSWER_WITHIN_S) -> Report:
    """Ask every part at once; one that fails or is silent is unhealthy, and costs no other."""
    asked = [asyncio.create_task(_ask(check), name=f"health {check.name}") for check in checks]
    if asked:
        await asyncio.wait(asked, timeout=within_s)
    parts = []
    for check, task in zip(checks, asked, strict=True):
        if task.done() and not task.cancelled():
            parts.append(task.result())
            continue
        task.cancel()  # not waited for: what does not answer may not end either
        silence = f"No answer within {within_s:g} s."
        finding = Finding(Health.UNHEALTHY, silence, int(within_s * 1000))
        parts.append(_looked(check, finding, within_s))
    return Report(parts=tuple(parts))


async def _ask(check: Check) -> Looked:
    started = time.perf_counter()
    try:
        finding = await check.ask()
    except BahiError as failure:
        finding = Finding(Health.UNHEALTHY, str(failure))
    except Exception as fault:
        log.exception("the check of %s failed", check.name)
        finding = Finding(Health.UNHEALTHY, f"The check failed with {type(fault).__name__}.")
    return _looked(check, finding, time.perf_counter() - started)


def _looked(check: Check, finding: Finding, took_s: float) -> Looked:
    return Looked(
        component=check.name,
        status=finding.status,
        details=redact_text(finding.details)[:DETAILS_AT_MOST],
        response_time_ms=int(took_s * 1000) if finding.ms is None else finding.ms,
        vital=check.vital,
    )


# History


def keep(tx: Tx, report: Report, now: datetime) -> tuple[Transition, ...]:
    """Write a report down; return what is not as it was (a first look counts where it is bad)."""
    changes = []
    for looked in report.parts:
        before = repository.newest(tx, looked.component)
        well = looked.status is Health.HEALTHY
        errors = 0 if well else (before.error_count if before else 0) + 1
        repository.add(tx, looked, errors, to_micros(now))
        was = before.status if before else None
        if looked.status is not was and not (was is None and well):
            changes.append(
                Transition(
                    component=looked.component,
                    before=was,
                    after=looked.status,
                    details=looked.details,
                )
            )
    return tuple(changes)


async def history(
    store: Store,
    actor: Actor,
    *,
    limit: int = 50,
    before: int | None = None,
    component: str | None = None,
) -> list[Remembered]:
    """Return the newest looks (at a part), below an id."""
    if not actor.is_admin:
        raise Forbidden("Only an admin may see how the parts of the house were.")
    if not 1 <= limit <= PAGE_AT_MOST:
        raise Invalid(f"limit: {limit} is not 1 to {PAGE_AT_MOST}.")
    return await store.read(repository.history, limit, before, component, fresh=True)


async def lately(store: Store) -> list[Remembered]:
    """Return how each part was when it was asked last, by name; the words are for admins."""
    return await store.read(repository.newest_of_each, fresh=True)


async def forget_health_before(store: Store, before: datetime, *, dry_run: bool = False) -> int:
    """Forget the looks from before an instant, some at a time; return how many."""
    micros = to_micros(before)
    if dry_run:
        return await store.read(repository.count_before, micros, fresh=True)
    gone = 0
    while went := await store.write(repository.forget, micros, ROWS_AT_ONCE):
        gone += went
    return gone


# Checks that need only what is handed in


def store_answers(store: Store, *, vital: bool = True) -> Check:
    """Ask a store for its version."""

    async def ask() -> Finding:
        version = await store.read(repository.newest_step, fresh=True)
        return Finding(
            Health.HEALTHY, f"It answers ({KINDS[store.kind]}); its tables are at step {version}."
        )

    return Check(f"store {store.name}", ask, vital)


def replica_keeps_up(store: Store) -> Check:
    """Ask whether the replica that reads go to has what the primary had a moment ago."""

    async def ask() -> Finding:
        up_to = await store.read(repository.written_up_to, fresh=True)
        is_replica, is_there, age_s = await store.read(repository.replayed, up_to)
        if is_replica and not is_there:
            await asyncio.sleep(LOOK_AGAIN_S)
            is_replica, is_there, age_s = await store.read(repository.replayed, up_to)
        if not is_replica:
            return Finding(Health.DEGRADED, "No replica answers; the primary is read instead.")
        if is_there:
            return Finding(Health.HEALTHY, "It has what the primary has.")
        lag_s = LAG_UNHEALTHY_S if age_s is None else age_s
        status = graded(lag_s, LAG_DEGRADED_S, LAG_UNHEALTHY_S)
        return Finding(status, f"It is behind the primary; its newest row is {lag_s:.0f} s old.")

    return Check(f"replica of {store.name}", ask, vital=False)


def disk_has_room(
    folder: Path,
    *,
    low: int = ROOM_LOW,
    out: int = ROOM_OUT,
    free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
) -> Check:
    """Ask how much room is left where the data lies."""

    async def ask() -> Finding:
        left = await asyncio.to_thread(free, folder)
        status = graded(-left, -low, -out)
        return Finding(status, f"{left / GB:,.1f} GB are free where the data lies.")

    return Check("disk", ask)


def clock_is_right(clock: Clock, newest_id: Callable[[], Awaitable[int]]) -> Check:
    """Ask whether the clock is behind the newest id, and so behind the truth."""

    async def ask() -> Finding:
        newest = minted_at(await newest_id())
        behind = newest - clock()
        if behind > CLOCK_MAY_LAG:
            lag = behind.total_seconds()
            return Finding(
                Health.UNHEALTHY, f"The clock is {lag:.0f} s behind what was written last."
            )
        return Finding(
            Health.HEALTHY, "The clock is right: nothing was written after what it says."
        )

    return Check("clock", ask)


def queue_is_short(
    name: str,
    depth: Callable[[], Awaitable[int]],
    *,
    degraded_from: int,
    unhealthy_from: int,
    vital: bool = False,
) -> Check:
    """Ask how much waits in a queue."""

    async def ask() -> Finding:
        waiting = await depth()
        said = f"{waiting:,} wait in the queue." if waiting else "Nothing waits in the queue."
        return Finding(graded(waiting, degraded_from, unhealthy_from), said)

    return Check(name, ask, vital)


def beats(
    name: str,
    last_beat: Callable[[], Awaitable[datetime | None]],
    clock: Clock,
    *,
    late_after: timedelta,
    dead_after: timedelta,
    vital: bool = False,
) -> Check:
    """Ask when something that works by itself was last seen to."""

    async def ask() -> Finding:
        last = await last_beat()
        if last is None:
            return Finding(Health.UNHEALTHY, "It was never seen at work; is it started?")
        quiet_s = max(0.0, (clock() - last).total_seconds())
        status = graded(quiet_s, late_after.total_seconds(), dead_after.total_seconds())
        return Finding(status, f"It was at work {quiet_s:.0f} s ago.")

    return Check(name, ask, vital)
