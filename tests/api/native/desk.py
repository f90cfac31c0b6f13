"""A paper account over HTTP, in a house whose market never closes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx

from bahi.kernel.words import BrokerSlug
from tests.api.standing import Standing, standing
from tests.orders.desks import OPEN


@dataclass
class Trader:
    """Somebody with a key and a paper account of one crore."""

    it: Standing
    client: httpx.AsyncClient
    account_id: str

    def at(self, path: str = "") -> str:
        """Return an address of the account."""
        return f"/v1/accounts/{self.account_id}{path}"

    async def get(self, path: str, **params: Any) -> Any:
        """Return what is answered; anything but a 200 fails the test."""
        answer = await self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: Any = None, status: int = 200, **more: Any) -> Any:
        """Ask for something; any other status fails the test."""
        answer = await self.client.post(path, json=body, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def price(self, symbol: str = "SBIN") -> Decimal:
        """Return the last price of a share."""
        found = await self.get("/v1/quotes", symbols=f"NSE:{symbol}")
        return Decimal(found["items"][0]["last"])

    async def meeting(self, side: str, symbol: str = "SBIN") -> str:
        """Return a limit that reaches well into the other side of the book."""
        share = Decimal("1.02") if side == "BUY" else Decimal("0.98")
        return str((await self.price(symbol) * share).quantize(Decimal(1)))

    async def away(self, side: str, symbol: str = "SBIN") -> str:
        """Return a limit that nobody meets for a while."""
        return await self.meeting("SELL" if side == "BUY" else "BUY", symbol)

    async def order(self, side: str = "BUY", **said: Any) -> dict[str, Any]:
        """Return a body that asks for shares at a price that meets the market."""
        return {
            "segment": "NSE_EQ",
            "symbol": "SBIN",
            "side": side,
            "quantity": 10,
            "product": "INTRADAY",
            "price": await self.meeting(side),
            **said,
        }

    async def place(self, side: str = "BUY", **said: Any) -> dict[str, Any]:
        """Place such an order, which is new."""
        placed: dict[str, Any] = await self.post(
            self.at("/orders"), await self.order(side, **said), 201
        )
        return placed


Story = Callable[[Trader], Awaitable[None]]


def trading(environ: dict[str, str], story: Story) -> None:
    """Let a trader's story happen."""

    async def whole(it: Standing) -> None:
        await it.set("api", "rate_limit_per_minute", 100_000)
        asha = await it.user("asha")
        account = await it.account(asha, BrokerSlug.PAPER, "Asha's paper")
        client = await it.client(await it.key(asha))
        await story(Trader(it, client, str(account.id)))

    standing({**environ, **OPEN}, whole)
