"""What moves a position without a trade: brought forward, converted, changed by its company, ended.

An adjustment carries the cost of its quantity as a whole amount, so that what one position gives up
another takes over to the last ten-thousandth.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple

from bahi.kernel.money import NOTHING, Money, Price
from bahi.kernel.words import Side
from bahi.portfolio.model.position import Fact, Key, Position


class AdjustmentKind(StrEnum):
    """Why a position moved without a trade."""

    OPENING = "OPENING"
    CONVERSION = "CONVERSION"
    CORPORATE_ACTION = "CORPORATE_ACTION"
    EXPIRY = "EXPIRY"


SETTLING: Final = frozenset({AdjustmentKind.CONVERSION, AdjustmentKind.EXPIRY})
"""They close at their value, as a trade would: a conversion at cost, so that it gains nothing."""


class Action(StrEnum):
    """What a company did to its shares."""

    SPLIT = "SPLIT"
    BONUS = "BONUS"
    DIVIDEND = "DIVIDEND"


class Brought(NamedTuple):
    """A lot that was brought forward: when it was bought, and what it cost; negative: sold."""

    day: date
    quantity: int
    value: Money


class Adjustment(NamedTuple):
    """One adjustment; a negative quantity is taken away, and `amount` is what the cash got."""

    id: int
    kind: AdjustmentKind
    key: Key
    quantity: int
    value: Money
    reason: str
    at: datetime
    amount: Money = NOTHING
    price: Price | None = None
    action: Action | None = None
    instrument_id: int | None = None
    lots: tuple[Brought, ...] = ()
    carried: Position | None = None
    carried_net: Money | None = None
    known_at: datetime | None = None

    @property
    def fact(self) -> Fact:
        """What it does to its position."""
        side = Side.BUY if self.quantity > 0 else Side.SELL
        settles = self.kind in SETTLING
        size = abs(self.quantity)
        return Fact(self.at, self.id, side, size, self.value, is_trade=False, settles=settles)
