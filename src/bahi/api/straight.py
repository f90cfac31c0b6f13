"""The application, in which what is hot goes straight to its route.

Of a thousandth of a second that an order may cost, the way through a framework that looks at two
hundred routes and describes each request is a quarter. A route whose whole path is known needs none
of it: it is found in a dictionary, and goes through the same hall as every other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

Hall = Callable[[ASGIApp], ASGIApp]
"""What every request goes through, put around an application."""


class Straight(FastAPI):
    """An application that has some of its routes by heart."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._by_heart: dict[tuple[str, str], Route] = {}
        self._hall: ASGIApp | None = None

    def learn(self, routes: Iterable[BaseRoute], hall: Hall) -> None:
        """Have routes by heart whose paths have no parts that vary; the rest goes the long way."""
        for route in routes:
            if isinstance(route, Route) and "{" not in route.path:
                self._by_heart.update({(it, route.path): route for it in route.methods or ()})
        self._hall = hall(self._answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: straight where its route is known."""
        if self._hall is not None and scope["type"] == "http":
            route = self._by_heart.get((scope["method"], scope["path"]))
            if route is not None:
                scope["app"], scope["route"], scope["path_params"] = self, route, {}
                await self._hall(scope, receive, send)
                return
        await super().__call__(scope, receive, send)

    @staticmethod
    async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
        await scope["route"].app(scope, receive, send)
