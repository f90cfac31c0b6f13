"""Candles of the past, and how long they can be."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from starlette.routing import Route

from bahi.api.openalgo.door import Ask, Name, asked, good
from bahi.api.openalgo.market_words import candle, day_of, instrument_meant
from bahi.bootstrap import House
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.actor import Actor
from bahi.kernel.clock import IST, exchange_day, in_utc
from bahi.kernel.errors import Invalid, TooMuch
from bahi.quotes.model.candles import Candle, Interval, parse_interval

SOURCES: Final = ("api", "db")
"""Two words for one thing here: whatever is known of the past comes from the same place."""
MINUTES: Final = 6 * 60 + 15
"""Of an ordinary trading day."""
CANDLES_AT_MOST: Final = 60_000
DAYS_AT_MOST: Final = 3_700
WRITTEN_HERE: Final = 1_000
"""More candles are written by a thread, so that nobody else waits for it."""
MONTH: Final = timedelta(days=30)
INTERVALS: Final = {
    "seconds": [],
    "minutes": [it for it in Interval if it.endswith("m")],
    "hours": [Interval.H1],
    "days": [Interval.D1],
    "weeks": [],
    "months": [],
}


class Past(Ask, kw_only=True):
    """A request for candles; both days are in it."""

    symbol: Name
    exchange: Name
    interval: Name
    start_date: Name
    end_date: Name
    source: Name = "api"


class Ticker(Ask, kw_only=True, rename={"first": "from", "last": "to"}):
    """The same by address: `NSE:RELIANCE`, the days and the interval in the query."""

    symbol: Name
    interval: Name = "D"
    first: Name = ""
    last: Name = ""


def history_routes(house: House) -> list[Route]:
    """Make the doors of the past."""
    return [
        asked(house, "history", Past, history),
        asked(house, "intervals", Ask, intervals),
        asked(house, "ticker/{symbol}", Ticker, ticker, in_address=True),
    ]


async def history(house: House, _actor: Actor, form: Past) -> dict[str, Any]:
    """Tell an instrument's candles, oldest first."""
    if form.source.strip().lower() not in SOURCES:
        raise Invalid(f"source: {form.source[:40]!r} is not known; it is {' or '.join(SOURCES)}.")
    instrument = await instrument_meant(house, form.symbol, form.exchange)
    days = (day_of(form.start_date, "start_date"), day_of(form.end_date, "end_date"))
    return await _told(house, instrument, parse_interval(form.interval), *days)


async def ticker(house: House, _actor: Actor, form: Ticker) -> dict[str, Any]:
    """Tell candles of the last month, unless days are named."""
    exchange, _, symbol = form.symbol.rpartition(":")
    instrument = await instrument_meant(house, symbol, exchange or "NSE")
    last = day_of(form.last, "to") if form.last else exchange_day(house.clock())
    first = day_of(form.first, "from") if form.first else last - MONTH
    return await _told(house, instrument, parse_interval(form.interval), first, last)


async def intervals(_house: House, _actor: Actor, _form: Ask) -> dict[str, Any]:
    """Tell how long a candle can be."""
    return good(data=INTERVALS)


async def _told(
    house: House, instrument: Instrument, interval: Interval, first: date, last: date
) -> dict[str, Any]:
    if first > last:
        raise Invalid(f"start_date: {first} comes after {last}; give the earlier day first.")
    _refuse_too_many(interval, first, last)
    begins = in_utc(datetime.combine(first, time(), IST))
    ends = in_utc(datetime.combine(last, time.max, IST))
    found = await house.quotes.history(instrument, interval, begins, ends)
    if len(found) <= WRITTEN_HERE:
        return good(data=_written(found, interval))
    return good(data=await asyncio.to_thread(_written, found, interval))


def _written(found: tuple[Candle, ...], interval: Interval) -> list[dict[str, Any]]:
    return [candle(it, interval) for it in found]


def _refuse_too_many(interval: Interval, first: date, last: date) -> None:
    days = (last - first).days + 1
    a_day = 1 if interval.minutes is None else -(-MINUTES // interval.minutes)
    most = min(DAYS_AT_MOST, CANDLES_AT_MOST // a_day)
    if days > most:
        raise TooMuch(
            f"end_date: {days:,} days of {interval} candles are too many for one answer; "
            f"{most:,} days are the most."
        )
