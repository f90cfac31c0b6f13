"""The two lanes in which units of work wait for a write thread.

Facts (outcomes, fills, cancels, kills) go before intents. An intent that finds its lane full is
refused; a fact is never refused, and as its caller waits for it, there are never more facts here
than there are tasks. A unit is in exactly one state at any time, and whoever moves it holds the
lock, so "removed from the queue" is a definite answer.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from enum import Enum, auto
from typing import Any, Final

from bahi.kernel.errors import BahiError, Busy, NotCommitted

INTENTS_WAITING: Final = 4096
INTENT_WAITS_S: Final = 10.0
LOOKED_THROUGH: Final = 64
"""How far down a lane it is looked for units that can share a transaction."""

log = logging.getLogger("bahi.db")


class Lane(Enum):
    """Which queue a unit waits in."""

    FACT = auto()
    INTENT = auto()


class Unit:
    """A function of a transaction, waiting to be run and committed.

    `whose` is the account or the instrument whose turn it is; one that is not `durable` need not
    wait for the disk. Where nobody waits for its end
    (`loop` is None) it has no future, and `lost` is told instead.
    """

    __slots__ = (
        "args",
        "durable",
        "effects",
        "ended",
        "error",
        "fn",
        "future",
        "lane",
        "loop",
        "lost",
        "queued",
        "result",
        "whose",
    )

    def __init__(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        lane: Lane,
        loop: asyncio.AbstractEventLoop | None,
        lost: Callable[[], None] | None = None,
    ) -> None:
        self.fn, self.args, self.lane, self.loop, self.lost = fn, args, lane, loop, lost
        self.whose: int | None = None
        self.durable = True
        self.future = None if loop is None else loop.create_future()
        self.queued = self.ended = False
        self.result: Any = None
        self.error: BaseException | None = None
        self.effects: list[Callable[[], object]] = []

    @property
    def name(self) -> str:
        """The function's name, for messages; never its arguments."""
        named = getattr(self.fn, "func", self.fn)  # of a partial, what it calls
        return getattr(named, "__qualname__", type(named).__name__)

    def fail(self, why: BahiError) -> None:
        """End it with a failure, as an exception of its own."""
        self.error, self.ended = type(why)(str(why)), True


class Lanes:
    """The waiting units of one write thread."""

    def __init__(self, *, intents_waiting: int = INTENTS_WAITING) -> None:
        self._intents_waiting = intents_waiting
        self._lanes: dict[Lane, deque[Unit]] = {Lane.FACT: deque(), Lane.INTENT: deque()}
        self._changed = threading.Condition(threading.Lock())
        self._closed = False

    def put(self, unit: Unit) -> None:
        """Queue a unit; an intent is refused where too many wait, anything where we close."""
        with self._changed:
            if self._closed:
                raise NotCommitted("Bahi is shutting down; nothing was written.")
            lane = self._lanes[unit.lane]
            if unit.lane is Lane.INTENT and len(lane) >= self._intents_waiting:
                raise Busy(
                    f"{self._intents_waiting} writes are waiting already; "
                    "nothing happened, try again in a second."
                )
            unit.queued = True
            lane.append(unit)
            self._changed.notify()

    def remove(self, unit: Unit) -> bool:
        """Take a unit out while it waits; False when it runs, or has run."""
        with self._changed:
            if not unit.queued:
                return False
            unit.queued = False
            self._lanes[unit.lane].remove(unit)
            return True

    def wait(self) -> bool:
        """Wait until there is work; False once we are closed and nothing is left."""
        with self._changed:
            while not any(self._lanes.values()):
                if self._closed:
                    return False
                self._changed.wait()
            return True

    def take(self, most: int) -> list[Unit]:
        """Take up to `most` units, facts first; none where all were removed meanwhile."""
        with self._changed:
            taken: list[Unit] = []
            for lane in (self._lanes[Lane.FACT], self._lanes[Lane.INTENT]):
                while lane and len(taken) < most:
                    unit = lane.popleft()
                    unit.queued = False
                    taken.append(unit)
            return taken

    def take_alike(self, most: int) -> list[Unit]:
        """Take the next unit, and with it up to `most` of the same lane and the same account."""
        with self._changed:
            lane = self._lanes[Lane.FACT] or self._lanes[Lane.INTENT]
            if not lane:
                return []
            taken = [lane.popleft()]
            whose = taken[0].whose
            if whose is not None:
                near = list(itertools.islice(lane, LOOKED_THROUGH))
                taken += [it for it in near if it.whose == whose][: most - 1]
            for unit in taken:
                unit.queued = False
            for unit in taken[1:]:
                lane.remove(unit)
            return taken

    def close(self) -> None:
        """Admit nothing more; what waits is still taken."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def fail_the_rest(self) -> None:
        """End everything that still waits: it never happened."""
        left = self.take(most=sum(map(len, self._lanes.values())))
        for unit in left:
            unit.fail(NotCommitted("Bahi shut down before this write had its turn."))
        publish(left)


def publish(units: Iterable[Unit]) -> None:
    """Tell the callers how their units ended: one wake-up per event loop, not one per unit."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Unit]] = {}
    for unit in units:
        if unit.loop is not None:
            by_loop.setdefault(unit.loop, []).append(unit)
        elif unit.error is not None and unit.lost is not None:
            unit.lost()
    for loop, ended in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, ended)
        except RuntimeError:  # the loop is closed: nobody waits any more
            log.debug("%d units ended after their event loop", len(ended))


def _resolve(units: list[Unit]) -> None:
    for unit in units:
        if unit.future is None or unit.future.done():  # its caller was cancelled while it ran
            continue
        if unit.error is not None:
            unit.future.set_exception(unit.error)
        else:
            unit.future.set_result(unit.result)


async def submit(
    lanes: Lanes,
    fn: Callable[..., Any],
    args: tuple[Any, ...],
    lane: Lane,
    whose: int | None = None,
    *,
    durable: bool = True,
) -> Any:
    """Queue a function and wait for its end: its result, its exception, or a refusal."""
    loop = asyncio.get_running_loop()
    unit = Unit(fn, args, lane, loop)
    unit.whose, unit.durable = whose, durable
    future = unit.future
    assert future is not None  # noqa: S101 - it was given a loop
    lanes.put(unit)
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
    future = unit.future
    if future is not None and not future.done() and lanes.remove(unit):
        future.set_exception(
            Busy(
                f"The write waited {INTENT_WAITS_S:.0f} s for its turn; "
                "nothing happened, try again in a moment."
            )
        )
