"""How often an account may ask its broker: windows that slide, and a reserve for exits.

A window is counted in tenths. The tenth that is running and the ten before it together never hold
more than the window allows, so no stretch of its length does, wherever it begins. A day
is the exchange's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from bahi.kernel.clock import IST, exchange_day, to_micros
from bahi.kernel.words import BrokerSlug

PARTS: Final = 10
RESERVE_PERCENT: Final = 20
"""Of each window, kept for exits and for taking orders back."""
MICROS: Final = 1_000_000


class Window(NamedTuple):
    """So many orders in so many seconds."""

    orders: int
    seconds: int

    @property
    def for_entries(self) -> int:
        """How many of them entries may use."""
        return self.orders - -(-self.orders * RESERVE_PERCENT // 100)


MINUTE, HOUR, DAY = 60, 3600, 86_400
WINDOWS: Final = {
    BrokerSlug.KITE: (Window(10, 1), Window(400, MINUTE), Window(5000, DAY)),
    BrokerSlug.UPSTOX: (Window(10, 1), Window(500, MINUTE), Window(2000, 30 * MINUTE)),
    BrokerSlug.DHAN: (
        Window(10, 1),
        Window(250, MINUTE),
        Window(1000, HOUR),
        Window(7000, DAY),
    ),
    BrokerSlug.ANGEL: (Window(10, 1), Window(500, MINUTE), Window(1000, HOUR)),
    BrokerSlug.BREEZE: (Window(10, 1), Window(100, MINUTE), Window(5000, DAY)),
    BrokerSlug.OPENALGO: (Window(10, 1),),
    BrokerSlug.PAPER: (Window(10, 1), Window(400, MINUTE)),
}
"""What each broker allows, places, changes and cancels together; `spec/BROKERS.md` 8."""


class Slot(NamedTuple):
    """A window as it was used: the tenth that runs, counted from 1970, and the last eleven."""

    tenth: int
    counts: tuple[int, ...]


class Late(NamedTuple):
    """A window that is full, and after how long it has room again."""

    window: Window
    allowed: int
    retry_after_s: float


def take(
    windows: Sequence[Window], kept: str | None, now: datetime, *, is_exit: bool
) -> tuple[str, Late | None]:
    """Count one more order; return what to keep, and the window that is too full for it."""
    known = _read(kept) if kept else {}
    used = {it: _moved(it, known.get(it.seconds, _UNUSED), now) for it in windows}
    for window, slot in used.items():
        allowed = window.orders if is_exit else window.for_entries
        if sum(slot.counts) >= allowed:
            return _written(used), Late(window, allowed, _wait(window, slot, allowed, now))
    return _written({window: _counted(slot) for window, slot in used.items()}), None


def used_of(window: Window, kept: str | None, now: datetime) -> int:
    """Return how many orders of a window are used up now, and count none."""
    known = _read(kept) if kept else {}
    return sum(_moved(window, known.get(window.seconds, _UNUSED), now).counts)


def _moved(window: Window, slot: Slot, now: datetime) -> Slot:
    """Return a slot as it is now: what has run out of the window is forgotten."""
    if window.seconds == DAY:
        today = exchange_day(now).toordinal()
        return slot if slot.tenth == today else _UNUSED._replace(tenth=today)
    tenth = max(to_micros(now) * PARTS // (window.seconds * MICROS), slot.tenth)
    gone = min(tenth - slot.tenth, PARTS + 1)
    return Slot(tenth, (*slot.counts[gone:], *(0 for _ in range(gone))))


def _counted(slot: Slot) -> Slot:
    return slot._replace(counts=(*slot.counts[:-1], slot.counts[-1] + 1))


def _wait(window: Window, slot: Slot, allowed: int, now: datetime) -> float:
    """Return after how many seconds enough of the oldest tenths are forgotten."""
    if window.seconds == DAY:
        tomorrow = exchange_day(now) + timedelta(days=1)
        return (datetime.combine(tomorrow, time(), IST) - now).total_seconds()
    over = sum(slot.counts) - allowed + 1
    forgotten = 0
    while over > 0 and forgotten < len(slot.counts):
        over -= slot.counts[forgotten]
        forgotten += 1
    due = (slot.tenth + forgotten) * window.seconds * MICROS // PARTS
    return max(0, due - to_micros(now)) / MICROS


_UNUSED: Final = Slot(0, (0,) * (PARTS + 1))


@lru_cache(maxsize=256)
def _read(kept: str) -> dict[int, Slot]:
    return {
        int(seconds): Slot(tenth, tuple(counts))
        for seconds, (tenth, counts) in json.loads(kept).items()
    }


def _written(used: Mapping[Window, Slot]) -> str:
    kept = {str(window.seconds): slot for window, slot in used.items()}
    return json.dumps(kept, separators=(",", ":"))
