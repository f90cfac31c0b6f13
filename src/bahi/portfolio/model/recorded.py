"""What the books say to who looks: money, trades, holdings, lines of the ledger, and pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from bahi.kernel.money import Money, Price
from bahi.kernel.words import Segment, Side
from bahi.portfolio.model.money import Entry
from bahi.portfolio.model.position import Key


class Funds(NamedTuple):
    """What an account had, and what of it was blocked."""

    cash: Money
    margin_used: Money

    @property
    def available(self) -> Money:
        """What was free for new orders."""
        return Money(self.cash - self.margin_used)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealt:
    """A trade to look at: when it was made, and when we wrote it down."""

    id: int
    order_id: int | None
    key: Key
    side: Side
    quantity: int
    price: Price
    value: Money
    charges: Money
    net: Money
    traded_at: datetime
    recorded_at: datetime


class Place(NamedTuple):
    """Where a page ended: the next one begins behind it."""

    traded_at: datetime
    trade_id: int


class Page(NamedTuple):
    """Trades, the newest first, and where the next page begins; None: this is the last."""

    trades: list[Dealt]
    next: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine:
    """A line of the ledger: what came (negative: went), and what there was after it."""

    id: int
    kind: Entry | None
    particulars: str
    amount: Money
    balance: Money | None
    day: date
    voucher: str | None
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldAsMtf:
    """What is held of a share as MTF; of its cost `own` is the account's money."""

    total: int
    coming: int
    pledged: int
    average: Price | None
    cost: Money
    own: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What is held of a share for delivery, and beside it as MTF."""

    segment: Segment
    symbol: str
    total: int
    delivered: int
    coming: int
    pledged: int
    average: Price | None
    cost: Money
    realized: Money
    mtf: HeldAsMtf
