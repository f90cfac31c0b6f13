"""Every page, as one router; it joins the doors of programs in `bahi.asgi`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Final, NamedTuple

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from bahi.bootstrap import House
from bahi.web.frame import Frame
from bahi.web.pages.account_entry import entry_routes
from bahi.web.pages.accounts import account_routes
from bahi.web.pages.alerts import alert_routes
from bahi.web.pages.approvals import approval_routes
from bahi.web.pages.audit import audit_routes
from bahi.web.pages.chart import chart_routes
from bahi.web.pages.coming import coming_routes
from bahi.web.pages.day_end import day_end_routes
from bahi.web.pages.everywhere import everywhere_routes
from bahi.web.pages.first import first_routes
from bahi.web.pages.funds import fund_routes
from bahi.web.pages.going import going_routes
from bahi.web.pages.health import health_routes
from bahi.web.pages.holdings import holding_routes
from bahi.web.pages.jobs import job_routes
from bahi.web.pages.latency import latency_routes
from bahi.web.pages.logs import log_routes
from bahi.web.pages.options import option_routes
from bahi.web.pages.orders import order_routes
from bahi.web.pages.positions import position_routes
from bahi.web.pages.risk import risk_routes
from bahi.web.pages.risk_limits import limit_routes
from bahi.web.pages.settings.routes import settings_routes
from bahi.web.pages.signing import signing_routes
from bahi.web.pages.symbols import symbol_routes
from bahi.web.pages.ticket import ticket_routes
from bahi.web.pages.tokens import token_routes
from bahi.web.pages.trades import trade_routes
from bahi.web.visit import SESSION_COOKIE

__all__ = ["SESSION_COOKIE", "Pages", "pages_of"]

FailurePage = Callable[[Request, int, str, Mapping[str, str] | None], Response]


PAGES: Final = (
    first_routes,
    signing_routes,
    going_routes,
    coming_routes,
    everywhere_routes,
    ticket_routes,
    order_routes,
    position_routes,
    fund_routes,
    holding_routes,
    trade_routes,
    approval_routes,
    chart_routes,
    option_routes,
    symbol_routes,
    account_routes,
    entry_routes,
    risk_routes,
    limit_routes,
    token_routes,
    alert_routes,
    day_end_routes,
    job_routes,
    latency_routes,
    audit_routes,
    log_routes,
    health_routes,
    settings_routes,
)


class Pages(NamedTuple):
    """Every page of a house, and the one that says what went wrong where none of them is."""

    router: APIRouter
    failure: FailurePage


def pages_of(house: House) -> Pages:
    """Make every page of a house."""
    frame = Frame(house.settings, version("bahi"))
    whole = APIRouter()
    # As they are: an included router hides its routes, and whoever looks for them sees none.
    for router in (frame.static_routes(), *(make(house, frame) for make in PAGES)):
        whole.routes.extend(router.routes)
    for route in whole.routes:
        if isinstance(route, APIRoute):
            route.include_in_schema = False
    return Pages(whole, frame.failure)
