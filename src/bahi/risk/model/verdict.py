"""The verdict: whether an order may go out, and if not, why and what its trader can do.

It knows an exposure and the account's page, never an order. An exit passes every limit but the
broker's own rate, of which a reserve is kept for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from bahi.exchange.model.protecting import range_around
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import IST, to_micros
from bahi.kernel.money import Money, Price, grouped, plain
from bahi.kernel.words import Product, Side
from bahi.portfolio.model.book import Book
from bahi.risk.model.limits import PERCENT, Limits, in_force, read
from bahi.risk.model.rate import Late, take

FRESH: Final = timedelta(seconds=60)
"""An older price judges nothing, and an older valuation neither."""


class Reference(NamedTuple):
    """A price that a verdict was given by: when it was, and who said it."""

    price: Price
    at: datetime
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """What an order would add to the account; `position` is the most it could come to be.

    `price` is the dearest at which it may trade, `limit` the one that it names, where it names one.
    """

    instrument: Instrument
    side: Side
    product: Product
    quantity: int
    position: int
    price: Price | None
    limit: Price | None
    reference: Reference | None
    margin: Money
    is_exit: bool
    strategy: str | None = None
    kept_off: frozenset[str] = frozenset()
    mean: Price | None = None  # to which its limit is held at the exchange, where it is

    @property
    def value(self) -> Money:
        """What the order is worth; at the last price where it names none."""
        return Money((self.price or 0) * self.quantity)

    @property
    def position_value(self) -> Money:
        """What the position would be worth."""
        price = self.reference.price if self.reference is not None else self.price
        return Money((price or 0) * abs(self.position))

    @property
    def evidence(self) -> dict[str, Any]:
        """Return the price that the verdict was given by, its time and its source."""
        if self.reference is None:
            return {}
        price, at, source = self.reference
        return {"price": plain(price), "at": to_micros(at), "source": source}


class Denial(NamedTuple):
    """Which limit was run into, by how much, and a sentence for the trader."""

    violation: str
    limit: int
    actual: int
    sentence: str
    strategy: str | None = None
    evidence: dict[str, Any] | None = None
    retry_after_s: float | None = None


class Verdict(NamedTuple):
    """The page as the verdict leaves it, and why the order may not go out, if it may not."""

    book: Book
    denial: Denial | None


def judge(book: Book, exposure: Exposure, now: datetime) -> Verdict:
    """Judge an exposure by the page of its account."""
    denial = None if exposure.is_exit else next(_refusals(book, exposure, now), None)
    if denial is not None:
        denial = denial._replace(strategy=exposure.strategy, evidence=exposure.evidence)
        return Verdict(loss_denied(book, now).book, denial)
    return counted(book, now, is_exit=exposure.is_exit)


def counted(book: Book, now: datetime, *, is_exit: bool) -> Verdict:
    """Count one more place, change or cancel; refuse it where the broker's rate is used up."""
    windows = in_force(read(book.limits), None, now).rates
    if not windows:
        return Verdict(book, None)
    kept, late = take(windows, book.rates, now, is_exit=is_exit)
    return Verdict(replace(book, rates=kept), _late(late) if late else None)


def pause_between(book: Book, how_many: int, now: datetime) -> float:
    """Return the seconds to wait between entries that are sent one behind the other."""
    windows = in_force(read(book.limits), None, now).rates
    waits = [it.seconds / it.for_entries for it in windows if how_many > it.for_entries > 0]
    return max(waits, default=0.0)


def latched(book: Book, denial: Denial, now: datetime) -> Book:
    """Return the page as it stays once the day's loss was seen to be too much."""
    if denial.violation == "DAILY_LOSS" and book.latched_at is None:
        return replace(book, latched_at=now)
    return book


def loss_denied(book: Book, now: datetime) -> Verdict:
    """Return the page with its latch where the day's loss is known to be too much, and how much."""
    limits = in_force(read(book.limits), None, now)
    denial = next(_lost(book, limits), None)
    return Verdict(book if denial is None else latched(book, denial, now), denial)


def _refusals(book: Book, it: Exposure, now: datetime) -> Iterator[Denial]:
    limits = in_force(read(book.limits), it.strategy, now)
    for rule in _RULES:
        yield from rule(book, it, limits, now)


def _switched_off(book: Book, it: Exposure, _limits: Limits, _now: datetime) -> Iterator[Denial]:
    switch = book.stopped_by(it.strategy)
    if switch is not None:
        reason = f" ({book.kill_reason})" if book.kill_reason else ""
        yield Denial(
            "KILL_SWITCH",
            0,
            1,
            f"Entries are stopped by {switch}{reason}; exits pass. Release the switch to go on.",
        )


def _lost_too_much(book: Book, _it: Exposure, limits: Limits, now: datetime) -> Iterator[Denial]:
    yield from _lost(book, limits)
    if limits.daily_loss is not None and (
        book.unrealized is None or book.marked_at is None or now - book.marked_at > FRESH
    ):
        yield Denial(
            "STALE_PRICE",
            0,
            0,
            "What is open cannot be valued, because a price of it is missing or too old, so the "
            "day's loss is not known; exits pass. Try again when prices come.",
        )


