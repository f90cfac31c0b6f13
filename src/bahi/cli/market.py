"""What commands say of the market: which instrument is meant, and that prices come in meanwhile."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bahi.kernel.errors import Invalid, NotFound

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.instruments.model.instrument import Instrument

LOOKED_IN: Final = ("NSE", "NSE_INDEX", "NFO", "BSE", "BSE_INDEX", "BFO", "CDS", "MCX")
"""Where a symbol is looked for, the first that lists it counts; a symbol says itself what it is."""

Exchange = Annotated[
    str | None,
    typer.Option(
        "--exchange", help="NSE, NFO, BSE, BFO, CDS, MCX, ...; without it, the first that lists it."
    ),
]


async def instruments_named(
    house: House, symbols: Iterable[str], exchange: str | None
) -> list[Instrument]:
    """Return what is meant by some symbols."""
    from bahi.instruments.model.instrument import segment_of  # noqa: PLC0415 - for who asks

    await house.furnish()  # a house that is new finds the small master
    catalogue = await house.instruments.catalogue()
    found = []
    for word in symbols:
        if exchange:
            found.append(catalogue.get(word, exchange))
            continue
        listed = (catalogue.find(word.strip().upper(), segment_of(it)) for it in LOOKED_IN)
        first = next((it for it in listed if it is not None), None)
        if first is None:
            if not (shown := word[:48].strip()):
                raise Invalid("symbol: it is empty; write one like RELIANCE.")
            raise NotFound(
                f"{shown!r} is not listed; `bahi symbol search {shlex.quote(shown)}` tells."
            )
        found.append(first)
    return found


@asynccontextmanager
async def prices_come_in(house: House) -> AsyncIterator[None]:
    """Bring prices in meanwhile, as a service does: a command's house has not begun its day."""
    from bahi.bootstrap.prices import bring_in  # noqa: PLC0415 - for who asks

    coming = asyncio.create_task(bring_in(house), name="prices")
    try:
        yield
    finally:
        coming.cancel()
        (ended,) = await asyncio.gather(coming, return_exceptions=True)
    if isinstance(ended, Exception):  # not that it was cancelled: that is its end
        raise ended
