"""Who asks: a program by its key, a person by their session, or a stranger.

A key comes in the header `X-API-Key` and nowhere else. A session comes as a cookie, which browsers
send by themselves, so what changes something has to bring the session's token in `X-CSRF-Token`.
"""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from bahi.api.limits import Limits, Share
from bahi.bootstrap import House
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Forbidden, Unauthenticated

KEY_HEADER: Final = "X-API-Key"
CSRF_HEADER: Final = "X-CSRF-Token"
SESSION_TIMES: Final = 5
"""A page makes several requests where a program makes one."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
AGENT_AT_MOST: Final = 300


class Callers:
    """Knows who asks, and how much they have asked; one for each process."""

    def __init__(self, house: House, session_cookie: str) -> None:
        self.house, self.session_cookie = house, session_cookie
        self.limits = Limits()

    def caller(self, scope: Scope, request_id: str) -> Caller:
        """Return who a request comes from, of whom nothing is looked up yet."""
        return Caller(self, scope, request_id)

    async def rate(self) -> int:
        """Return how many requests one key may make in a minute."""
        per_minute: int = await self.house.config.get("api", "rate_limit_per_minute")
        return per_minute


class Caller:
    """Who one request comes from; looked up once, when a route wants to know."""

    def __init__(self, callers: Callers, scope: Scope, request_id: str) -> None:
        self._callers, self._method = callers, scope["method"]
        self._headers = Headers(scope=scope)
        peer = scope.get("client")
        self.address: str | None = peer[0] if peer else None
        self.visitor = Actor(
            name="a visitor",
            address=self.address,
            agent=(self._headers.get("user-agent") or "")[:AGENT_AT_MOST] or None,
            request_id=request_id,
        )
        self.is_near = _is_near(self.address, self._headers)
        cookies = cookie_parser(self._headers.get("cookie", ""))
        self.session: str | None = unquote(cookies.get(callers.session_cookie, "")) or None
        self.share: Share | None = None
        self.known: Actor | None = None

    async def actor(self) -> Actor:
        """Return who asks; refuse a stranger, and whoever asks too much."""
        if self.known is None:
            await self._bound_strangers()
            try:
                self.known = await self._find()
            except Unauthenticated:
                await self.stranger()
                raise
            await self._count(self.known)
        return self.known

    async def _find(self) -> Actor:
        key = self._headers.get(KEY_HEADER)
        if key is not None:
            return await self._of_key(key)
        if self.session is None:
            raise Unauthenticated
        actor = await self._callers.house.sign_in.actor_of(self.session, self.visitor)
        if self._method not in SAFE:
            brought = self._headers.get(CSRF_HEADER, "")
            if not self._callers.house.sign_in.is_csrf(self.session, brought):
                raise Forbidden(
                    f"A session changes something only with the header {CSRF_HEADER}; "
                    "`GET /v1/me` says what it has to be."
                )
        return actor

    async def _of_key(self, key: str) -> Actor:
        keys = self._callers.house.keys
        holder = await keys.holder(key, self.address)
        keys.used(holder)
        return Actor(
            name=holder.username,
            user_id=holder.user_id,
            role=holder.role,
            scope=holder.scope,
            key_id=holder.key_id,
            address=self.visitor.address,
            agent=self.visitor.agent,
            request_id=self.visitor.request_id,
        )

    async def person(self) -> Actor | None:
        """Return who is signed in to the pages, None where nobody is."""
        if self.known is None and self.session is not None:
            try:
                self.known = await self._callers.house.sign_in.actor_of(self.session, self.visitor)
            except Unauthenticated:
                return None
            await self._count(self.known)
        return self.known

    async def _count(self, actor: Actor) -> None:
        """Count a request of one who is known, and refuse what is beyond their share."""
        most = await self._callers.rate()
        if actor.key_id is not None:
            self.share = self._callers.limits.count(f"key:{actor.key_id}", most)
        else:
            subject = f"session:{actor.session_id}"
            self.share = self._callers.limits.count(subject, most * SESSION_TIMES)
        if self.share.asked > self.share.limit:
            raise self.share.refuse()

    async def _bound_strangers(self) -> None:
        """Look at nothing that comes from an address from which too many strangers came."""
        share = self._callers.limits.look(f"address:{self.address}", await self._callers.rate())
        if share.asked >= share.limit:
            self.share = share
            raise share.refuse()

    async def stranger(self) -> None:
        """Count one who is not known here, by the address; refuse one too many."""
        most = await self._callers.rate()
        self.share = self._callers.limits.count(f"address:{self.address}", most)
        if self.share.asked > self.share.limit:
            raise self.share.refuse()


def _is_near(address: str | None, headers: Headers) -> bool:
    """Say whether who asks is on this machine, and no proxy that speaks for others."""
    if address is None or "x-forwarded-for" in headers or "forwarded" in headers:
        return False
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
