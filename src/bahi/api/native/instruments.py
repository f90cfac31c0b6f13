"""What is listed: searched, one by its id or its name, chains, expiries, terms on a day."""

from __future__ import annotations

import asyncio
import re
from datetime import date
from typing import Annotated, Final, Self

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from bahi.api.forms import Amount, Day, Id, Limit, Text, number
from bahi.api.native.order_forms import (
    Symbol,
)
from bahi.api.routes import Kept, Who
from bahi.bootstrap import House
from bahi.instruments.model.instrument import Instrument, Terms
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import NotFound
from bahi.kernel.words import InstrumentType, OptionType, Segment

NAME: Final = r"^([0-9]{1,19}|[A-Za-z_]{2,20}:[A-Za-z0-9&_. -]{1,90})$"
NAMED: Final = re.compile(NAME)
Which = Annotated[
    str,
    Path(
        max_length=120,
        pattern=NAME,
        description="An id, or exchange and symbol: NSE:SBIN, NFO:NIFTY25NOV25FUT.",
    ),
]
Asked = Annotated[Text, Query(min_length=1, max_length=100, description="What is looked for.")]
InSegments = Annotated[list[Segment] | None, Query(alias="segment", max_length=10)]
Root = Annotated[Symbol, Query(description="The underlying: NIFTY, SBIN.")]
OfSegment = Annotated[Segment, Query(description="Where the underlying, or its contracts are.")]
OnDay = Annotated[Day, Query(description="On which day.")]
Options = Annotated[bool | None, Query(description="Of options alone, or of futures alone.")]


class InstrumentShown(BaseModel):
    """A contract and the terms that hold for it now."""

    id: Id
    segment: Segment
    exchange: str
    symbol: str
    root: str
    name: str
    trading_symbol: str
    type: InstrumentType
    isin: str | None
    series: str | None
    expiry: date | None
    strike: Amount | None
    option_type: OptionType | None
    lot_size: int
    tick_size: Amount | None
    freeze_quantity: int | None
    largest_order: int | None
    lower_band: Amount | None
    upper_band: Amount | None
    is_tradable: bool

    @classmethod
    def of(cls, it: Instrument) -> Self:
        """Show it."""
        return cls(
            id=str(it.id),
            segment=it.segment,
            exchange=it.exchange,
            symbol=it.symbol,
            root=it.root,
            name=it.name,
            trading_symbol=it.trading_symbol,
            type=it.kind,
            isin=it.isin or None,
            series=it.series or None,
            expiry=it.expiry,
            strike=it.strike,
            option_type=it.option_type,
            lot_size=it.lot_size,
            tick_size=it.tick_size,
            freeze_quantity=it.freeze_qty,
            largest_order=it.largest_order,
            lower_band=it.lower_band,
            upper_band=it.upper_band,
            is_tradable=it.is_tradable,
        )


class Instruments(BaseModel):
    """What was found, best first."""

    items: list[InstrumentShown]


class TermsShown(BaseModel):
    """What held for an instrument on a day."""

    instrument_id: Id
    valid_from: date
    lot_size: int | None
    tick_size: Amount | None
    freeze_quantity: int | None
    largest_order: int | None
    lower_band: Amount | None
    upper_band: Amount | None
    strike: Amount | None
    source: str

    @classmethod
    def of(cls, it: Terms, instrument_id: int) -> Self:
        """Show them."""
        return cls(
            instrument_id=str(instrument_id),
            valid_from=it.valid_from,
            lot_size=it.lot_size,
            tick_size=it.tick_size,
            freeze_quantity=it.freeze_qty,
            largest_order=it.largest_order,
            lower_band=it.lower_band,
            upper_band=it.upper_band,
            strike=it.strike,
            source=it.source,
        )


class Expiries(BaseModel):
    """When contracts of an underlying end, nearest first."""

    root: str
    items: list[date]


class OfInstruments(Kept):
    """For what is made of the symbol master alone."""

    def made_of(self, house: House) -> int | None:
        """Return the number of the master that answers now."""
        return house.instruments.number


class OfDays(Kept):
    """For what is made of market days alone."""

    def made_of(self, house: House) -> int | None:
        """Return the number of the days that are known now."""
        return house.calendar.number


def instrument_routes(house: House) -> APIRouter:
    """Make the doors of instruments."""
    router = APIRouter(prefix="/v1/instruments", tags=["instruments"], route_class=OfInstruments)
    live = house.instruments

    @router.get("")
    async def search(
        actor: Who, q: Asked, segment: InSegments = None, limit: Limit = 20
    ) -> Instruments:
        """Find what a text may mean, best first; it has no further pages."""
        del actor
        catalogue, today = await live.catalogue(), exchange_day(house.clock())

        def find() -> list[Instrument]:
            return catalogue.search(q, today=today, segments=segment, limit=limit)

        found = await asyncio.to_thread(find)
        return Instruments(items=[InstrumentShown.of(it) for it in found])

    @router.get("/expiries")
    async def expiries(
        actor: Who, root: Root, segment: OfSegment, options: Options = None
    ) -> Expiries:
        """List when contracts of an underlying end, nearest first."""
        del actor
        catalogue = await live.catalogue()
        days = catalogue.expiries(root, segment, is_option=options)
        return Expiries(root=root.strip().upper(), items=days)

    @router.get("/{which}")
    async def instrument(actor: Who, which: Which) -> InstrumentShown:
        """Show one instrument; by its id also one that is listed no longer."""
        del actor
        return InstrumentShown.of(await instrument_named(house, which))

    @router.get("/{which}/terms")
    async def terms_on(actor: Who, which: Which, day: OnDay) -> TermsShown:
        """Say what held for an instrument on a day: lot, tick, freeze quantity, band."""
        del actor
        found = await instrument_named(house, which)
        return TermsShown.of(await live.terms_on(found.id, day), found.id)

    return router


async def instrument_named(house: House, named: str) -> Instrument:
    """Return an instrument by exchange and symbol, or by its id."""
    if NAMED.fullmatch(named) is None:
        raise NotFound(f"There is no instrument {named[:48]!r}; write NSE:SBIN, or an id.")
    exchange, colon, symbol = named.partition(":")
    if not colon:
        return await house.instruments.by_id(number(named))
    return (await house.instruments.catalogue()).get(symbol, exchange)
