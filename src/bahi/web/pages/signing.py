"""Signing in and out, and the link by which a person chooses their password."""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from bahi.bootstrap import House
from bahi.identity.model import SHORTEST_PASSWORD, SignInFailed
from bahi.identity.service.sign_in import SignedIn, sign_out
from bahi.kernel.errors import Invalid, TooSoon
from bahi.web.frame import Frame
from bahi.web.seat import is_ours
from bahi.web.visit import (
    SESSION_COOKIE,
    caller_of,
    check_form,
    form_of,
    form_token,
    page_route,
    set_form_cookie,
    signed_in,
)

SEE_OTHER: Final = 303


def signing_routes(house: House, frame: Frame) -> APIRouter:
    """Make the pages of signing in and out."""
    desk = Desk(house, frame)
    router = APIRouter(route_class=page_route(frame))
    router.get("/sign-in")(desk.ask_who)
    router.post("/sign-in")(desk.let_in)
    router.get("/welcome/{token}")(desk.welcome)
    router.post("/welcome/{token}")(desk.choose_password)
    router.post("/sign-out")(desk.let_out)
    return router


class Desk:
    """Where people sign in and out."""

    def __init__(self, house: House, frame: Frame) -> None:
        self._house, self._frame = house, frame

    async def ask_who(self, request: Request) -> Response:
        """Show the form."""
        await caller_of(request).stranger()
        return self._ask(request, "")

    async def let_in(self, request: Request) -> Response:
        """Open a session for who knows name, password and code; say nothing of which was wrong."""
        form = await self._sent(request)
        name, password, code = (form.get(it, "") for it in ("name", "password", "code"))
        try:
            opened = await self._house.sign_in.sign_in(
                name, password, code, caller_of(request).visitor
            )
        except SignInFailed as failure:
            return self._form(
                request, "signing/sign_in.html", 401, why=str(failure), next=_next(request)
            )
        except TooSoon as failure:
            page = self._form(
                request, "signing/sign_in.html", 429, why=str(failure), next=_next(request)
            )
            page.headers["Retry-After"] = str(failure.retry_after_s)
            return page
        return self._entered(opened, _next(request))

    def _ask(self, request: Request, why: str, status: int = 200) -> Response:
        shown = {"why": why, "next": _next(request)}
        return self._form(request, "signing/sign_in.html", status, **shown)

    async def welcome(self, request: Request, token: str) -> Response:
        """Show whom a link is for; that does not use it up."""
        await caller_of(request).stranger()
        return await self._choose(request, token, "")

    async def choose_password(self, request: Request, token: str) -> Response:
        """Set the password of whom the link is for, and open a session."""
        form = await self._sent(request)
        password = form.get("password", "")
        if password != form.get("again", ""):
            return await self._choose(request, token, "The two passwords differ.", 400)
        try:
            opened = await self._house.sign_in.follow_link(
                token, password, caller_of(request).visitor
            )
        except Invalid as failure:
            return await self._choose(request, token, str(failure), 400)
        return self._entered(opened)

    async def let_out(self, request: Request) -> Response:
        """End the session."""
        actor = await signed_in(self._house, request, await form_of(request))
        await self._house.stores["main"].write(sign_out, actor, self._house.clock())
        answer = RedirectResponse("/", SEE_OTHER)
        answer.delete_cookie(
            SESSION_COOKIE, path="/", secure=self._frame.is_https, httponly=True, samesite="lax"
        )
        return answer

    async def _sent(self, request: Request) -> dict[str, str]:
        await caller_of(request).stranger()
        form = await form_of(request)
        check_form(request, form)
        return form

    async def _choose(self, request: Request, token: str, why: str, status: int = 200) -> Response:
        user = await self._house.sign_in.whose_link(token)
        shown = {"name": user.username, "shortest": SHORTEST_PASSWORD}
        return self._form(request, "signing/welcome.html", status, why=why, **shown)

    def _form(self, request: Request, template: str, status: int = 200, **shown: Any) -> Response:
        token = form_token(request)
        page = self._frame.page(template, status, form=token, **shown)
        set_form_cookie(self._frame, page, token)
        return page

    def _entered(self, opened: SignedIn, to: str = "/") -> Response:
        answer = RedirectResponse(to, SEE_OTHER)
        lasts = opened.expires_at - self._house.clock()
        answer.set_cookie(
            SESSION_COOKIE,
            opened.token,
            max_age=max(0, int(lasts.total_seconds())),
            path="/",
            secure=self._frame.is_https,
            httponly=True,
            samesite="lax",
        )
        return answer


def _next(request: Request) -> str:
    """Return where somebody wanted to go who had to sign in first."""
    wanted = request.query_params.get("next", "/")
    return wanted if is_ours(wanted) else "/"
