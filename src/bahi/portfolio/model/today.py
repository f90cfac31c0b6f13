"""The money of a day: what was closed, what is open, what it cost, in all and by a label."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bahi.kernel.money import NOTHING, Money
from bahi.portfolio.model.gains import Gain
from bahi.portfolio.model.shares import Label, Share, divided
from bahi.portfolio.model.worth import Worth


class Made(NamedTuple):
    """What was made of something on a day; unrealized None: not known, and `why` says why."""

    realized: Money = NOTHING
    charges: Money = NOTHING
    unrealized: Money | None = NOTHING
    why: str = ""

    @property
    def gross(self) -> Money | None:
        """What was closed and what is open together, where that is known."""
        return None if self.unrealized is None else Money(self.realized + self.unrealized)

    @property
    def net(self) -> Money | None:
        """What is left of it after charges, where that is known."""
        return None if self.gross is None else Money(self.gross - self.charges)

    def with_gain(self, it: Gain) -> Made:
        """Return it with a gain more."""
        realized, charges = Money(self.realized + it.gross), Money(self.charges + it.charges)
        return self._replace(realized=realized, charges=charges)

    def with_open(self, unrealized: Money | None, why: str) -> Made:
        """Return it with something more that is open; one that is unknown makes all unknown."""
        if self.unrealized is None or unrealized is None:
            return self._replace(unrealized=None, why=self.why or why)
        return self._replace(unrealized=Money(self.unrealized + unrealized))


Labelled = dict[Label, Made]


def in_all(gains: Iterable[Gain], worths: Iterable[Worth]) -> Made:
    """Return what a day made."""
    found = Made()
    for gain in gains:
        found = found.with_gain(gain)
    for it in worths:
        found = found.with_open(it.unrealized, it.why)
    return found


def by_symbol(gains: Iterable[Gain], worths: Iterable[Worth]) -> Labelled:
    """Return what a day made of each symbol; of none is what was owed beside trades."""
    found: Labelled = {}
    for gain in gains:
        label = None if gain.key is None else gain.key.symbol
        found[label] = found.get(label, Made()).with_gain(gain)
    for it in worths:
        symbol = it.position.key.symbol
        found[symbol] = found.get(symbol, Made()).with_open(it.unrealized, it.why)
    return found


def by_strategy(
    gains: Iterable[tuple[Label, Gain]],
    worths: Iterable[tuple[Worth, list[Share]]],
) -> Labelled:
    """Return what a day made of each strategy: its orders closed, and what they opened is open."""
    found: Labelled = {}
    for label, gain in gains:
        found[label] = found.get(label, Made()).with_gain(gain)
    for it, shares in worths:
        for label, amount in _divided(it, shares).items():
            found[label] = found.get(label, Made()).with_open(amount, it.why)
    return found


def _divided(it: Worth, shares: list[Share]) -> Mapping[Label, Money | None]:
    if it.position.net == 0:
        return {}
    if it.unrealized is None:
        return dict.fromkeys([share.label for share in shares] or [None])
    return divided(it.unrealized, shares)
