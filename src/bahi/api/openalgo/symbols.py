"""What is listed: one symbol, a search, the days on which contracts end, and everything."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Any, Final

import msgspec
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bahi.api.openalgo.door import JSON, Ask, Name, asked, good
from bahi.api.openalgo.market_words import expiry_text, instrument_meant, known
from bahi.api.openalgo.words import segment_of
from bahi.bootstrap import House
from bahi.instruments.model.catalogue import Catalogue
from bahi.instruments.model.instrument import EXCHANGE_OF, Entry, Instrument
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import SCALE
from bahi.kernel.words import InstrumentType, Segment

FOUND_AT_MOST: Final = 500
AT_ONCE: Final = 500
"""Rows that are written before others have their turn."""
EXCHANGES: Final = ("NSE", "BSE", "NFO", "BFO", "MCX", "CDS", "BCD", "NSE_INDEX", "BSE_INDEX")
KINDS: Final = {"options": True, "futures": False}
COLUMNS: Final = (
    "symbol", "brsymbol", "name", "exchange", "brexchange", "token", "expiry", "strike",
    "lotsize", "instrumenttype", "tick_size", "freeze_qty",
)  # fmt: skip
WRITE: Final = msgspec.json.Encoder().encode


class OfSymbol(Ask, kw_only=True):
    """A request about one symbol."""

    symbol: Name
    exchange: Name


class Searched(Ask, kw_only=True):
    """A request for what a text may mean."""

    query: Name
    exchange: Name | None = None


class Ends(Ask, kw_only=True):
    """A request for the days on which contracts of an underlying end."""

    symbol: Name
    exchange: Name
    instrumenttype: Name = "options"


class All(Ask, kw_only=True):
    """A request for all that is listed, at one exchange or at each."""

    exchange: Name = ""
    format: Name = "json"


def symbol_routes(house: House) -> list[Route]:
    """Make the doors of what is listed."""
    return [
        asked(house, "symbol", OfSymbol, symbol),
        asked(house, "search", Searched, search),
        asked(house, "expiry", Ends, expiry),
        asked(house, "instruments", All, instruments, in_address=True),
    ]


async def symbol(house: House, _actor: Actor, form: OfSymbol) -> dict[str, Any]:
    """Tell what a symbol stands for."""
    return good(data=_told(await instrument_meant(house, form.symbol, form.exchange)))


async def search(house: House, _actor: Actor, form: Searched) -> dict[str, Any]:
    """Tell what a text may mean, best first."""
    if not form.query.strip():
        raise Invalid("query: write what to look for: NIFTY 26000 DEC CE.")
    segments = None if not form.exchange else [segment_of(form.exchange)]
    catalogue = await house.instruments.catalogue()
    found = catalogue.search(
        form.query,
        today=exchange_day(house.clock()),
        segments=segments,
        limit=FOUND_AT_MOST,
    )
    said = f"Found {len(found)} matching symbols" if found else "No matching symbols found"
    return good(message=said, data=[_told(it) for it in found])


async def expiry(house: House, _actor: Actor, form: Ends) -> dict[str, Any]:
    """Tell when contracts of an underlying end, the nearest day first; none that is past."""
    kind = form.instrumenttype.strip().lower()
    if kind not in KINDS:
        right = " or ".join(KINDS)
        raise Invalid(f"instrumenttype: {form.instrumenttype[:40]!r} is none; write {right}.")
    segment = segment_of(form.exchange)
    catalogue = await house.instruments.catalogue()
    today = exchange_day(house.clock())
    found = catalogue.expiries(form.symbol, segment, is_option=KINDS[kind])
    days = [expiry_text(day) for day in found if day >= today]
    name = form.symbol.strip().upper()
    if not days:
        raise NotFound(f"No {kind} of {name} are listed at {EXCHANGE_OF[segment]}.")
    said = f"Found {len(days)} expiry dates for {name} {kind} in {EXCHANGE_OF[segment]}"
    return good(message=said, data=days)


async def instruments(house: House, _actor: Actor, form: All) -> Response:
    """Tell all that is listed, a few hundred rows at a time as fast as they are taken."""
    form_of_answer = form.format.strip().lower()
    if form_of_answer not in {"json", "csv"}:
        raise Invalid(f"format: {form.format[:40]!r} is none; write json or csv.")
    exchanges = (form.exchange,) if form.exchange else EXCHANGES
    segments = [segment_of(it) for it in exchanges]
    catalogue = await house.instruments.catalogue()
    if form_of_answer == "csv":
        file = {"Content-Disposition": 'attachment; filename="instruments.csv"'}
        return StreamingResponse(_as_csv(catalogue, segments), media_type="text/csv", headers=file)
    return StreamingResponse(_as_json(catalogue, segments), media_type=JSON)


def _told(it: Instrument) -> dict[str, Any]:
    return {
        "id": str(it.id),
        "name": it.root or it.name or it.symbol,
        "symbol": it.symbol,
        "brsymbol": it.trading_symbol or it.symbol,
        "exchange": it.exchange,
        "brexchange": it.exchange,
        "instrumenttype": _kind(it.kind, it.option_type, it.expiry),
        "expiry": expiry_text(it.expiry),
        "strike": known(it.strike),
        "lotsize": it.lot_size,
        "tick_size": known(it.tick_size),
        "freeze_qty": it.freeze_qty,
        "token": it.exchange_token,
    }


def _kind(kind: str, option_type: str | None, expiry: object) -> str:
    if option_type:
        return str(option_type)
    if expiry:
        return "FUT"
    return "INDEX" if kind == InstrumentType.INDEX else "EQ"


def _row(it: Entry, exchange: str) -> tuple[Any, ...]:
    """Return an entry in the order of the columns."""
    return (
        it.symbol,
        it.trading_symbol or it.symbol,
        it.root or it.name or it.symbol,
        exchange,
        exchange,
        it.exchange_token or "",
        expiry_text(date.fromisoformat(it.expiry)) if it.expiry else "",
        None if it.strike is None else it.strike / SCALE,
        it.lot_size or 1,
        _kind(it.kind, it.option_type, it.expiry),
        None if it.tick_size is None else it.tick_size / SCALE,
        it.freeze_qty,
    )


def _parts(catalogue: Catalogue, segments: Iterable[Segment]) -> Iterator[list[tuple[Any, ...]]]:
    rows = (
        _row(it, EXCHANGE_OF[segment])
        for segment in segments
        for it in catalogue.listed_at(segment)
    )
    while part := list(islice(rows, AT_ONCE)):
        yield part


async def _as_json(catalogue: Catalogue, segments: list[Segment]) -> AsyncIterator[bytes]:
    many = sum(len(catalogue.listed_at(it)) for it in segments)
    begun = WRITE({"status": "success", "message": f"Found {many} instruments"})
    yield begun[:-1] + b',"data":['
    is_first = True
    for part in _parts(catalogue, segments):
        written = WRITE([dict(zip(COLUMNS, row, strict=True)) for row in part])[1:-1]
        yield written if is_first else b"," + written
        is_first = False
        await asyncio.sleep(0)
    yield b"]}"


async def _as_csv(catalogue: Catalogue, segments: list[Segment]) -> AsyncIterator[str]:
    yield ",".join(COLUMNS) + "\n"
    for part in _parts(catalogue, segments):
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(part)
        yield text.getvalue()
        await asyncio.sleep(0)
