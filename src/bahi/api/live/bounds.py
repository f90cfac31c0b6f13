"""How many sockets there may be, of whom, and how much each may ask."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TypeVar

from bahi.kernel.errors import Busy, TooMuch, TooSoon

SOCKETS_AT_MOST: Final = 500
"""In a process: a request that is no socket has to find room beside them."""
STRANGERS_AT_MOST: Final = 100
"""Of these, who have not said who they are."""
STRANGERS_OF_ADDRESS: Final = 20
SOCKETS_OF_KEY: Final = 10
FOLLOWED_BY_KEY: Final = 5_000
FOLLOWED_AT_MOST: Final = 200_000
"""Instruments that all sockets of a process follow, each counted for each."""
FRAMES_A_SECOND: Final = 20
FRAMES_AT_ONCE: Final = 200


K = TypeVar("K", str, int)


class Stranger:
    """A socket that has not said yet whose it is, and how long it may take to."""

    def __init__(self, home: str) -> None:
        self.home = home
        self.key_id: int | None = None
        self._time: asyncio.Timeout | None = None
        self._is_sent_away = False

    def within(self, seconds: float) -> asyncio.Timeout:
        """Return the time that it has."""
        self._time = asyncio.timeout(0 if self._is_sent_away else seconds)
        return self._time

    def send_away(self) -> None:
        """End its time: others come."""
        self._is_sent_away = True
        if self._time is not None and self._time.when() is not None and not self._time.expired():
            self._time.reschedule(asyncio.get_running_loop().time())


class Sockets:
    """Counts the sockets of a process."""

    def __init__(self) -> None:
        self._strangers: dict[int, Stranger] = {}
        self._known: Counter[int] = Counter()
        self._followed: Counter[int] = Counter()

    @property
    def open(self) -> int:
        """How many there are."""
        return len(self._strangers) + self._known.total()

    @contextmanager
    def let_in(self, home: str) -> Iterator[Stranger]:
        """Let a socket in, and count it until it leaves.

        Where too many have not said who they are, the one that had the longest time goes: whoever
        means well says it at once.
        """
        if self._known.total() >= SOCKETS_AT_MOST - STRANGERS_AT_MOST:
            raise Busy("There are too many sockets already; try again later.")
        neighbours = [it for it in self._strangers.values() if it.home == home]
        if len(neighbours) >= STRANGERS_OF_ADDRESS:
            self._send_away(neighbours[0])
        elif len(self._strangers) >= STRANGERS_AT_MOST:
            self._send_away(next(iter(self._strangers.values())))
        stranger = Stranger(home)
        self._strangers[id(stranger)] = stranger
        try:
            yield stranger
        finally:
            self._strangers.pop(id(stranger), None)
            if stranger.key_id is not None:
                _less(self._known, stranger.key_id)

    def _send_away(self, stranger: Stranger) -> None:
        del self._strangers[id(stranger)]
        stranger.send_away()

    def know(self, stranger: Stranger, key_id: int) -> None:
        """Count a socket as a key's from now on; refuse one too many."""
        if self._known[key_id] >= SOCKETS_OF_KEY:
            raise TooMuch(f"This key has {SOCKETS_OF_KEY} sockets open already; close one.")
        self._strangers.pop(id(stranger), None)
        self._known[key_id] += 1
        stranger.key_id = key_id

    def follow(self, key_id: int, more: int) -> None:
        """Count instruments that a key follows in one socket; refuse too many."""
        if self._followed[key_id] + more > FOLLOWED_BY_KEY:
            raise TooMuch(f"A key may follow {FOLLOWED_BY_KEY:,} instruments in all its sockets.")
        if self._followed.total() + more > FOLLOWED_AT_MOST:
            raise Busy("The sockets here follow as much as they can; try again later.")
        self._followed[key_id] += more

    def leave(self, key_id: int, many: int) -> None:
        """Count instruments that a key follows no more."""
        _less(self._followed, key_id, many)


def _less(counter: Counter[K], of: K, by: int = 1) -> None:
    counter[of] -= by
    if counter[of] <= 0:
        del counter[of]


class Pace:
    """How fast one socket may send."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s, self._at_s, self._left = now_s, now_s(), float(FRAMES_AT_ONCE)

    def count(self) -> None:
        """Count a frame; refuse one too many."""
        now_s = self._now_s()
        more = (now_s - self._at_s) * FRAMES_A_SECOND
        self._left, self._at_s = min(FRAMES_AT_ONCE, self._left + more), now_s
        if self._left < 1:
            raise TooSoon(f"More than {FRAMES_A_SECOND} frames a second came; come again slower.")
        self._left -= 1
