"""A bounded memory: so many things, each for so long."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Remembered(Generic[K, V]):
    """Remembers at most `at_most` things for `for_s` seconds each; the oldest goes first.

    All are kept equally long, so the order in which they came is that in which they end, and a
    look costs one dictionary look-up and one comparison.
    """

    def __init__(
        self, at_most: int, for_s: float, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._at_most, self._for_s, self._now_s = at_most, for_s, now_s
        self._kept: dict[K, tuple[V, float]] = {}

    def get(self, key: K) -> V | None:
        """Return what is remembered of a key, None when nothing is, or it has ended."""
        kept = self._kept.get(key)
        if kept is None or kept[1] <= self._now_s():
            return None
        return kept[0]

    def put(self, key: K, value: V) -> None:
        """Remember something from now on; where there is no room, the oldest is forgotten."""
        self._kept.pop(key, None)
        self._kept[key] = (value, self._now_s() + self._for_s)
        while len(self._kept) > self._at_most:
            del self._kept[next(iter(self._kept))]

    def change(self, key: K, value: V) -> None:
        """Put another value in the place of one that is remembered; it ends when that would."""
        kept = self._kept.get(key)
        if kept is None or kept[1] <= self._now_s():
            self.put(key, value)
        else:
            self._kept[key] = (value, kept[1])

    def forget(self, key: K) -> None:
        """Forget one thing."""
        self._kept.pop(key, None)

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()

    def __len__(self) -> int:
        return len(self._kept)
