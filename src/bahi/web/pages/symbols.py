"""Symbols: the master searched, one instrument's terms, and which masters are in force."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.instruments.model.catalogue import Catalogue
from bahi.instruments.model.instrument import Instrument, Terms
from bahi.instruments.service.records import list_loads, masters_in_force
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import NotFound
from bahi.kernel.words import InstrumentType, Segment
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.room import Room, is_part
from bahi.web.sheets import csv_of
from bahi.web.written import price

HERE: Final = "/symbols"
FOUND_AT_MOST: Final = 50
CSV_AT_MOST: Final = 500
LONGEST: Final = 60
LOADS: Final = 5
OLD: Final = timedelta(days=2)
"""A master that came into force longer ago than this is likely to miss new contracts."""
ON: Final = {
    "IDX": "an index", "STK": "a share", "CUR": "money", "IRC": "interest", "COM": "goods",
    "FUT": "a future of goods",
}  # fmt: skip
KINDS: Final = {
    it: f"{'future' if it.startswith('FUT') else 'option'} on {ON[it[3:]]}"
    if it[3:] in ON
    else it.lower()
    for it in InstrumentType
}
COLUMNS: Final = (
    "id", "segment", "symbol", "root", "name", "kind", "isin", "series", "expiry", "strike",
    "option_type", "lot_size", "tick_size", "freeze_qty", "largest_order", "lower_band",
    "upper_band", "exchange_token",
)  # fmt: skip


def symbol_routes(house: House, frame: Frame) -> APIRouter:
    """Make the pages of the symbol master."""
    pages = Symbols(house, frame)
    pages.router.get(HERE)(pages.every)
    pages.router.get(f"{HERE}.csv")(pages.as_csv)
    pages.router.get(f"{HERE}/terms")(pages.one)
    pages.router.get(f"{HERE}/figures")(pages.tick)
    return pages.router


class Symbols(Room):
    """What is listed."""

    async def every(self, request: Request) -> Response:
        """Find what a text may mean; without one, say what is in force."""
        seat = await self.sit(request)
        asked = request.query_params
        found = await self._found(asked, FOUND_AT_MOST)
        shown: dict[str, Any] = {
            "found": found,
            "words": _words(asked),
            "segment": asked.get("segment", ""),
            "most": FOUND_AT_MOST,
            "kinds": KINDS,
        }
        if is_part(request):
            return self.part(seat, "symbols/rows.html", **shown)
        main, now = self.house.stores["main"], self.house.clock()
        catalogue = await self.house.instruments.catalogue()
        masters = await main.read(masters_in_force, fresh=True)
        shown |= {
            "segments": list(Segment),
            "listed": len(catalogue),
            "masters": [(it, now - it.since, now - it.since > OLD) for it in masters],
            "loads": await main.read(list_loads, None, LOADS, fresh=True),
        }
        return await self.show(request, seat, "symbols/page.html", here=HERE, **shown)

    async def as_csv(self, request: Request) -> Response:
        """Hand out what was found as a file."""
        await self.sit(request)
        return csv_of("symbols", COLUMNS, await self._found(request.query_params, CSV_AT_MOST))

    async def one(self, request: Request) -> Response:
        """Show one instrument with the terms that hold for it today."""
        seat = await self.sit(request)
        it = await self._named(request.query_params)
        catalogue = await self.house.instruments.catalogue()
        quotes = await self.house.quotes.quotes([it])
        shown: dict[str, Any] = {
            "it": it,
            "kind": KINDS[it.kind],
            "is_listed": catalogue.by_id(it.id) is not None,
            "terms": await self._terms(it),
            "names": await self.house.instruments.named_by(it.id),
            "chain": _chain(catalogue, it),
            "quote": quotes.get(it.id),
        }
        figures = seat.link(f"{HERE}/figures", id=it.id)
        return await self.show(
            request, seat, "symbols/one.html", here=HERE, figures=figures, **shown
        )

    async def tick(self, request: Request) -> Response:
        """Say what it is worth by now."""
        seat = await self.sit(request)
        it = await self._named(request.query_params)
        quote = (await self.house.quotes.quotes([it])).get(it.id)
        last = price(None if quote is None else quote.last)
        return await self.figures(request, seat, {"last": (last, "")})

    async def _named(self, asked: Mapping[str, str]) -> Instrument:
        if "id" in asked:  # by which one that is listed no longer is found too
            return await self.house.instruments.by_id(fields.identity(asked["id"], "id"))
        segment, symbol = fields.listed(asked)
        return (await self.house.instruments.catalogue()).get(symbol, segment)

    async def _found(self, asked: Mapping[str, str], at_most: int) -> list[Instrument]:
        words, segment = _words(asked), fields.maybe_one_of(asked, "segment", Segment)
        if not words:
            return []
        catalogue = await self.house.instruments.catalogue()
        today = exchange_day(self.house.clock())

        def find() -> list[Instrument]:
            among = None if segment is None else [segment]
            return catalogue.search(words, today=today, segments=among, limit=at_most)

        return await asyncio.to_thread(find)

    async def _terms(self, it: Instrument) -> Terms | None:
        try:
            return await self.house.instruments.terms_on(it.id, exchange_day(self.house.clock()))
        except NotFound:
            return None


def _words(asked: Mapping[str, str]) -> str:
    return fields.text(asked, "q", at_most=LONGEST)


def _chain(catalogue: Catalogue, it: Instrument) -> dict[str, str] | None:
    """Return which chain belongs to an instrument, as an address names it; None: there is none."""
    root = it.root if it.expiry is not None else it.symbol
    try:
        contracts = catalogue.contracts(root, it.segment)
    except NotFound:
        return None
    option = next((each for each in contracts if each.option_type), None)
    if option is None:
        return None
    said = {"root": root, "segment": option.segment}
    return said | ({"expiry": it.expiry.isoformat()} if it.option_type and it.expiry else {})
