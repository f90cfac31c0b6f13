"""What tells every process that something it keeps in memory was changed.

A writer bumps a topic's number in its own transaction. Every process reads all numbers twice a
second; a number that it has not read for a second counts as unknown, and whoever asks then goes to
the database. So nothing in memory is older than a second, even when the reading fails.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.stores import Store
from bahi.db.tables import revisions
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError

LOOK_EVERY_S: Final = 0.4
GOOD_FOR_S: Final = 0.9

log = logging.getLogger("bahi.db")

_ALL: Final = Statement(sa.select(revisions.c.topic, revisions.c.number))
_MORE: Final = sa.text(
    "INSERT INTO revisions (topic, number) VALUES (:topic, 1)"
    " ON CONFLICT (topic) DO UPDATE SET number = revisions.number + 1"
)


def bump(tx: Tx, topic: str) -> None:
    """Say, in the transaction that changes it, that something kept in memory is new."""
    tx.change(_MORE, {"topic": topic})


class Revisions:
    """The numbers as this process last read them."""

    def __init__(self, main: Store, now_s: Callable[[], float] = time.monotonic) -> None:
        self._main, self._now_s = main, now_s
        self._numbers: dict[str, int] = {}
        self._good_until_s = float("-inf")
        self._looking: asyncio.Task[None] | None = None

    def number(self, topic: str) -> int | None:
        """Return a topic's number; None when it was not read within the last second."""
        if self._now_s() >= self._good_until_s:
            return None
        return self._numbers.get(topic, 0)

    async def look(self) -> None:
        """Read all numbers now; they are as old as this call, not as its answer."""
        asked_at_s = self._now_s()
        numbers = await self._main.read(_numbers, fresh=True)
        self._numbers = numbers
        self._good_until_s = asked_at_s + GOOD_FOR_S

    def start(self) -> None:
        """Go on looking until `stop`."""
        if self._looking is None:
            self._looking = asyncio.create_task(self._keep_looking(), name="revisions")

    async def stop(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            with suppress(asyncio.CancelledError):
                await self._looking
            self._looking = None

    async def _keep_looking(self) -> None:
        failed = False
        while True:
            try:
                await self.look()
                failed = False
            except BahiError as fault:
                if not failed:  # once, not twice a second
                    log.warning("what was changed elsewhere cannot be read: %s", fault)
                failed = True
            await asyncio.sleep(LOOK_EVERY_S)


def _numbers(tx: Tx) -> dict[str, int]:
    return {str(topic): int(number) for topic, number in tx.rows(_ALL)}
