"""Whoever speaks OpenAlgo's API, without its client: a key in the body, an answer in JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import httpx

from bahi.kernel.clock import Clock
from bahi.kernel.words import KeyScope
from tests.api.standing import Standing, standing
from tests.orders.desks import OPEN

T = TypeVar("T")

MARKET: Final = {
    "symbol": "SBIN",
    "exchange": "NSE",
    "action": "BUY",
    "product": "MIS",
    "pricetype": "MARKET",
    "quantity": "10",
    "strategy": "tests",
}


class Asking:
    """One key at the doors."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self.client, self.key = client, key

    async def raw(self, path: str, /, **body: Any) -> httpx.Response:
        """Ask, and return the answer as it came."""
        return await self.client.post(f"/api/v1/{path}", json={"apikey": self.key, **body})

    async def good(self, path: str, /, **body: Any) -> dict[str, Any]:
        """Ask for what has to succeed."""
        answer = await self.raw(path, **body)
        said: dict[str, Any] = answer.json()
        assert answer.status_code == 200, (path, said)
        assert said["status"] == "success", (path, said)
        return said

    async def bad(self, path: str, status: int, /, **body: Any) -> dict[str, Any]:
        """Ask for what has to be refused, in the one form."""
        answer = await self.raw(path, **body)
        said: dict[str, Any] = answer.json()
        assert answer.status_code == status, (path, said)
        assert said["status"] == "error"
        assert {"status", "message", "code", "request_id"} <= set(said)
        assert said["request_id"] == answer.headers["x-request-id"]
        return said


async def asking(
    it: Standing, *, name: str | None = None, scope: KeyScope = KeyScope.TRADE
) -> Asking:
    """Return who asks: the first admin, or a user of a name."""
    user = await it.admin() if name is None else await it.user(name)
    return Asking(await it.client(), await it.key(user, scope))


def trading(
    environ: dict[str, str],
    story: Callable[[Standing], Awaitable[T]],
    *,
    clock: Clock | None = None,
) -> T:
    """Open a house whose market never closes, let the story happen, close it."""
    return standing({**environ, **OPEN}, story, clock=clock)
