"""A person's visit: who they are, the form they sent, and that it was sent from our own page."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from hmac import compare_digest
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl

from fastapi import Request, Response
from fastapi.routing import APIRoute

from bahi.bootstrap import House
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Forbidden, Invalid, Unauthenticated
from bahi.web.frame import Frame

SESSION_COOKIE: Final = "bahi_session"
FORM_COOKIE: Final = "bahi_form"
FORM: Final = "application/x-www-form-urlencoded"
FIELDS_AT_MOST: Final = 50
FORM_BYTES: Final = 24
SENT_FROM_ELSEWHERE: Final = (
    "This form did not come from a page of this house that you have open; load it anew and send "
    "it again."
)


class Caller(Protocol):
    """Who asks, as the hall found them; `request.state.caller` is one."""

    visitor: Actor
    session: str | None
    is_near: bool

    async def person(self) -> Actor | None:
        """Return who is signed in, None where nobody is."""

    async def stranger(self) -> None:
        """Count one who is not known here; refuse one too many."""

    async def passer_by(self) -> None:
        """Count one who need not be known here: by their session, or as a stranger."""


def caller_of(request: Request) -> Caller:
    """Return who asks."""
    caller: Caller = request.state.caller
    return caller


def page_route(frame: Frame) -> type[APIRoute]:
    """Make the kind of route whose failures are pages, and which leaves no body in the record."""

    class PageRoute(APIRoute):
        """A page."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """Say how a failure looks here."""
            answer = super().get_route_handler()

            async def shown(request: Request) -> Response:
                request.state.failure_page = frame.failure
                request.state.is_private = True
                return await answer(request)

            return shown

    return PageRoute


async def form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form; of one that comes twice, the last."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if body and kind != FORM:
        raise Invalid(f"A form comes as {FORM}.")
    try:
        fields = parse_qsl(
            body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=FIELDS_AT_MOST
        )
    except ValueError:
        raise Invalid(f"A form has up to {FIELDS_AT_MOST} fields.") from None
    return dict(fields)


async def signed_in(house: House, request: Request, form: dict[str, str] | None = None) -> Actor:
    """Return who is signed in; a form has to bring what a page of this session gave it."""
    caller = caller_of(request)
    person = await caller.person()
    if person is None or caller.session is None:
        await caller.stranger()
        raise Unauthenticated("You are not signed in, or your session has ended; sign in first.")
    if form is not None and not house.sign_in.is_csrf(caller.session, form.get("csrf", "")):
        raise Forbidden(SENT_FROM_ELSEWHERE)
    return person


def form_token(request: Request) -> str:
    """Return what a stranger's form has to bring back beside the cookie with the same."""
    return request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(FORM_BYTES)


def set_form_cookie(frame: Frame, response: Response, token: str) -> None:
    """Give a browser what its form has to agree with."""
    response.set_cookie(
        FORM_COOKIE, token, path="/", secure=frame.is_https, httponly=True, samesite="strict"
    )


def check_form(request: Request, form: dict[str, str]) -> None:
    """Refuse a stranger's form that another site sent in their name."""
    cookie, brought = request.cookies.get(FORM_COOKIE, ""), form.get("form", "")
    if not cookie or not compare_digest(cookie.encode(), brought.encode()):
        raise Forbidden(SENT_FROM_ELSEWHERE)
