"""The ports: what the house asks of a broker, and of whoever writes down the calls to it.

A first form. Words (side, product, status...) are plain text here, spelt as `words` spells them;
instruments are named by our segment and symbol, orders by the tag we gave and the broker's own id.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol

from bahi.kernel.money import Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """An order as it is handed to a broker."""

    tag: str
    segment: str
    symbol: str
    side: str
    order_type: str
    product: str
    validity: str
    quantity: int
    price: Price | None = None
    trigger_price: Price | None = None
    disclosed_quantity: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is to be different about an order that the broker has; None leaves as it is."""

    broker_order_id: str
    quantity: int | None = None
    price: Price | None = None
    trigger_price: Price | None = None
    order_type: str | None = None
    validity: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """One trade that the broker reports."""

    trade_id: str
    quantity: int
    price: Price
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What a broker says of an order, whichever way it came: reply, book, stream or postback.

    `status` is None where we do not know the broker's word; `broker_status` always carries it.
    """

    broker_order_id: str
    broker_status: str
    status: str | None
    quantity: int
    filled_quantity: int
    tag: str | None = None
    price: Price | None = None
    trigger_price: Price | None = None
    average_price: Price | None = None
    trigger_pending: bool = False
    reason: str = ""
    at: datetime | None = None
    fills: tuple[Fill, ...] = ()


class Broker(Protocol):
    """One account at a broker.

    Every call returns what the broker said, or raises: Rejected (a definite no), NotSent (the wire
    was never reached), Silent (no definite answer: look the order up, never send it again).
    """

    async def place(self, ticket: Ticket) -> Update:
        """Send an order, once, and return what the broker said, fills included."""

    async def modify(self, change: Change) -> Update:
        """Change an order that is open."""

    async def cancel(self, broker_order_id: str) -> Update:
        """Take back what is left of an order."""

    async def order_book(self) -> tuple[Update, ...]:
        """Return all orders of the day; partly read is Silent, never a shorter book."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The tokens that a login brought; `repr` shows none of them."""

    tokens: Mapping[str, str] = field(repr=False)
    expires_at: datetime
    broker_user_id: str = ""


class Login(Protocol):
    """How a broker turns an account's credentials into a token."""

    async def log_in(self, credentials: Mapping[str, str]) -> Grant:
        """Exchange credentials (and what the redirect brought) for tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One line of a broker's instrument file."""

    segment: str
    symbol: str
    broker_symbol: str
    broker_token: str
    name: str
    lot_size: int
    tick_size: Price
    expiry: date | None = None
    strike: Price | None = None
    option_type: str | None = None


class Master(Protocol):
    """A broker's instrument file."""

    def listings(self) -> AsyncIterator[Listing]:
        """Fetch the file and yield its lines as they come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A price that a broker's feed reports; `at` is the exchange's time, not ours."""

    broker_token: str
    last_price: Price
    at: datetime


class Feed(Protocol):
    """A broker's stream of prices."""

    async def subscribe(self, broker_tokens: Collection[str]) -> None:
        """Ask for the prices of exactly these instruments from now on."""

    def ticks(self) -> AsyncIterator[Tick]:
        """Yield prices until the connection is lost, which raises Silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to a broker, for the record: no body, no header, no secret."""

    broker: str
    method: str
    path: str
    started_at: datetime
    took_us: int
    http_status: int | None
    failure: str = ""


class Recorder(Protocol):
    """Writes down the calls to brokers."""

    def record(self, call: Call) -> None:
        """Keep a call, without waiting and without ever failing the caller."""
