"""Orders: a page of them that can be filtered, and one order's life as a picture."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.kernel.clock import IST, from_micros, to_micros
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.symbols import unspaced
from bahi.kernel.words import EventSource, OrderStatus
from bahi.orders.model.life import life_of
from bahi.orders.service.cancelling import cancel_all, cancel_order
from bahi.orders.service.looking import Page, Place, Timeline, Wanted, page_of, timeline_of
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.pictures import tape_of
from bahi.web.room import Room, asks_for_newer, beginning, is_part, older
from bahi.web.seat import Seat, done
from bahi.web.sheets import csv_of
from bahi.web.written import word

PAGE: Final = 50
CSV_AT_MOST: Final = 500
FILTERS: Final = ("status", "symbol", "day")
COLUMNS: Final = (
    "id", "placed_at", "side", "quantity", "filled", "segment", "symbol", "product", "order_type",
    "price", "trigger_price", "average_price", "status", "strategy", "error_message",
)  # fmt: skip
HERE: Final = "/orders"
SOURCES: Final = {
    EventSource.REST_API: "the broker's answer",
    EventSource.WEBSOCKET: "the broker's stream",
    EventSource.POSTBACK: "the broker's postback",
    EventSource.SYSTEM: "Bahi",
}
WORKING: Final = (
    OrderStatus.PENDING, OrderStatus.TRANSIT, OrderStatus.UNKNOWN,
    OrderStatus.OPEN, OrderStatus.PARTIAL,
)  # fmt: skip
ENDED: Final = tuple(it for it in OrderStatus if it not in WORKING)
SHOWN: Final = {"": (), "working": WORKING, "ended": ENDED} | {
    str(it).lower(): (it,) for it in OrderStatus
}


def order_routes(house: House, frame: Frame) -> APIRouter:
    """Make the pages of orders."""
    pages = Orders(house, frame)
    router = pages.router
    router.get(HERE)(pages.every)
    router.get(f"{HERE}.csv")(pages.as_csv)
    router.post(HERE + "/cancel-all")(pages.take_all_back)
    router.get(HERE + "/{order_id}")(pages.one)
    router.get(HERE + "/{order_id}/row")(pages.row)
    router.post(HERE + "/{order_id}/cancel")(pages.take_back)
    return router


class Orders(Room):
    """The order book."""

    async def every(self, request: Request) -> Response:
        """List orders, the newest first."""
        seat = await self.sit(request)
        asked = request.query_params
        page = await self._page(seat, asked, PAGE)
        newest = page.orders[0].id if page.orders else None
        if asks_for_newer(request):
            return self.newer(request, seat, newest)
        shown: dict[str, Any] = {
            "orders": page.orders,
            "more": older(request, seat, _behind(page), newest),
            "begins": beginning(request, seat),
        }
        if is_part(request):
            return self.part(seat, "orders/rows.html", **shown)
        shown |= {"statuses": list(SHOWN), "chosen": {it: asked.get(it, "") for it in FILTERS}}
        return await self.show(request, seat, "orders/page.html", here=HERE, **shown)

    async def as_csv(self, request: Request) -> Response:
        """Hand out the same orders as a file."""
        seat = await self.sit(request)
        page = await self._page(seat, request.query_params, CSV_AT_MOST)
        return csv_of("orders", COLUMNS, page.orders)

    async def one(self, request: Request, order_id: str) -> Response:
        """Show one order's whole life."""
        seat = await self.sit(request)
        line = await self._line(seat, order_id)
        life, now = life_of(line.order, line.events), self.house.clock()
        shown: dict[str, Any] = {
            "line": line,
            "life": life,
            "works_for": None if line.order.completed_at else now - line.order.placed_at,
            "tape": tape_of(life, now),
            "sources": SOURCES,
        }
        if is_part(request):
            return self.part(seat, "orders/story.html", **shown)
        return await self.show(request, seat, "orders/one.html", here=HERE, **shown)

    async def row(self, request: Request, order_id: str) -> Response:
        """Show the row of one order, for a list in which it changed."""
        seat = await self.sit(request)
        line = await self._line(seat, order_id)
        return self.part(seat, "orders/order_row.html", it=line.order)

    async def take_back(self, request: Request, order_id: str) -> Response:
        """Ask one order back."""
        seat, _ = await self.sit_with_form(request)
        order = await cancel_order(await self.desk(seat), fields.identity(order_id, "order"))
        if is_part(request):
            return self.part(seat, "orders/order_row.html", it=order)
        return done(seat, f"{HERE}/{order.id}", f"The order is {word(order.status)} now.")

    async def take_all_back(self, request: Request) -> Response:
        """Ask every working order back."""
        seat, _ = await self.sit_with_form(request)
        outcomes = await cancel_all(await self.desk(seat))
        failed = [it for it in outcomes if it.fault is not None]
        why = f"; {len(failed)} could not be: {failed[0].fault}" if failed else ""
        said = f"{len(outcomes) - len(failed)} orders are being cancelled{why}."
        return done(seat, HERE, said, status="working")

    async def _line(self, seat: Seat, order_id: str) -> Timeline:
        kept = await self.books(seat)
        wanted = fields.identity(order_id, "order")
        found = await kept.store.read(timeline_of, kept.account.id, wanted, fresh=True)
        if found is None:
            raise NotFound(f"There is no order {order_id} on {kept.account.name}.")
        return found

    async def _page(self, seat: Seat, asked: Mapping[str, str], at_most: int) -> Page:
        kept = await self.books(seat)
        behind = _place(asked.get("behind", ""))
        wanted = _wanted(asked)
        return await kept.store.read(page_of, kept.account.id, wanted, behind, at_most, fresh=True)


def _wanted(asked: Mapping[str, str]) -> Wanted:
    status = asked.get("status", "")
    if status not in SHOWN:
        raise Invalid(f"status: {status[:40]!r} is none of {', '.join(filter(None, SHOWN))}.")
    since, until = _the_day(asked)
    symbol = unspaced(fields.text(asked, "symbol", at_most=100).upper()) or None
    return Wanted(statuses=SHOWN[status], symbol=symbol, since=since, until=until)


def _the_day(asked: Mapping[str, str]) -> tuple[datetime | None, datetime | None]:
    day = fields.maybe_day(asked, "day")
    if day is None:
        return None, None
    begins = datetime(day.year, day.month, day.day, tzinfo=IST)
    return begins, begins + timedelta(days=1)


def _place(said: str) -> Place | None:
    at, _, order_id = said.partition(".")
    if not said:
        return None
    return Place(from_micros(fields.identity(at, "behind")), fields.identity(order_id, "behind"))


def _behind(page: Page) -> str | None:
    it = page.next
    return None if it is None else f"{to_micros(it.placed_at)}.{it.order_id}"
