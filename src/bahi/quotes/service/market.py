"""The simulated market in a house: after its calendar, and as a source of ticks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import suppress
from datetime import datetime
from typing import Final

from bahi.calendar.model import MarketDays
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import Clock
from bahi.quotes.model.candles import Candle, Interval
from bahi.quotes.model.hours import AlwaysOpen, CalendarSessions, Sessions
from bahi.quotes.model.laid_out import References
from bahi.quotes.model.quote import SIMULATED, Quote
from bahi.quotes.model.simulated import SimulatedMarket
from bahi.quotes.model.troubles import NO_TROUBLES, Troubles

AT_ONCE: Final = 100
RECKONED_AT_MOST: Final = 5_000
"""Prices of one second that are remembered: many ask for the same few."""

InstrumentOf = Callable[[int], Instrument | None]
"""Returns an instrument by its id; None: there is no such instrument any more."""
Days = Callable[[], Awaitable[MarketDays]]
"""Returns the market days as they are known now (`LiveCalendar.days`)."""


class LiveMarket:
    """The simulated market, which begins anew (as the same) when the calendar has changed."""

    def __init__(
        self,
        seed: int,
        references: References,
        days: Days,
        *,
        always_open: bool = False,
        troubles: Troubles = NO_TROUBLES,
    ) -> None:
        self._seed, self._references, self._days = seed, references, days
        self._always_open, self._troubles = always_open, troubles
        self._known: MarketDays | None = None
        self._market: SimulatedMarket | None = None
        self._past: SimulatedMarket | None = None
        self._reckoning = asyncio.Lock()
        self._second = 0
        self._reckoned: dict[int, tuple[Instrument, Quote | None]] = {}

    async def now(self) -> SimulatedMarket:
        """Return the market as the calendar is now."""
        if self._always_open:
            if self._market is None:
                self._begin(AlwaysOpen())
        elif (days := await self._days()) is not self._known or self._market is None:
            self._known = days
            self._begin(CalendarSessions(days))
        assert self._market is not None  # noqa: S101 - it was begun just now
        return self._market

    @property
    def newest(self) -> SimulatedMarket | None:
        """The market as it was last asked for, for who cannot wait; None: it was not yet."""
        return self._market

    def quote(self, instrument: Instrument, now: datetime) -> Quote | None:
        """Return a price as it was last reckoned for this second, or reckon it."""
        assert self._market is not None  # noqa: S101 - `newest` said that it was begun
        second = int(now.timestamp())
        if second != self._second or len(self._reckoned) >= RECKONED_AT_MOST:
            self._second, self._reckoned = second, {}
        known = self._reckoned.get(instrument.id)
        if known is None or known[0] is not instrument:
            known = (instrument, self._market.quote(instrument, now))
            self._reckoned[instrument.id] = known
        return known[1]

    def _begin(self, sessions: Sessions) -> None:
        self._second, self._reckoned = 0, {}
        given = (self._seed, self._references, sessions, self._troubles)
        self._market, self._past = SimulatedMarket(*given), SimulatedMarket(*given)

    async def candles(
        self, instrument: Instrument, interval: Interval, first: datetime, last: datetime
    ) -> tuple[Candle, ...]:
        """Reckon candles in a thread, one asker at a time, so that quotes go on meanwhile.

        It has a market of its own: the two remember days apart, and no memory is shared.
        """
        await self.now()
        async with self._reckoning:
            assert self._past is not None  # noqa: S101 - it was begun just now
            return await asyncio.to_thread(self._past.candles, instrument, interval, first, last)


class SimulatedPrices:
    """The simulated market as a source: each second a price of all that is watched."""

    def __init__(self, market: LiveMarket, instrument_of: InstrumentOf, clock: Clock) -> None:
        self._market, self._instrument_of, self._clock = market, instrument_of, clock
        self._watched: dict[int, Instrument] = {}
        self._changed = asyncio.Event()

    @property
    def name(self) -> str:
        """What stands in its quotes."""
        return SIMULATED

    async def watch(self, instrument_ids: Collection[int]) -> None:
        """Tell of exactly these from now on, and at once of them all."""
        found = {it: self._instrument_of(it) for it in instrument_ids}
        self._watched = {it: instrument for it, instrument in found.items() if instrument}
        self._changed.set()

    async def quotes(self) -> AsyncIterator[Quote]:
        """Yield prices for ever."""
        told: dict[int, Quote] = {}
        while True:
            self._changed.clear()
            market, now = await self._market.now(), self._clock()
            told = {it: quote for it, quote in told.items() if it in self._watched}
            for number, (it, instrument) in enumerate(tuple(self._watched.items())):
                quote = market.quote(instrument, now)
                if quote is not None and not _says_the_same(quote, told.get(it)):
                    told[it] = quote
                    yield quote
                if number % AT_ONCE == AT_ONCE - 1:
                    await asyncio.sleep(0)
            with suppress(TimeoutError):
                async with asyncio.timeout(1 - now.microsecond / 1_000_000):
                    await self._changed.wait()


def _says_the_same(quote: Quote, told: Quote | None) -> bool:
    """Whether nothing was made since: so a closed market is silent."""
    return told is not None and (quote.at, quote.previous_close, quote.volume) == (
        told.at,
        told.previous_close,
        told.volume,
    )
