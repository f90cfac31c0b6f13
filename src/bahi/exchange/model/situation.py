"""What is known of an instrument when an order meets its market: looked up before, never inside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bahi.calendar.model import Phase
from bahi.exchange.model.order import OF_ONE_DAY, Auction, PaperOrder, PlacedBy
from bahi.exchange.model.rules import Rules
from bahi.exchange.model.trading_day import TradingDay
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.money import Price
from bahi.kernel.words import AmoTime
from bahi.quotes.model.quote import Quote


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """An instrument's market at an instant.

    `quote` is there while it is fresh, `known` however old it is. `reference` is the mean price of
    the last half minute, where orders are held to it. `day` is today's session, `next_day` the one
    that an order is kept for.
    """

    instrument: Instrument
    now: datetime
    phase: Phase
    day: TradingDay | None
    next_day: TradingDay | None
    quote: Quote | None
    known: Quote | None
    reference: Price | None
    rules: Rules

    @property
    def is_continuous(self) -> bool:
        """Whether orders meet one by one."""
        return self.phase is Phase.OPEN

    @property
    def where(self) -> str:
        """The instrument's market, as people call it."""
        return self.instrument.exchange


def next_due(order: PaperOrder, day: TradingDay | None, after: datetime) -> datetime | None:
    """Return when time alone does the next thing to an order; None: nobody knows of it."""
    if day is None:
        return None
    if order.is_amo:
        return day.released_at(order.amo_time or AmoTime.OPEN)
    dues = [day.closes]
    if day.post_close is not None and after >= day.closes:
        dues = [day.post_close[1]]
    if order.auction is Auction.OPENING and after < day.opens:
        dues.append(day.opens)
    if order.trigger_pending and day.stops_purged_at is not None:
        dues.append(day.stops_purged_at)
    is_theirs = order.product in OF_ONE_DAY and order.placed_by is PlacedBy.CLIENT
    if is_theirs and day.square_off_at is not None and after < day.square_off_at:
        dues.append(day.square_off_at)
    return min(it for it in dues)
