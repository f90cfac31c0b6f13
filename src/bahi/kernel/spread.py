"""How long things took: counted in buckets that grow by powers, so that any many fit in a few.

Four buckets to a doubling. Each carries the least and the most that is in it, so a percentile is
never further off than its bucket is wide: a fifth of the value, and mostly much less.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

STEPS: Final = 4
"""Buckets to a doubling."""
FIRST_US: Final = 16
"""Shorter than this is one bucket."""
DOUBLINGS: Final = 24
"""Up to here, which is over four minutes; longer is one bucket again."""

BOUNDS: Final = tuple(
    round(FIRST_US * 2 ** (step / STEPS)) for step in range(DOUBLINGS * STEPS + 1)
)
"""Where each bucket ends and the next begins, in microseconds."""


class Bucket(NamedTuple):
    """How many took so long; `number` says from where to where it reaches."""

    number: int
    many: int
    total: int
    least: int
    most: int


class Bar(NamedTuple):
    """How many took from so long to less than so long; `until` None: or any longer."""

    since: int
    until: int | None
    many: int


class Spread(NamedTuple):
    """A histogram; empty buckets are left out, and the others are in their order."""

    buckets: tuple[Bucket, ...]

    @property
    def many(self) -> int:
        """How many there were."""
        return sum(it.many for it in self.buckets)

    @property
    def most(self) -> int | None:
        """The longest."""
        return max((it.most for it in self.buckets), default=None)

    @property
    def least(self) -> int | None:
        """The shortest."""
        return min((it.least for it in self.buckets), default=None)

    @property
    def mean(self) -> int | None:
        """What they took on average; None: there was none."""
        many = self.many
        return sum(it.total for it in self.buckets) // many if many else None

    def percentile(self, percent: int) -> int | None:
        """Return how long so many percent took at most, by the nearest rank; None: of nothing."""
        rank = max(1, -(-self.many * percent // 100))
        for it in self.buckets:
            if rank <= it.many:
                return _within(it, rank)
            rank -= it.many
        return None

    def bars(self) -> list[Bar]:
        """Return it as a picture has it: a bar for each doubling, the empty ones between too."""
        counts: dict[int, int] = {}
        for it in self.buckets:
            place = -(-it.number // STEPS)
            counts[place] = counts.get(place, 0) + it.many
        if not counts:
            return []
        return [_bar(it, counts.get(it, 0)) for it in range(min(counts), max(counts) + 1)]


def spread_of(buckets: Iterable[Bucket]) -> Spread:
    """Return a spread of buckets that come in any order."""
    return Spread(tuple(sorted(buckets)))


def bucket_number(us: int) -> int:
    """Return the bucket of a while; the books' own SQL says the same."""
    return sum(us >= it for it in BOUNDS)


def _within(it: Bucket, rank: int) -> int:
    """Return the one of a rank within a bucket, as if they lay evenly between its ends."""
    if it.many == 1:
        return it.least
    return it.least + (it.most - it.least) * (rank - 1) // (it.many - 1)


def _bar(place: int, count: int) -> Bar:
    since = BOUNDS[(place - 1) * STEPS] if place else 0
    until = BOUNDS[place * STEPS] if place <= DOUBLINGS else None
    return Bar(since, until, count)
