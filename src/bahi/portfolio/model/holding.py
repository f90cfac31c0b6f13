"""Holdings: what is held for delivery, seen from the position that it is.

A delivery position is kept for as long as it is held, so a holding is no book of its own: it is the
position with the part that is delivered (in the demat account) told apart from the part that was
bought and still comes (T+1). What is sold on a day takes from what was bought on it first.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from bahi.calendar.model import MarketDays
from bahi.kernel.money import NOTHING, Money, Price
from bahi.kernel.words import EQUITY, Product, Segment
from bahi.portfolio.model.position import Key, Position


class Holding(NamedTuple):
    """What is held of one share."""

    key: Key
    instrument_id: int | None
    total: int
    delivered: int
    average: Price | None
    cost: Money
    realized: Money

    @property
    def coming(self) -> int:
        """What was bought and is not delivered yet (T1)."""
        return self.total - self.delivered


class Funded(NamedTuple):
    """What is held of one share as MTF: delivered like any, and partly on the broker's money."""

    holding: Holding
    own: Money

    @property
    def funded(self) -> Money:
        """What the broker paid of its cost, and takes interest on."""
        return Money(self.holding.cost - self.own)


class Deliverable(NamedTuple):
    """How much may be sold for delivery, and what of it needs leave first (eDIS)."""

    quantity: int
    needs_leave: int


def is_held(key: Key) -> bool:
    """Say whether a position is one of shares held for delivery."""
    return key.product is Product.CNC and key.segment in EQUITY


def is_funded(key: Key) -> bool:
    """Say whether a position is one of shares held as MTF."""
    return key.product is Product.MTF and key.segment in EQUITY


def funded_of(position: Position, settled: date | None = None) -> Funded:
    """Return the MTF holding that a position is: what it blocks is the account's own money."""
    return Funded(holding_of(position, settled), position.margin if position.net > 0 else NOTHING)


def holding_of(position: Position, settled: date | None = None) -> Holding:
    """Return the holding that a position is, once the purchases up to a day are delivered.

    Without a day it is seen from the position's own: what was held when that began is delivered.
    """
    total = max(position.net, 0)
    if settled is not None and position.day is not None and position.day <= settled:
        delivered = total
    else:
        sold = max(position.day_sell_quantity - position.day_buy_quantity, 0)
        delivered = min(total, max(position.overnight - sold, 0))
    return Holding(
        key=position.key,
        instrument_id=position.instrument_id,
        total=total,
        delivered=delivered,
        average=position.average if total else None,
        cost=position.open_cost if total else NOTHING,
        realized=position.realized,
    )


def settled_through(days: MarketDays, segment: Segment, today: date) -> date:
    """Return the last day whose purchases are delivered by today: on the next one (T+1)."""
    last = days.previous_trading_day(segment, today)
    if days.is_trading_day(segment, today):
        return last
    return days.previous_trading_day(segment, last)


def deliverable(holding: Holding, pledged: int, allowed: int | None) -> Deliverable:
    """Return what may be sold; `allowed` is what eDIS gave leave for, None: none is needed."""
    free = max(holding.total - pledged, 0)
    if allowed is None:
        return Deliverable(free, 0)
    coming = min(holding.coming, free)
    needing = max(free - coming - allowed, 0)
    return Deliverable(free - needing, needing)
