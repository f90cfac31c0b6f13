"""Option chain: strikes about the price, ticking, with greeks; a click puts one into the basket."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.chains import ChainSeen, OptionSeen, RungSeen, chain_of
from bahi.kernel.errors import BahiError, Invalid
from bahi.kernel.money import plain
from bahi.kernel.words import Segment
from bahi.web import fields
from bahi.web.fields import Form
from bahi.web.frame import Frame
from bahi.web.pages.basket import Baskets
from bahi.web.pulse import Cell
from bahi.web.sheets import csv_of
from bahi.web.written import MINUS, UNKNOWN, percent, price, whole

HERE: Final = "/options"
ROOT: Final = "NIFTY"
AROUND: Final = 10
"""Strikes on either side of the money, unless a person asks for more."""
REACHES: Final = (5, AROUND, 20, 40)
SEGMENTS: Final = (
    Segment.NSE_FNO, Segment.BSE_FNO, Segment.MCX_COMM, Segment.NSE_CURRENCY, Segment.BSE_CURRENCY,
)  # fmt: skip
SIDES: Final = ("call", "put")
COLUMNS: Final = (
    "strike",
    *(
        f"{side}_{it}"
        for side in SIDES
        for it in (
            "symbol", "last", "bid", "ask", "open_interest", "volume", "implied_volatility",
            "delta", "gamma", "theta", "vega", "priced_at", "source", "why",
        )
    ),
)  # fmt: skip
GREEKS: Final = frozenset({"iv", "delta", "theta", "vega"})
MODEL: Final = "Black-76 on the forward"
BAR: Final = 100
"""How wide the bar of the greatest open interest is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which chain is meant, and how far it reaches."""

    root: str
    segment: Segment
    expiry: date | None
    around: int

    def said(self, expiry: date | None) -> dict[str, str]:
        """Return what says the same in an address."""
        said = {"root": self.root, "segment": str(self.segment)}
        if expiry is not None:
            said["expiry"] = expiry.isoformat()
        return said if self.around == AROUND else {**said, "around": str(self.around)}


class Shown(NamedTuple):
    """One side of a strike as the page shows it: figures by their column, and the bar's length."""

    option: OptionSeen
    cells: dict[str, Cell]
    bar: int
    is_in: bool


class Row(NamedTuple):
    """A strike as the page shows it."""

    rung: RungSeen
    call: Shown | None
    put: Shown | None
    is_money: bool


def option_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of option chains and their basket."""
    pages = Options(house, frame)
    router = pages.router
    router.get(HERE)(pages.look)
    router.get(f"{HERE}.csv")(pages.as_csv)
    router.get(f"{HERE}/figures")(pages.tick)
    router.post(f"{HERE}/basket")(pages.change)
    router.post(f"{HERE}/outlook")(pages.outlook)
    router.post(f"{HERE}/place")(pages.place)
    return router


class Options(Baskets):
    """The chain of one underlying, and the basket beside it."""

    async def look(self, request: Request) -> Response:
        """Show a chain with the basket that the address says."""
        seat = await self.sit(request)
        asked = asked_of(request.query_params)
        chain, why = await self._chain(asked)
        catalogue = await self.house.instruments.catalogue()
        said = asked.said(asked.expiry if chain is None else chain.expiry)
        shown: dict[str, Any] = {
            "asked": asked,
            "chain": chain,
            "why": why,
            "rows": [] if chain is None else list(rows_of(chain)),
            "expiries": [] if chain is None else chain.expiries,
            "roots": catalogue.option_roots(asked.segment),
            "segments": SEGMENTS,
            "reaches": REACHES,
            **await self.basket(seat, request.query_params),
            "of_chain": said,
        }
        return await self.show(
            request,
            seat,
            "options/page.html",
            here=HERE,
            figures=seat.link(f"{HERE}/figures", **said),
            status=404 if why and "root" in request.query_params else 200,
            **shown,
        )

    async def as_csv(self, request: Request) -> Response:
        """Hand out the chain as a file."""
        await self.sit(request)
        asked = asked_of(request.query_params)
        chain = await self._seen(asked)
        return csv_of(f"chain-{asked.root.lower()}-{chain.expiry}", COLUMNS, _lines(chain))

    async def tick(self, request: Request) -> Response:
        """Say what everything in a chain is worth by now."""
        seat = await self.sit(request)
        chain, _ = await self._chain(asked_of(request.query_params))
        return await self.figures(request, seat, {} if chain is None else cells_of(chain))

    async def _chain(self, asked: Asked) -> tuple[ChainSeen | None, str]:
        try:
            return await self._seen(asked), ""
        except BahiError as fault:
            return None, str(fault)

    async def _seen(self, asked: Asked) -> ChainSeen:
        return await chain_of(
            self.house, asked.root, asked.segment, asked.expiry, around=asked.around
        )


def asked_of(form: Form) -> Asked:
    """Read which chain an address or a form means."""
    around = fields.maybe_whole(form, "around")
    if around is not None and not 0 <= around <= max(REACHES):
        raise Invalid(f"around: {around} strikes cannot be shown; {max(REACHES)} are the most.")
    return Asked(
        root=fields.text(form, "root", at_most=40).upper() or ROOT,
        segment=fields.one_of(form, "segment", Segment, Segment.NSE_FNO),
        expiry=fields.maybe_day(form, "expiry"),
        around=AROUND if around is None else around,
    )


def rows_of(chain: ChainSeen) -> Iterator[Row]:
    """Yield the strikes of a chain as the page shows them."""
    sides = [side for rung in chain.rungs for side in (rung.call, rung.put) if side is not None]
    interests = (0 if it.quote is None else it.quote.open_interest or 0 for it in sides)
    most = max(interests, default=0) or 1
    price_now = chain.underlying.last
    for rung in chain.rungs:
        yield Row(
            rung,
            _shown(rung.call, most, is_in=rung.strike < price_now),
            _shown(rung.put, most, is_in=rung.strike > price_now),
            rung.strike == chain.at_the_money,
        )


def _shown(side: OptionSeen | None, most: int, *, is_in: bool) -> Shown | None:
    if side is None:
        return None
    interest = 0 if side.quote is None else side.quote.open_interest or 0
    return Shown(side, figures_of(side), interest * BAR // most, is_in)


def figures_of(side: OptionSeen) -> dict[str, Cell]:
    """Return an option's figures as the page writes them, by their column, with whence they are."""
    source = side.why if side.quote is None else side.quote.source
    cells: dict[str, Cell] = {}
    for column, said in _written(side).items():
        whence = side.why or MODEL if column in GREEKS else source
        if said == UNKNOWN and side.quote is not None and column not in GREEKS:
            whence = f"{source} tells none"
        cells[column] = (said, "", whence)
    return cells


