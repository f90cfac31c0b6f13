"""Positions, ticking: what each is worth now, how it is closed or held as another product."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.carrying import convert_position
from bahi.bootstrap.looking import worth_at
from bahi.kernel.names import shown
from bahi.kernel.words import Product, Segment
from bahi.orders.service.aiming import close_position
from bahi.orders.service.flattening import flatten_all
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.worth import Worth, unrealized
from bahi.web import fields
from bahi.web.fields import Form
from bahi.web.frame import Frame
from bahi.web.pulse import Cell
from bahi.web.room import Room, is_part
from bahi.web.seat import Seat, done
from bahi.web.sheets import csv_of
from bahi.web.written import exactly, mood, price, signed, whole

HERE: Final = "/positions"
COLUMNS: Final = (
    "position.key.segment", "position.key.symbol", "position.key.product", "position.net",
    "position.average", "mark.price", "unrealized", "position.realized", "why",
)  # fmt: skip


def position_routes(house: House, frame: Frame) -> APIRouter:
    """Make the pages of positions."""
    pages = Positions(house, frame)
    router = pages.router
    router.get(HERE)(pages.every)
    router.get(f"{HERE}.csv")(pages.as_csv)
    router.get(f"{HERE}/figures")(pages.tick)
    router.post(f"{HERE}/close")(pages.close)
    router.post(f"{HERE}/convert")(pages.convert)
    router.post(f"{HERE}/flatten")(pages.flatten)
    return router


class Positions(Room):
    """What is open, and what was."""

    async def every(self, request: Request) -> Response:
        """List positions: what is open first."""
        seat = await self.sit(request)
        found = await self._found(seat)
        if is_part(request):
            return self.part(seat, "positions/rows.html", found=found)
        figures = f"{HERE}/figures"
        return await self.show(
            request, seat, "positions/page.html", here=HERE, figures=figures, found=found,
            sums=sums_of(found),
        )  # fmt: skip

    async def as_csv(self, request: Request) -> Response:
        """Hand them out as a file."""
        seat = await self.sit(request)
        return csv_of("positions", COLUMNS, await self._found(seat))

    async def tick(self, request: Request) -> Response:
        """Say what they are worth by now."""
        seat = await self.sit(request)
        return await self.figures(request, seat, cells_of(await self._found(seat)))

    async def close(self, request: Request) -> Response:
        """Close one at the market; the same form sent twice closes it once."""
        seat, form = await self.sit_with_form(request)
        desk = await self.desk(seat)
        key, name = key_of(form), fields.text(form, "name", at_most=100) or None
        aim = await desk.errands.see_through(close_position(desk, *key, name))
        if not aim.orders:
            return done(seat, HERE, f"{key.symbol} was flat already; nothing was sent.")
        order = aim.orders[-1]
        why = f": {order.error_message}" if order.error_message else "."
        what = f"{order.side} {whole(order.quantity)} {order.symbol}"
        return done(seat, HERE, f"{what} at market is {order.status.lower()}{why}")

    async def convert(self, request: Request) -> Response:
        """Hold a part as another product."""
        seat, form = await self.sit_with_form(request)
        key, to = key_of(form), fields.one_of(form, "to", Product)
        quantity = fields.whole(form, "quantity")
        name = fields.text(form, "name", at_most=100) or None
        made = await convert_position(
            self.house, seat.person, seat.sure.id, key, to=to, quantity=quantity, name=name
        )
        said = f"{whole(abs(made.moves))} {key.symbol} are held as {shown(made.to)} now."
        return done(seat, HERE, said)

    async def flatten(self, request: Request) -> Response:
        """Get out of everything."""
        seat, _ = await self.sit_with_form(request)
        desk = await self.desk(seat)
        found = await desk.errands.see_through(flatten_all(desk))
        return done(seat, HERE, f"{len(found)} positions: the way out of each is under Orders.")

    async def _found(self, seat: Seat) -> list[Worth]:
        found = await worth_at(self.house, await self.books(seat))
        return sorted(found, key=lambda it: it.position.net == 0)


def key_of(form: Form) -> Key:
    """Read which position a form means."""
    segment = fields.one_of(form, "segment", Segment)
    symbol = fields.required(form, "symbol", at_most=100)
    return Key(segment, symbol, fields.one_of(form, "product", Product))


def name_of(it: Worth) -> str:
    """Name a position's cells."""
    key = it.position.key
    return f"{key.segment}-{key.symbol}-{key.product}"


def cells_of(found: Sequence[Worth]) -> Mapping[str, Cell]:
    """Return what moves of positions, and of all of them together."""
    cells: dict[str, Cell] = {}
    for it in found:
        name = name_of(it)
        mark = it.mark
        said = it.why if mark is None else f"{mark.source}, {exactly(mark.at)}"
        cells[f"last-{name}"] = (price(None if mark is None else mark.price), "", said)
        cells[f"open-{name}"] = (signed(it.unrealized), mood(it.unrealized), it.why)
        cells[f"total-{name}"] = (signed(it.total), mood(it.total), it.why)
    return cells | sums_of(found)


def sums_of(found: Sequence[Worth]) -> dict[str, Cell]:
    """Return what all of them have open, have booked, and come to; why where it is not known."""
    why = next((it.why for it in found if it.unrealized is None), "")
    opened, booked = unrealized(found), sum(it.position.realized for it in found)
    summed = None if opened is None else opened + booked
    return {
        "open-all": (signed(opened), mood(opened), why),
        "booked-all": (signed(booked), mood(booked), ""),
        "total-all": (signed(summed), mood(summed), why),
    }
