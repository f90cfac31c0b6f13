"""Market data: prices and order books; and every door of the data half, gathered."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final, NoReturn

import msgspec
from starlette.routing import Route

from bahi.api.openalgo.door import Ask, Name, Refused, asked, good
from bahi.api.openalgo.market_calendar import calendar_routes
from bahi.api.openalgo.market_history import history_routes
from bahi.api.openalgo.market_words import deep, instrument_meant, quoted
from bahi.api.openalgo.options import option_routes
from bahi.api.openalgo.symbols import symbol_routes
from bahi.api.openalgo.words import SAID_AT_MOST
from bahi.bootstrap import House
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.actor import Actor
from bahi.kernel.errors import BahiError, TooMuch
from bahi.quotes.model.quote import NoPrice

AT_ONCE: Final = 500


class Of(Ask, kw_only=True):
    """A request about one instrument."""

    symbol: Name
    exchange: Name


class Named(msgspec.Struct):
    """One instrument of several."""

    symbol: Name
    exchange: Name


class Several(Ask, kw_only=True):
    """A request about several instruments."""

    symbols: list[Named]


def market_routes(house: House) -> list[Route]:
    """Make the doors of the data half."""
    return [
        asked(house, "quotes", Of, quotes),
        asked(house, "multiquotes", Several, multiquotes),
        asked(house, "depth", Of, depth),
        *history_routes(house),
        *symbol_routes(house),
        *option_routes(house),
        *calendar_routes(house),
        asked(house, "chart", Ask, chart),
        asked(house, "chart", Ask, chart, in_address=True),
    ]


async def quotes(house: House, _actor: Actor, form: Of) -> dict[str, Any]:
    """Tell the newest price of an instrument."""
    instrument = await instrument_meant(house, form.symbol, form.exchange)
    quote = await house.quotes.quote(instrument)
    return good(data=quoted(quote))


async def multiquotes(house: House, _actor: Actor, form: Several) -> dict[str, Any]:
    """Tell the newest prices of several; of one that has none it says why, and of the rest all."""
    if len(form.symbols) > AT_ONCE:
        raise TooMuch(f"symbols: these are {len(form.symbols)}; {AT_ONCE} at a time are the most.")
    meant: list[Instrument | BahiError] = []
    for named in form.symbols:
        try:
            meant.append(await instrument_meant(house, named.symbol, named.exchange))
        except BahiError as unknown:
            meant.append(unknown)
    found = await house.quotes.quotes(
        {it.id: it for it in meant if isinstance(it, Instrument)}.values()
    )
    results = []
    for said, it in zip(form.symbols, meant, strict=True):
        row: dict[str, Any] = {
            "symbol": said.symbol[:SAID_AT_MOST],
            "exchange": said.exchange[:SAID_AT_MOST],
        }
        quote = found.get(it.id) if isinstance(it, Instrument) else None
        if quote is not None:
            row["data"] = quoted(quote)
        else:
            why = it if isinstance(it, BahiError) else NoPrice(f"There is no price of {it.symbol}.")
            row |= {"data": None, "error": str(why), "code": why.code}
        results.append(row)
    return good(results=results)


async def depth(house: House, _actor: Actor, form: Of) -> dict[str, Any]:
    """Tell what waits on both sides of an instrument's book."""
    instrument = await instrument_meant(house, form.symbol, form.exchange)
    return good(data=deep(await house.quotes.depth(instrument)))


async def chart(_house: House, _actor: Actor, _form: Ask) -> NoReturn:
    """Say that no page here draws charts, so that nobody's wishes for them are kept."""
    raise Refused(
        "Wishes for charts are not kept here: chart is not available.",
        code="not_available",
        status=HTTPStatus.NOT_IMPLEMENTED,
    )
