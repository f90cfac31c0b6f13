"""The application: every JSON door on one House."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bahi.api.errors import answer_failures, problem_answers
from bahi.api.first_page import first_page_routes
from bahi.api.health import health_routes
from bahi.bootstrap import House

HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
NOTHING: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")


def make_app(house: House) -> FastAPI:
    """Put the doors on a house, which closes with them."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        await house.close()

    app = FastAPI(
        title="Bahi",
        summary="The one record that is right: who may trade, what was asked, what happened.",
        version=version("bahi"),
        lifespan=lifespan,
        docs_url=None,  # their pages load scripts from elsewhere
        redoc_url=None,
        responses=problem_answers(),
    )
    answer_failures(app)
    app.add_middleware(Guarded)
    app.include_router(health_routes(house.stores, app.version))
    app.include_router(first_page_routes(house.settings, app.version))
    return app


class Guarded:
    """Gives every answer the headers that keep a browser from doing more than it was asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; a page's own policy stands, anything else may load nothing."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", []))
                policy = () if any(name == NOTHING[0] for name, _ in given) else (NOTHING,)
                message["headers"] = [*given, *HEADERS, *policy]
            await send(message)

        await self._app(scope, receive, sending)
