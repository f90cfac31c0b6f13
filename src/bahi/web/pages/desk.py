"""The desk: what a trader looks at all day, on one screen that changes with the session."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from fastapi import Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.looking import Kept
from bahi.bootstrap.session_lists import session_list
from bahi.bootstrap.today import Days, Today, today_of
from bahi.orders.service.looking import Page, Wanted, page_of
from bahi.portfolio.model.today import Labelled, Made
from bahi.portfolio.model.worth import Worth
from bahi.portfolio.service.curve import curve_of
from bahi.web.frame import Frame
from bahi.web.pages.orders import WORKING
from bahi.web.pages.positions import cells_of
from bahi.web.pictures import Line, line_of
from bahi.web.pulse import Cell
from bahi.web.room import Room
from bahi.web.written import money, mood, signed

HERE: Final = "/"
SHOWN: Final = 20
"""Positions, orders and names that stand on the desk itself; the others are a link away."""


class Named(NamedTuple):
    """What was made of one symbol or strategy."""

    label: str
    made: Made


class Curve(NamedTuple):
    """The day as a line, from when to when."""

    line: Line
    first: datetime
    last: datetime


class DeskPage(Room):
    """Today, on one screen."""

    def __init__(self, house: House, frame: Frame) -> None:
        super().__init__(house, frame)
        self._days = Days()

    async def today(self, request: Request) -> Response:
        """Show the day so far: what was made, what is open, what works, what needs a person."""
        seat = await self.sit(request)
        if seat.account is None:
            return await self.show(request, seat, "desk/empty.html", here=HERE)
        kept = await self.books(seat)
        working = await _working(kept)
        today = await today_of(self.house, self._days, kept)
        return await self.show(
            request,
            seat,
            "desk/page.html",
            here=HERE,
            figures="/desk/figures",
            book=today.book,
            today=today,
            orders=working.orders,
            more_orders=working.next is not None,
            curve=await self._curve(kept, today),
            **_open(today),
        )

    async def open(self, request: Request) -> Response:
        """Show what is open, and what was made of what, when a trade has changed it."""
        seat = await self.sit(request)
        today = await today_of(self.house, self._days, await self.books(seat))
        return self.part(seat, "desk/open.html", **_open(today))

    async def working(self, request: Request) -> Response:
        """Show what works, when some of it has changed."""
        seat = await self.sit(request)
        found = await _working(await self.books(seat))
        more = found.next is not None
        return self.part(seat, "desk/working.html", orders=found.orders, more_orders=more)

    async def now(self, request: Request) -> Response:
        """Show the session's list: before the open, after the close, or what needs a person."""
        seat = await self.sit(request)
        return self.part(seat, "desk/now.html", due=await session_list(self.house, seat.person))

    async def tick(self, request: Request) -> Response:
        """Say what the desk's figures are by now."""
        seat = await self.sit(request)
        if seat.account is None or seat.is_live:
            return await self.figures(request, seat)
        today = await today_of(self.house, self._days, await self.books(seat))
        cells = {**cells_of(today.worths), **_made(today)}
        return await self.figures(request, seat, cells, today.book)

    async def curve(self, request: Request) -> Response:
        """Draw the day's curve anew."""
        seat = await self.sit(request)
        kept = await self.books(seat)
        today = await today_of(self.house, self._days, kept)
        return self.part(seat, "desk/curve.html", curve=await self._curve(kept, today))

    async def _curve(self, kept: Kept, today: Today) -> Curve | None:
        """Draw what the day had made minute by minute, up to now."""
        points = await kept.store.read(curve_of, kept.account.id, today.day, fresh=True)
        course = [(it.at, it.net) for it in points] + [(today.at, today.whole.net)]
        first, last = course[0][0], course[-1][0]
        span = (last - first).total_seconds() or 1.0
        line = line_of([((at - first).total_seconds() / span, net) for at, net in course])
        return None if line is None else Curve(line, first, last)


async def _working(kept: Kept) -> Page:
    wanted = Wanted(statuses=WORKING)
    return await kept.store.read(page_of, kept.account.id, wanted, None, SHOWN, fresh=True)


def _open(today: Today) -> dict[str, Any]:
    """Return what is open, what weighs most first, and the day by strategy and by symbol."""
    found = sorted((it for it in today.worths if it.position.net), key=_by_weight)
    return {
        "found": found[:SHOWN],
        "left_out": max(0, len(found) - SHOWN),
        "strategies": _ranked(today.strategies),
        "symbols": _ranked(today.symbols),
    }


def _made(today: Today) -> Mapping[str, Cell]:
    """Return the day's money as it moves, in all and by name."""
    whole = today.whole
    cells: dict[str, Cell] = {
        "made": (signed(whole.net), mood(whole.net)),
        "charges": (money(whole.charges), ""),
        "booked": (signed(whole.realized), mood(whole.realized)),
        "open": (signed(whole.unrealized), mood(whole.unrealized)),
    }
    for kind, found in (("strategy", today.strategies), ("symbol", today.symbols)):
        for it in _ranked(found):
            cells[f"{kind}-{it.label}"] = (signed(it.made.net), mood(it.made.net))
    return cells


def _ranked(found: Labelled) -> list[Named]:
    """Return names with what they made, what weighs most first; what is unknown weighs more."""
    named = [Named(label or "", made) for label, made in found.items()]
    return sorted(named, key=lambda it: (it.made.net is not None, -abs(it.made.net or 0)))[:SHOWN]


def _by_weight(it: Worth) -> tuple[bool, int]:
    return it.total is not None, -abs(it.total or 0)
