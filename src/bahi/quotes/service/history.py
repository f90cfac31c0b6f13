"""Candles of what was followed: the last days in memory, so much of it at most.

What is kept of a day is one entry a minute and instrument. Where nobody followed an instrument,
nothing is known of it: the minutes are missing, and none is made up.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from bahi.calendar.model import MarketDays
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import exchange_day
from bahi.quotes.model.candles import Candle, DayOfCandles, Interval, Trade, between
from bahi.quotes.model.hours import CalendarSessions
from bahi.quotes.model.quote import Quote
from bahi.quotes.service.market import InstrumentOf

INSTRUMENT_DAYS: Final = 2_000
"""Days of instruments that are kept, a few hundred kilobytes each ten; the oldest go first."""
LATE: Final = timedelta(minutes=5)
"""How long after the close a price still belongs to the day."""


class KeptCandles:
    """Builds candles of every price that passes, and tells them."""

    def __init__(
        self, days: MarketDays, instrument_of: InstrumentOf, *, at_most: int = INSTRUMENT_DAYS
    ) -> None:
        self._sessions = CalendarSessions(days)
        self._instrument_of, self._at_most = instrument_of, at_most
        self._kept: dict[tuple[int, date], DayOfCandles | None] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def know(self, days: MarketDays) -> None:
        """Take a changed calendar into account, for the days that begin from now on."""
        self._sessions = CalendarSessions(days)

    def take(self, quote: Quote) -> None:
        """Take in a price (`pump` tells them); what is made outside of the session is no trade."""
        key = (quote.instrument_id, exchange_day(quote.at))
        if key not in self._kept:
            while len(self._kept) >= self._at_most:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = self._begun(*key)
        day = self._kept[key]
        if day is not None and day.opens <= quote.at <= (day.ends or quote.at) + LATE:
            day.take(Trade(quote.at, quote.last, quote.volume, quote.open_interest))

    def _begun(self, instrument_id: int, day: date) -> DayOfCandles | None:
        instrument = self._instrument_of(instrument_id)
        if instrument is None:
            return None
        session = self._sessions.session(
            instrument.segment, day, in_auction=instrument.cas_eligible
        )
        if session is None:
            return None
        opens, ends = (datetime.fromtimestamp(it, UTC) for it in (session.opens, session.ends))
        return DayOfCandles(opens, ends)

    def days(self) -> tuple[tuple[int, date, DayOfCandles], ...]:
        """Return what is kept: the instrument's id, the day, and what it came to so far."""
        kept = self._kept.items()
        return tuple((*key, it) for key, it in kept if it is not None)

    async def candles(
        self, instrument: Instrument, interval: Interval, first: datetime, last: datetime
    ) -> tuple[Candle, ...]:
        """Return the candles that begin within a while, oldest first."""
        found: list[Candle] = []
        for (instrument_id, day), kept in sorted(self._kept.items(), key=lambda it: it[0]):
            within = exchange_day(first) <= day <= exchange_day(last)
            if instrument_id == instrument.id and kept is not None and within:
                found += between(kept.candles(interval), first, last)
        return tuple(found)
