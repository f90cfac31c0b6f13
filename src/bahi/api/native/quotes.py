"""Prices: of several at once, with their books, and the candles of a while."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bahi.api.forms import Amount, Id, Instant, When
from bahi.api.native.instruments import NAME, instrument_named
from bahi.api.routes import Authenticated, Who
from bahi.bootstrap import House
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.ports import Level
from bahi.kernel.words import Segment
from bahi.quotes.model.candles import Candle, Interval
from bahi.quotes.model.quote import Quote

SYMBOLS_AT_MOST = 200
CANDLES_AT_MOST = 5_000
Named = Annotated[
    str,
    Query(max_length=120, pattern=NAME, description="An id, or exchange and symbol: NSE:SBIN."),
]
Several = Annotated[
    str,
    Query(
        max_length=4_000,
        description=f"Ids, or exchanges and symbols, parted by commas; {SYMBOLS_AT_MOST} at most.",
    ),
]
Long = Annotated[Interval, Query(description="How long a candle is.")]
First = Annotated[When, Query(description="The first candle begins at this instant or later.")]
Last = Annotated[When | None, Query(description="The last begins by this instant; else now.")]


class LevelShown(BaseModel):
    """One price of a book."""

    price: Amount
    quantity: int
    orders: int | None

    @classmethod
    def of(cls, it: Level) -> Self:
        """Show it."""
        return cls(price=it.price, quantity=it.quantity, orders=it.orders)


class QuoteShown(BaseModel):
    """What an instrument is worth, from when, and who says so; null is not known."""

    instrument_id: Id
    segment: Segment
    symbol: str
    last: Amount
    at: Instant
    source: str
    bid: Amount | None
    ask: Amount | None
    open: Amount | None
    high: Amount | None
    low: Amount | None
    previous_close: Amount | None
    volume: int | None
    open_interest: int | None

    @classmethod
    def of(cls, instrument: Instrument, it: Quote) -> Self:
        """Show it."""
        return cls(
            instrument_id=str(instrument.id),
            segment=instrument.segment,
            symbol=instrument.symbol,
            last=it.last,
            at=it.at,
            source=it.source,
            bid=it.bid,
            ask=it.ask,
            open=it.open,
            high=it.high,
            low=it.low,
            previous_close=it.previous_close,
            volume=it.volume,
            open_interest=it.open_interest,
        )


class Quotes(BaseModel):
    """Prices as they were asked for; `missing` names what has none, or is not listed."""

    items: list[QuoteShown]
    missing: list[str]


class DepthShown(QuoteShown):
    """A price with its book, best first."""

    bids: list[LevelShown]
    asks: list[LevelShown]


class CandleShown(BaseModel):
    """What a while came to; `at` is its beginning."""

    at: Instant
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: int | None
    open_interest: int | None

    @classmethod
    def of(cls, it: Candle) -> Self:
        """Show it."""
        return cls(
            at=it.at,
            open=it.open,
            high=it.high,
            low=it.low,
            close=it.close,
            volume=it.volume,
            open_interest=it.open_interest,
        )


class Candles(BaseModel):
    """The candles of a while, oldest first."""

    instrument_id: Id
    symbol: str
    interval: Interval
    items: list[CandleShown]


def quote_routes(house: House) -> APIRouter:
    """Make the doors of prices."""
    router = APIRouter(prefix="/v1/quotes", tags=["quotes"], route_class=Authenticated)

    @router.get("")
    async def quotes(actor: Who, symbols: Several) -> Quotes:
        """Say what several instruments are worth."""
        del actor
        names = list(dict.fromkeys(it.strip() for it in symbols.split(",") if it.strip()))
        if not 1 <= len(names) <= SYMBOLS_AT_MOST:
            raise Invalid(f"symbols: name 1 to {SYMBOLS_AT_MOST}, not {len(names)}.")
        listed: dict[str, Instrument] = {}
        for name in names:
            try:
                listed[name] = await instrument_named(house, name)
            except NotFound:
                continue
        found = await house.quotes.quotes(listed.values())
        return Quotes(
            items=[QuoteShown.of(it, found[it.id]) for it in listed.values() if it.id in found],
            missing=[name for name in names if name not in listed or listed[name].id not in found],
        )

    @router.get("/depth")
    async def depth(actor: Who, symbol: Named) -> DepthShown:
        """Say what one is worth, with its book."""
        del actor
        instrument = await instrument_named(house, symbol)
        found = await house.quotes.depth(instrument)
        shown = QuoteShown.of(instrument, found).model_dump()
        return DepthShown(
            **shown,
            bids=[LevelShown.of(it) for it in found.bids],
            asks=[LevelShown.of(it) for it in found.asks],
        )

    @router.get("/candles")
    async def candles(
        actor: Who, symbol: Named, interval: Long, first: First, last: Last = None
    ) -> Candles:
        """Say what a while came to; of what nobody followed some may be missing."""
        del actor
        last = last or house.clock()
        length = (
            timedelta(days=1) if interval.minutes is None else timedelta(minutes=interval.minutes)
        )
        if (last - first) / length > CANDLES_AT_MOST:
            raise Invalid(f"first: {CANDLES_AT_MOST} candles at most are answered; ask for parts.")
        instrument = await instrument_named(house, symbol)
        found = await house.quotes.history(instrument, interval, first, last)
        return Candles(
            instrument_id=str(instrument.id),
            symbol=instrument.symbol,
            interval=interval,
            items=[CandleShown.of(it) for it in found],
        )

    return router
