"""What the lists of the session go by: facts, and items that say how each thing stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from bahi.accounts.model import Account, Egress
from bahi.kernel.clock import IST
from bahi.kernel.money import Price, grouped_count
from bahi.kernel.names import shown
from bahi.kernel.symbols import spaced
from bahi.kernel.words import EQUITY, AccountMode, OrderType, Product, Segment, Side
from bahi.orders.model.forever import Forever
from bahi.orders.model.order import Order
from bahi.risk.model.control import Switch
from bahi.risk.model.eligibility import Lists
from bahi.risk.model.standing import Open, Page
from bahi.strategies.model.webhooks import Webhook
from bahi.tokens.model.counting import Counted

FRESH: Final = timedelta(seconds=60)
"""An older price is no price while its market trades."""
SHOWN: Final = 3
OF_A_DAY: Final = frozenset({Product.INTRADAY, Product.CO, Product.BO})
STOPS: Final = frozenset({OrderType.STOP_LOSS, OrderType.STOP_LOSS_MARKET})
MINUS: Final = "\N{MINUS SIGN}"
Thing = tuple[Segment, str]


class State(StrEnum):
    """How a thing stands; what cannot be known is never good."""

    GOOD = "GOOD"
    NEEDS_A_PERSON = "NEEDS_A_PERSON"
    BROKEN = "BROKEN"
    UNKNOWN = "UNKNOWN"


GOOD, NEEDS = State.GOOD, State.NEEDS_A_PERSON
BROKEN, UNKNOWN = State.BROKEN, State.UNKNOWN


class Due(StrEnum):
    """Which list a trader looks at now."""

    MORNING = "MORNING"
    BETWEEN = "BETWEEN"
    CLOSING = "CLOSING"


class Item(NamedTuple):
    """One line of a list: how it stands, in a sentence with its figure, and what it is about."""

    name: str
    state: State
    sentence: str
    accounts: tuple[int, ...] = ()
    symbols: tuple[str, ...] = ()


class Hours(NamedTuple):
    """When a market opens and closes on a day."""

    opens: datetime
    closes: datetime


class Look(NamedTuple):
    """What is known of a thing now: its price, its market, and who keeps it off."""

    last: Price | None = None
    at: datetime | None = None
    source: str = ""
    is_open: bool | None = None
    kept_off: tuple[str, ...] = ()
    delivers: bool = False
    """Whether its contract ends in shares."""
    square_off_at: datetime | None = None

    def is_fresh(self, now: datetime) -> bool:
        """Say whether its price is one to act on."""
        return self.at is not None and now - self.at <= FRESH


NOT_LISTED: Final = Look()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that the lists are made of, as it was at an instant."""

    now: datetime
    day: date
    due: Due
    is_always_open: bool
    accounts: tuple[Account, ...]
    persons: Mapping[int, str]
    pages: Mapping[int, Page]
    positions: tuple[Open, ...]
    orders: tuple[Order, ...]
    forevers: tuple[Forever, ...]
    breaks: Mapping[int, int]
    charges: Mapping[int, int]
    tokens: Mapping[int, Counted]
    addresses: Mapping[int, Egress]
    switches: tuple[Switch, ...]
    webhooks: tuple[Webhook, ...]
    lists: Lists
    looks: Mapping[Thing, Look]
    is_whole: bool = True

    @property
    def live(self) -> tuple[Account, ...]:
        """The accounts whose orders reach a market."""
        return tuple(it for it in self.accounts if it.mode is AccountMode.LIVE)

    def look(self, segment: Segment, symbol: str) -> Look:
        """Return what is known of a thing; of what is not listed, nothing."""
        return self.looks.get((segment, symbol), NOT_LISTED)

    def name(self, account_id: int) -> str:
        """Return what an account is called."""
        return next((it.name for it in self.accounts if it.id == account_id), str(account_id))

    def named(self, positions: Collection[Open]) -> str:
        """Name a few of what is open, each with its account where several have the same."""
        alone = Counter(it.key.symbol for it in positions)
        return named(
            spaced(it.key.symbol)
            if alone[it.key.symbol] == 1
            else f"{spaced(it.key.symbol)} {shown(it.key.product)} of {self.name(it.account_id)}"
            for it in positions
        )

    @property
    def derivatives(self) -> tuple[Open, ...]:
        """What is open of futures and options."""
        return tuple(it for it in self.positions if it.key.segment not in EQUITY)


def due_list(hours: Collection[Hours], now: datetime, *, is_always_open: bool) -> Due:
    """Return which list is due: before the first market opens, after the last, or between.

    A day without hours, or of which nobody knows them, shows what needs a person.
    """
    if is_always_open or not hours:
        return Due.BETWEEN
    if now < min(it.opens for it in hours):
        return Due.MORNING
    return Due.CLOSING if now >= max(it.closes for it in hours) else Due.BETWEEN


def stop_quantity(facts: Facts, it: Open) -> int:
    """Return how many of a position working stops would close."""
    side = Side.SELL if it.net > 0 else Side.BUY
    of_orders = sum(
        one.remaining
        for one in facts.orders
        if one.account_id == it.account_id
        and one.key == it.key
        and one.side is side
        and one.order_type in STOPS
    )
    return of_orders + sum(
        one.quantity
        for one in facts.forevers
        if one.account_id == it.account_id
        and (one.segment, one.symbol, one.product) == it.key
        and one.side is side
        and (one.trigger.below if it.net > 0 else one.trigger.above) is not None
    )


def needs_a_stop(it: Open) -> bool:
    """Say whether what is open can lose more than was paid for it, or is meant for a day.

    Shares that are kept, and options that were bought, can lose what they cost and no more.
    """
    if it.key.product in OF_A_DAY or it.net < 0:
        return True
    is_bought_option = it.key.segment not in EQUITY and it.key.symbol.endswith(("CE", "PE"))
    return it.key.segment not in EQUITY and not is_bought_option


def named(words: Iterable[str]) -> str:
    """Name a few, and count the others."""
    every = list(dict.fromkeys(words))
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return f"{', '.join(every[:SHOWN])}{more}"


def ids(many: Iterable[int]) -> tuple[int, ...]:
    """Return accounts, each once."""
    return tuple(sorted(set(many)))


def symbols(many: Iterable[str]) -> tuple[str, ...]:
    """Return symbols, each once."""
    return tuple(sorted(set(many)))


def hour(at: datetime) -> str:
    """Write an instant's hour in India."""
    return f"{at.astimezone(IST):%H:%M:%S} IST"


def counted(many: int, one: str, several: str | None = None) -> str:
    """Write a number with its noun: `1 token`, `2 tokens`."""
    return f"{grouped_count(many)} {one if many == 1 else several or one + 's'}"


def stands_at(it: Open) -> str:
    """Name what is open with how much of it: `SBIN +1,00,000`."""
    return f"{spaced(it.key.symbol)} {'+' if it.net > 0 else MINUS}{grouped_count(abs(it.net))}"


def age(now: datetime, at: datetime) -> str:
    """Write how old something is: `0.4 s`, `12 s`, `5 min`, `3 h`."""
    seconds = max(0.0, (now - at).total_seconds())
    if seconds < 10:
        return f"{seconds:.1f} s"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"
