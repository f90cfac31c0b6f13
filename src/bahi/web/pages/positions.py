"""Positions, ticking: what each is worth now, how it is closed or held as another product."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.carrying import convert_position
from bahi.bootstrap.looking import worth_at
from bahi.kernel.money import Money
from bahi.kernel.names import shown
from bahi.kernel.symbols import spaced
from bahi.kernel.words import OrderStatus, Product, Segment, Side
from bahi.orders.model.order import Order
from bahi.orders.service.aiming import close_position
from bahi.orders.service.flattening import Flattened, flatten_all
from bahi.orders.service.looking import Wanted, page_of
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.worth import Worth, unrealized
from bahi.web import fields
from bahi.web.fields import Form
from bahi.web.frame import Frame
from bahi.web.pages.orders import WORKING
from bahi.web.pulse import Cell
from bahi.web.room import Room, is_part
from bahi.web.seat import Seat, done
from bahi.web.sheets import csv_of
from bahi.web.written import exactly, money, mood, price, signed, whole, word

HERE: Final = "/positions"
LOOKED_AT: Final = 500
"""Orders that are looked through for those that rest on what is closed."""
COLUMNS: Final = (
    "position.key.segment", "position.key.symbol", "position.key.product", "position.net",
    "position.average", "mark.price", "unrealized", "position.realized", "why",
)  # fmt: skip


class WayOut(NamedTuple):
    """What closing a position sends: about what it is worth where its price is known."""

    key: Key
    side: Side
    quantity: int
    value: Money | None


def position_routes(house: House, frame: Frame) -> APIRouter:
    """Make the pages of positions."""
    pages = Positions(house, frame)
    router = pages.router
    router.get(HERE)(pages.every)
    router.get(f"{HERE}.csv")(pages.as_csv)
    router.get(f"{HERE}/figures")(pages.tick)
    router.get(f"{HERE}/close")(pages.ask_to_close)
    router.post(f"{HERE}/close")(pages.close)
    router.post(f"{HERE}/convert")(pages.convert)
    router.get(f"{HERE}/flatten")(pages.ask_to_flatten)
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

    async def ask_to_close(self, request: Request) -> Response:
        """Say what closing one would send and cancel; nothing is sent before a second press."""
        seat = await self.sit(request)
        key = key_of(request.query_params)
        ways = [it for it in ways_out(await self._found(seat)) if it.key == key]
        what = spaced(key.symbol)
        said = [f"{it.side} {whole(it.quantity)} {what} at market" for it in ways]
        return self.part(
            seat,
            "positions/way_out.html",
            title=f"Close {what}",
            how=f"All that is open of {what} ({shown(key.product)}) goes at the market.",
            ways=ways,
            resting=len(await self._resting(seat, {key})),
            sentence=" ".join(said) + about(ways) + for_whom(seat),
            address=f"{HERE}/close",
            brought={
                "segment": key.segment,
                "symbol": key.symbol,
                "product": key.product,
                "name": f"close-{secrets.token_hex(8)}",
            },
        )

    async def ask_to_flatten(self, request: Request) -> Response:
        """Say what getting out of everything would send and cancel."""
        seat = await self.sit(request)
        ways = ways_out(await self._found(seat))
        many = "1 position" if len(ways) == 1 else f"{len(ways)} positions"
        return self.part(
            seat,
            "positions/way_out.html",
            title="Square off everything",
            how="Each is closed by limits that reach further and further, for up to 20 seconds; "
            "what could not be closed raises an alert.",
            ways=ways,
            resting=len(await self._resting(seat, {it.key for it in ways})),
            sentence=f"Square off {many}{about(ways)}{for_whom(seat)}",
            address=f"{HERE}/flatten",
            brought={},
        )

    async def close(self, request: Request) -> Response:
        """Close one at the market; the same form sent twice closes it once."""
        seat, form = await self.sit_with_form(request)
        desk = await self.desk(seat)
        key, name = key_of(form), fields.text(form, "name", at_most=100) or None
        rested = await self._resting(seat, {key})
        aim = await desk.errands.see_through(close_position(desk, *key, name))
        cancelled = await self._cancelled(seat, rested)
        if not aim.orders:
            return done(
                seat, HERE, f"{spaced(key.symbol)} was flat already; nothing was sent.{cancelled}"
            )
        order = aim.orders[-1]
        why = f": {order.error_message}" if order.error_message else "."
        what = f"{order.side} {whole(order.quantity)} {spaced(order.symbol)}"
        return done(seat, HERE, f"{what} at market is {word(order.status)}{why}{cancelled}")

    async def convert(self, request: Request) -> Response:
        """Hold a part as another product."""
        seat, form = await self.sit_with_form(request)
        key, to = key_of(form), fields.one_of(form, "to", Product)
        quantity = fields.whole(form, "quantity")
        name = fields.text(form, "name", at_most=100) or None
        made = await convert_position(
            self.house, seat.person, seat.sure.id, key, to=to, quantity=quantity, name=name
        )
        said = f"{whole(abs(made.moves))} {spaced(key.symbol)} are held as {shown(made.to)} now."
        return done(seat, HERE, said)

    async def flatten(self, request: Request) -> Response:
        """Get out of everything."""
        seat, _ = await self.sit_with_form(request)
        desk = await self.desk(seat)
        rested = await self._resting(seat)
        found = await desk.errands.see_through(flatten_all(desk))
        return done(seat, HERE, flattened_said(found) + await self._cancelled(seat, rested))

    async def _resting(self, seat: Seat, keys: Collection[Key] | None = None) -> list[Order]:
        """Return what works on some positions, or on any."""
        kept = await self.books(seat)
        working = Wanted(statuses=WORKING)
        page = await kept.store.read(page_of, kept.account.id, working, None, LOOKED_AT, fresh=True)
        return [it for it in page.orders if keys is None or it.key in keys]

    async def _cancelled(self, seat: Seat, rested: Sequence[Order]) -> str:
        """Say how many of the orders that rested are cancelled by now."""
        if not rested:
            return ""
        kept = await self.books(seat)
        wanted = Wanted(statuses=(OrderStatus.CANCELLED,), since=min(it.placed_at for it in rested))
        page = await kept.store.read(page_of, kept.account.id, wanted, None, LOOKED_AT, fresh=True)
        many = len({it.id for it in rested} & {it.id for it in page.orders})
        return f" {many} resting {'order was' if many == 1 else 'orders were'} cancelled."

    async def _found(self, seat: Seat) -> list[Worth]:
        found = await worth_at(self.house, await self.books(seat))
        return sorted(found, key=lambda it: it.position.net == 0)


def ways_out(found: Sequence[Worth]) -> list[WayOut]:
    """Return what would close each position that is open, at its last price."""
    return [
        WayOut(
            key=it.position.key,
            side=Side.SELL if it.position.net > 0 else Side.BUY,
            quantity=abs(it.position.net),
            value=None if it.mark is None else Money(it.mark.price * abs(it.position.net)),
        )
        for it in found
        if it.position.net
    ]


def about(ways: Sequence[WayOut]) -> str:
    """Say about how much goes, where the price of each is known."""
    values = [it.value for it in ways if it.value is not None]
    return f" ≈ ₹{money(Money(sum(values)))}" if values and len(values) == len(ways) else ""


def for_whom(seat: Seat) -> str:
    """Say whose real money it is; of paper nothing."""
    return f" for {seat.owner or seat.sure.name}, LIVE" if seat.is_live else ""


def flattened_said(found: Sequence[Flattened]) -> str:
    """Say what became of everything that was to be closed."""
    if not found:
        return "Nothing was open; nothing was sent."
    left = [
        f"{whole(it.left)} {spaced(it.key.symbol)} ({it.fault or 'it works still'})"
        for it in found
        if it.left
    ]
    many = len(found) - len(left)
    closed = f"{many} {'position is' if many == 1 else 'positions are'} closed."
    return f"{closed} Left: {', '.join(left)}." if left else closed


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
