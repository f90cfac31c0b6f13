"""The money of a day: what was closed, what is open, what it cost, in all and by a label."""

from __future__ import annotations

from collections import defaultdict
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


class _Sum:
    """What is added up of many gains: ten thousand in a day, at each trade."""

    __slots__ = ("charges", "realized")

    def __init__(self) -> None:
        self.realized = self.charges = 0

    def add(self, it: Gain) -> None:
        self.realized += it.gross
        self.charges += it.charges

    def made(self) -> Made:
        return Made(Money(self.realized), Money(self.charges))


def closed_on(gains: Iterable[tuple[Label, Gain]]) -> Day:
    """Return what a day's trades closed and cost, each told with the strategy of its order."""
    whole = _Sum()
    symbols: dict[Label, _Sum] = defaultdict(_Sum)
    strategies: dict[Label, _Sum] = defaultdict(_Sum)
    for strategy, gain in gains:
        symbol = None if gain.key is None else gain.key.symbol
        for it in (whole, symbols[symbol], strategies[strategy]):
            it.add(gain)
    return Day(
        whole.made(),
        {label: it.made() for label, it in symbols.items()},
        {label: it.made() for label, it in strategies.items()},
    )


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
