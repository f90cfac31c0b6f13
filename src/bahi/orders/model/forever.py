"""Orders that wait for a price, over days: when one fires, and what may be asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from bahi.kernel.clock import IST
from bahi.kernel.errors import Conflict, Invalid
from bahi.kernel.money import Price, plain
from bahi.kernel.words import (
    ForeverKind,
    ForeverStatus,
    OrderType,
    Product,
    Segment,
    Side,
    TriggerType,
    Validity,
)
from bahi.orders.model.guard import Guard
from bahi.orders.model.wishes import OURS, Part, PlaceOrder

LASTS: Final = timedelta(days=365)
"""How long one on shares waits; one on a contract waits until that expires."""
ACTIVE, TRIGGERED = ForeverStatus.ACTIVE, ForeverStatus.TRIGGERED
WAITS: Final = frozenset({ForeverStatus.PENDING, ACTIVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Where the last price must go: at or above, at or below, or out of a range on either side."""

    kind: TriggerType
    above: Price | None = None
    below: Price | None = None

    def fires(self, last: Price) -> bool:
        """Say whether a price fires it."""
        return (self.above is not None and last >= self.above) or (
            self.below is not None and last <= self.below
        )

    def faults(self) -> Iterator[str]:
        """Say what is wrong with it."""
        needs = {
            TriggerType.LTP_ABOVE: (True, False),
            TriggerType.LTP_BELOW: (False, True),
            TriggerType.LTP_RANGE: (True, True),
        }[self.kind]
        for name, price, is_needed in (
            ("trigger_above", self.above, needs[0]),
            ("trigger_below", self.below, needs[1]),
        ):
            if is_needed and (price is None or price <= 0):
                yield f"{name}: a trigger of {self.kind} needs one above zero."
            if not is_needed and price is not None:
                yield f"{name}: a trigger of {self.kind} has none; leave it out."
        if self.above is not None and self.below is not None and self.above <= self.below:
            yield (
                f"trigger_above: {plain(self.above)} is not above trigger_below, "
                f"{plain(self.below)}."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Forever:
    """One trigger, and the order that it places when it fires."""

    id: int
    account_id: int
    status: ForeverStatus
    kind: ForeverKind
    trigger: Trigger
    instrument_id: int | None
    segment: Segment
    symbol: str
    side: Side
    product: Product
    order_type: OrderType
    quantity: int
    price: Price | None
    trigger_price: Price | None = None
    guard: Guard | None = None
    strategy: str | None = None
    needs_approval: bool = False
    disclosed_quantity: int = 0
    validity: Validity = Validity.DAY
    oco_leg_id: int | None = None
    triggered_order_id: int | None = None
    name: str | None = None
    created_at: datetime
    updated_at: datetime
    triggered_at: datetime | None = None
    expires_at: datetime | None = None

    @property
    def wish(self) -> PlaceOrder:
        """Return the order that it places; its name makes sure that it is placed once."""
        return PlaceOrder(
            segment=self.segment,
            symbol=self.symbol,
            side=self.side,
            quantity=self.quantity,
            product=self.product,
            order_type=self.order_type,
            price=self.price,
            trigger_price=self.trigger_price,
            guard=self.guard,
            strategy=self.strategy,
            part=Part(of_forever=self.id),
            validity=self.validity,
            disclosed_quantity=self.disclosed_quantity,
            client_order_id=f"{OURS}forever/{self.id}",
        )

    @property
    def waits(self) -> bool:
        """Say whether it may still fire."""
        return self.status in WAITS

    def moved(self, to: ForeverStatus, now: datetime, **changes: Any) -> Forever:
        """Return it in another status; one that has ended stays as it is."""
        if not self.waits:
            raise Conflict(f"Forever order {self.id} is {self.status}; it waits no more.")
        return replace(self, status=to, updated_at=now, **changes)


def lasts_until(now: datetime, expiry: date | None) -> datetime:
    """Return until when it waits where nobody says: a year, or to the end of its contract."""
    if expiry is None:
        return now + LASTS
    return datetime(expiry.year, expiry.month, expiry.day, 23, 59, 59, tzinfo=IST)


def check_pair(one: Trigger, other: Trigger) -> None:
    """Refuse two triggers of which not one lies above and one below."""
    kinds = {one.kind, other.kind}
    if kinds != {TriggerType.LTP_ABOVE, TriggerType.LTP_BELOW}:
        raise Invalid(
            "trigger_type: of two that exclude each other one is LTP_ABOVE and one LTP_BELOW."
        )
