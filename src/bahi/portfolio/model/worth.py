"""What is open, by the newest price: known with its price, time and source, or not known.

A price that is missing or too old makes a profit unknown, and with it every sum that it is in. It
never makes it nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from bahi.kernel.clock import ist_text
from bahi.kernel.money import NOTHING, Money, Price
from bahi.portfolio.model.position import Position


class Mark(NamedTuple):
    """A price, from when it is, and who says so."""

    price: Price
    at: datetime
    source: str


class Worth(NamedTuple):
    """A position with what it has open by a price; None: not known, and `why` says why."""

    position: Position
    mark: Mark | None
    value: Money | None
    unrealized: Money | None
    why: str = ""

    @property
    def total(self) -> Money | None:
        """What it made and has open together, where that is known."""
        if self.unrealized is None:
            return None
        return Money(self.position.realized + self.unrealized)


def worth(position: Position, mark: Mark | None, now: datetime, oldest: timedelta) -> Worth:
    """Return what a position has open; of what is flat that is nothing, whatever the price."""
    if position.net == 0:
        return Worth(position, mark, NOTHING, NOTHING)
    symbol = position.key.symbol
    if mark is None:
        return Worth(position, None, None, None, f"There is no price of {symbol}.")
    if now - mark.at > oldest:
        why = f"The newest price of {symbol} is of {ist_text(mark.at)} ({mark.source}): too old."
        return Worth(position, mark, None, None, why)
    value = Money(mark.price * position.net)
    return Worth(position, mark, value, open_profit(position.net, position.open_cost, mark.price))


def open_profit(net: int, open_cost: Money, price: Price) -> Money:
    """Return what is open of something would make at a price; negative is a loss."""
    return Money(price * net - (open_cost if net > 0 else -open_cost))


def unrealized(many: Iterable[Worth]) -> Money | None:
    """Add up what is open; not known where one of them is not."""
    found = 0
    for it in many:
        if it.unrealized is None:
            return None
        found += it.unrealized
    return Money(found)
