"""Limits as gauges: what each allows an account, how much of it is used now, and who set it.

A use that is not known is None and says why; it is never nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final, NamedTuple

from bahi.accounts.service.accounts import list_accounts
from bahi.bootstrap.looking import look_at, worth_at
from bahi.bootstrap.rooms import Rooms
from bahi.bootstrap.stages import STORE_OF
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.worth import Worth, unrealized
from bahi.portfolio.service.books import page_of
from bahi.risk.model.control import Held
from bahi.risk.model.limits import Limits, in_force, read
from bahi.risk.model.rate import Window, used_of
from bahi.risk.model.violation import Violation
from bahi.risk.service import limits, violations_over

PAGE_AT_MOST: Final = 200
EACH_ORDER: Final = "It binds each order by itself; none of it is used up."
_PER: Final = {1: "a second", 60: "a minute", 3600: "an hour", 86_400: "a day"}


class Unit(StrEnum):
    """In what a gauge counts; rupees and percent in ten-thousandths."""

    RUPEES = "rupees"
    PERCENT = "percent"
    ORDERS = "orders"


class Gauge(NamedTuple):
    """One limit in force; `used` None: not known, or not of that kind, and `why` says which."""

    name: str
    used: int | None
    most: int
    unit: Unit
    source: str
    set_by: str = ""
    reason: str = ""
    since: datetime | None = None
    why: str = ""
    at: datetime | None = None
    """Of when the use is."""

    @property
    def percent(self) -> int | None:
        """How full it is, in whole percent; of a limit of nothing, full."""
        if self.used is None:
            return None
        return 100 * self.used // self.most if self.most else 100


async def gauges_of(house: Rooms, actor: Actor, account_id: int) -> list[Gauge]:
    """Return every limit in force for an account, with its use now; three statements."""
    kept = await look_at(house, actor, account_id)
    book, held = await kept.store.read(_limited, account_id, fresh=True)
    worths = await worth_at(house, kept)
    now = house.clock()
    return list(gauges(book, held, worths, now))


def _limited(tx: Tx, account_id: int) -> tuple[Book, list[Held]]:
    book = page_of(tx, account_id)
    return book, [it for it in limits(tx) if it.whom.binds(account_id, book.user_id)]


def gauges(
    book: Book, held: Sequence[Held], worths: Sequence[Worth], now: datetime
) -> Iterator[Gauge]:
    """Yield the limits that bind all orders of an account, each with its use."""
    today, bound = book.on(exchange_day(now)), in_force(read(book.limits), None, now)
    newest = _newest(held, now)
    for field, name, unit in _KINDS:
        most = getattr(bound, field)
        if most is not None:
            used, why, at = _used(field, today, worths, now)
            source = _source(newest, partial(_says, field, most))
            yield Gauge(name, used, most, unit, *source, why, at)
    for window in bound.rates:
        per = _PER.get(window.seconds, f"{window.seconds} seconds")
        used = used_of(window, book.rates, now)
        source = _source(newest, partial(_has_window, window))
        yield Gauge(f"orders {per}", used, window.orders, Unit.ORDERS, *source, "", now)


_KINDS: Final = (
    ("daily_loss", "the day's loss before charges", Unit.RUPEES),
    ("position_value", "the largest position", Unit.RUPEES),
    ("order_value", "one order", Unit.RUPEES),
    ("orders_a_day", "orders today", Unit.ORDERS),
    ("open_orders", "orders at once", Unit.ORDERS),
    ("price_band", "distance from the last price", Unit.PERCENT),
)
Use = tuple[int | None, str, datetime | None]


def _used(field: str, book: Book, worths: Sequence[Worth], now: datetime) -> Use:
    if field == "daily_loss":
        return _lost(book, worths, now)
    if field == "position_value":
        return _largest(worths, now)
    counts = {"orders_a_day": book.orders_today, "open_orders": book.open_orders}
    return (counts[field], "", now) if field in counts else (None, EACH_ORDER, None)


def _lost(book: Book, worths: Sequence[Worth], now: datetime) -> Use:
    """Return the day's loss by the newest prices, as a verdict would value it before an entry."""
    blind = next((it for it in worths if it.unrealized is None), None)
    open_ = unrealized(worths)
    if open_ is None:
        return None, "" if blind is None else blind.why, None
    return max(0, -(book.realized_today + open_)), "", now


def _largest(worths: Sequence[Worth], now: datetime) -> Use:
    blind = next((it for it in worths if it.position.net and it.value is None), None)
    if blind is not None:
        return None, blind.why, None
    return max((abs(it.value) for it in worths if it.value is not None), default=0), "", now


Binds = Callable[[Limits], bool]
Bound = tuple[str, str, str, datetime | None]


def _newest(held: Sequence[Held], now: datetime) -> list[Held]:
    """Return what holds now of limits over all strategies: the newest of each place."""
    begun = (it for it in held if it.since <= now and it.whom.strategy is None)
    places = {it.whom.place: it for it in sorted(begun, key=lambda it: (it.since, it.id))}
    return list(places.values())


def _says(field: str, most: int, it: Limits) -> bool:
    return bool(getattr(it, field) == most)


def _has_window(window: Window, it: Limits) -> bool:
    return window in it.rates


def _source(newest: Sequence[Held], binds: Binds) -> Bound:
    """Return whose limit it is that binds: over whom, set by whom, why, since when."""
    for it in newest:
        if binds(it.limits):
            return str(it.whom), it.by, it.reason or "", it.since
    return "several together", "", "", None


async def recent_violations(
    house: Rooms, actor: Actor, *, before: int | None = None, limit: int = 50
) -> list[Violation]:
    """Return what an actor's accounts ran into, the newest first; the last one's id goes on."""
    if not 1 <= limit <= PAGE_AT_MOST:
        raise Invalid(f"limit: {limit} is not 1 to {PAGE_AT_MOST}.")
    every = await house.stores["main"].read(list_accounts, actor, fresh=True)
    found: list[Violation] = []
    for mode, name in STORE_OF.items():
        if mine := [it.id for it in every if it.mode is mode]:
            store = house.stores[name]
            found += await store.read(violations_over, mine, before, limit, fresh=True)
    return sorted(found, key=lambda it: -it.id)[:limit]
