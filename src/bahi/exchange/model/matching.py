"""Orders at the paper exchange, and how they meet the quoted depth.

Depth is taken and not given back until a newer quote comes, so that what one order took is not
there for the next: partial fills happen, and nothing fills twice. A resting order fills when the
market comes to its price and through it; that its price was touched from its own side is nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from bahi.kernel.money import NOTHING, Money, Price
from bahi.kernel.ports import Level
from bahi.kernel.words import OrderStatus, OrderType, Product, Segment, Side, Validity

OPEN, PARTIAL, EXECUTED = OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.EXECUTED
CANCELLED, REJECTED = OrderStatus.CANCELLED, OrderStatus.REJECTED
WORKING = frozenset({OPEN, PARTIAL})


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperOrder:
    """An order as the exchange has it; `price` is the limit, a MARKET's protected one too."""

    id: int
    client_id: int
    tag: str | None
    segment: Segment
    symbol: str
    instrument_id: int | None
    side: Side
    product: Product
    order_type: OrderType
    validity: Validity
    quantity: int
    price: Price | None
    status: OrderStatus
    filled: int = 0
    filled_value: Money = NOTHING
    reject_code: str | None = None
    reject_message: str | None = None
    version: int = 1
    told_version: int = 0
    priority: int
    placed_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None

    @property
    def remaining(self) -> int:
        """How many still work."""
        return self.quantity - self.filled if self.status in WORKING else 0

    @property
    def average_price(self) -> Price | None:
        """What its fills came to each, to the nearest ten-thousandth."""
        if not self.filled:
            return None
        return Price((2 * self.filled_value + self.filled) // (2 * self.filled))

    def changed(self, now: datetime, **changes: Any) -> PaperOrder:
        """Return its next version."""
        return replace(self, version=self.version + 1, updated_at=now, **changes)

    def ended(self, status: OrderStatus, now: datetime, **changes: Any) -> PaperOrder:
        """Return it ended."""
        return self.changed(now, status=status, completed_at=now, **changes)

    def filled_by(self, fills: Sequence[PaperFill], now: datetime) -> PaperOrder:
        """Return it with fills."""
        if not fills:
            return self
        filled = self.filled + sum(it.quantity for it in fills)
        value = self.filled_value + sum(it.price * it.quantity for it in fills)
        done = filled == self.quantity
        return self.changed(
            now,
            filled=filled,
            filled_value=Money(value),
            status=EXECUTED if done else PARTIAL,
            completed_at=now if done else None,
        )


class PaperFill(NamedTuple):
    """So many at a price."""

    quantity: int
    price: Price


class Depth(NamedTuple):
    """What is left of an instrument's quoted book, best first."""

    quoted_at: datetime | None
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    def against(self, side: Side) -> tuple[Level, ...]:
        """Return what an order of a side can take."""
        return self.asks if side is Side.BUY else self.bids

    def without(self, side: Side, left: tuple[Level, ...]) -> Depth:
        """Return it with what an order of a side has left of the other."""
        return self._replace(asks=left) if side is Side.BUY else self._replace(bids=left)


def reaches(side: Side, limit: Price | None, price: Price) -> bool:
    """Say whether an order with a limit may trade at a price."""
    if limit is None:
        return True
    return price <= limit if side is Side.BUY else price >= limit


def take(order: PaperOrder, depth: Depth) -> tuple[list[PaperFill], Depth]:
    """Take what an order can have, best price first; return its fills and what is left."""
    wanted, fills, left = order.remaining, [], []
    for level in depth.against(order.side):
        if wanted and reaches(order.side, order.price, level.price):
            taken = min(wanted, level.quantity)
            fills.append(PaperFill(taken, level.price))
            wanted -= taken
            level = level._replace(quantity=level.quantity - taken)  # noqa: PLW2901 - what is left
        if level.quantity:
            left.append(level)
    return fills, depth.without(order.side, tuple(left))
