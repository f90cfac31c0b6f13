"""An execution, as it is written into the book."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bahi.kernel.money import Money, Price
from bahi.kernel.words import Side
from bahi.portfolio.model.position import Fact, Key


class Trade(NamedTuple):
    """One fill of one order; `told_as` is the broker's name for it, if it has one."""

    id: int
    account_id: int
    order_id: int
    name: str
    told_as: str | None
    instrument_id: int | None
    key: Key
    side: Side
    order_type: str
    quantity: int
    price: Price
    value: Money
    at: datetime

    @property
    def fact(self) -> Fact:
        """What it does to its position."""
        return Fact(self.at, self.id, self.side, self.quantity, self.value)
