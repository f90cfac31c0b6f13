"""What pages of the desk are made with: who sits there, the frame, the figures that move."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import unquote

from fastapi import APIRouter, Request, Response
from starlette.responses import JSONResponse

from bahi.bootstrap import House
from bahi.bootstrap.looking import Kept, look_at
from bahi.kernel.clock import ist_text
from bahi.orders.service.desk import Desk
from bahi.portfolio.model.book import Book
from bahi.web.frame import Frame, look_of
from bahi.web.pulse import Cell, pulse_of
from bahi.web.seat import (
    ACCOUNT_COOKIE,
    SAID_AT_MOST,
    SAID_COOKIE,
    Seat,
    desk_route,
    sit,
    sit_with_form,
)

A_YEAR_S: Final = 31_536_000
FIGURES: Final = "/figures"


class Room:
    """One page of the desk with all that belongs to it; pages are kinds of it."""

    def __init__(self, house: House, frame: Frame) -> None:
        self.house, self.frame = house, frame
        self.router = APIRouter(route_class=desk_route(frame))

    async def sit(self, request: Request) -> Seat:
        """Return who looks; a stranger is led to the door."""
        return await sit(self.house, request)

    async def sit_with_form(self, request: Request) -> tuple[Seat, dict[str, str]]:
        """Return who sent a form of ours, and what stands in it."""
        return await sit_with_form(self.house, request)

    async def books(self, seat: Seat) -> Kept:
        """Return the account in view, with the store that keeps its books."""
        return await look_at(self.house, seat.person, seat.sure.id)

    async def desk(self, seat: Seat) -> Desk:
        """Return where orders of the account in view are placed, for who may trade on it."""
        return await self.house.desk(seat.person, seat.sure.id)

    def part(self, seat: Seat, template: str, status: int = 200, **shown: Any) -> Response:
        """Render a part of a page, for a page that asks for it."""
        return self.frame.page(template, status, seat=seat, **shown)

    async def show(
        self,
        request: Request,
        seat: Seat,
        template: str,
        *,
        here: str,
        figures: str = FIGURES,
        status: int = 200,
        book: Book | None = None,
        **shown: Any,
    ) -> Response:
        """Render a page; `here` is its place, `figures` the address of what moves on it.

        `book` is the account's, where the page has just read it.
        """
        page = self.frame.page(
            template,
            status,
            seat=seat,
            pulse=await pulse_of(self.house, seat, book),
            here=here,
            figures=seat.link(figures) if "?" not in figures else figures,
            look=look_of(request),
            said=unquote(request.cookies.get(SAID_COOKIE, ""))[:SAID_AT_MOST],
            book=book,
            **shown,
        )
        if SAID_COOKIE in request.cookies:
            page.delete_cookie(SAID_COOKIE, path="/")
        self._remember(request, seat, page)
        return page

    async def figures(
        self,
        request: Request,
        seat: Seat,
        cells: Mapping[str, Cell] | None = None,
        book: Book | None = None,
    ) -> Response:
        """Answer an open page that asks what its figures are by now: the bar's, and its own."""
        request.state.is_beat = True
        pulse = await pulse_of(self.house, seat, book)
        told = {**pulse.cells, **(cells or {})}
        return JSONResponse({"at": ist_text(self.house.clock()), "cells": told})

    def newer(self, request: Request, seat: Seat, newest: int | None) -> Response:
        """Tell who reads the older rows of a list that there are newer ones, if there are."""
        asked = dict(request.query_params)
        if asked.pop("than") == str(newest):
            return Response(status_code=HTTPStatus.NO_CONTENT)
        return self.part(seat, "frame/newer.html", back=seat.link(request.url.path, **asked))

    def _remember(self, request: Request, seat: Seat, page: Response) -> None:
        """Have the account in view be that of the next page that names none."""
        in_view = None if seat.account is None else str(seat.account.id)
        if in_view is not None and request.cookies.get(ACCOUNT_COOKIE) != in_view:
            page.set_cookie(
                ACCOUNT_COOKIE,
                in_view,
                max_age=A_YEAR_S,
                path="/",
                secure=self.frame.is_https,
                httponly=True,
                samesite="lax",
            )


def older(
    request: Request, seat: Seat, behind: str | None, newest: int | None = None
) -> str | None:
    """Return where the next page of a list is, as its last row asks for it.

    Where it is told, the address goes on saying which row was the newest as the list was opened.
    """
    if behind is None:
        return None
    asked = {"than": newest, **request.query_params, "behind": behind}
    return seat.link(request.url.path, **asked)


def beginning(request: Request, seat: Seat) -> str | None:
    """Return where a list says whether there is anything newer, for who went on to older rows."""
    asked = dict(request.query_params)
    if asked.pop("behind", None) is None:
        return None
    return seat.link(request.url.path, **asked)


def asks_for_newer(request: Request) -> bool:
    """Say whether a list is asked only whether its newest row is still the one that is named."""
    asked = request.query_params
    return is_part(request) and "than" in asked and "behind" not in asked


def is_part(request: Request) -> bool:
    """Say whether a page asks for a part of itself."""
    return "hx-request" in request.headers and "hx-boosted" not in request.headers
