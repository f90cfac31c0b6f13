"""Trades: every execution, with what it cost and what it did to the cash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.kernel.clock import from_micros, to_micros
from bahi.portfolio.model.recorded import Page, Place
from bahi.portfolio.service.as_of import trades_as_of
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.room import Room, asks_for_newer, beginning, is_part, older
from bahi.web.seat import Seat
from bahi.web.sheets import csv_of

HERE: Final = "/trades"
PAGE: Final = 50
CSV_AT_MOST: Final = 500
COLUMNS: Final = (
    "id", "order_id", "traded_at", "key.segment", "key.symbol", "key.product", "side", "quantity",
    "price", "value", "charges", "net",
)  # fmt: skip


def trade_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of trades."""
    pages = Trades(house, frame)
    pages.router.get(HERE)(pages.every)
    pages.router.get(f"{HERE}.csv")(pages.as_csv)
    return pages.router


class Trades(Room):
    """The trade book."""

    async def every(self, request: Request) -> Response:
        """List trades, the newest first."""
        seat = await self.sit(request)
        page = await self._page(seat, request.query_params, PAGE)
        newest = page.trades[0].id if page.trades else None
        if asks_for_newer(request):
            return self.newer(request, seat, newest)
        shown: dict[str, Any] = {
            "trades": page.trades,
            "more": older(request, seat, _behind(page), newest),
            "begins": beginning(request, seat),
        }
        if is_part(request):
            return self.part(seat, "trades/rows.html", **shown)
        return await self.show(request, seat, "trades/page.html", here=HERE, **shown)

    async def as_csv(self, request: Request) -> Response:
        """Hand them out as a file."""
        seat = await self.sit(request)
        page = await self._page(seat, request.query_params, CSV_AT_MOST)
        return csv_of("trades", COLUMNS, page.trades)

    async def _page(self, seat: Seat, asked: Mapping[str, str], at_most: int) -> Page:
        kept = await self.books(seat)
        behind, now = _place(asked.get("behind", "")), self.house.clock()
        return await kept.store.read(
            trades_as_of, kept.account.id, now, behind, at_most, fresh=True
        )


def _behind(page: Page) -> str | None:
    it = page.next
    return None if it is None else f"{to_micros(it.traded_at)}.{it.trade_id}"


def _place(said: str) -> Place | None:
    at, _, trade_id = said.partition(".")
    if not said:
        return None
    return Place(from_micros(fields.identity(at, "behind")), fields.identity(trade_id, "behind"))
