"""The two lanes in which units of work wait for a write thread.

Facts (outcomes, fills, cancels, kills) go before intents. Both lanes are bounded: an intent that
finds its lane full is refused, a fact waits for room. A unit is in exactly one state at any time,
and whoever moves it holds the lock, so "removed from the queue" is a definite answer.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Any, Final

from bahi.kernel.errors import BahiError, Busy, NotCommitted

INTENTS_WAITING: Final = 4096
FACTS_WAITING: Final = 4096
INTENT_WAITS_S: Final = 10.0


class Lane(Enum):
    """Which queue a unit waits in."""

    FACT = auto()
    INTENT = auto()


class Unit:
    """A function of a transaction, waiting to be run and committed.

    Where nobody waits for its end (`loop` is None) it has no future.
    """

    __slots__ = ("args", "effects", "error", "fn", "future", "lane", "loop", "queued", "result")

    def __init__(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        lane: Lane,
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.fn, self.args, self.lane, self.loop = fn, args, lane, loop
        self.future = None if loop is None else loop.create_future()
        self.queued = True
        self.result: Any = None
        self.error: BaseException | None = None
        self.effects: list[Callable[[], object]] = []

    @property
    def name(self) -> str:
        """The function's name, for messages."""
        return getattr(self.fn, "__qualname__", repr(self.fn))


class Lanes:
    """The waiting units of one write thread."""

    def __init__(
        self,
        *,
        facts_waiting: int = FACTS_WAITING,
        intents_waiting: int = INTENTS_WAITING,
    ) -> None:
        self._bounds = {Lane.FACT: facts_waiting, Lane.INTENT: intents_waiting}
        self._lanes: dict[Lane, deque[Unit]] = {Lane.FACT: deque(), Lane.INTENT: deque()}
        self._changed = threading.Condition(threading.Lock())
        self._room: deque[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = deque()
        self._closed = False

    def offer(self, unit: Unit) -> bool:
        """Queue a unit if its lane has room; refuse it where the house is closing."""
        with self._changed:
            if self._closed:
                raise NotCommitted("Bahi is shutting down; nothing was written.")
            lane = self._lanes[unit.lane]
            if len(lane) >= self._bounds[unit.lane]:
                return False
            lane.append(unit)
            self._changed.notify()
            return True

    async def put(self, unit: Unit) -> None:
        """Queue a unit: a fact waits for room, an intent is refused without it."""
        while not self.offer(unit):
            if unit.lane is Lane.INTENT:
                raise Busy(
                    f"{self._bounds[Lane.INTENT]} writes are waiting already; "
                    "nothing happened, try again in a second."
                )
            await self._for_room()

    async def _for_room(self) -> None:
        loop = asyncio.get_running_loop()
        room: asyncio.Future[None] = loop.create_future()
        with self._changed:
            if self._closed or len(self._lanes[Lane.FACT]) < self._bounds[Lane.FACT]:
                return
            self._room.append((loop, room))
        await room

    def remove(self, unit: Unit) -> bool:
        """Take a unit out while it waits; False when it runs, or has run."""
        with self._changed:
            if not unit.queued:
                return False
            unit.queued = False
            self._lanes[unit.lane].remove(unit)
            return True

    def take(self, most: int) -> list[Unit]:
        """Wait for work and take up to `most` units, facts first; empty means closed and done."""
        with self._changed:
            while not any(self._lanes.values()):
                if self._closed:
                    return []
                self._changed.wait()
            taken: list[Unit] = []
            for lane in (self._lanes[Lane.FACT], self._lanes[Lane.INTENT]):
                while lane and len(taken) < most:
                    unit = lane.popleft()
                    unit.queued = False
                    taken.append(unit)
            self._make_room()
            return taken

    def _make_room(self) -> None:
        free = self._bounds[Lane.FACT] - len(self._lanes[Lane.FACT])
        while self._room and (free > 0 or self._closed):
            loop, room = self._room.popleft()
            post(loop, _settle, room)
            free -= 1

    def waiting(self) -> int:
        """Count the units that wait."""
        with self._changed:
            return sum(len(lane) for lane in self._lanes.values())

    def close(self) -> None:
        """Admit nothing more; what waits is still taken."""
        with self._changed:
            self._closed = True
            self._make_room()
            self._changed.notify_all()

    def fail_the_rest(self) -> None:
        """End everything that still waits: it never happened."""
        with self._changed:
            left = [unit for lane in self._lanes.values() for unit in lane]
            for unit in left:
                unit.queued = False
            for lane in self._lanes.values():
                lane.clear()
        fail(left, NotCommitted("Bahi shut down before this write had its turn."))
        publish(left)


def fail(units: Iterable[Unit], why: BahiError) -> None:
    """Give each unit the failure, as an exception of its own."""
    for unit in units:
        unit.error = type(why)(str(why))


def publish(units: Iterable[Unit]) -> None:
    """Tell the callers how their units ended: one wake-up per event loop, not one per unit."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Unit]] = {}
    for unit in units:
        if unit.loop is not None:
            by_loop.setdefault(unit.loop, []).append(unit)
    for loop, ended in by_loop.items():
        post(loop, _resolve, ended)


def post(loop: asyncio.AbstractEventLoop, fn: Callable[..., None], *args: Any) -> None:
    """Call a function on a loop from another thread; a loop that is gone has nobody waiting."""
    if not loop.is_closed():
        try:
            loop.call_soon_threadsafe(fn, *args)
        except RuntimeError:  # closed between the question and the call
            return


def _settle(room: asyncio.Future[None]) -> None:
    if not room.done():
        room.set_result(None)


def _resolve(units: list[Unit]) -> None:
    for unit in units:
        if unit.future is None or unit.future.done():  # its caller was cancelled while it ran
            continue
        if unit.error is not None:
            unit.future.set_exception(unit.error)
        else:
            unit.future.set_result(unit.result)


async def submit(lanes: Lanes, fn: Callable[..., Any], args: tuple[Any, ...], lane: Lane) -> Any:
    """Queue a function and wait for its end: its result, its exception, or a refusal."""
    loop = asyncio.get_running_loop()
    unit = Unit(fn, args, lane, loop)
    future = unit.future
    assert future is not None  # noqa: S101 - it was given a loop
    await lanes.put(unit)
    timer = loop.call_later(INTENT_WAITS_S, _expire, lanes, unit) if lane is Lane.INTENT else None
    try:
        return await future
    except asyncio.CancelledError:
        lanes.remove(unit)  # queued: it never happens; running: it commits
        raise
    finally:
        if timer is not None:
            timer.cancel()


def _expire(lanes: Lanes, unit: Unit) -> None:
    if unit.future is not None and lanes.remove(unit):
        unit.future.set_exception(
            Busy(
                f"The write waited {INTENT_WAITS_S:.0f} s for its turn; "
                "nothing happened, try again in a moment."
            )
        )
