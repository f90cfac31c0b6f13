"""How much one key, one session or one address may ask in a minute; kept in memory, bounded."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from bahi.kernel.errors import TooSoon
from bahi.kernel.remembered import Remembered

WINDOW_S: Final = 60
SUBJECTS_AT_MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Share:
    """How much of its share of this minute somebody has asked."""

    limit: int
    asked: int
    resets_in_s: int

    @property
    def headers(self) -> tuple[tuple[bytes, bytes], ...]:
        """The same, as headers say it."""
        return (
            (b"x-ratelimit-limit", str(self.limit).encode()),
            (b"x-ratelimit-remaining", str(max(0, self.limit - self.asked)).encode()),
            (b"x-ratelimit-reset", str(self.resets_in_s).encode()),
        )

    def refuse(self) -> TooSoon:
        """Say when to come again."""
        return TooSoon(
            f"More than {self.limit} requests came in a minute; come again in {self.resets_in_s} "
            "s.",
            retry_after_s=self.resets_in_s,
        )


class Limits:
    """Counts, in windows of a minute, what each subject asks."""

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._asked: Remembered[str, tuple[int, int]] = Remembered(
            SUBJECTS_AT_MOST, WINDOW_S, now_s
        )

    def look(self, subject: str, limit: int) -> Share:
        """Say how much a subject has asked, without counting."""
        window, into_s = divmod(int(self._now_s()), WINDOW_S)
        known, asked = self._asked.get(subject) or (window, 0)
        return Share(limit, asked if known == window else 0, WINDOW_S - into_s)

    def count(self, subject: str, limit: int) -> Share:
        """Count one more; what is refused is counted too."""
        before = self.look(subject, limit)
        window = int(self._now_s()) // WINDOW_S
        self._asked.put(subject, (window, before.asked + 1))
        return Share(limit, before.asked + 1, before.resets_in_s)
