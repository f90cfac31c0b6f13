"""What was gained, trade by trade at average cost, and sums of it by whatever one asks.

Turnover is what was bought and sold together, and net cash is what was sold less what was bought:
each has its own name, and neither is called a profit.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import date
from typing import NamedTuple, TypeVar

from bahi.kernel.clock import exchange_day
from bahi.kernel.money import NOTHING, Money
from bahi.kernel.words import Side
from bahi.portfolio.model.position import Fact, Key, Position, fold, in_order


class Fill(NamedTuple):
    """A fact of a position with what it was charged, and the order that it is of."""

    fact: Fact
    charges: Money = NOTHING
    order_id: int | None = None


class Gain(NamedTuple):
    """What one trade, settlement or due of an account did; a due has no position."""

    account_id: int
    day: date
    key: Key | None
    order_id: int | None
    bought: Money
    sold: Money
    gross: Money
    charges: Money
    trades: int


class Total(NamedTuple):
    """Sums of gains."""

    gross: Money = NOTHING
    charges: Money = NOTHING
    bought: Money = NOTHING
    sold: Money = NOTHING
    trades: int = 0

    @property
    def net(self) -> Money:
        """What is left of the profit after charges."""
        return Money(self.gross - self.charges)

    @property
    def turnover(self) -> Money:
        """What was bought and sold together."""
        return Money(self.bought + self.sold)

    @property
    def net_cash(self) -> Money:
        """What was sold less what was bought: no profit while anything is open."""
        return Money(self.sold - self.bought)

    def plus(self, gain: Gain) -> Total:
        """Return the sums with one more."""
        return Total(
            Money(self.gross + gain.gross),
            Money(self.charges + gain.charges),
            Money(self.bought + gain.bought),
            Money(self.sold + gain.sold),
            self.trades + gain.trades,
        )


Label = TypeVar("Label", bound=Hashable)


def gains_of(
    account_id: int, key: Key, fills: Iterable[Fill], since: Position | None = None
) -> Iterator[Gain]:
    """Yield what each fact of one position gained at average cost, oldest first.

    `since`: the position before the first of them, where they are not all that ever moved it.
    """
    position = since or Position(key=key)
    for fill in sorted(fills, key=lambda it: in_order(it.fact)):
        fact, before = fill.fact, position.realized
        position = fold(position, fact)
        if not fact.is_trade and not fact.settles:
            continue
        dealt = fact.value if fact.is_trade else NOTHING
        yield Gain(
            account_id=account_id,
            day=exchange_day(fact.at),
            key=key,
            order_id=fill.order_id,
            bought=dealt if fact.side is Side.BUY else NOTHING,
            sold=dealt if fact.side is Side.SELL else NOTHING,
            gross=Money(position.realized - before),
            charges=fill.charges,
            trades=int(fact.is_trade),
        )


def summed(gains: Iterable[Gain], by: Callable[[Gain], Label]) -> dict[Label, Total]:
    """Add gains up by a label: the day, the symbol, the account, the strategy of the order."""
    found: dict[Label, Total] = {}
    for it in gains:
        label = by(it)
        found[label] = found.get(label, Total()).plus(it)
    return found
