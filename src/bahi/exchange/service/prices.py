"""What the exchange knows of prices: the fresh one, the mean of the last half minute, the close."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final, Protocol

from bahi.exchange.model.protecting import is_protected
from bahi.exchange.model.refusing import IN_HOURS
from bahi.exchange.model.rules import Rules
from bahi.exchange.model.settling import SPOTS
from bahi.exchange.model.situation import Situation
from bahi.exchange.model.trading_day import Timetable
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import exchange_day, to_micros
from bahi.kernel.money import Price
from bahi.kernel.words import Segment
from bahi.quotes.model.pricing import Grid
from bahi.quotes.model.quote import Quote
from bahi.quotes.model.troubles import NO_TROUBLES

HALF_MINUTE: Final = timedelta(seconds=30)
STEP: Final = timedelta(seconds=5)
SEEN_AT_MOST: Final = 2_000
"""Instruments whose last prices are remembered for the mean."""

Past = Callable[[Instrument, datetime], Quote | None]
"""Returns what an instrument's price was at an instant; only a market that is reckoned knows."""


class Venue(Protocol):
    """What the exchange knows of the world: instruments, hours, prices."""

    def instrument(self, segment: Segment, symbol: str) -> Instrument | None:
        """Return a listed instrument."""

    def is_open(self, instrument: Instrument) -> bool | None:
        """Say whether an instrument trades now; None: not known."""

    def quote(self, instrument: Instrument) -> Quote | None:
        """Return its newest price with its depth."""


class Prices:
    """Prices as the exchange goes by them."""

    def __init__(self, venue: Venue, rules: Rules, past: Past | None) -> None:
        self._venue, self.rules, self._past = venue, rules, past
        self._reckoned: dict[int, tuple[datetime, list[Price]]] = {}
        self._seen: dict[int, deque[tuple[datetime, Price]]] = {}

    def known(self, it: Instrument, at: datetime, now: datetime) -> Quote | None:
        """Return the newest price as of an instant, however old; None: nobody knows it any more."""
        if now - at <= self.rules.fresh:
            return self._venue.quote(it)
        if self._past is not None and (past := self._past(it, at)) is not None:
            return past
        quote = self._venue.quote(it)
        return quote if quote is not None and quote.at <= at else None

    def fresh(self, it: Instrument, quote: Quote | None, at: datetime) -> Quote | None:
        """Return a price if it may be acted on, as the troubles of the rules let it come."""
        if quote is None or not quote.is_fresh(at, self.rules.fresh):
            return None
        troubles, seed = self.rules.troubles, str(self.rules.seed)
        if troubles == NO_TROUBLES:
            return quote
        second = to_micros(at) // 1_000_000
        heard = troubles.heard(seed, it.symbol, second)
        if timedelta(seconds=second - heard) > self.rules.fresh:
            return None
        grid = Grid.within(it.tick_size or 1, it.lower_band, it.upper_band)
        return replace(quote, last=troubles.freaked(seed, it.symbol, second, quote.last, grid))

    def mean(self, it: Instrument, quote: Quote | None, at: datetime) -> Price | None:
        """Return the mean of the last half minute, for what is held to it."""
        if quote is None or not is_protected(it):
            return None
        if self._past is None:
            return self._mean_of_seen(it, quote)
        return _mean([quote.last, *self._before(it, at, self._past)])

    def _before(self, it: Instrument, at: datetime, past: Past) -> list[Price]:
        """Return what was paid at the last six times of a grid of five seconds."""
        begins = at - (at - datetime.min.replace(tzinfo=at.tzinfo)) % STEP
        known = self._reckoned.get(it.id)
        if known is None or known[0] != begins:
            if len(self._reckoned) >= SEEN_AT_MOST:
                self._reckoned.clear()
            steps = (begins - STEP * back for back in range(HALF_MINUTE // STEP))
            quotes = [past(it, step) for step in steps]
            lasts = [q.last for q in quotes if q is not None and at - q.at <= HALF_MINUTE]
            known = self._reckoned[it.id] = (begins, lasts)
        return known[1]

    def _mean_of_seen(self, it: Instrument, quote: Quote) -> Price:
        if it.id not in self._seen and len(self._seen) >= SEEN_AT_MOST:
            self._seen.clear()
        seen = self._seen.setdefault(it.id, deque(maxlen=64))
        if not seen or seen[-1][0] < quote.at:
            seen.append((quote.at, quote.last))
        return _mean([price for when, price in seen if quote.at - when <= HALF_MINUTE])

    def close_of(
        self, it: Instrument, day: date, timetable: Timetable, now: datetime
    ) -> Quote | None:
        """Return the quote whose last price is the official close of a day; None: not known."""
        trades = timetable.on(it.segment, day, in_auction=it.cas_eligible)
        if trades is None or now < trades.closes:
            return None
        since = trades.auction.entry_ends if trades.auction else trades.opens
        for quote in (self._venue.quote(it), self._past and self._past(it, trades.closes)):
            if quote is not None and exchange_day(quote.at) == day and quote.at >= since:
                return quote
        return None

    def underlying(self, segment: Segment, root: str) -> Instrument | None:
        """Return what contracts of a root are settled on, where it is listed."""
        for spot in SPOTS.get(segment, ()):
            if (found := self._venue.instrument(spot, root)) is not None:
                return found
        return None


def _mean(prices: list[Price]) -> Price:
    return Price(sum(prices) // len(prices))


def situation(
    it: Instrument,
    when: tuple[datetime, datetime],
    prices: Prices,
    timetable: Timetable,
    rules: Rules,
) -> Situation:
    """Return what is known of an instrument's market as of an instant, `when` it is now."""
    at, now = when
    known = prices.known(it, at, now)
    quote, phase = prices.fresh(it, known, at), timetable.phase(it, at)
    return Situation(
        instrument=it,
        now=at,
        phase=phase,
        day=timetable.day_of(it, at),
        next_day=None if phase in IN_HOURS else timetable.next_day(it, at),
        quote=quote,
        known=known,
        reference=prices.mean(it, quote, at),
        rules=rules,
    )
