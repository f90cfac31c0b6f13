"""Errands: work that the house sees through, whoever asked for it and however they leave.

A client that hangs up must cut nothing: between an intent and its outcome there is a wire, and
half of that way is the worst place to stop.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

T = TypeVar("T")

FINISH_WITHIN_S: Final = 10.0
"""How long a closing house waits for what is under way; an order is sent within half of it."""

log = logging.getLogger("bahi.orders")


Name = tuple[int, str | None]
"""How a caller calls an order: within an account."""


class Errands:
    """The tasks that a house owns until they are done.

    `node` is the process's own, by which its orders are told from those of others; without one it
    is alone.
    """

    def __init__(self, node: int | None = None) -> None:
        self._node = node
        self._running: set[asyncio.Task[Any]] = set()
        self._tries: defaultdict[Name, set[asyncio.Future[None]]] = defaultdict(set)
        self.is_closing = False

    def __len__(self) -> int:
        return len(self._running)

    async def see_through(self, work: Coroutine[Any, Any, T]) -> T:
        """Do a piece of work; a caller that is cancelled leaves, and the work goes on."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_tell_the_log)
            raise

    def is_ours(self, node: int | None) -> bool:
        """Say whether what was written by a node was written by this process."""
        return self._node is None or node == self._node

    @contextmanager
    def trying(self, name: Name) -> Iterator[None]:
        """Place an order of a name, which is what others of the same name wait for."""
        if name[1] is None:
            yield
            return
        mine = asyncio.get_running_loop().create_future()
        self._tries[name].add(mine)
        try:
            yield
        finally:
            mine.set_result(None)
            self._tries[name].discard(mine)
            if not self._tries[name]:
                del self._tries[name]

    async def others(self, name: Name, at_most_s: float) -> None:
        """Wait until whoever places an order of a name in this process is done with it."""
        if tries := tuple(self._tries.get(name, ())):
            await asyncio.wait(tries, timeout=at_most_s)

    async def finish(self, within_s: float = FINISH_WITHIN_S) -> int:
        """Wait for what is under way; return how much was not done within the bound."""
        self.is_closing = True
        running = tuple(self._running)
        if not running:
            return 0
        _, left = await asyncio.wait(running, timeout=within_s)
        for task in left:
            task.cancel()
        if left:
            log.warning(
                "%d orders were under way when the house closed: the sweep settles them", len(left)
            )
            await asyncio.wait(left, timeout=within_s)
        return len(left)


class Trading:
    """What all desks of a house share: the errands under way, and how the driver is woken."""

    def __init__(self, node: int | None = None) -> None:
        self.errands = Errands(node)
        self._moved = asyncio.Event()
        self._listeners: tuple[Callable[[], None], ...] = ()

    def wake(self) -> None:
        """Tell the driver of this process that something may have moved. Called in its loop."""
        self._moved.set()
        for listener in self._listeners:
            listener()

    def add(self, listener: Callable[[], None]) -> None:
        """Call this too whenever something may have moved; it must not wait."""
        self._listeners = (*self._listeners, listener)

    def remove(self, listener: Callable[[], None]) -> None:
        """Call it no more."""
        self._listeners = tuple(it for it in self._listeners if it != listener)

    async def rest(self, at_most_s: float) -> None:
        """Wait until something moved, or for a while.

        Not by `wait_for`, which in 3.11 forgets that it was cancelled when both come at once: an
        order just before the house closes would then keep it open.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most_s):
                await self._moved.wait()
        self._moved.clear()


def _tell_the_log(task: asyncio.Task[Any]) -> None:
    """Say how it ended, since nobody waits for it any more."""
    if not task.cancelled() and (fault := task.exception()):
        log.warning("an order whose caller had left ended with a fault: %s", fault)
