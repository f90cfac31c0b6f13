"""The first page: to a stranger the way in; to who is signed in, how their logins are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.first_start import admin_of
from bahi.config import place
from bahi.kernel.actor import Actor
from bahi.kernel.errors import NotFound
from bahi.tokens.service.status import status_of, summary
from bahi.web.frame import Frame
from bahi.web.visit import caller_of, page_route


def first_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page that a browser opens first."""
    router = APIRouter(route_class=page_route(frame))

    @router.get("/")
    async def first_page(request: Request) -> Response:
        caller = caller_of(request)
        person = await caller.person()
        if person is not None and caller.session is not None:
            csrf = house.sign_in.csrf_of(caller.session)
            return frame.page("first.html", csrf=csrf, **await _inside(house, person))
        await caller.stranger()
        new = await _is_new(house)
        shows = new and caller.is_near
        return frame.page("outside.html", is_new=new, places=_places(house) if shows else None)

    return router


async def _inside(house: House, person: Actor) -> dict[str, Any]:
    statuses = await status_of(house.login_desk, person, check=False)
    return {
        "person": person,
        "statuses": statuses,
        "counted": summary(statuses),
        "may_change": person.may_change(),
        "places": _places(house) if person.is_admin else None,
    }


async def _is_new(house: House) -> bool:
    """Say whether nobody has chosen a password yet."""
    try:
        admin = await house.stores["main"].read(admin_of, fresh=True)
    except NotFound:
        return False
    return not admin.has_password


def _places(house: House) -> dict[str, Any]:
    """Say where the data lies: to who set the house up, and to admins."""
    return {
        "home": str(house.settings.home),
        "keys_in_a_file": house.settings.keys is None,
        "stores": {store: place(url) for store, url in house.settings.urls.items()},
    }
