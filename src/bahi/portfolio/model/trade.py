"""An execution, as it is written into the book."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bahi.kernel.clock import exchange_day
from bahi.kernel.money import Money, Price
from bahi.kernel.words import Side
from bahi.portfolio.model.charges import Dealt, Earlier
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Fact, Key
from bahi.portfolio.model.rates import Deal, kind_of


class Trade(NamedTuple):
    """One fill of one order; `told_as` is the broker's name for it, if it has one.

    `earlier` is what the order's fills before this one come to; None: it is looked up.
    """

    id: int
    account_id: int
    order_id: int
    name: str
    told_as: str | None
    instrument_id: int | None
    key: Key
    contract: Contract
    side: Side
    order_type: str
    quantity: int
    price: Price
    value: Money
    at: datetime
    conditions: frozenset[str] = frozenset()
    earlier: Earlier | None = None

    @property
    def fact(self) -> Fact:
        """What it does to its position."""
        return Fact(self.at, self.id, self.side, self.quantity, self.value)

    @property
    def deal(self) -> Deal:
        """What rates ask of it."""
        kind = kind_of(self.key.segment, is_option=self.contract.is_option)
        named = self.conditions | self.contract.conditions
        day = exchange_day(self.at)
        return Deal(day, self.key.segment, kind, self.key.product, self.side, named)

    @property
    def dealt(self) -> Dealt:
        """How much of it there is."""
        return Dealt(self.quantity, self.contract.lot, self.value)


class SoFar(NamedTuple):
    """What is booked of an order: its trades' names, if one was a difference, what they come to."""

    names: frozenset[str]
    has_cumulative: bool
    earlier: Earlier
