"""Chart: one instrument's candles with the account's own trades, moving with the market."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from bahi.bootstrap import House
from bahi.bootstrap.looking import worth_at
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import IST, exchange_day
from bahi.kernel.errors import BahiError, Invalid, NotFound, Unavailable
from bahi.kernel.money import SCALE, Money, Price, plain
from bahi.kernel.symbols import spaced
from bahi.portfolio.model.recorded import Dealt
from bahi.portfolio.model.worth import Worth
from bahi.portfolio.service.looking import trades_in
from bahi.quotes.model.candles import Candle, Interval, parse_interval
from bahi.quotes.model.quote import Quote
from bahi.web import fields
from bahi.web.fields import Form
from bahi.web.frame import Frame
from bahi.web.pulse import Cell
from bahi.web.room import Room
from bahi.web.seat import Seat
from bahi.web.sheets import csv_of
from bahi.web.written import FINE, exactly, mood, percent, price, signed, whole

HERE: Final = "/chart"
DAYS: Final = {
    Interval.M1: 2,
    Interval.M3: 5,
    Interval.M5: 7,
    Interval.M10: 14,
    Interval.M15: 21,
    Interval.M30: 30,
    Interval.H1: 60,
    Interval.D1: 365,
}
"""How far back a chart goes: about as many candles as a screen can show."""
TITLES: Final = {
    it: "1 day" if it.minutes is None else "1 hour" if it is Interval.H1 else f"{it.minutes} min"
    for it in Interval
}
TRADES_AT_MOST: Final = 200
OFFERED: Final = 12
LONGEST: Final = 60
IST_S: Final = 19_800
"""The library writes times as UTC; so many seconds later, they are the exchange's."""
COLUMNS: Final = ("at", "open", "high", "low", "close", "volume", "open_interest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meant:
    """Of what a chart is, and how long its candles are."""

    instrument: Instrument
    interval: Interval

    def since(self, now: datetime) -> datetime:
        """Return where the chart begins."""
        return now - timedelta(days=DAYS[self.interval])


class Row(NamedTuple):
    """A candle as a file has it."""

    at: datetime
    open: str
    high: str
    low: str
    close: str
    volume: int | None
    open_interest: int | None


def chart_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of the chart."""
    pages = Chart(house, frame)
    router = pages.router
    router.get(HERE)(pages.look)
    router.get(f"{HERE}.csv")(pages.as_csv)
    router.get(f"{HERE}/symbols")(pages.symbols)
    router.get(f"{HERE}/candles")(pages.candles)
    router.get(f"{HERE}/figures")(pages.tick)
    return router


class Chart(Room):
    """The chart of one instrument."""

    async def look(self, request: Request) -> Response:
        """Show the chart of what is named, or ask for a symbol."""
        seat = await self.sit(request)
        asked = request.query_params
        words = fields.text(asked, "symbol", at_most=100).upper()
        shown: dict[str, Any] = {"words": words, "why": "", "meant": None}
        try:
            meant = await self._meant(asked)
        except (Invalid, NotFound) as fault:
            shown |= {"why": str(fault) if words else ""}
            status = 404 if words else 200
            return await self.show(
                request, seat, "chart/page.html", here=HERE, status=status, **shown
            )
        it = meant.instrument
        listed = {"segment": it.segment, "symbol": it.symbol}
        held, _ = await self._own(seat, meant)
        quote = await self._quote(it)
        shown |= {
            "meant": meant,
            "quote": quote,
            "held": held,
            "cells": cells_of(quote, held),
            "titles": TITLES,
            "listed": listed,
            "candles": seat.link(f"{HERE}/candles", **listed, interval=meant.interval),
        }
        figures = seat.link(f"{HERE}/figures", **listed)
        return await self.show(
            request, seat, "chart/page.html", here=HERE, figures=figures, **shown
        )

    async def symbols(self, request: Request, q: str = "") -> Response:
        """Offer what a few letters may mean."""
        seat = await self.sit(request)
        catalogue = await self.house.instruments.catalogue()
        today, words = exchange_day(self.house.clock()), q.strip()[:LONGEST]
        offers = catalogue.search(words, today=today, limit=OFFERED) if words else []
        return self.part(seat, "chart/offers.html", words=words, offers=offers)

    async def candles(self, request: Request) -> Response:
        """Tell candles and own trades; with `since` only from that candle on."""
        seat = await self.sit(request)
        request.state.is_beat = "since" in request.query_params
        meant, now = await self._meant(request.query_params), self.house.clock()
        begins = meant.since(now)
        since = fields.maybe_whole(request.query_params, "since")
        first = begins if since is None else max(begins, _instant(since))
        found, why = await self._history(meant, first, now)
        held, trades = await self._own(seat, meant, begins)
        places = 4 if meant.instrument.segment in FINE else 2
        prices = [it.position.average for it in held if it.position.net and it.position.average]
        return JSONResponse(
            {
                "candles": [_told(it, meant.interval) for it in found],
                "trades": [_marked(it, meant.interval) for it in trades],
                "averages": [round(it / SCALE, places) for it in prices],
                "why": why,
            }
        )

    async def as_csv(self, request: Request) -> Response:
        """Hand out the candles as a file."""
        await self.sit(request)
        meant, now = await self._meant(request.query_params), self.house.clock()
        found, why = await self._history(meant, meant.since(now), now)
        if not found:
            raise NotFound(why)
        return csv_of(f"{meant.instrument.symbol.lower()}-{meant.interval}", COLUMNS, _rows(found))

    async def tick(self, request: Request) -> Response:
        """Say what it is worth by now, and what the account has of it."""
        seat = await self.sit(request)
        meant = await self._meant(request.query_params)
        held, _ = await self._own(seat, meant)
        return await self.figures(
            request, seat, cells_of(await self._quote(meant.instrument), held)
        )

    async def _meant(self, asked: Form) -> Meant:
        segment, symbol = fields.listed(asked)
        catalogue = await self.house.instruments.catalogue()
        interval = parse_interval(fields.text(asked, "interval") or Interval.M5)
        return Meant(instrument=catalogue.get(symbol, segment), interval=interval)

    async def _quote(self, it: Instrument) -> Quote | None:
        return (await self.house.quotes.quotes([it])).get(it.id)

    async def _history(
        self, meant: Meant, first: datetime, now: datetime
    ) -> tuple[tuple[Candle, ...], str]:
        it = meant.instrument
        try:
            found = await self.house.quotes.history(it, meant.interval, first, now)
        except BahiError as fault:
            return (), str(fault)
        if found:
            return found, ""
        return (), (
            f"No candle of {spaced(it.symbol)} is known for the last {DAYS[meant.interval]} days: "
            "only what was followed, or what was traded since its listing, has a past here."
        )

    async def _own(
        self, seat: Seat, meant: Meant, since: datetime | None = None
    ) -> tuple[list[Worth], list[Dealt]]:
        """Return what the account in view has of it, and its trades since an instant."""
        if seat.account is None:
            return [], []
        it = meant.instrument
        listed = (it.segment, it.symbol)
        try:
            kept = await self.books(seat)
        except Unavailable:  # its books are not here; the chart is nobody's
            return [], []
        every = await worth_at(self.house, kept)
        held = [one for one in every if one.position.key[:2] == listed and one.position.net]
        if since is None:
            return held, []
        asked = (kept.account.id, listed, since, TRADES_AT_MOST)
        return held, await kept.store.read(trades_in, *asked, fresh=True)


def cells_of(quote: Quote | None, held: list[Worth]) -> dict[str, Cell]:
    """Return what moves beside a chart."""
    moved = None if quote is None or quote.previous_close is None else _change(quote)
    share = None if moved is None or quote is None else moved / (quote.previous_close or 1)
    said = "" if moved is None else f"{signed(moved)} ({percent(share, 2)})"
    cells: dict[str, Cell] = {
        "last": _told_of(quote, None if quote is None else quote.last),
        "moved": (said, mood(moved)),
        "bid": _told_of(quote, None if quote is None else quote.bid),
        "ask": _told_of(quote, None if quote is None else quote.ask),
        "low": _told_of(quote, None if quote is None else quote.low),
        "high": _told_of(quote, None if quote is None else quote.high),
        "volume": (whole(None if quote is None else quote.volume), "", _source(quote)),
    }
    for it in held:
        name = f"open-{it.position.key.product}"
        cells[name] = (signed(it.unrealized), mood(it.unrealized), it.why)
    return cells


def _told_of(quote: Quote | None, at: Price | None) -> Cell:
    """Return a price with who says it and of when, or why it is not known."""
    if quote is not None and at is None:
        return price(at), "", f"{quote.source} tells none"
    return price(at), "", _source(quote)


def _source(quote: Quote | None) -> str:
    if quote is None:
        return "There is no price of it now."
    return f"{quote.source}, {exactly(quote.at)}"


def _change(quote: Quote) -> Money:
    return Money(quote.last - (quote.previous_close or 0))


def _instant(since: int) -> datetime:
    """Return the instant that the library's time of a candle means."""
    try:
        return datetime.fromtimestamp(since - IST_S, UTC)
    except (ValueError, OverflowError, OSError):
        raise Invalid(f"since: {since} is no time of a candle.") from None


def _time(at: datetime, interval: Interval) -> int:
    """Return an instant as the library writes it: the exchange's clock, a day as its midnight."""
    if interval.minutes is None:
        day = at.astimezone(IST).date()
        return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return int(at.timestamp()) + IST_S


def _told(it: Candle, interval: Interval) -> list[float | int | None]:
    prices = [each / SCALE for each in (it.open, it.high, it.low, it.close)]
    return [_time(it.at, interval), *prices, it.volume]


def _marked(it: Dealt, interval: Interval) -> list[str | float | int]:
    return [_time(it.traded_at, interval), str(it.side), it.quantity, it.price / SCALE]


def _rows(found: tuple[Candle, ...]) -> list[Row]:
    return [
        Row(
            at=it.at,
            open=plain(it.open),
            high=plain(it.high),
            low=plain(it.low),
            close=plain(it.close),
            volume=it.volume,
            open_interest=it.open_interest,
        )
        for it in found
    ]
