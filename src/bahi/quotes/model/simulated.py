"""The simulated market: what everything costs, as a function of a seed, an instrument and a time.

It keeps no state: every process reckons the same price for the same second, asked in any order.
Its grid is the second. A share follows the course of its name (`course`), a future its
underlying's with a basis that melts until expiry, and an option is priced on that future. While
the market is closed nothing moves, and the last price is the close.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import TooMuch
from bahi.kernel.money import Price
from bahi.kernel.ports import Level
from bahi.quotes.model.candles import Candle, Interval, fold
from bahi.quotes.model.depth import CHANCES, book
from bahi.quotes.model.hours import DAY, MINUTE, Session, Sessions
from bahi.quotes.model.laid_out import LaidOut, References, Sitting
from bahi.quotes.model.noise import drawn
from bahi.quotes.model.quote import SIMULATED, Quote
from bahi.quotes.model.traded import Place, Traded
from bahi.quotes.model.troubles import NO_TROUBLES, Troubles

DAYS_AT_MOST: Final = {Interval.D1: 3_700, Interval.M1: 70}
"""Days of candles that are reckoned at once."""
OTHERS_AT_MOST: Final = 370

Book = tuple[tuple[Level, ...], tuple[Level, ...]]


class SimulatedMarket:
    """Prices of everything that has a reference price, at any instant."""

    def __init__(
        self,
        seed: int,
        references: References,
        sessions: Sessions,
        troubles: Troubles = NO_TROUBLES,
    ) -> None:
        self._laid_out = LaidOut(str(seed), references, sessions, troubles)
        self._is_troubled = troubles != NO_TROUBLES

    def quote(self, instrument: Instrument, instant: datetime) -> Quote | None:
        """Return the price at an instant; None: it has none, or none any more."""
        second = int(instant.timestamp() // 1)
        if self._is_troubled:
            days = self._laid_out
            second = days.troubles.heard(days.seed, instrument.symbol, second)
        sitting = self._laid_out.sitting(instrument, second)
        if sitting is None:
            return None
        if second < sitting.session.opens:
            return self._before_the_open(instrument, sitting.before, instant)
        traded = self._laid_out.traded(instrument, sitting)
        place = traded.place(second)
        return self._quote(traded, place, second, sitting.before, instant)

    def candles(
        self, instrument: Instrument, interval: Interval, first: datetime, last: datetime
    ) -> tuple[Candle, ...]:
        """Return the candles that begin within a while, oldest first.

        The newest holds what is made until `last` and nothing later: where `last` is the present,
        nothing is told of the future.
        """
        days = (exchange_day(last) - exchange_day(first)).days
        if days > (most := DAYS_AT_MOST.get(interval, OTHERS_AT_MOST)):
            raise TooMuch(
                f"Candles of {interval} are reckoned for {most:,} days at once, and that is "
                f"{days:,}; ask for less at a time."
            )
        found: list[Candle] = []
        second = int(last.timestamp() // 1)
        for sitting in self._sittings(instrument, first, last):
            opens = datetime.fromtimestamp(sitting.session.opens, UTC)
            traded = self._laid_out.traded(instrument, sitting)
            if interval is Interval.D1:
                found.append(_whole_day(traded, opens, second))
            else:
                found += fold(_minutes(traded, second), opens, interval)
        return tuple(it for it in found if first <= it.at <= last)

    def _sittings(
        self, instrument: Instrument, first: datetime, last: datetime
    ) -> Iterator[Sitting]:
        day, ends = exchange_day(first), exchange_day(last)
        while day <= ends:
            session, before = self._laid_out.around(instrument, day)
            has_begun = session is not None and session.opens <= last.timestamp()
            if session is not None and has_begun and self._laid_out.lives(instrument, day):
                yield Sitting(session, before)
            day += DAY

    def _before_the_open(
        self, instrument: Instrument, before: Session | None, instant: datetime
    ) -> Quote | None:
        """Return what is known in the pre-open: the last close, and that nothing is traded yet."""
        if before is None:
            return None
        last = self._laid_out.close(instrument, before)
        return Quote(
            instrument_id=instrument.id,
            last=last,
            at=datetime.fromtimestamp(before.ends - 1, UTC),
            received_at=instant,
            source=SIMULATED,
            previous_close=last,
            volume=0 if instrument.is_tradable else None,
        )

    def _quote(
        self,
        traded: Traded,
        place: Place,
        second: int,
        before: Session | None,
        instant: datetime,
    ) -> Quote:
        instrument, days = traded.instrument, self._laid_out
        at = traded.second_of(place)
        last = traded.last(place)
        low, high = traded.extremes(place)
        is_trading = at == second and not place.in_auction
        bids, asks = self._book(traded, last, at) if is_trading else ((), ())
        if is_trading and self._is_troubled:
            last = days.troubles.freaked(days.seed, instrument.symbol, at, last, traded.grid)
        return Quote(
            instrument_id=instrument.id,
            last=last,
            at=datetime.fromtimestamp(at, UTC),
            received_at=instant,
            source=SIMULATED,
            bids=bids,
            asks=asks,
            open=traded.opening,
            high=high,
            low=low,
            previous_close=None if before is None else days.close(instrument, before),
            volume=traded.volume(place),
            open_interest=traded.open_interest(place),
        )

    def _book(self, traded: Traded, last: Price, second: int) -> Book:
        """Return what waits on both sides; an index has no book, a locked name one side of it."""
        if not traded.instrument.is_tradable:
            return (), ()
        it = traded.instrument
        chance = drawn(CHANCES, self._laid_out.seed, it.segment, it.symbol, "book", second)
        bids, asks = book(traded.grid, last, traded.liquidity, chance)
        if traded.course.locked and traded.instrument.expiry is None:
            return (bids, ()) if traded.course.locked > 0 else ((), asks)
        return bids, asks


def _whole_day(traded: Traded, opens: datetime, second: int) -> Candle:
    place = traded.place(second)
    low, high = traded.extremes(place)
    return Candle(
        at=opens,
        open=traded.opening,
        high=high,
        low=low,
        close=traded.last(place),
        volume=traded.volume(place),
        open_interest=traded.open_interest(place),
    )


def _minutes(traded: Traded, second: int) -> Iterator[Candle]:
    """Yield a day's minutes until a second, the last one as far as it has come."""
    now = traded.place(second)
    done = 0
    for minute in traded.activity.minutes:
        if not now.in_auction and minute > now.minute:
            return
        is_whole = now.in_auction or minute < now.minute
        place = Place(minute, MINUTE - 1 if is_whole else now.second)
        bar = traded.bar(place)
        volume = traded.volume(place)
        yield Candle(
            at=datetime.fromtimestamp(traded.midnight + minute * MINUTE, UTC),
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=None if volume is None else volume - done,
            open_interest=traded.open_interest(place),
        )
        done = volume or 0
    if now.in_auction:
        volume = traded.volume(now)
        price = traded.auction_price
        yield Candle(
            at=datetime.fromtimestamp(traded.midnight + now.minute * MINUTE, UTC),
            open=price,
            high=price,
            low=price,
            close=price,
            volume=None if volume is None else volume - done,
            open_interest=traded.open_interest(now),
        )
