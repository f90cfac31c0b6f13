"""An order as the paper exchange has it, and how it changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from bahi.kernel.altered import altered
from bahi.kernel.money import NOTHING, Money, Price
from bahi.kernel.ports import Fill
from bahi.kernel.words import AmoTime, OrderStatus, OrderType, Product, Segment, Side, Validity

OPEN, PARTIAL, EXECUTED = OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.EXECUTED
CANCELLED, REJECTED, EXPIRED = OrderStatus.CANCELLED, OrderStatus.REJECTED, OrderStatus.EXPIRED
WORKING: Final = frozenset({OPEN, PARTIAL})
STOPS: Final = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LOSS_MARKET})
MARKETS: Final = frozenset({OrderType.MARKET, OrderType.STOP_LOSS_MARKET})
OF_ONE_DAY: Final = frozenset({Product.INTRADAY, Product.CO, Product.BO})
"""Products that a broker closes before the market does."""


class PlacedBy(StrEnum):
    """Who wished an order: its client, or the exchange that squares off."""

    CLIENT = "client"
    EXCHANGE = "exchange"


class Auction(StrEnum):
    """A match of all at one price."""

    OPENING = "OPENING"
    CLOSING = "CLOSING"


class PaperFill(NamedTuple):
    """So many at a price."""

    quantity: int
    price: Price


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperOrder:
    """An order as the exchange has it.

    `price` is the limit, and of a MARKET order where it stops; a MARKET order without one waits
    for a price. `due_at` is when time alone does the next thing to it. `is_amo` says that it is
    kept, and meets nobody.
    """

    id: int
    client_id: int
    tag: str | None
    segment: Segment
    symbol: str
    instrument_id: int | None
    placed_by: PlacedBy = PlacedBy.CLIENT
    side: Side
    product: Product
    order_type: OrderType
    validity: Validity
    quantity: int
    disclosed: int | None = None
    price: Price | None
    trigger_price: Price | None = None
    is_triggered: bool = False
    is_amo: bool = False
    amo_time: AmoTime | None = None
    auction: Auction | None = None
    queue_ahead: int | None = None
    status: OrderStatus
    filled: int = 0
    filled_value: Money = NOTHING
    reject_code: str | None = None
    reject_message: str | None = None
    remark: str | None = None
    fee: Money | None = None
    modifications: int = 0
    session_day: date | None = None
    expires_on: date | None = None
    due_at: datetime | None = None
    version: int = 1
    told_version: int = 0
    priority: int
    placed_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None

    @property
    def is_working(self) -> bool:
        """Whether anything can still happen to it."""
        return self.status in WORKING

    @property
    def remaining(self) -> int:
        """How many still work."""
        return self.quantity - self.filled if self.is_working else 0

    @property
    def trigger_pending(self) -> bool:
        """Whether it is a stop that has not fired."""
        return self.order_type in STOPS and not self.is_triggered and self.is_working

    @property
    def is_market(self) -> bool:
        """Whether its client named no limit."""
        return self.order_type in MARKETS

    @property
    def meets(self) -> bool:
        """Whether it can trade as it stands."""
        return self.is_working and not self.is_amo and not self.trigger_pending

    @property
    def average_price(self) -> Price | None:
        """What its fills came to each, to the nearest ten-thousandth."""
        if not self.filled:
            return None
        return Price((2 * self.filled_value + self.filled) // (2 * self.filled))

    def changed(self, now: datetime, **changes: Any) -> PaperOrder:
        """Return its next version."""
        return altered(self, version=self.version + 1, updated_at=now, **changes)

    def ended(self, status: OrderStatus, now: datetime, **changes: Any) -> PaperOrder:
        """Return it ended; nothing more is due."""
        return self.changed(now, status=status, completed_at=now, due_at=None, **changes)

    def refused(self, code: str, why: str, now: datetime) -> PaperOrder:
        """Return it refused by the exchange."""
        return self.ended(REJECTED, now, reject_code=code, reject_message=why)

    def filled_by(self, fills: Sequence[PaperFill], now: datetime) -> PaperOrder:
        """Return it with fills."""
        if not fills:
            return self
        filled = self.filled + sum(it.quantity for it in fills)
        value = self.filled_value + sum(it.price * it.quantity for it in fills)
        numbers = {"filled": filled, "filled_value": Money(value)}
        if filled == self.quantity:
            return self.ended(EXECUTED, now, **numbers)
        return self.changed(now, status=PARTIAL, **numbers)


class Seen(NamedTuple):
    """An order as its client is told of it."""

    order: PaperOrder
    fills: tuple[Fill, ...]


def signed(side: Side, quantity: int) -> int:
    """Return a quantity as it moves a position."""
    return quantity if side is Side.BUY else -quantity
