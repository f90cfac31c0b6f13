"""Which contracts are near their end, and what their underlyings closed at: in memory, by the day.

The close of an underlying is noted when a contract on it is looked up, which is always before the
transaction that asks for it: nothing in there waits for a price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from bahi.calendar.model import MarketDays, UnknownDay
from bahi.exchange.model.settling import SPOTS
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import Price
from bahi.kernel.words import InstrumentType, Segment
from bahi.portfolio.model.ends import NEAR, NO_ENDS, Ends
from bahi.quotes.model.quote import Quote

Find = Callable[[Segment, str], Instrument | None]
QuoteOf = Callable[[Instrument], Quote | None]


class NearEnds:
    """What is known of contracts that end soon, as of today."""

    def __init__(self, find: Find, quote_of: QuoteOf) -> None:
        self._find, self._quote_of = find, quote_of
        self._of: tuple[MarketDays | None, date] | None = None
        self._closes: dict[tuple[Segment, str], Price] = {}
        self._today = date.min
        self.known = NO_ENDS

    def renew(self, days: MarketDays | None, today: date) -> None:
        """Begin anew where the day or the calendar is another."""
        if self._of == (days, today):
            return
        self._of, self._today = (days, today), today
        closes = self._closes = {}
        if days is None:  # a market that is always open ends nothing
            self.known = NO_ENDS
            return
        self.known = Ends(
            days={it: tuple(_next_days(days, it, today)) for it in SPOTS},
            close=lambda segment, root: closes.get((segment, root)),
        )

    def note(self, it: Instrument) -> None:
        """Note the last close of what an option on a share is settled on, if that ends soon."""
        if it.kind is not InstrumentType.OPTSTK or it.expiry is None:
            return
        key = (it.segment, it.root)
        if key in self._closes or self.known.left(it.segment, it.expiry, self._today) is None:
            return
        close = self._close_of(*key)
        if close is not None:
            self._closes[key] = close

    def _close_of(self, segment: Segment, root: str) -> Price | None:
        for spot in SPOTS[segment]:
            listed = self._find(spot, root)
            quote = None if listed is None else self._quote_of(listed)
            if quote is not None:
                is_todays = exchange_day(quote.at) == self._today
                return quote.previous_close if is_todays else quote.last
        return None


def _next_days(days: MarketDays, segment: Segment, day: date) -> Iterator[date]:
    """Yield the trading days after one, until an end on the last of them is no longer near."""
    try:
        for _ in range(NEAR + 1):
            day = days.next_trading_day(segment, day)
            yield day
    except UnknownDay:  # `calendar_check` has an alert open for it
        return
