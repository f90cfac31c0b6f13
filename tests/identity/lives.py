"""A house with an admin and cheap hashes, for as long as a story takes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from bahi.bootstrap import House
from bahi.config import Settings
from bahi.db.tx import Tx
from bahi.identity.model import User
from bahi.identity.service.users import create_user
from bahi.kernel.actor import Actor
from bahi.kernel.clock import StoppedClock
from bahi.kernel.words import KeyScope, Role
from tests.living import stopped
from tests.tokens.mornings import WHO, a_house

T = TypeVar("T")

PASSWORD = "korall-Fisch-77"
VISITOR = Actor(name="a visitor", address="203.0.113.7", agent="Firefox")


def tell(
    home: Mapping[str, str],
    story: Callable[[House], Awaitable[T]],
    clock: StoppedClock | None = None,
) -> T:
    """Let a story happen in a furnished house."""

    async def whole() -> T:
        house = a_house(Settings.from_environment(home), clock or stopped())
        try:
            await house.furnish()
            return await story(house)
        finally:
            await house.close()

    return asyncio.run(whole())


async def a_user(
    house: House, name: str = "vijay", role: Role = Role.TRADER, password: str | None = PASSWORD
) -> User:
    """Add a user who may sign in."""
    hashed = None if password is None else await house.sign_in.hash(password, name)

    def write(tx: Tx) -> User:
        return create_user(tx, WHO, name, house.clock(), role=role, password_hash=hashed)

    return await house.stores["main"].write(write)


def as_user(
    user: User,
    *,
    scope: KeyScope | None = None,
    key_id: int | None = None,
    session_id: int | None = None,
) -> Actor:
    """Return a user as an actor, by a key of a scope where one is given."""
    return Actor(
        name=user.username,
        user_id=user.id,
        role=user.role,
        scope=scope,
        key_id=key_id,
        session_id=session_id,
    )
