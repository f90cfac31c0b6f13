"""Who may act: oneself, users, their keys and sessions."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from bahi.accounts.service.keys import accounts_of, issue_key
from bahi.api.forms import (
    After,
    Form,
    Id,
    Instant,
    Limit,
    Page,
    PathId,
    Shown,
    Text,
    When,
    number,
    part_of,
)
from bahi.api.native.persons import owner_of
from bahi.api.routes import PRIVATE, Authenticated, ForAdmins, Personal, Who, joined
from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.identity.model import ApiKey, User
from bahi.identity.service import keys, sign_in, users
from bahi.kernel.words import KeyScope, Role


class UserShown(Shown):
    """A person who may use the system."""

    id: Id
    username: str
    email: str | None
    role: Role
    is_active: bool
    has_password: bool
    has_totp: bool
    created_at: Instant
    last_login_at: Instant | None


class Me(BaseModel):
    """Who asks; `csrf_token` is there for a session, and what it changes has to bring it back."""

    user: UserShown
    key_id: Id | None
    scope: KeyScope | None
    session_id: Id | None
    csrf_token: str | None


class NewUser(Form):
    """A user to add; they get in by a link."""

    username: Text
    email: Text | None = None
    role: Role = Role.TRADER


class UserChange(Form):
    """What is to be different about a user."""

    email: Text | None = None
    role: Role | None = None
    is_active: bool | None = None


class Link(BaseModel):
    """A link that works once, for a day; it is shown here and nowhere else."""

    url: str


class KeyShown(Shown):
    """A key, without the key itself."""

    id: Id
    user_id: Id
    name: str | None
    scope: KeyScope
    created_at: Instant
    last_used_at: Instant | None
    expires_at: Instant | None
    is_active: bool
    needs_approval: bool


class NewKey(Form):
    """A key to issue; without `accounts` it opens all that its scope allows."""

    name: Text
    scope: KeyScope = KeyScope.READ
    user_id: Id | None = None
    accounts: list[Id] | None = Field(None, max_length=100)
    defaults: list[Id] = Field([], max_length=2)
    expires_at: When | None = None
    needs_approval: bool = False


class IssuedKey(KeyShown):
    """A new key; `api_key` is shown this once."""

    api_key: str
    accounts: list[Id]


class SessionShown(Shown):
    """A sign-in to the pages."""

    id: Id
    user_id: Id
    ip_address: str | None
    user_agent: str | None
    created_at: Instant
    last_activity_at: Instant
    expires_at: Instant | None


def people_routes(house: House) -> APIRouter:
    """Make the doors of people."""
    return joined(
        _me_routes(house),
        _user_routes(house),
        _key_routes(house),
        _session_routes(house),
    )


def _me_routes(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/me", tags=["people"], route_class=Authenticated)
    main = house.stores["main"]

    @router.get("", dependencies=[PRIVATE])
    async def me(request: Request, actor: Who) -> Me:
        """Say who asks."""
        user = await main.read(users.get_user, actor.user_id or 0, fresh=True)
        session = request.state.caller.session if actor.session_id is not None else None
        return Me(
            user=UserShown.model_validate(user),
            key_id=None if actor.key_id is None else str(actor.key_id),
            scope=actor.scope,
            session_id=None if actor.session_id is None else str(actor.session_id),
            csrf_token=None if session is None else house.sign_in.csrf_of(session),
        )

    return router


def _user_routes(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/users", tags=["people"], route_class=ForAdmins)
    main = house.stores["main"]

    @router.get("")
    async def list_users(actor: Who, limit: Limit = 50, after: After = None) -> Page[UserShown]:
        """List users."""
        del actor
        found = await main.read(users.list_users, fresh=True)
        return part_of(found, UserShown, limit, after)

    @router.post("", status_code=201)
    async def add_user(actor: Who, wish: NewUser) -> UserShown:
        """Add a user."""

        def write(tx: Tx, now: datetime) -> User:
            return users.create_user(
                tx, actor, wish.username, now, email=wish.email, role=wish.role
            )

        return UserShown.model_validate(await main.write(write, house.clock()))

    @router.get("/{user_id}")
    async def get_user(actor: Who, user_id: PathId) -> UserShown:
        """Show one user."""
        del actor
        return UserShown.model_validate(
            await main.read(users.get_user, number(user_id), fresh=True)
        )

    @router.patch("/{user_id}")
    async def change_user(actor: Who, user_id: PathId, wish: UserChange) -> UserShown:
        """Change what is given of a user."""

        def write(tx: Tx, now: datetime) -> User:
            given = wish.model_dump(exclude_none=True)
            return users.update_user(tx, actor, number(user_id), now, **given)

        return UserShown.model_validate(await main.write(write, house.clock()))

    @router.delete("/{user_id}", status_code=204)
    async def remove_user(actor: Who, user_id: PathId) -> None:
        """Remove a user softly: nothing of theirs opens any more."""
        await main.write(users.delete_user, actor, number(user_id), house.clock())

    @router.post("/{user_id}/link", dependencies=[PRIVATE])
    async def make_link(actor: Who, user_id: PathId) -> Link:
        """Make a link by which a user chooses a new password, once."""
        token = await house.sign_in.make_link(actor, number(user_id))
        return Link(url=f"{house.settings.address}/welcome/{token}")

    return router


def _key_routes(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/keys", tags=["people"], route_class=Authenticated)
    main = house.stores["main"]

    @router.get("")
    async def list_keys(actor: Who, limit: Limit = 50, after: After = None) -> Page[KeyShown]:
        """List keys, an admin everybody's."""
        found = await main.read(keys.list_keys, actor, fresh=True)
        return part_of(found, KeyShown, limit, after)

    @router.post("", status_code=201, dependencies=[PRIVATE])
    async def issue(actor: Who, wish: NewKey) -> IssuedKey:
        """Issue a key; it is shown this once."""
        key = keys.new_key()
        digest = house.vault.digest(key, keys.PURPOSE)
        opens = None if wish.accounts is None else [number(it) for it in wish.accounts]

        def write(tx: Tx, now: datetime) -> tuple[ApiKey, list[int]]:
            issued = issue_key(
                tx,
                actor,
                digest,
                now,
                user_id=owner_of(actor, wish.user_id),
                name=wish.name,
                scope=wish.scope,
                accounts=opens,
                defaults=[number(it) for it in wish.defaults],
                expires_at=wish.expires_at,
                needs_approval=wish.needs_approval,
            )
            return issued, sorted(accounts_of(tx, issued.id))

        issued, opened = await main.write(write, house.clock())
        shown = KeyShown.model_validate(issued).model_dump()
        return IssuedKey(**shown, api_key=key, accounts=[str(it) for it in opened])

    @router.delete("/{key_id}")
    async def revoke(actor: Who, key_id: PathId) -> KeyShown:
        """End a key; within a second it opens nothing."""
        key = await main.write(keys.revoke_key, actor, number(key_id), house.clock())
        return KeyShown.model_validate(key)

    return router


def _session_routes(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/sessions", tags=["people"], route_class=Personal)
    main = house.stores["main"]

    @router.get("")
    async def list_sessions(
        actor: Who, limit: Limit = 50, after: After = None
    ) -> Page[SessionShown]:
        """List running sessions, an admin everybody's."""
        found = await main.read(sign_in.list_sessions, actor, house.clock(), fresh=True)
        return part_of(found, SessionShown, limit, after)

    @router.delete("/{session_id}", status_code=204)
    async def end_session(actor: Who, session_id: PathId) -> None:
        """End a session; a key may not."""
        await main.write(sign_in.revoke_session, actor, number(session_id), house.clock())

    return router
