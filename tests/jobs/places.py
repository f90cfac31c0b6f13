"""Stores with all tables, opened for a story: as a process of the house has them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bahi.config import Settings
from bahi.db.stores import Store, Stores
from bahi.jobs.model import Retry, Schedule
from bahi.jobs.service import Bell, Handler
from bahi.kernel.clock import StoppedClock, unix_ms
from bahi.kernel.ids import IdMint
from tests.cli.processes import Environment

MORNING = datetime(2026, 11, 20, 3, 0, tzinfo=UTC)  # Friday, 08:30 in India
NODES = itertools.count(1)

Story = Callable[["Place"], Awaitable[Any]]


@dataclass
class Place:
    """What a worker needs of a house, with a clock that stands still."""

    home: Path
    stores: Stores
    clock: StoppedClock
    bell: Bell
    handlers: dict[str, Handler] = field(default_factory=dict)
    retries: dict[str, Retry] = field(default_factory=dict)
    schedules: list[Schedule] = field(default_factory=list)

    @property
    def main(self) -> Store:
        return self.stores["main"]

    @property
    def sandbox(self) -> Store:
        return self.stores["sandbox"]


@asynccontextmanager
async def opened(env: Environment) -> AsyncIterator[Place]:
    """Open the trading stores as another process of the house would."""
    settings = Settings.from_environment(env)
    urls = {name: settings.urls[name] for name in ("main", "sandbox")}
    stores = Stores(urls, IdMint(next(NODES), unix_ms).mint)
    bell = Bell(settings.home, urls.values())
    try:
        yield Place(settings.home, stores, StoppedClock(MORNING), bell)
    finally:
        await asyncio.to_thread(bell.close)
        await stores.close()


def tell(env: Environment, story: Story) -> Any:
    """Run a story in such a place."""

    async def whole() -> Any:
        async with opened(env) as place:
            return await story(place)

    return asyncio.run(whole())


async def until(seen: Callable[[], Awaitable[bool]]) -> None:
    """Look again and again until it is so, with an end to patience."""
    async with asyncio.timeout(60):
        while True:
            if await seen():
                return
            await asyncio.sleep(0.01)
