"""The application: every door on one House."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from importlib.metadata import version
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from starlette.types import ASGIApp

from bahi.api.callers import Callers
from bahi.api.contract import contract_route
from bahi.api.cors import share_with, shared
from bahi.api.errors import Unexpected, answer_failures, describe_problems
from bahi.api.health import health_routes
from bahi.api.hooks.alerts import alert_routes as signal_routes
from bahi.api.hooks.notifier import hook_routes
from bahi.api.hooks.postbacks import postback_routes
from bahi.api.live.happenings import Happenings
from bahi.api.live.socket import socket_routes
from bahi.api.native.accounts import account_routes
from bahi.api.native.alerts import alert_routes
from bahi.api.native.audit import audit_routes
from bahi.api.native.auth import auth_routes
from bahi.api.native.config import config_routes
from bahi.api.native.jobs import job_routes
from bahi.api.native.people import people_routes
from bahi.api.native.persons import person_routes
from bahi.api.native.routes import own_routes
from bahi.api.native.tokens import token_routes
from bahi.api.native.upstox import upstox_routes
from bahi.api.openalgo.described import describe_openalgo
from bahi.api.openalgo.doors import openalgo_routes
from bahi.api.requests import Requests
from bahi.api.routes import SCHEMES
from bahi.api.straight import Straight
from bahi.bootstrap import House

SESSION_COOKIE: Final = "bahi_session"

Beside = Callable[[House], AbstractAsyncContextManager[object]]
"""What runs beside the doors while they are open: a worker."""


def make_app(
    house: House,
    *,
    pages: APIRouter | None = None,
    session_cookie: str = SESSION_COOKIE,
    beside: Beside = lambda _house: nullcontext(),
) -> FastAPI:
    """Put the doors on a house, which begins its day with them and closes with them."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        try:
            await house.begin()
            async with beside(house):
                app.state.is_open = True
                yield
                app.state.is_open = False
        finally:
            await house.close()

    app = Straight(
        title="Bahi",
        summary="The one record that is right: who may trade, what was asked, what happened.",
        version=version("bahi"),
        lifespan=lifespan,
        openapi_url=None,  # it has a door of its own
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.house, app.state.is_open = house, False
    app.state.happenings = Happenings(house)
    answer_failures(app)
    callers = Callers(house, session_cookie)
    origins = house.settings.cors_origins
    share_with(app, origins)
    app.add_middleware(Requests, house=house, callers=callers)
    # As they are: to include a router is to build each of its routes a second time.
    for router in _doors(house, app.version):
        app.router.routes.extend(router.routes)
    openalgo = openalgo_routes(house)
    app.router.routes.extend(openalgo)

    def hall(inner: ASGIApp) -> ASGIApp:
        return Requests(shared(Unexpected(inner), origins), house=house, callers=callers)

    app.learn(openalgo, hall)
    app.router.routes.extend([*signal_routes(house), *postback_routes(house)])
    app.router.routes.extend(socket_routes(house, app.state.happenings))
    if pages is not None:
        app.router.routes.extend(pages.routes)
    _describe_keys(app)
    app.router.routes.append(contract_route(app))
    return app


def _doors(house: House, known_version: str) -> Iterator[APIRouter]:
    yield health_routes(house, known_version)
    yield auth_routes(house)
    yield upstox_routes(house)
    yield token_routes(house)
    yield hook_routes(house)
    yield job_routes(house)
    yield config_routes(house)
    yield audit_routes(house)
    yield people_routes(house)
    yield person_routes(house)
    yield account_routes(house)
    yield alert_routes(house)
    yield from own_routes(house)


def _describe_keys(app: FastAPI) -> None:
    """Have the OpenAPI document say how one shows who one is, and name OpenAlgo's doors too."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = described()
        describe_problems(document)
        describe_openalgo(document, app.router.routes)
        document.setdefault("components", {})["securitySchemes"] = SCHEMES
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to add to it
