"""What is asked how it is: the stores, the disk, the clock, the queue, the worker, the desk."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Final

from bahi.bootstrap.desk_checks import desk_checks
from bahi.bootstrap.ground import NEWEST_IN
from bahi.bootstrap.rooms import Rooms
from bahi.db.nodes import newest_in
from bahi.db.schema import TRADING
from bahi.health.model import Check, Finding
from bahi.health.service import (
    clock_is_right,
    disk_has_room,
    queue_is_short,
    replica_keeps_up,
    store_answers,
)
from bahi.jobs.service import oldest_due, waiting
from bahi.kernel.words import Health
from bahi.tokens.service.book import count_states

LATE_AFTER: Final = timedelta(seconds=30)
DEAD_AFTER: Final = timedelta(minutes=5)
SPARE: Final = frozenset({"latency", "logs", "telegram", "archive"})
"""Stores that the house can trade without for a while."""


def checks_of(house: Rooms, handled: Collection[str]) -> Sequence[Check]:
    """Return every check of a house whose workers handle these types of jobs."""
    main = house.stores["main"]
    checks = [store_answers(store, vital=store.name not in SPARE) for store in house.stores]
    if house.settings.replica:
        checks.append(replica_keeps_up(main))

    async def depth() -> int:
        now = house.clock()
        return sum([await house.stores[name].read(waiting, now, fresh=True) for name in TRADING])

    async def newest() -> int:
        return max(
            [await house.stores[name].read(newest_in, NEWEST_IN, fresh=True) for name in TRADING]
        )

    checks += [
        disk_has_room(house.settings.home),
        clock_is_right(house.clock, newest),
        queue_is_short("jobs", depth, degraded_from=1_000, unhealthy_from=10_000),
        Check("worker", lambda: _worker(house, tuple(handled)), vital=False),
        Check("tokens", lambda: _tokens(house), vital=False),
        *desk_checks(house),
    ]
    return checks


async def _worker(house: Rooms, handled: tuple[str, ...]) -> Finding:
    """Ask whether anybody does what is due: a job that waits too long tells.

    A job of a type that no worker handles is a record of work done elsewhere: it tells nothing.
    """
    now = house.clock()
    asked = [await house.stores[name].read(oldest_due, handled, fresh=True) for name in TRADING]
    behind = max((now - due for due in asked if due is not None), default=timedelta(0))
    seconds = int(max(behind, timedelta(0)).total_seconds())
    if behind > DEAD_AFTER:
        return Finding(Health.UNHEALTHY, f"A job has waited for {seconds} s; is a worker running?")
    if behind > LATE_AFTER:
        return Finding(Health.DEGRADED, f"A job has waited for {seconds} s.")
    return Finding(Health.HEALTHY, "Every job that is due was taken up.")


async def _tokens(house: Rooms) -> Finding:
    """Ask how many applications have a token that has time left."""
    good, all_of_them = await house.stores["main"].read(count_states, house.clock(), fresh=True)
    pending = len(house.login_desk.pending)
    if pending:
        return Finding(Health.DEGRADED, f"{pending} tokens wait in memory for the database.")
    if good < all_of_them:
        return Finding(Health.DEGRADED, f"{good} of {all_of_them} applications have a token.")
    return Finding(Health.HEALTHY, f"All {all_of_them} applications have a token.")