def _lost(book: Book, limits: Limits) -> Iterator[Denial]:
    limit, lost = limits.daily_loss, loss_of(book)
    if limit is None:
        return
    if book.latched_at is not None or (lost is not None and lost >= limit):
        yield Denial(
            "DAILY_LOSS",
            limit,
            lost or 0,
            f"The day's loss reached its limit of {grouped(limit)} rupees; exits pass, and entries "
            "again on the next trading day.",
        )


def loss_of(book: Book) -> Money | None:
    """Return what the day lost so far, realised and not; None: not known."""
    if book.unrealized is None:
        return None
    return Money(-(book.realized_today + book.unrealized))


def _not_allowed(_book: Book, it: Exposure, limits: Limits, now: datetime) -> Iterator[Denial]:
    asked = (
        ("symbol", it.instrument.symbol, limits.symbols),
        ("segment", it.instrument.segment, limits.segments),
        ("product", it.product, limits.products),
    )
    for name, value, allowed in asked:
        if allowed and value not in allowed:
            listed = ", ".join(sorted(allowed)[:8])
            yield Denial("NOT_ALLOWED", 0, 1, f"{name}: {value} is not allowed here; {listed} is.")
    if limits.hours is not None:
        begin, end = limits.hours
        if not begin <= now.astimezone(IST).time() < end:
            yield Denial(
                "TRADING_HOURS",
                0,
                1,
                f"Entries are allowed from {begin:%H:%M} to {end:%H:%M}; exits pass.",
            )


def _not_eligible(_book: Book, it: Exposure, _limits: Limits, _now: datetime) -> Iterator[Denial]:
    for why in sorted(it.kept_off):
        yield Denial("ELIGIBILITY", 0, 1, f"{it.instrument.symbol}: {why}.")


def _too_far(_book: Book, it: Exposure, limits: Limits, now: datetime) -> Iterator[Denial]:
    band = limits.price_band
    if band is None or it.limit is None:
        return
    if it.reference is None or now - it.reference.at > FRESH:
        yield Denial(
            "STALE_PRICE",
            0,
            0,
            f"There is no fresh price of {it.instrument.symbol} to hold the limit against; try "
            "again when prices come.",
        )
        return
    last = it.reference.price
    away = abs(it.limit - last) * 100 * PERCENT // last
    if away > band:
        low, high = (last * (100 * PERCENT + sign * band) // (100 * PERCENT) for sign in (-1, 1))
        yield Denial(
            "PRICE_BAND",
            band,
            away,
            f"price: {grouped(it.limit)} is more than {grouped(band)} % from the last price of "
            f"{grouped(last)}; {grouped(Price(low))} to {grouped(Price(high))} is allowed.",
        )


def _out_of_range(_book: Book, it: Exposure, _limits: Limits, _now: datetime) -> Iterator[Denial]:
    """Refuse a limit that the exchange would refuse, in its words, before the wire."""
    if it.mean is None or it.limit is None:
        return
    bounds = range_around(it.instrument, it.mean)
    if bounds is not None and not bounds.holds(it.limit):
        nearest = bounds.high if it.limit > bounds.high else bounds.low
        yield Denial("PRICE_BAND", nearest, it.limit, bounds.sentence)


def _too_much(book: Book, it: Exposure, limits: Limits, _now: datetime) -> Iterator[Denial]:
    counts: tuple[tuple[str, int | None, int, Callable[[int], str], str], ...] = (
        ("ORDER_VALUE", limits.order_value, it.value, grouped, "rupees in one order"),
        ("POSITION_SIZE", limits.position_value, it.position_value, grouped, "rupees in a symbol"),
        ("ORDERS_PER_DAY", limits.orders_a_day, book.orders_today + 1, str, "orders in a day"),
        ("OPEN_ORDERS", limits.open_orders, book.open_orders + 1, str, "orders at once"),
    )
    for violation, limit, actual, shown, what in counts:
        if limit is not None and actual > limit:
            yield Denial(
                violation,
                limit,
                actual,
                f"The limit is {shown(limit)} {what} and this would make it {shown(actual)}; ask "
                "for less, or have the limit raised.",
            )


def _unpaid(book: Book, it: Exposure, _limits: Limits, _now: datetime) -> Iterator[Denial]:
    if it.margin > book.available:
        yield Denial(
            "MARGIN",
            book.available,
            it.margin,
            f"It needs about {grouped(it.margin)} rupees and {grouped(book.available)} are free; "
            "ask for less, or close something first.",
        )


_RULES: Final = (
    _switched_off,
    _lost_too_much,
    _not_allowed,
    _not_eligible,
    _too_far,
    _out_of_range,
    _too_much,
    _unpaid,
)


def _late(late: Late) -> Denial:
    window, allowed, wait = late
    per = {1: "second", 60: "minute", 3600: "hour", 86_400: "day"}.get(
        window.seconds, f"{window.seconds} seconds"
    )
    return Denial(
        "ORDER_RATE",
        allowed,
        allowed + 1,
        f"Only {allowed} orders a {per} may go out here; try again in {max(wait, 0.1):.1f} "
        "seconds.",
        retry_after_s=wait,
    )
