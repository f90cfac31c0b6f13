"""How many accounts stand, side by side: their money, what they have open, what disagrees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from bahi.kernel.money import NOTHING, Money
from bahi.kernel.words import AccountMode
from bahi.portfolio.model.position import Key


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The page of an account, as far as lists of many show it."""

    account_id: int
    mode: AccountMode
    day: date | None
    realized: Money
    latched_at: datetime | None
    limits: str | None
    positions_read_at: datetime | None
    funds_read_at: datetime | None
    cash: Money
    margin_used: Money

    @property
    def available(self) -> Money:
        """What is free for new orders."""
        return Money(self.cash - self.margin_used)

    def realized_on(self, day: date) -> Money:
        """Return what was realised on a day: the counters are of one day, and begin anew."""
        return self.realized if self.day == day else NOTHING

    def is_latched_on(self, day: date) -> bool:
        """Say whether the day's loss reached its limit on a day."""
        return self.latched_at is not None and self.day == day


class Open(NamedTuple):
    """So many of something that an account has open, and for how much; negative is short."""

    account_id: int
    key: Key
    net: int
    cost: Money


class Standing(NamedTuple):
    """What one trading store knows of accounts. `is_whole` is False where there is more open."""

    pages: tuple[Page, ...]
    positions: tuple[Open, ...]
    breaks: Mapping[int, int]
    charges: Mapping[int, int]
    is_whole: bool
