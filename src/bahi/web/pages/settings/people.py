"""Users: added, changed, let in by a link, removed and brought back; for admins."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.ground import served_at
from bahi.db.tx import Tx
from bahi.identity.model import User
from bahi.identity.service import users
from bahi.kernel.words import Role
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.pages.settings.tabs import Tabbed
from bahi.web.room import is_part
from bahi.web.seat import Seat, done
from bahi.web.sheets import csv_of

COLUMNS: Final = (
    "id", "username", "email", "role", "is_active", "has_password", "has_totp", "created_at",
    "last_login_at", "deleted_at",
)  # fmt: skip


def people_routes(house: House, frame: Frame) -> APIRouter:
    """Make the tab of users."""
    pages = People(house, frame)
    router, here = pages.router, pages.here
    router.get(here)(pages.every)
    router.get(f"{here}.csv")(pages.as_csv)
    router.post(here)(pages.add)
    router.post(here + "/{user_id}")(pages.change)
    router.post(here + "/{user_id}/link")(pages.link)
    router.post(here + "/{user_id}/remove")(pages.remove)
    router.post(here + "/{user_id}/restore")(pages.restore)
    router.post(here + "/{user_id}/no-codes")(pages.ask_no_codes)
    return router


class People(Tabbed):
    """Users."""

    tab = "users"

    async def every(self, request: Request) -> Response:
        """List users, those who were removed last."""
        seat = await self.admin(request)
        found = await self._found()
        if is_part(request):
            return self.part(seat, "settings/user_rows.html", found=found, roles=list(Role))
        return await self.open(request, seat, "settings/users.html", found=found, roles=list(Role))

    async def as_csv(self, request: Request) -> Response:
        """Hand the list out."""
        await self.admin(request)
        return csv_of("users", COLUMNS, await self._found())

    async def add(self, request: Request) -> Response:
        """Add a user, and show the link that lets them in, this once."""
        seat, form = await self.admin_with_form(request)
        name = fields.required(form, "username", at_most=80)
        email = fields.text(form, "email") or None
        role = fields.one_of(form, "role", Role, Role.TRADER)

        def write(tx: Tx, now: datetime) -> User:
            return users.create_user(tx, seat.person, name, now, email=email, role=role)

        made = await self.house.stores["main"].write(write, self.house.clock())
        return await self._shown_once(request, seat, made)

    async def link(self, request: Request, user_id: str) -> Response:
        """Make a link by which a user chooses a new password, and show it this once."""
        seat, _ = await self.admin_with_form(request)
        found = await self.house.stores["main"].read(users.get_user, _id(user_id), fresh=True)
        return await self._shown_once(request, seat, found)

    async def change(self, request: Request, user_id: str) -> Response:
        """Change a user's role or address, or switch them off and on."""
        seat, form = await self.admin_with_form(request)
        role = fields.maybe_one_of(form, "role", Role)
        email = fields.text(form, "email")
        is_active = fields.ticked(form, "active") if "switches" in form else None

        def write(tx: Tx, now: datetime) -> User:
            return users.update_user(
                tx, seat.person, _id(user_id), now, email=email, role=role, is_active=is_active
            )

        changed = await self.house.stores["main"].write(write, self.house.clock())
        state = "may sign in" if changed.is_active else "is switched off"
        return done(seat, self.here, f"{changed.username} is {changed.role.lower()} and {state}.")

    async def remove(self, request: Request, user_id: str) -> Response:
        """Remove a user softly."""
        seat, _ = await self.admin_with_form(request)
        identity, now = _id(user_id), self.house.clock()
        await self.house.stores["main"].write(users.delete_user, seat.person, identity, now)
        said = "Removed: their sessions and keys are ended; what they did stays in the trail."
        return done(seat, self.here, said)

    async def restore(self, request: Request, user_id: str) -> Response:
        """Bring back who was removed."""
        seat, _ = await self.admin_with_form(request)
        identity, now = _id(user_id), self.house.clock()
        back = await self.house.stores["main"].write(users.restore_user, seat.person, identity, now)
        said = f"{back.username} is back; keys and sessions from before stay ended."
        return done(seat, self.here, said)

    async def ask_no_codes(self, request: Request, user_id: str) -> Response:
        """Ask a user for no one-time codes any more, who lost what makes them."""
        seat, _ = await self.admin_with_form(request)
        identity, now = _id(user_id), self.house.clock()
        await self.house.stores["main"].write(users.set_totp, seat.person, identity, None, now)
        return done(seat, self.here, "They sign in without a one-time code until they set one up.")

    async def _shown_once(self, request: Request, seat: Seat, user: User) -> Response:
        token = await self.house.sign_in.make_link(seat.person, user.id)
        host = served_at(self.house.settings.home) or self.house.settings.address
        shown = {"user": user, "link": f"{host}/welcome/{token}"}
        return await self.once(request, seat, "settings/user_link.html", "users-changed", **shown)

    async def _found(self) -> list[User]:
        def read(tx: Tx) -> list[User]:
            return users.list_users(tx, deleted=True)

        found = await self.house.stores["main"].read(read, fresh=True)
        return sorted(found, key=lambda it: (it.deleted_at is not None, it.username))


def _id(said: str) -> int:
    return fields.identity(said, "user")