def _written(side: OptionSeen) -> dict[str, str]:
    quote, figures = side.quote, side.figures
    greeks = None if figures is None else figures.greeks
    return {
        "last": price(None if quote is None else quote.last),
        "bid": price(None if quote is None else quote.bid),
        "ask": price(None if quote is None else quote.ask),
        "oi": whole(None if quote is None else quote.open_interest),
        "volume": whole(None if quote is None else quote.volume),
        "iv": UNKNOWN if figures is None else percent(figures.volatility).removesuffix(" %"),
        "delta": _signed(None if greeks is None else greeks.delta),
        "theta": _signed(None if greeks is None else greeks.theta),
        "vega": _signed(None if greeks is None else greeks.vega),
    }


def cells_of(chain: ChainSeen) -> dict[str, Cell]:
    """Return what moves of a chain."""
    cells: dict[str, Cell] = {
        "spot": (price(chain.underlying.last), ""),
        "forward": (price(chain.forward), ""),
    }
    for rung in chain.rungs:
        for side in (rung.call, rung.put):
            if side is not None:
                for column, cell in figures_of(side).items():
                    cells[f"{column}-{side.instrument.id}"] = cell
    return cells


def _signed(figure: float | None) -> str:
    if figure is None:
        return UNKNOWN
    return f"{round(figure, 2) + 0.0:.2f}".replace("-", MINUS)  # so that nothing has no sign


def _lines(chain: ChainSeen) -> Iterator[Any]:
    for rung in chain.rungs:
        yield _Line({"strike": rung.strike, **_half("call", rung.call), **_half("put", rung.put)})


class _Line:
    """A strike as a file has it: one attribute for each column."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.__dict__.update(dict.fromkeys(COLUMNS), **said)


def _half(name: str, side: OptionSeen | None) -> dict[str, Any]:
    if side is None:
        return {}
    quote, figures = side.quote, side.figures
    said: dict[str, Any] = {"symbol": side.instrument.symbol, "why": side.why or None}
    if quote is not None:
        said |= {
            "last": plain(quote.last),
            "bid": None if quote.bid is None else plain(quote.bid),
            "ask": None if quote.ask is None else plain(quote.ask),
            "open_interest": quote.open_interest,
            "volume": quote.volume,
            "priced_at": quote.at,
            "source": quote.source,
        }
    if figures is not None:
        greeks = figures.greeks
        said |= {"implied_volatility": round(figures.volatility, 6)}
        said |= {it: round(getattr(greeks, it), 6) for it in ("delta", "gamma", "theta", "vega")}
    return {f"{name}_{it}": value for it, value in said.items()}
