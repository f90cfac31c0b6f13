"""Contracts near their end: how many trading days are left, and whether they are in the money.

An option on a share that ends in the money is delivered, so its holder has to bring more from four
trading days before on. Whether it is in the money goes by the underlying's last close, so that a
day has one answer; where nobody knows the close it counts as in the money.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from bahi.kernel.money import Price
from bahi.kernel.symbols import parse
from bahi.kernel.words import OptionType, Segment

EXPIRES_TODAY: Final = "expires today"
STOCK_EXPIRES_TODAY: Final = "stock expires today"
NEAR: Final = 4
"""So many trading days before its end a contract is near it."""

Close = Callable[[Segment, str], Price | None]
"""Returns what the underlying of contracts on a segment closed at last, by its root."""


def in_the_money(left: int) -> str:
    """Name an option that is in the money so many trading days before its end."""
    return f"in the money, E-{left}" if left else "in the money, E"


def _unknown(_segment: Segment, _root: str) -> Price | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ends:
    """The trading days that come next, by segment, and what underlyings closed at last."""

    days: Mapping[Segment, tuple[date, ...]] = field(default_factory=dict)
    close: Close = _unknown

    def left(self, segment: Segment, expiry: date, day: date) -> int | None:
        """Return how many trading days a contract has after a day; None: many, or not known."""
        days = self.days.get(segment)
        if days is None:
            return None
        if day == expiry:
            return 0  # also where nobody knows the days that come
        if not days or not day < expiry <= days[-1]:
            return None
        left = sum(day < it <= expiry for it in days)
        return left if left <= NEAR else None

    def is_in_the_money(self, segment: Segment, symbol: str) -> bool:
        """Say whether an option is worth anything by the last close; not known counts as yes."""
        option = parse(symbol)
        if option is None or option.strike is None:
            return True
        close = self.close(segment, option.root)
        if close is None:
            return True
        is_call = option.right is OptionType.CE
        return close > option.strike if is_call else close < option.strike


NO_ENDS: Final = Ends()
"""Where nobody knows the days, nothing is near its end."""
