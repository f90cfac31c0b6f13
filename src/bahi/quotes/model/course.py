"""The course of one name through one day: what a simulated share, or all that hangs on it, follows.

A day is laid out minute by minute. Each minute goes from where it begins to its highest and its
lowest point and on to where the next one begins, all drawn beforehand; its seconds tremble about
that line, but never beyond the two. So its high and low are known without walking its seconds, and
whatever rises or falls with the course (a future, a call, a put) has a known high and low as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from itertools import accumulate
from math import exp
from typing import Final, NamedTuple

from bahi.quotes.model.hours import MINUTE, Span
from bahi.quotes.model.noise import drawn, eased, signed, smooth

MINUTES: Final = 1_440
BLOCK: Final = 15
"""Minutes in which an option's time to expiry stands still (see `pricing`)."""
BLOCKS: Final = MINUTES // BLOCK
WITHIN: Final = {240: 0.55, 60: 0.35, 15: 0.2, 5: 0.12, 1: 0.06}
"""How far noise of so many minutes moves, as shares of a day's usual move."""
ACROSS: Final = {1: 0.6, 5: 1.0, 21: 1.8, 63: 3.0, 250: 6.0}
"""How far noise of so many days moves, likewise."""
REACH: Final = 0.09
"""How far a minute reaches beyond its two ends at most, likewise."""
TREMBLE: Final = 0.3
GAP: Final = 0.35
SETTLING: Final = 20.0
"""Minutes in which the day's noise grows from its beginning, and dies down to its end."""
OUTSIDE: Final = 0.25
"""How much of that growth there is outside of the name's own hours."""
LATE: Final = 0.08
"""How far a closing auction moves from where its shares stood, as a share of a day's move."""
REMEMBERED: Final = 2


@dataclass(frozen=True, slots=True)
class Name:
    """What a course is of: a name, what it is worth, and how far it moves on a usual day."""

    seed: str
    key: str
    reference: float
    move: float


class Shape(NamedTuple):
    """One day's hours for a course: where its noise is fixed, and which minutes are laid out.

    All are minutes of the day in India. `opens` and `closes` are those of the name itself, so that
    its futures, which trade on a little, follow the same course. `calms` is where its shares stop
    for the closing auction, and `closes` itself where there is none: whatever trades on meanwhile
    ends at the auction's price, and that is near. What `settles` stands still once its name closed.
    """

    opens: int
    calms: int
    closes: int
    first: int
    last: int
    settles: bool = False


@dataclass(frozen=True, slots=True)
class Tilt:
    """What a seeded trouble does to a day: a jump at its beginning, or no movement at all."""

    gap: float = 0.0
    stuck_at: float | None = None


STRAIGHT: Final = Tilt()


@lru_cache(maxsize=65_536)
def _turn(seed: str, key: str, period: int, place: int) -> float:
    return signed(drawn(2, seed, key, "days", period, place))


@lru_cache(maxsize=16_384)
def close_of(name: Name, day: date) -> float:
    """Return what a name is worth when a day closes."""
    ordinal, moved = day.toordinal(), 0.0
    for period, share in ACROSS.items():
        place, step = divmod(ordinal, period)
        one = _turn(name.seed, name.key, period, place)
        other = _turn(name.seed, name.key, period, place + 1)
        moved += share * (one + (other - one) * eased(period)[step])
    return name.reference * exp(name.move * moved)


