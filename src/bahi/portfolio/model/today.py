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


class Day(NamedTuple):
    """What a day made in all, by symbol (None: what was owed beside trades), and by strategy."""

    whole: Made
    symbols: Labelled
    strategies: Labelled


def closed_on(gains: Iterable[tuple[Label, Gain]]) -> Day:
    """Return what a day's trades closed and cost, each told with the strategy of its order."""
    whole, symbols, strategies = Made(), Labelled(), Labelled()
    for strategy, gain in gains:
        symbol = None if gain.key is None else gain.key.symbol
        whole = whole.with_gain(gain)
        symbols[symbol] = symbols.get(symbol, Made()).with_gain(gain)
        strategies[strategy] = strategies.get(strategy, Made()).with_gain(gain)
    return Day(whole, symbols, strategies)


def with_open(closed: Day, worths: Iterable[tuple[Worth, list[Share]]]) -> Day:
    """Return a day with what is open by now, and whose it is: what each strategy opened."""
    whole, symbols, strategies = closed.whole, dict(closed.symbols), dict(closed.strategies)
    for it, shares in worths:
        symbol = it.position.key.symbol
        whole = whole.with_open(it.unrealized, it.why)
        symbols[symbol] = symbols.get(symbol, Made()).with_open(it.unrealized, it.why)
        for strategy, amount in _divided(it, shares).items():
            strategies[strategy] = strategies.get(strategy, Made()).with_open(amount, it.why)
    return Day(whole, symbols, strategies)


def _divided(it: Worth, shares: list[Share]) -> Mapping[Label, Money | None]:
    if it.position.net == 0:
        return {}
    if it.unrealized is None:
        return dict.fromkeys([share.label for share in shares] or [None])
    return divided(it.unrealized, shares)
