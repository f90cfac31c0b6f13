"""What every page of the desk asks for: its figures, how it is liked, and `/`: find anything."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from bahi.bootstrap import House
from bahi.bootstrap.finding import find_anything
from bahi.web.frame import LOOKS, Frame
from bahi.web.nav import places_like
from bahi.web.room import A_YEAR_S, FIGURES, Room, is_part
from bahi.web.seat import SEE_OTHER, is_ours

FOUND_AT_MOST: Final = 6
LONGEST: Final = 60


def everywhere_routes(house: House, frame: Frame) -> APIRouter:
    """Make the doors that belong to no page."""
    room = Everywhere(house, frame)
    room.router.get(FIGURES)(room.tick)
    room.router.get("/find")(room.find)
    room.router.post("/look")(room.look)
    return room.router


class Everywhere(Room):
    """What is there on every page."""

    async def tick(self, request: Request) -> Response:
        """Say what the bar's figures are by now."""
        return await self.figures(request, await self.sit(request))

    async def find(self, request: Request, q: str = "") -> Response:
        """Find pages, symbols, orders and accounts by a word."""
        seat = await self.sit(request)
        words = q.strip()[:LONGEST]
        places = places_like(words, is_admin=seat.person.is_admin) if words else []
        found = await find_anything(self.house, seat.person, words)
        shown: dict[str, Any] = {"words": words, "places": places[:FOUND_AT_MOST], "found": found}
        if is_part(request):
            return self.part(seat, "frame/found.html", **shown)
        return await self.show(request, seat, "frame/find.html", here="/find", **shown)

    async def look(self, request: Request) -> Response:
        """Remember how a person likes pages."""
        _, form = await self.sit_with_form(request)
        back = form.get("back", "/")
        answer = RedirectResponse(back if is_ours(back) else "/", SEE_OTHER)
        for name, values in LOOKS.items():
            if (said := form.get(name)) is not None and said in values:
                answer.set_cookie(
                    name,
                    said,
                    max_age=A_YEAR_S,
                    path="/",
                    secure=self.frame.is_https,
                    httponly=True,
                    samesite="lax",
                )
        return answer
