"""An order and its life. An order never changes: each move gives its next version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any, Final

from bahi.kernel.altered import altered
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict
from bahi.kernel.ids import tag
from bahi.kernel.money import NOTHING, Money, Price
from bahi.kernel.words import (
    AmoTime,
    InstrumentType,
    LegType,
    OptionType,
    OrderStatus,
    OrderType,
    Product,
    Segment,
    Side,
    Validity,
)
from bahi.orders.model.guard import Guard
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key

PENDING, TRANSIT, UNKNOWN = OrderStatus.PENDING, OrderStatus.TRANSIT, OrderStatus.UNKNOWN
OPEN, PARTIAL, EXECUTED = OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.EXECUTED
CANCELLED, REJECTED = OrderStatus.CANCELLED, OrderStatus.REJECTED
EXPIRED = OrderStatus.EXPIRED

ENDS: Final = frozenset({EXECUTED, CANCELLED, REJECTED, EXPIRED})
ACTIVE: Final = frozenset(OrderStatus) - ENDS
"""An order in one of these may still fill."""

MOVES: Final[Mapping[OrderStatus, frozenset[OrderStatus]]] = {
    PENDING: frozenset({TRANSIT, REJECTED, CANCELLED, EXPIRED}),
    TRANSIT: frozenset({UNKNOWN, OPEN, PARTIAL, *ENDS}),
    UNKNOWN: frozenset({OPEN, PARTIAL, *ENDS}),
    OPEN: frozenset({PARTIAL, *ENDS}),
    PARTIAL: ENDS,
    # A fill is believed in any status, so an end that the broker told can still be outdone.
    REJECTED: frozenset({EXPIRED, CANCELLED, EXECUTED}),
    EXPIRED: frozenset({CANCELLED, EXECUTED}),
    CANCELLED: frozenset({EXECUTED}),
    EXECUTED: frozenset(),
}
"""What may become of an order in each status."""

NOT_SENT: Final = "NOT_SENT"
NOT_FOUND: Final = "NOT_FOUND"
UNSEEN: Final = "UNSEEN"
SEND_WITHIN: Final = timedelta(seconds=5)
"""After this an order that was not sent is not sent any more."""
GRACE: Final = timedelta(seconds=15)
"""How much longer the wire may take at most: after it, what is not at the broker never came."""
LONGEST_CLOSURE: Final = timedelta(days=7)
"""No exchange is closed for longer: an after-market order has met its day by then."""
APPROVED_WITHIN: Final = timedelta(minutes=15)
"""After this an order that waits for a person lapses."""
APPROVAL: Final = "approval"
TIME: Final = "time"
"""What an order may wait for."""
SETTLED_AFTER: Final = SEND_WITHIN + GRACE
INFERRED: Final = frozenset({NOT_SENT, NOT_FOUND, UNSEEN})
"""Ends that we concluded: the broker never told them, so its evidence outdoes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order as we know it; `version` grows with every change."""

    id: int
    account_id: int
    client_order_id: str | None = None
    broker_order_id: str | None = None
    correlation_id: str | None = None
    instrument_id: int | None = None
    segment: Segment
    symbol: str
    side: Side
    product: Product
    order_type: OrderType
    validity: Validity = Validity.DAY
    quantity: int
    disclosed_quantity: int = 0
    price: Price | None = None
    trigger_price: Price | None = None
    status: OrderStatus
    broker_status: str | None = None
    trigger_pending: bool = False
    filled: int = 0
    traded_value: Money = NOTHING
    margin_blocked: Money = NOTHING  # for all of it; see `margin`
    kind: InstrumentType | None = None
    lot: int | None = None
    expiry: date | None = None
    strike: Price | None = None
    option_type: OptionType | None = None
    error_code: str | None = None
    error_message: str | None = None
    strategy: str | None = None
    parent_order_id: int | None = None
    leg_type: LegType | None = None
    is_kept: bool = False
    is_sliced: bool = False
    slice_group_id: str | None = None
    slice_index: int | None = None
    slice_total_quantity: int | None = None
    is_amo: bool = False
    amo_time: AmoTime | None = None
    co_stop_loss: Price | None = None
    bo_profit: Price | None = None
    bo_stop_loss: Price | None = None
    bo_trailing: Price | None = None
    actor: str
    key_id: int | None = None
    is_exit: bool = False
    is_external: bool = False
    waits_for: str | None = None
    release_at: datetime | None = None
    expires_at: datetime | None = None
    approved_by: str | None = None
    node: int | None = None
    version: int = 1
    send_before: datetime | None = None
    intent_at: datetime | None = None
    sent_at: datetime | None = None
    acked_at: datetime | None = None
    first_fill_at: datetime | None = None
    told_at: datetime | None = None
    asked_at: datetime | None = None
    cancel_asked: bool = False
    cancelled_by: str | None = None
    asked_quantity: int | None = None
    asked_margin: Money | None = None
    placed_at: datetime
    updated_at: datetime
    completed_at: datetime | None = None

    @property
    def key(self) -> Key:
        """Which position it moves."""
        return Key(self.segment, self.symbol, self.product)

    @property
    def contract(self) -> Contract:
        """What margin and charges have to know of it."""
        is_option = self.option_type is not None
        return Contract(is_option, self.strike, self.kind, self.lot or 0, self.expiry, self.symbol)

    @property
    def is_guarded(self) -> bool:
        """Whether what it opens has exits that the house looks after."""
        return self.co_stop_loss is not None or self.bo_stop_loss is not None

    @property
    def guard(self) -> Guard | None:
        """What protects the position that it opens."""
        stop = self.co_stop_loss or self.bo_stop_loss
        if stop is None:
            return None
        return Guard(stop=stop, target=self.bo_profit, trailing=self.bo_trailing)

    @property
    def tag(self) -> str:
        """What the order is called at its broker."""
        return tag(self.id)

    @property
    def remaining(self) -> int:
        """How many still work; of an order that has ended, none."""
        return self.quantity - self.filled if self.status in ACTIVE else 0

    @property
    def margin(self) -> Money:
        """What is blocked now, for that part of it which still works.

        While a change is awaited nobody knows which of the two works: the dearer one is blocked.
        """
        now = Money(self.margin_blocked * self.remaining // max(self.quantity, 1))
        if self.asked_quantity is None or self.asked_margin is None or not self.remaining:
            return now
        then = self.asked_margin * (self.asked_quantity - self.filled) // self.asked_quantity
        return max(now, Money(then))

    @property
    def average_price(self) -> Price | None:
        """What its fills came to each, to the nearest ten-thousandth; half away from zero."""
        if not self.filled:
            return None
        return Price((2 * self.traded_value + self.filled) // (2 * self.filled))

    @property
    def is_active(self) -> bool:
        """Whether it may still fill."""
        return self.status in ACTIVE

    def is_early(self, now: datetime) -> bool:
        """Say whether its time has not come."""
        return self.release_at is not None and self.release_at > now

    def has_lapsed(self, now: datetime) -> bool:
        """Say whether it waited longer for a person than it may."""
        return self.expires_at is not None and self.expires_at <= now

    @property
    def end_is_inferred(self) -> bool:
        """Whether it has ended by our conclusion alone."""
        return self.status in {REJECTED, EXPIRED} and self.error_code in INFERRED

    def moved(self, to: OrderStatus, now: datetime, **changes: Any) -> Order:
        """Return its next version in another status; a move that is not in the table is refused."""
        if to is not self.status and to not in MOVES[self.status] and not self.end_is_inferred:
            raise Conflict(f"Order {self.id} is {self.status}; it cannot become {to}.")
        if to in ENDS and self.completed_at is None:
            changes.setdefault("completed_at", now)
        return self.changed(now, status=to, **changes)

    def changed(self, now: datetime, **changes: Any) -> Order:
        """Return its next version, which is never of the same instant as the one before."""
        changes.setdefault("updated_at", max(now, self.updated_at + timedelta(microseconds=1)))
        return altered(self, version=self.version + 1, **changes)

    def unsent(self, why: str, now: datetime) -> Order:
        """Return it as one that never reached the wire."""
        return self.moved(REJECTED, now, error_code=NOT_SENT, error_message=why)

    def lost(self, now: datetime) -> Order:
        """Return it as one of which only the broker's book can tell."""
        return self.moved(UNKNOWN, now)

    def made(self) -> dict[str, Any]:
        """Return what differs once the change that was asked for is known to be made."""
        margin = self.asked_margin or NOTHING
        return self.unmade() | {"margin_blocked": margin, "is_exit": not margin}

    def unmade(self) -> dict[str, Any]:
        """Return what differs once it is known that no change is made any more."""
        return {"asked_quantity": None, "asked_margin": None}

    @property
    def day(self) -> date:
        """The day on which it was sent, or is to be."""
        return exchange_day(self.send_before or self.placed_at)

    def is_of_a_day_before(self, now: datetime) -> bool:
        """Say whether the day that it was sent for is over; an after-market order's is to come."""
        return exchange_day(now) - self.day > (LONGEST_CLOSURE if self.is_amo else timedelta())

    def unseen(self, now: datetime) -> Order:
        """Return it as one whose day is over, and whose end the broker's book no longer tells."""
        return self.moved(
            EXPIRED,
            now,
            error_code=UNSEEN,
            error_message="Its day is over and the broker's book of today does not have it; what "
            "filled after it was last told of is not known.",
        )

    def concluded(self, why: str, now: datetime) -> Order:
        """Return it as one that a person says never traded."""
        return self.moved(REJECTED, now, error_code=NOT_FOUND, error_message=why)

    def not_found(self, now: datetime) -> Order:
        """Return it as one that the broker's book, read twice since, does not have."""
        return self.moved(
            REJECTED,
            now,
            error_code=NOT_FOUND,
            error_message="The broker's book, read twice after the time it could have been sent, "
            "does not have it.",
        )


FIELDS: Final = tuple(it.name for it in fields(Order))

DEFAULTS: Final = tuple(None if it.default is MISSING else it.default for it in fields(Order))
"""What an order has where nothing is said, in the order of `FIELDS`."""

values_of: Final[Callable[[Order], tuple[Any, ...]]] = attrgetter(*FIELDS)
"""Return all of an order's values, in the order of `FIELDS`."""


def differences(before: Order | None, after: Order) -> dict[str, Any]:
    """Return what a move changed, by field; of a new order, all that is not empty."""
    now = zip(FIELDS, values_of(after), strict=True)
    if before is None:
        return {name: value for name, value in now if value is not None and value is not False}
    was = values_of(before)
    return {
        name: value
        for (name, value), old in zip(now, was, strict=True)
        if value is not old and value != old
    }
