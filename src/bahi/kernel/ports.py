"""The ports: what the house asks of a broker, and of whoever writes down the calls to it.

A first form. Words (side, product, status...) are plain text here, spelt as `words` spells them;
instruments are named by our segment and symbol, orders by the tag we gave and the broker's own id.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO, NamedTuple, Protocol

from bahi.kernel.errors import BahiError
from bahi.kernel.listings import Lines
from bahi.kernel.money import Money, Price
from bahi.kernel.words import LoginFailure


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
    amo_time: str | None = None


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
    `fills` are those that the broker told one by one; None: it tells only how many in all.
    `asked` is the order as the broker has it, for one that we did not place.
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
    fills: tuple[Fill, ...] | None = ()
    asked: Ticket | None = None


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
class OpenPosition:
    """What a broker says is open of one thing; negative is short. None: it does not tell that."""

    segment: str
    symbol: str
    product: str
    quantity: int
    average_price: Price | None = None
    last_price: Price | None = None
    realized: Money | None = None
    unrealized: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldShare:
    """What a broker says is held of a share, without what was dealt in it today.

    None: it does not tell that; what is delivered and what still comes (T+1) add up to `quantity`.
    """

    segment: str
    symbol: str
    quantity: int
    delivered: int | None = None
    coming: int | None = None
    pledged: int | None = None
    isin: str | None = None
    average_price: Price | None = None
    last_price: Price | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Purse:
    """What a broker says of an account's money; None: it does not tell that."""

    available: Money | None = None
    margin_used: Money | None = None
    collateral: Money | None = None
    withdrawable: Money | None = None
    at_start_of_day: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldTrade:
    """One trade of the day as a broker lists it, with the order that it is of."""

    fill: Fill
    broker_order_id: str
    segment: str
    symbol: str
    side: str
    product: str
    tag: str | None = None


class Teller(Protocol):
    """What a broker tells of one account beside its orders.

    Every call returns all that there is, or raises: NotSent, Rejected, or Silent, also where it was
    read in part only. Nothing is a list of nothing; not known is never nothing.
    """

    async def positions(self) -> tuple[OpenPosition, ...]:
        """Return what is open, with what was dealt for delivery today."""

    async def holdings(self) -> tuple[HeldShare, ...]:
        """Return what is held for delivery, as it was before today's trades."""

    async def funds(self) -> Purse:
        """Return what there is of money."""

    async def trade_book(self) -> tuple[ToldTrade, ...]:
        """Return the trades of the day, in the order in which they were made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One application registered at a broker, and the secrets that a login may need of it.

    `repr` shows none of them. `host` is where an OpenAlgo host listens; other brokers have fixed
    addresses. `pin` and `totp` (the base32 secret, not a code) are there only where a person chose
    to let the house log in alone. `expiry_rule` says how long a token lives where the broker does
    not (Breeze).
    """

    client_id: str = ""
    redirect_uri: str = ""
    host: str = ""
    broker_user_id: str = ""
    expiry_rule: str = ""
    secret: str = field(default="", repr=False)
    pin: str = field(default="", repr=False)
    totp: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The tokens that a login brought, by kind: access, session, refresh, feed.

    `repr` shows none of them; `expires_at` is None where only the broker's user ends the token.
    """

    tokens: Mapping[str, str] = field(repr=False)
    expires_at: datetime | None
    broker_user_id: str = ""
    broker_user_name: str = ""
    token_type: str = "Bearer"  # noqa: S105 - a word of HTTP, no secret
    scope: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Who the broker says a token belongs to."""

    user_id: str
    user_name: str = ""


class LoginFailed(BahiError):
    """The broker gave no token."""

    code = "login_failed"

    def __init__(
        self,
        sentence: str = "",
        reason: LoginFailure = LoginFailure.UNKNOWN,
        *,
        broker_code: str = "",
    ) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.broker_code = broker_code


class Login(Protocol):
    """How a broker turns a registered application into a token, and tells whether one is good.

    Whatever goes wrong is a LoginFailed with its reason; silence is one too (NETWORK_TIMEOUT).
    """

    def is_headless(self, application: Application) -> bool:
        """Say whether `log_in` can do without a person."""

    async def begin(self, application: Application, state: str) -> str:
        """Return the address at which a person logs in; what comes back goes to `complete`.

        Dhan and Breeze bring no state back: who sends a person there has to keep it (a cookie).
        """

    async def ask(self, application: Application, now: datetime) -> datetime | None:
        """Have the broker ask its user in its own app; until when. None: it has no such way.

        What the user approves is posted to the notifier, and goes to `complete` as well.
        """

    async def complete(
        self, application: Application, answer: Mapping[str, str], now: datetime
    ) -> Grant:
        """Exchange what the redirect brought (its query or form) for tokens."""

    async def log_in(self, application: Application, now: datetime) -> Grant:
        """Make a token without a person."""

    async def renew(
        self, application: Application, tokens: Mapping[str, str], now: datetime
    ) -> Grant | None:
        """Exchange a token that still lives for a later one; None where the broker has no way."""

    async def verify(self, application: Application, tokens: Mapping[str, str]) -> Profile:
        """Ask the broker whose token it is; refused: PROFILE_VERIFICATION_FAILED."""

    async def revoke(self, application: Application, tokens: Mapping[str, str]) -> None:
        """End a token at the broker, where the broker has a way."""


class Master(Protocol):
    """A broker's instrument file: where it is published, and how it is read."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return where the broker publishes it for everybody; none where it wants a key or host."""

    def listings(self, file: BinaryIO) -> Lines:
        """Yield a file's lines in our words as they are read; the file can be sought.

        What cannot be the file, or all of it, is a NotAMaster, perhaps after lines were yielded:
        who asks keeps none of them then. A text cut exactly behind a line looks whole; only a count
        against another day's tells.
        """


class Level(NamedTuple):
    """One price of an order book, and how much waits there."""

    price: Price
    quantity: int
    orders: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """What a broker says of one instrument's price; None: it did not say.

    `at` is the exchange's time, not ours. `volume` is the day's so far. The best bid and ask are
    the first of `bids` and `asks`.
    """

    broker_token: str
    last_price: Price
    at: datetime
    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
    open: Price | None = None
    high: Price | None = None
    low: Price | None = None
    previous_close: Price | None = None
    volume: int | None = None
    open_interest: int | None = None


class Feed(Protocol):
    """A broker's prices: asked for once, or as a stream."""

    async def ask(self, broker_tokens: Collection[str]) -> Sequence[Tick]:
        """Fetch these prices now; what the broker does not know is left out."""

    async def subscribe(self, broker_tokens: Collection[str]) -> None:
        """Ask for the prices of exactly these instruments from now on."""

    def ticks(self) -> AsyncIterator[Tick]:
        """Yield prices until the connection is lost, which raises Silent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call to a broker, for the record: what was sent and answered, without secrets."""

    broker: str
    operation: str
    method: str
    path: str
    started_at: datetime
    took_us: int
    http_status: int | None
    failure: str = ""
    account_id: int | None = None
    order_ref: str = ""
    request: Mapping[str, Any] = field(default_factory=dict)
    response: Mapping[str, Any] = field(default_factory=dict)


class Recorder(Protocol):
    """Writes down the calls to brokers."""

    def record(self, call: Call) -> None:
        """Keep a call, without waiting and without ever failing the caller."""
