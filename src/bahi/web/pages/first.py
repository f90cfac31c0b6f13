"""The first page: to a stranger the way in; to who is signed in, the desk."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.first_start import admin_of
from bahi.kernel.errors import NotFound
from bahi.web.frame import Frame
from bahi.web.pages.desk import DeskPage
from bahi.web.visit import caller_of


def first_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page that a browser opens first."""
    desk = DeskPage(house, frame)
    router = desk.router

    @router.get("/")
    async def first_page(request: Request) -> Response:
        caller = caller_of(request)
        if await caller.person() is not None:
            return await desk.today(request)
        await caller.stranger()
        return frame.page("signing/outside.html", is_new=await _is_new(house))

    router.get("/desk/figures")(desk.tick)
    router.get("/desk/curve")(desk.curve)
    router.get("/desk/now")(desk.now)
    router.get("/desk/open")(desk.open)
    router.get("/desk/working")(desk.working)
    return router


async def _is_new(house: House) -> bool:
    """Say whether nobody has chosen a password yet."""
    try:
        admin = await house.stores["main"].read(admin_of, fresh=True)
    except NotFound:
        return False
    return not admin.has_password
