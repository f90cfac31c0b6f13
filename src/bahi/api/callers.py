"""Who asks: a program by its key, a person by their session, or a stranger.

A key comes in the header `X-API-Key`; OpenAlgo's clients bring it in the body or the address, which
only the doors of that API look into (`by_key`). A session comes as a cookie, which browsers
send by themselves, so what changes something has to bring the session's token in `X-CSRF-Token`.

Where somebody calls from is the peer's address, unless that is a proxy of ours (`proxies.py`).
However many strangers come from an address, whoever is known there goes on: only strangers are
refused. What they cost is bounded: unknown keys by `Keys`, unknown sessions here.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Coroutine
from hashlib import blake2b
from typing import Any, Final
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from bahi.api.limits import Limits, Share
from bahi.api.proxies import FORWARDED_FOR, address_of
from bahi.bootstrap import House
from bahi.identity.model import actor_of
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Forbidden, Unauthenticated
from bahi.kernel.remembered import Remembered

KEY_HEADER: Final = "X-API-Key"
CSRF_HEADER: Final = "X-CSRF-Token"
SESSION_TIMES: Final = 20
"""An open page asks for its figures each second, and a person has a few of them open."""
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
AGENT_AT_MOST: Final = 300
SESSIONS_AT_MOST: Final = 1_000
SESSIONS_FOR_S: Final = 36_000.0
HOME_BITS: Final = 64
"""Of an IPv6 address, what one household or one machine is given: the rest it chooses freely."""


class Callers:
    """Knows who asks, and how much they have asked; one for each process."""

    def __init__(self, house: House, session_cookie: str) -> None:
        self.house, self.session_cookie = house, session_cookie
        self.limits = Limits()
        self._good: Remembered[bytes, bool] = Remembered(SESSIONS_AT_MOST, SESSIONS_FOR_S)
        self._secret = secrets.token_bytes(32)

    def caller(self, scope: Scope, request_id: str) -> Caller:
        """Return who a request comes from, of whom nothing is looked up yet."""
        return Caller(self, scope, request_id)

    async def rate(self) -> int:
        """Return how many requests a stranger may make in a minute; a person makes more."""
        per_minute: int = await self.house.config.get("api", "rate_limit_per_minute")
        return per_minute

    async def key_rate(self) -> int:
        """Return how many requests one key may make in a minute."""
        per_minute: int = await self.house.config.get("api", "key_requests_per_minute")
        return per_minute

    async def of_session(self, session: str, home: str, visitor: Actor) -> Actor:
        """Return whose session this is; of those that never were good, look up only so many."""
        mark = blake2b(session.encode(errors="surrogatepass"), key=self._secret).digest()
        if not self._good.get(mark):
            share = self.limits.count(f"sessions of:{home}", await self.rate())
            if share.asked > share.limit:
                raise share.refuse()
        try:
            actor = await self.house.sign_in.actor_of(session, visitor)
        except Unauthenticated:
            self._good.forget(mark)
            raise
        self._good.put(mark, value=True)
        return actor


class Caller:
    """Who one request comes from; looked up once, when a route wants to know."""

    def __init__(self, callers: Callers, scope: Scope, request_id: str) -> None:
        self._callers, self._method = callers, scope["method"]
        self._headers = Headers(scope=scope)
        peer, _port = scope.get("client") or (None, None)
        said = self._headers.getlist(FORWARDED_FOR)
        trusted = callers.house.settings.trusted_proxies
        self.address: str | None = address_of(peer, said, trusted)
        self.home = home_of(self.address)
        self.visitor = Actor(
            name="a visitor",
            address=self.address,
            agent=(self._headers.get("user-agent") or "")[:AGENT_AT_MOST] or None,
            request_id=request_id,
        )
        self.is_near = _is_near(peer, self._headers)
        cookies = cookie_parser(self._headers.get("cookie", ""))
        self.session: str | None = unquote(cookies.get(callers.session_cookie, "")) or None
        self.share: Share | None = None
        self.known: Actor | None = None

    async def actor(self) -> Actor:
        """Return who asks; refuse a stranger, and whoever asks too much."""
        if self.known is None:
            await self._know(self._find())
        return self._sure

    async def by_key(self, key: str) -> Actor:
        """Return whose key this is, that came in a body or an address; refuse as `actor` does."""
        if self.known is None:
            await self._know(self._of_key(key))
        return self._sure

    @property
    def _sure(self) -> Actor:
        assert self.known is not None  # noqa: S101 - whoever is not known was refused
        return self.known

    async def _know(self, finding: Coroutine[Any, Any, Actor]) -> None:
        try:
            self.known = await finding
        except Unauthenticated:
            await self.stranger()
            raise
        await self._count(self.known)

    async def _find(self) -> Actor:
        key = self._headers.get(KEY_HEADER)
        if key is not None:
            return await self._of_key(key)
        if self.session is None:
            raise Unauthenticated
        actor = await self._callers.of_session(self.session, self.home, self.visitor)
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
        holder = await keys.holder(key, self.home)
        keys.used(holder)
        return actor_of(holder, self.visitor)

    async def still(self) -> Actor:
        """Return who asks as they are by now, uncounted; refuse one whose key or session ended."""
        return await self._find()

    async def person(self) -> Actor | None:
        """Return who is signed in to the pages, None where nobody is."""
        if self.known is None and self.session is not None:
            try:
                self.known = await self._callers.of_session(self.session, self.home, self.visitor)
            except Unauthenticated:
                return None
            await self._count(self.known)
        return self.known

    async def _count(self, actor: Actor) -> None:
        """Count a request of one who is known, and refuse what is beyond their share."""
        if actor.key_id is not None:
            most = await self._callers.key_rate()
            self.share = self._callers.limits.count(f"key:{actor.key_id}", most)
        else:
            most = await self._callers.rate() * SESSION_TIMES
            self.share = self._callers.limits.count(f"session:{actor.session_id}", most)
        if self.share.asked > self.share.limit:
            raise self.share.refuse()

    async def passer_by(self) -> None:
        """Count one who need not be known here: by their session, or as a stranger."""
        if await self.person() is None:
            await self.stranger()

    async def may_guess(self) -> None:
        """Refuse one from where too many strangers came; nothing is counted yet."""
        share = self._callers.limits.look(f"address:{self.home}", await self._callers.rate())
        if share.asked >= share.limit:
            raise share.refuse()

    async def stranger(self) -> None:
        """Count one who is not known here, by where they come from; refuse one too many."""
        most = await self._callers.rate()
        self.share = self._callers.limits.count(f"address:{self.home}", most)
        if self.share.asked > self.share.limit:
            raise self.share.refuse()


def home_of(address: str | None) -> str:
    """Name where an address is at home: an IPv4 address itself, of IPv6 the network of 64 bits."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return address or ""
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found), HOME_BITS), strict=False))


def _is_near(peer: str | None, headers: Headers) -> bool:
    """Say whether who asks is on this machine, and no proxy that speaks for others."""
    if peer is None or FORWARDED_FOR in headers or "forwarded" in headers:
        return False
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False