class Course:
    """A name's day, laid out."""

    def __init__(
        self, name: Name, day: date, previous: date | None, shape: Shape, tilt: Tilt = STRAIGHT
    ) -> None:
        self._name, self.day, self.shape = name, day, shape
        self.before = close_of(name, previous) if previous else close_of(name, day)
        self._source = drawn(MINUTES * 4 + 8, name.seed, name.key, "minutes", day)
        stuck = tilt.stuck_at
        self.locked = 0 if stuck is None else 1 if stuck > self.before else -1
        self._reach = 0.0 if stuck else name.move * name.reference * REACH
        self.ends = [stuck] * (shape.last - shape.first + 1) if stuck else self._ends(tilt)
        self._seconds: dict[int, list[float]] = {}

    @cached_property
    def highs(self) -> list[float]:
        """The highest point of each minute."""
        return [max(it) + more for *it, more in self._reaching(0)]

    @cached_property
    def lows(self) -> list[float]:
        """The lowest point of each minute."""
        return [min(it) - more for *it, more in self._reaching(1)]

    def _reaching(self, chance: int) -> Iterator[tuple[float, float, float]]:
        """Yield the two ends of each minute, and how far it reaches beyond them on one side."""
        shape, reach = self.shape, self._reach / 65_025
        moving = max(0, shape.closes - shape.first) if shape.settles else len(self.ends)
        chances = self._source[4 * shape.first + chance : 4 * shape.last : 4]
        for at, far in enumerate(chances):
            yield self.ends[at], self.ends[at + 1], reach * (far * far) if at < moving else 0.0

    def _ends(self, tilt: Tilt) -> list[float]:
        """Return what the name is worth where each minute begins, and where the last one ends."""
        shape, name = self.shape, self._name
        opens = self.before * exp(name.move * GAP * (signed(self._source[-2:]) + tilt.gap))
        close = close_of(name, self.day)
        late = name.move * LATE * signed(self._source[-4:-2]) if shape.calms < shape.closes else 0.0
        rise = close * exp(late) / opens - 1
        minutes = range(shape.first, shape.last + 1)
        noise = [0.0] * len(minutes)
        for period, share in WITHIN.items():
            source = drawn(2 * (MINUTES // period + 2), name.seed, name.key, period, self.day)
            more = smooth(source, period, minutes)
            noise = [one + share * other for one, other in zip(noise, more, strict=True)]
        length = max(1, shape.calms - shape.opens)
        found = []
        for at, minute in enumerate(minutes):
            moved = name.move * noise[at] * _freedom(shape, minute)
            if minute <= shape.calms:
                part = max(0.0, (minute - shape.opens) / length)
                found.append(opens * (1 + rise * part) * exp(moved))
            else:
                rest = max(0, shape.closes - minute) / (shape.closes - shape.calms or 1)
                found.append(close * exp(late * rest + moved))
        return found

    @property
    def close(self) -> float:
        """What it is worth where its own hours end: the day's official close."""
        return self.ends[self.shape.closes - self.shape.first]

    def seconds(self, at: int) -> list[float]:
        """Return the seconds of one minute, counted from the first that is laid out."""
        found = self._seconds.get(at)
        if found is None:
            if len(self._seconds) >= REMEMBERED:
                self._seconds.clear()
            found = self._seconds[at] = self._walk(at)
        return found

    def _walk(self, at: int) -> list[float]:
        high, low = self.highs[at], self.lows[at]
        when, then = self._source[(base := 4 * (at + self.shape.first)) + 2 : base + 4]
        first, second, falls = 1 + (when >> 1) % 28, 30 + then % 28, when & 1
        one, other = (low, high) if falls else (high, low)
        trembling = drawn(MINUTE, self._name.seed, self._name.key, self.day, at + self.shape.first)
        wide = (high - low) * TREMBLE / 127.5
        found: list[float] = []
        here, begins = self.ends[at], 0
        for there, until in ((one, first), (other, second), (self.ends[at + 1], MINUTE - 1)):
            step = (there - here) / (until - begins)
            line = here
            found.append(here)
            for shaken in trembling[begins + 1 : until]:
                line += step
                it = line + wide * (shaken - 127.5)
                found.append(low if it < low else min(it, high))
            here, begins = there, until
        found.append(here)
        return found


def _freedom(shape: Shape, minute: int) -> float:
    """Return how freely a course moves, from 0 where it is fixed to 1 in the midst of its day."""
    opens, calms, closes = shape.opens, shape.calms, shape.closes
    far = min(abs(minute - opens), abs(calms - minute), abs(closes - minute)) / SETTLING
    if opens <= minute <= closes:
        return min(1.0, far)
    return 0.0 if shape.settles and minute > shape.closes else far * OUTSIDE


def block_of(minute: int, closing: int) -> int:
    """Return the block that a minute lies in; from `closing` on every minute is one of its own."""
    return minute // BLOCK if minute < closing else BLOCKS + minute - closing


class Activity:
    """How a day's trading is spread over its minutes: more at both ends, and some by chance."""

    def __init__(self, name: Name, day: date, spans: tuple[tuple[int, int], ...]) -> None:
        minutes = [minute for begins, ends in spans for minute in range(begins, ends)]
        chance = drawn(MINUTES, name.seed, name.key, "volume", day)
        half = max(1.0, len(minutes) / 2)
        weights = [
            (0.6 + 1.8 * ((at - half) / half) ** 4) * (0.4 + chance[minute] / 160)
            for at, minute in enumerate(minutes)
        ]
        sums = list(accumulate(weights, initial=0.0))
        whole = sums[-1] or 1.0
        self.minutes = minutes
        self.place = {minute: at for at, minute in enumerate(minutes)}
        self.shares = [it / whole for it in sums]

    def until(self, minute: int, second: int) -> float:
        """Return the part of the day's trading that is done when a second of a minute ends."""
        at = self.place[minute]
        one = self.shares[at]
        return one + (self.shares[at + 1] - one) * (second + 1) / MINUTE


def minutes_of(spans: tuple[Span, ...], midnight: int) -> tuple[tuple[int, int], ...]:
    """Return spans as minutes of the day."""
    return tuple(
        ((it.begins - midnight) // MINUTE, -((midnight - it.ends) // MINUTE)) for it in spans
    )
