"""The page of an account: who it is, what stops it, what the day counted, and its money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from bahi.kernel.altered import altered
from bahi.kernel.money import NOTHING, Money
from bahi.kernel.words import AccountMode, CopyRole


def spelt(strategy: str) -> str:
    """Return a strategy's name as it is compared: `Alpha ` is `alpha`."""
    return " ".join(strategy.split()).casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """With what a page is begun."""

    account_id: int
    name: str
    user_id: int
    copy_role: CopyRole | None
    mode: AccountMode
    cash: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """The page as it stands in a transaction that holds its lock."""

    account_id: int
    user_id: int
    mode: AccountMode
    killed_globally: bool = False
    killed_for_user: bool = False
    killed_for_account: bool = False
    killed_strategies: tuple[str, ...] = ()
    kill_reason: str | None = None
    day: date | None = None
    orders_today: int = 0
    trades_today: int = 0
    open_orders: int = 0
    realized_today: Money = NOTHING
    latched_at: datetime | None = None
    unrealized: Money | None = None  # None: not known
    marked_at: datetime | None = None
    limits: str | None = None  # as `risk` writes them
    rates: str | None = None
    cash: Money = NOTHING
    margin_used: Money = NOTHING

    @property
    def available(self) -> Money:
        """What is free for new orders."""
        return Money(self.cash - self.margin_used)

    def on(self, day: date) -> Book:
        """Return the page on a day: the day's counters begin anew with each."""
        if self.day == day:
            return self
        return altered(
            self,
            day=day,
            orders_today=0,
            trades_today=0,
            realized_today=NOTHING,
            latched_at=None,
        )

    def stopped_by(self, strategy: str | None) -> str | None:
        """Say which switch stops entries, if one does."""
        if self.killed_globally:
            return "the switch over all accounts"
        if self.killed_for_user:
            return "its user's switch"
        if self.killed_for_account:
            return "the account's switch"
        if strategy is not None and spelt(strategy) in map(spelt, self.killed_strategies):
            return f"the switch of strategy {strategy}"
        return None
