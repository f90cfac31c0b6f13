"""Every page, as one router; it joins the doors of programs in `bahi.asgi`."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter

from bahi.bootstrap import House
from bahi.web.frame import Frame
from bahi.web.pages.coming import coming_routes
from bahi.web.pages.first import first_routes
from bahi.web.pages.going import going_routes
from bahi.web.pages.signing import signing_routes
from bahi.web.visit import SESSION_COOKIE

__all__ = ["SESSION_COOKIE", "page_routes"]


def page_routes(house: House) -> APIRouter:
    """Make every page of a house."""
    frame = Frame(house.settings, version("bahi"))
    whole = APIRouter(include_in_schema=False)
    whole.include_router(frame.static_routes())
    for make in (first_routes, signing_routes, going_routes, coming_routes):
        whole.include_router(make(house, frame))
    return whole
