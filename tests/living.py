"""A house to live in for the length of a story: real stores, real keys, a clock of one's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

from bahi.bootstrap import House, build
from bahi.config import Settings
from bahi.kernel.clock import Clock, StoppedClock, SystemClock

T = TypeVar("T")

MORNING = datetime(2036, 11, 24, 3, 0, tzinfo=UTC)
"""08:30 of a Monday in India, later than any id that a real clock has minted."""


def live_in(
    environ: dict[str, str],
    story: Callable[[House], Awaitable[T]],
    clock: Clock | None = None,
) -> T:
    """Build a house, let the story happen in it, close it."""

    async def whole() -> T:
        house = build(Settings.from_environment(environ), clock=clock or SystemClock())
        try:
            return await story(house)
        finally:
            await house.close()

    return asyncio.run(whole())


def stopped(at: datetime = MORNING) -> StoppedClock:
    """Return a clock that moves when told to."""
    return StoppedClock(at)
