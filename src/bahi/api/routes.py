"""The kinds of routes: each asks who comes before it looks at anything that they brought."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from bahi.api.bodies import check_json
from bahi.api.callers import CSRF_HEADER, KEY_HEADER, SAFE
from bahi.api.errors import NotJson, problem_answers
from bahi.kernel.actor import Actor, require_admin, require_change
from bahi.kernel.errors import Forbidden
from bahi.kernel.words import KeyScope

Answers = Callable[[Request], Coroutine[Any, Any, Response]]

JSON: Final = "application/json"
ALWAYS: Final = (400, 401, 403, 404, 413, 422, 429, 503, 504)
OF_CHANGES: Final = (409, 415, 502)

SECURITY: Final[list[dict[str, list[str]]]] = [{"key": []}, {"session": []}]
SCHEMES: Final = {
    "key": {
        "type": "apiKey",
        "in": "header",
        "name": KEY_HEADER,
        "description": "A key of `bahi key issue`; it is taken from this header and nowhere else.",
    },
    "session": {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "For pages: the cookie of a session; with whatever changes something, this "
        "header carries the token that `GET /v1/me` names.",
    },
}


def _keep_private(request: Request) -> None:
    request.state.is_private = True


PRIVATE: Final = Depends(_keep_private)
"""For a route that hands out a secret, or is handed one: the record has no bodies of it."""


class Posted(APIRoute):
    """For whoever may ask without being known."""

    def get_route_handler(self) -> Answers:
        """Look at the form of a body before anything reads it."""
        answer = super().get_route_handler()

        async def looked_at(request: Request) -> Response:
            check_json(await request.body())
            return await answer(request)

        return looked_at


class Authenticated(APIRoute):
    """For whoever has a key or a session; a viewer, or a key that only reads, changes nothing."""

    NEEDS = "change"

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        changes = bool(set(options.get("methods") or ["GET"]) - SAFE)
        statuses = (*ALWAYS, *(OF_CHANGES if changes else ()))
        options["responses"] = {**problem_answers(*statuses), **(options.get("responses") or {})}
        options["openapi_extra"] = {
            "security": SECURITY,
            "x-needs": self.NEEDS if changes or self.NEEDS == "admin" else "look",
            **(options.get("openapi_extra") or {}),
        }
        self._is_private = PRIVATE in (options.get("dependencies") or [])
        super().__init__(path, endpoint, **options)

    def allow(self, actor: Actor, method: str) -> None:
        """Refuse who may not ask this."""
        if method not in SAFE:
            require_change(actor)

    def get_route_handler(self) -> Answers:
        """Ask who it is, what they may, and how they say it; only then look at the question."""
        answer = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.is_private = self._is_private  # also when it is refused
            request.state.actor = actor = await request.state.caller.actor()
            self.allow(actor, request.method)
            if request.method not in SAFE and await request.body():
                kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
                if kind != JSON:
                    raise NotJson
                check_json(await request.body())
            return await answer(request)

        return guarded


class Personal(Authenticated):
    """For what is one's own: a viewer may change it too, a key that only reads may not."""

    NEEDS = "own"

    def allow(self, actor: Actor, method: str) -> None:
        """Refuse a key that only reads."""
        if method not in SAFE and actor.scope is KeyScope.READ:
            raise Forbidden("This key only reads.")


class ForAdmins(Authenticated):
    """For an admin alone; to look, a key of theirs that only reads is enough."""

    NEEDS = "admin"

    def allow(self, actor: Actor, method: str) -> None:
        """Refuse everybody else."""
        if method not in SAFE:
            require_admin(actor)
        elif not actor.is_admin:
            raise Forbidden("Only an admin may do this.")


def _who(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


Who = Annotated[Actor, Depends(_who)]
"""Who asks, in a route of one of these kinds."""


def joined(*routers: APIRouter) -> APIRouter:
    """Make one door of several kinds of routes."""
    whole = APIRouter()
    for router in routers:
        whole.include_router(router)
    return whole
