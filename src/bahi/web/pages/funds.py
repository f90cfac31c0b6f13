"""Funds and the ledger: what an account has to trade with, and every line that made it so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.resetting import reset_account
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import Money
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.recorded import LedgerLine
from bahi.portfolio.service.books import page_of
from bahi.portfolio.service.looking import ledger_of
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.pulse import Cell
from bahi.web.room import Room, asks_for_newer, beginning, is_part, older
from bahi.web.seat import Seat, done
from bahi.web.sheets import csv_of
from bahi.web.written import money

HERE: Final = "/funds"
PAGE: Final = 50
CSV_AT_MOST: Final = 500
COLUMNS: Final = ("id", "day", "kind", "particulars", "amount", "balance", "voucher", "recorded_at")


def fund_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of funds."""
    pages = Funds(house, frame)
    pages.router.get(HERE)(pages.every)
    pages.router.get(f"{HERE}.csv")(pages.as_csv)
    pages.router.get(f"{HERE}/figures")(pages.tick)
    pages.router.post(f"{HERE}/begin-anew")(pages.begin_anew)
    return pages.router


class Funds(Room):
    """Money."""

    async def every(self, request: Request) -> Response:
        """Show what there is, and the statement, the newest line first."""
        seat = await self.sit(request)
        lines = await self._lines(seat, request.query_params, PAGE + 1)
        behind = str(lines[PAGE - 1].id) if len(lines) > PAGE else None
        newest = lines[0].id if lines else None
        if asks_for_newer(request):
            return self.newer(request, seat, newest)
        shown: dict[str, Any] = {
            "lines": lines[:PAGE],
            "more": older(request, seat, behind, newest),
            "begins": beginning(request, seat),
        }
        if is_part(request):
            return self.part(seat, "funds/rows.html", **shown)
        figures, book = f"{HERE}/figures", await self._book(seat)
        return await self.show(
            request, seat, "funds/page.html", here=HERE, figures=figures, book=book, **shown
        )

    async def as_csv(self, request: Request) -> Response:
        """Hand the statement out as a file."""
        seat = await self.sit(request)
        lines = await self._lines(seat, request.query_params, CSV_AT_MOST)
        return csv_of("ledger", COLUMNS, lines)

    async def tick(self, request: Request) -> Response:
        """Say what there is by now."""
        seat = await self.sit(request)
        return await self.figures(request, seat, _cells(await self._book(seat)))

    async def begin_anew(self, request: Request) -> Response:
        """Let a paper account begin anew, with more money or less."""
        seat, form = await self.sit_with_form(request)
        cash = fields.maybe_price(form, "cash")
        wished = None if cash is None else Money(cash)
        flat = fields.ticked(form, "flat")
        book = await reset_account(self.house, seat.person, seat.sure.id, wished, flat=flat)
        said = f"{seat.sure.name} was reset to {money(book.cash)}; what happened stays written."
        return done(seat, HERE, said)

    async def _book(self, seat: Seat) -> Book:
        kept = await self.books(seat)
        book = await kept.store.read(page_of, kept.account.id, fresh=True)
        return book.on(exchange_day(self.house.clock()))

    async def _lines(self, seat: Seat, asked: Mapping[str, str], many: int) -> list[LedgerLine]:
        kept = await self.books(seat)
        said = asked.get("behind", "")
        before = fields.identity(said, "behind") if said else None
        return await kept.store.read(ledger_of, kept.account.id, before, many, fresh=True)


def _cells(book: Book) -> Mapping[str, Cell]:
    return {
        "cash": (money(book.cash), ""),
        "used": (money(book.margin_used), ""),
        "available": (money(book.available), ""),
    }
