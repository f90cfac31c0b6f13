"""You: your password, one-time codes, and where you are signed in."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.responses import RedirectResponse

from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.identity.model import SHORTEST_PASSWORD, Session, User
from bahi.identity.service.passwords import change_password
from bahi.identity.service.sign_in import (
    check_totp,
    list_sessions,
    revoke_session,
    sign_out_everywhere,
)
from bahi.identity.service.users import get_user, set_totp
from bahi.kernel.errors import Invalid
from bahi.kernel.totp import new_secret, uri_of
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.pages.settings.tabs import Tabbed
from bahi.web.seat import SEE_OTHER, Seat, done
from bahi.web.sheets import csv_of
from bahi.web.squares import square_of
from bahi.web.visit import SESSION_COOKIE

COLUMNS: Final = (
    "id", "ip_address", "user_agent", "created_at", "last_activity_at", "expires_at",
)  # fmt: skip
SECRET_AT_MOST: Final = 64


def your_routes(house: House, frame: Frame) -> APIRouter:
    """Make the tab of oneself."""
    pages = You(house, frame)
    router, here = pages.router, pages.here
    router.get(here)(pages.page)
    router.get(f"{here}/sessions.csv")(pages.as_csv)
    router.post(f"{here}/password")(pages.password)
    router.post(f"{here}/codes/begin")(pages.begin_codes)
    router.post(f"{here}/codes")(pages.codes)
    router.post(f"{here}/codes/end")(pages.end_codes)
    router.post(here + "/sessions/{session_id}/end")(pages.end_session)
    router.post(f"{here}/sign-out-everywhere")(pages.leave_everywhere)
    return router


class You(Tabbed):
    """Who sits there."""

    tab = "you"

    async def page(self, request: Request) -> Response:
        """Show who one is here, and where one is signed in."""
        seat = await self.sit(request)
        user, sessions = await self._found(seat)
        shown = {"user": user, "sessions": sessions, "shortest": SHORTEST_PASSWORD}
        return await self.open(request, seat, "settings/you.html", **shown)

    async def as_csv(self, request: Request) -> Response:
        """Hand one's sessions out."""
        _, sessions = await self._found(await self.sit(request))
        return csv_of("sessions", COLUMNS, sessions)

    async def password(self, request: Request) -> Response:
        """Change one's password."""
        seat, form = await self.sit_with_form(request)
        new = form.get("new", "")
        if new != form.get("again", ""):
            raise Invalid("again: the two new passwords differ; type the same one twice.")
        house = self.house
        await change_password(
            house.stores["main"],
            house.sign_in,
            house.clock,
            seat.person,
            present=form.get("present", ""),
            new=new,
        )
        return done(seat, self.here, "The password is changed; your other sessions are signed out.")

    async def begin_codes(self, request: Request) -> Response:
        """Show the secret that a device makes codes of, this once; nothing is asked for yet."""
        seat, _ = await self.sit_with_form(request)
        secret = new_secret()
        uri = uri_of(secret, seat.person.name)
        shown = {"codes": secret, "uri": uri, "square": square_of(uri)}
        return await self.once(request, seat, "settings/codes.html", "codes-shown", **shown)

    async def codes(self, request: Request) -> Response:
        """Ask for one-time codes from now on, once the device makes the right one."""
        seat, form = await self.sit_with_form(request)
        secret = fields.required(form, "codes", at_most=SECRET_AT_MOST)
        house, user_id = self.house, seat.person.user_id or 0
        check_totp(secret, fields.text(form, "code", at_most=20), house.clock())
        sealed = house.vault.seal(secret, table="users", column="totp_enc", row_id=user_id)
        await house.stores["main"].write(set_totp, seat.person, user_id, sealed, house.clock())
        said = "From now on you sign in with a code too; your other sessions are signed out."
        return done(seat, self.here, said)

    async def end_codes(self, request: Request) -> Response:
        """Ask for no codes any more."""
        seat, _ = await self.sit_with_form(request)
        house, user_id = self.house, seat.person.user_id or 0
        await house.stores["main"].write(set_totp, seat.person, user_id, None, house.clock())
        return done(seat, self.here, "You sign in with the password alone from now on.")

    async def end_session(self, request: Request, session_id: str) -> Response:
        """End one session."""
        seat, _ = await self.sit_with_form(request)
        identity, now = fields.identity(session_id, "session"), self.house.clock()
        await self.house.stores["main"].write(revoke_session, seat.person, identity, now)
        return done(seat, self.here, "That browser is signed out.")

    async def leave_everywhere(self, request: Request) -> Response:
        """End every session of one's own, this one too."""
        seat, _ = await self.sit_with_form(request)
        now = self.house.clock()
        await self.house.stores["main"].write(sign_out_everywhere, seat.person, now)
        answer = RedirectResponse("/sign-in", SEE_OTHER)
        answer.delete_cookie(
            SESSION_COOKIE, path="/", secure=self.frame.is_https, httponly=True, samesite="lax"
        )
        return answer

    async def _found(self, seat: Seat) -> tuple[User, list[Session]]:
        user_id = seat.person.user_id or 0

        def read(tx: Tx, now: datetime) -> tuple[User, list[Session]]:
            return get_user(tx, user_id), list_sessions(tx, seat.person, now, user_id)

        return await self.house.stores["main"].read(read, self.house.clock(), fresh=True)
