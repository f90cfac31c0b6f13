"""A house whose doors are open, for the length of a story; people and keys of every kind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

import httpx
from fastapi import FastAPI
from fastapi.dependencies import models as asked

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import Wished, add_account
from bahi.accounts.service.applications import Secrets, register
from bahi.accounts.service.keys import issue_key
from bahi.api.limits import Limits
from bahi.api.requests import Requests
from bahi.asgi import doors_of
from bahi.bootstrap import House, build
from bahi.bootstrap.first_start import admin_of
from bahi.config import Settings
from bahi.identity.model import User
from bahi.identity.service.keys import PURPOSE, Keys, new_key
from bahi.identity.service.users import create_user
from bahi.kernel.actor import Actor
from bahi.kernel.clock import Clock, SystemClock
from bahi.kernel.crypto import PasswordCost, Passwords
from bahi.kernel.words import BrokerSlug, KeyScope, Role
from bahi.settings.model import Wish
from bahi.settings.service import set_config

T = TypeVar("T")

CHEAP: Final = PasswordCost(passes=1, memory_kib=8, lanes=1)
BASE: Final = "http://bahi.test"
PASSWORD: Final = "correct horse battery"
STRANGER: Final = ("203.0.113.9", 50_000)


class Seconds:
    """A clock that moves when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Standing:
    """An open house."""

    house: House
    app: FastAPI
    stack: AsyncExitStack
    known: dict[str, User] = field(default_factory=dict)

    async def client(
        self, key: str | None = None, *, peer: tuple[str, int] = ("127.0.0.1", 50_000), **more: Any
    ) -> httpx.AsyncClient:
        """Return a client; what escapes the application fails the test."""
        door = httpx.ASGITransport(self.app, client=peer)
        headers = {} if key is None else {"X-API-Key": key}
        client = httpx.AsyncClient(transport=door, base_url=BASE, headers=headers, **more)
        return await self.stack.enter_async_context(client)

    @property
    def main(self) -> Any:
        """The main store."""
        return self.house.stores["main"]

    async def admin(self) -> User:
        """Return the first admin."""
        found: User = await self.main.read(admin_of, fresh=True)
        return found

    async def user(self, name: str, role: Role = Role.TRADER) -> User:
        """Return a user, added when first asked for."""
        if name not in self.known:
            by = as_actor(await self.admin())

            def write(tx: Any) -> User:
                return create_user(tx, by, name, self.house.clock(), role=role)

            self.known[name] = await self.main.write(write)
        return self.known[name]

    async def key(self, user: User, scope: KeyScope = KeyScope.TRADE) -> str:
        """Issue a key of a user."""
        key = new_key()
        digest = self.house.vault.digest(key, PURPOSE)

        def write(tx: Any) -> None:
            issue_key(
                tx,
                as_actor(user),
                digest,
                self.house.clock(),
                user_id=user.id,
                name="a test",
                scope=scope,
            )

        await self.main.write(write)
        await self.house.revisions.look()
        return key

    async def admin_client(self, scope: KeyScope = KeyScope.TRADE) -> httpx.AsyncClient:
        """Return a client with an admin's key."""
        return await self.client(await self.key(await self.admin(), scope))

    async def account(self, user: User, broker: BrokerSlug, name: str, **more: Any) -> Account:
        """Enter an account."""
        wished: Wished = {"name": name, **more}  # type: ignore[typeddict-item] # a test's own

        def write(tx: Any) -> Account:
            return add_account(
                tx, as_actor(user), broker, wished, self.house.clock(), user_id=user.id
            )

        return await self.main.write(write)  # type: ignore[no-any-return] # main is Any

    async def application(
        self, user: User, account: Account, name: str = "PRIMARY", **more: Any
    ) -> int:
        """Register an application; `secret`, `pin` and `totp` are its secrets."""
        given = {each: more.pop(each) for each in ("secret", "pin", "totp") if each in more}

        def write(tx: Any) -> int:
            return register(
                tx,
                as_actor(user),
                self.house.vault,
                account.id,
                self.house.clock(),
                secrets_=Secrets(**{"secret": "s-of-app", **given}),
                api_name=name,
                **more,
            ).id

        return await self.main.write(write)  # type: ignore[no-any-return] # main is Any

    async def set(self, category: str, key: str, value: Any) -> None:
        """Set a setting, and have this process know of it."""
        by = as_actor(await self.admin())
        wish = Wish(category=category, key=key, value=value)
        await self.main.write(set_config, self.house.vault, by, wish, self.house.clock())
        await self.house.revisions.look()

    async def signed_in(self, user: User) -> tuple[httpx.AsyncClient, str]:
        """Return a browser in which a user is signed in, and what its forms bring along."""
        token = await self.house.sign_in.make_link(as_actor(await self.admin()), user.id)
        visitor = Actor(name="a visitor", address="127.0.0.1")
        opened = await self.house.sign_in.follow_link(token, PASSWORD, visitor)
        client = await self.client(cookies={"bahi_session": opened.token})
        return client, self.house.sign_in.csrf_of(opened.token)


def as_actor(user: User) -> Actor:
    """Return a user as one who signed in."""
    return Actor(name=user.username, user_id=user.id, role=user.role)


async def no_pause(_seconds: float) -> None:
    """Wait for nothing, and let others run."""
    await asyncio.sleep(0)


def standing(
    environ: dict[str, str],
    story: Callable[[Standing], Awaitable[T]],
    *,
    clock: Clock | None = None,
    pause: Callable[[float], Awaitable[None]] = no_pause,
    worker: str = "apart",
    seconds: Seconds | None = None,
) -> T:
    """Open a house's doors, let the story happen, close them.

    With `seconds`, what strangers and keys may ask in a minute is counted by them.
    """

    async def whole() -> T:
        settings = Settings.from_environment({**environ, "BAHI_WORKER": worker})
        house = build(
            settings, clock=clock or SystemClock(), pause=pause, passwords=Passwords(CHEAP)
        )
        app = doors_of(house) if seconds is None else counting(house, seconds)
        async with app.router.lifespan_context(app), AsyncExitStack() as stack:
            return await story(Standing(app.state.house, app, stack))

    try:
        return asyncio.run(whole())
    finally:
        forget_doors()


def forget_doors() -> None:
    """Let closed houses go: FastAPI remembers four thousand endpoints, and so where they stand."""
    asked._is_gen_callable_cached.cache_clear()
    asked._is_async_gen_callable_cached.cache_clear()
    asked._is_coroutine_callable_cached.cache_clear()


def counting(house: House, seconds: Seconds) -> FastAPI:
    """Put the doors on a house whose minutes are the test's own."""
    main, revisions = house.stores["main"], house.revisions
    app = doors_of(replace(house, keys=Keys(main, house.vault, house.clock, revisions, seconds)))
    for layer in app.user_middleware:
        if layer.cls is Requests:
            layer.kwargs["callers"].limits = Limits(seconds)
    return app
