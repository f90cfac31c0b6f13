"""OpenAlgo's words and ours, both ways; nothing behind this door knows the former.

Every map is total one way or the other: a word that nobody knows is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeVar

from bahi.instruments.model.instrument import EXCHANGE_OF, EXCHANGES
from bahi.kernel.clock import IST
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import Money, Price, parse_price, plain
from bahi.kernel.names import shown
from bahi.kernel.symbols import MONTHS
from bahi.kernel.words import (
    EQUITY,
    AccountMode,
    OptionType,
    OrderStatus,
    OrderType,
    Product,
    Segment,
    Side,
)

LARGEST_ID: Final = (1 << 63) - 1
SAID_AT_MOST: Final = 40

PRICE_TYPES: Final = {
    "MARKET": OrderType.MARKET,
    "LIMIT": OrderType.LIMIT,
    "SL": OrderType.STOP_LOSS,
    "SL-M": OrderType.STOP_LOSS_MARKET,
}
PRICE_TYPE_OF: Final = {ours: theirs for theirs, ours in PRICE_TYPES.items()}
ACTIONS: Final = {"BUY": Side.BUY, "SELL": Side.SELL}
RIGHTS: Final = {"CE": OptionType.CE, "PE": OptionType.PE}

_SHARES: Final = {"MIS": Product.INTRADAY, "CNC": Product.CNC}
_CONTRACTS: Final = {"MIS": Product.INTRADAY, "NRML": Product.MARGIN}
PRODUCTS: Final = tuple(dict.fromkeys((*_SHARES, *_CONTRACTS)))

STATUSES: Final = {
    OrderStatus.PENDING: "open",
    OrderStatus.TRANSIT: "open",
    OrderStatus.UNKNOWN: "open",
    OrderStatus.OPEN: "open",
    OrderStatus.PARTIAL: "open",
    OrderStatus.EXECUTED: "complete",
    OrderStatus.CANCELLED: "cancelled",
    OrderStatus.REJECTED: "rejected",
    OrderStatus.EXPIRED: "cancelled",  # what is left of it ended at its market's close
}
TRIGGER_PENDING: Final = "trigger pending"
MODES: Final = {AccountMode.PAPER: "analyze", AccountMode.LIVE: "live"}

W = TypeVar("W")


def meant(words: Mapping[str, W], said: str, field: str) -> W:
    """Return what a word stands for, whatever its case; refuse one that nobody knows."""
    found = words.get(said) or words.get(said.strip().upper())
    if found is None:
        raise Invalid(
            f"{field}: {said[:SAID_AT_MOST]!r} is not known here; it is one of {', '.join(words)}."
        )
    return found


def segment_of(exchange: str, field: str = "exchange") -> Segment:
    """Return the segment of an exchange."""
    return meant(EXCHANGES, exchange, field)


def exchange_of(segment: Segment) -> str:
    """Return the exchange of a segment."""
    return EXCHANGE_OF[segment]


def side_of(action: str, field: str = "action") -> Side:
    """Return which way an action goes."""
    return meant(ACTIONS, action, field)


def order_type_of(pricetype: str, field: str = "pricetype") -> OrderType:
    """Return how an order meets the market."""
    return meant(PRICE_TYPES, pricetype, field)


def pricetype_of(order_type: OrderType) -> str:
    """Return the same as OpenAlgo says it."""
    return PRICE_TYPE_OF[order_type]


def product_of(product: str, segment: Segment, field: str = "product") -> Product:
    """Return what a product is on a segment; what does not exist there is refused."""
    words = _SHARES if segment in EQUITY else _CONTRACTS
    word = product.strip().upper()
    if word in PRODUCTS and word not in words:
        where = "shares" if word in _SHARES else "derivatives"
        raise Invalid(
            f"{field}: {word} is for {where}; {EXCHANGE_OF[segment]} takes {' or '.join(words)}."
        )
    return meant(words, product, field)


def product_word(product: Product) -> str:
    """Return a product as OpenAlgo says it."""
    return shown(product)


def right_of(option_type: str, field: str = "option_type") -> OptionType:
    """Return the right of an option."""
    return meant(RIGHTS, option_type, field)


def status_of(status: OrderStatus, *, waits_for_trigger: bool) -> str:
    """Return where an order is in its life."""
    if waits_for_trigger and status is OrderStatus.OPEN:
        return TRIGGER_PENDING
    return STATUSES[status]


def mode_of(mode: AccountMode) -> str:
    """Return an account's nature."""
    return MODES[mode]


def price_of(said: Decimal | None, field: str = "price") -> Price | None:
    """Return a price; none, and OpenAlgo's 0, is no price."""
    if said is None:
        return None
    price = parse_price(said, field)
    if price < 0:
        raise Invalid(f"{field}: {plain(price)} is below zero.")
    return price or None


def id_of(said: str | int, field: str = "orderid") -> int:
    """Return an id; what could not be one is nobody's."""
    text = str(said).strip()
    if not (text.isascii() and text.isdecimal()) or int(text[:20]) > LARGEST_ID:
        raise NotFound(f"{field}: there is no {text[:SAID_AT_MOST]!r}.")
    return int(text)


def rupees(amount: Money | Price | int) -> Decimal:
    """Write an amount as the exact number that it is."""
    return Decimal(plain(amount))


def clock_of(at: datetime) -> str:
    """Write the time of day as books of trades have it: 13:58:03."""
    return f"{at.astimezone(IST):%H:%M:%S}"


def stamp_of(at: datetime) -> str:
    """Write an instant as books of orders have it: 08-Apr-2025 13:58:03, at the exchange."""
    here = at.astimezone(IST)
    return f"{here.day:02d}-{MONTHS[here.month - 1].title()}-{here.year} {here:%H:%M:%S}"


def written(at: datetime | None) -> str:
    """Write an instant as books of triggers have it: 2026-04-29 12:18:42, at the exchange."""
    return "" if at is None else f"{at.astimezone(IST):%Y-%m-%d %H:%M:%S}"
