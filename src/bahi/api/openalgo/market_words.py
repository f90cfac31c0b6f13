"""Prices, days and candles as OpenAlgo's clients read them. What is not known is null, never 0."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any, Final

from bahi.api.openalgo.words import SAID_AT_MOST, rupees, segment_of
from bahi.bootstrap import House
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid
from bahi.kernel.ports import Level
from bahi.kernel.symbols import MONTHS
from bahi.quotes.model.candles import Candle, Interval
from bahi.quotes.model.quote import Quote

DAY_RIGHT: Final = "write it as 2026-04-01"


async def instrument_meant(house: House, symbol: str, exchange: str) -> Instrument:
    """Return what a symbol at an exchange stands for."""
    segment = segment_of(exchange)
    return (await house.instruments.catalogue()).get(symbol, segment)


def known(amount: int | None) -> Decimal | None:
    """Write a price, or that it is not known."""
    return None if amount is None else rupees(amount)


def quoted(quote: Quote) -> dict[str, Any]:
    """Write a price with its day's figures."""
    return {
        "open": known(quote.open),
        "high": known(quote.high),
        "low": known(quote.low),
        "ltp": rupees(quote.last),
        "ask": known(quote.ask),
        "bid": known(quote.bid),
        "prev_close": known(quote.previous_close),
        "volume": quote.volume,
        "oi": quote.open_interest,
    }


def deep(quote: Quote) -> dict[str, Any]:
    """Write a price with its order book, as far as that is known."""
    return {
        **quoted(quote),
        "ltq": None,
        "totalbuyqty": sum(it.quantity for it in quote.bids) if quote.bids else None,
        "totalsellqty": sum(it.quantity for it in quote.asks) if quote.asks else None,
        "bids": levels(quote.bids),
        "asks": levels(quote.asks),
    }


def levels(side: Iterable[Level]) -> list[dict[str, Any]]:
    """Write one side of a book, the best price first."""
    return [
        {"price": rupees(it.price), "quantity": it.quantity, "orders": it.orders} for it in side
    ]


def candle(it: Candle, interval: Interval) -> dict[str, Any]:
    """Write a candle by its beginning, in seconds since 1970.

    A day's is at midnight UTC of its date: clients read it as the date itself, in no zone.
    """
    at = it.at
    if interval is Interval.D1:
        at = datetime.combine(exchange_day(it.at), time(), UTC)
    said: dict[str, Any] = {
        "timestamp": int(at.timestamp()),
        "open": rupees(it.open),
        "high": rupees(it.high),
        "low": rupees(it.low),
        "close": rupees(it.close),
        "volume": it.volume,
    }
    if it.open_interest is not None:
        said["oi"] = it.open_interest
    return said


def day_of(said: str, field: str) -> date:
    """Read a day: 2026-04-01."""
    text = said.strip()
    try:
        if len(text) != 10:
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(f"{field}: {said[:SAID_AT_MOST]!r} is no day; {DAY_RIGHT}.") from None


def expiry_text(day: date | None) -> str:
    """Write an expiry as lists of contracts have it: 28-OCT-25."""
    if day is None:
        return ""
    return f"{day.day:02d}-{MONTHS[day.month - 1]}-{day.year % 100:02d}"
