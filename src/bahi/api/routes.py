"""The kinds of routes: each asks who comes before it looks at anything that they brought."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from hashlib import blake2b
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from bahi.api.bodies import check_json
from bahi.api.callers import CSRF_HEADER, KEY_HEADER, SAFE
from bahi.api.errors import NotJson, problem_answers
from bahi.bootstrap import House
from bahi.kernel.actor import Actor, require_admin, require_change
from bahi.kernel.clock import exchange_day
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
        options["summary"] = options.get("summary") or first_sentence(endpoint)
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
            return self.known_already(request) or await answer(request)

        return guarded

    def known_already(self, request: Request) -> Response | None:
        """Return an answer that needs no work, where there is one."""
        del request
        return None


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


class Kept(Authenticated):
    """For what changes slowly: answers have an ETag, and who has one already is told so (304)."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        not_modified = {304: {"description": "It is as `If-None-Match` has it."}}
        options["responses"] = {**not_modified, **(options.get("responses") or {})}
        options["openapi_extra"] = {"parameters": [IF_NONE_MATCH]}
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Answers:
        """Give each answer its tag, and leave out one that is known."""
        answer = super().get_route_handler()

        async def tagged(request: Request) -> Response:
            known = self._tag_of_topic(request)  # before: what is answered may be newer, not older
            response = await answer(request)
            if response.status_code != HTTPStatus.OK:
                return response
            content = _tag(
                bytes(response.body)
            )  # what it was called where the number was not known
            tag = known or content
            for each in (tag, content):
                if _has(request, each):
                    return _not_modified(each)
            response.headers.update({"ETag": tag, "Cache-Control": REVALIDATE})
            return response

        return tagged

    def known_already(self, request: Request) -> Response | None:
        """Say that nothing has changed, where the topic's number says so."""
        tag = self._tag_of_topic(request)
        return None if tag is None or not _has(request, tag) else _not_modified(tag)

    def made_of(self, house: House) -> int | None:
        """Return the number of what answers are made of, if of one thing alone and it is known."""
        del house
        return None

    def _tag_of_topic(self, request: Request) -> str | None:
        house: House = request.app.state.house
        number = self.made_of(house)
        if number is None:
            return None
        today = exchange_day(house.clock())
        parts = (request.app.version, number, today, request.url.path, request.url.query)
        return _tag("\n".join(map(str, parts)).encode())


IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The ETag of an answer that is there already: 304 where it is still right.",
    "schema": {"type": "string", "maxLength": 200, "pattern": "^[!-~]*$"},
}
REVALIDATE: Final = "private, no-cache"


def _tag(content: bytes) -> str:
    return f'"{blake2b(content, digest_size=16).hexdigest()}"'


def _has(request: Request, tag: str) -> bool:
    said = request.headers.get("if-none-match", "")
    return tag in {it.strip().removeprefix("W/") for it in said.split(",")}


def _not_modified(tag: str) -> Response:
    return Response(status_code=304, headers={"ETag": tag, "Cache-Control": REVALIDATE})


def _who(request: Request) -> Actor:
    actor: Actor = request.state.actor
    return actor


Who = Annotated[Actor, Depends(_who)]
"""Who asks, in a route of one of these kinds."""


def first_sentence(endpoint: Callable[..., Any]) -> str:
    """Return what a door does, in the words that it says itself."""
    said = inspect.cleandoc(endpoint.__doc__ or "").split("\n", 1)[0]
    return said.partition(";")[0].removesuffix(".")


def joined(*routers: APIRouter) -> APIRouter:
    """Make one door of several kinds of routes."""
    whole = APIRouter()
    # As they are: to include a router is to build each of its routes a second time.
    for router in routers:
        whole.routes.extend(router.routes)
    return whole
