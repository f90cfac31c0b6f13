"""The real service on loopback, and a trader in it who goes on whatever others do to it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import httpx

from tests.cli.processes import PATIENCE_S, Environment, Service, bahi
from tests.living import live_in
from tests.orders.desks import OPEN, paper_desk
from tests.ports import LOOPBACK

ORDER: Final = {
    "symbol": "SBIN",
    "exchange": "NSE",
    "action": "BUY",
    "product": "MIS",
    "pricetype": "MARKET",
    "quantity": "1",
}
ROUNDS: Final = 12


class Trader:
    """One who has a good key, places orders and reads the book; each answer has to be right."""

    def __init__(self, url: str, key: str) -> None:
        self.url, self.key = url, key
        self.orders: list[str] = []
        self.slowest_s = 0.0

    async def round(self, client: httpx.AsyncClient | None = None) -> None:
        """Place an order, and find it in the book, filled."""
        placed = await self.ask(client, "placeorder", **ORDER)
        self.orders.append(placed["orderid"])
        book = await self.ask(client, "orderbook")
        found = {it["orderid"]: it["order_status"] for it in book["data"]["orders"]}
        assert found[placed["orderid"]] == "complete", found
        assert set(self.orders) <= set(found)

    async def ask(self, client: httpx.AsyncClient | None, path: str, **body: Any) -> dict[str, Any]:
        """Ask on a connection that is held, or on a new one; it has to succeed."""
        if client is None:
            async with self.client() as new:
                return await self.ask(new, path, **body)
        began_s = time.perf_counter()
        answer = await client.post(f"/api/v1/{path}", json={"apikey": self.key, **body})
        self.slowest_s = max(self.slowest_s, time.perf_counter() - began_s)
        said: dict[str, Any] = answer.json()
        assert answer.status_code == 200, (path, answer.status_code, said)
        assert said["status"] == "success", said
        return said

    def client(self) -> httpx.AsyncClient:
        """Return a client, of which one connection is held."""
        return httpx.AsyncClient(base_url=self.url, timeout=PATIENCE_S, trust_env=False)

    async def trade(self, rounds: int = ROUNDS) -> None:
        """Trade for a while: on new connections, and on one that is held."""
        async with self.client() as held:
            for n in range(rounds):
                await self.round(held if n % 2 else None)


def key_in(env: Environment, *words: str) -> str:
    """Issue a key by the terminal."""
    issued = bahi("key", "issue", *(words or ("--scope", "trade")), "--json", env=env)
    assert issued.returncode == 0, issued
    key: str = json.loads(issued.stdout)["key"]
    return key


@contextmanager
def besieged(env: Environment, **more: str) -> Iterator[tuple[Service, Trader]]:
    """Start the service; at its end it is to close cleanly, with no trace of a fault."""
    env = {**env, **OPEN, **more}
    live_in(env, paper_desk)  # no limit of risk binds it: it is the doors that are tried
    key = key_in(env)
    with Service(env) as service:
        yield service, Trader(service.url, key)
        code, errors = service.stop()
    assert code == 0, errors
    assert "Traceback" not in errors, errors


@asynccontextmanager
async def going_on(*attacks: Any) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Have attacks go on for the length of the block; one that ends by itself fails the test."""
    tasks = [asyncio.create_task(it) for it in attacks]
    try:
        yield tasks
        for task in tasks:
            if task.done():
                task.result()
            assert not task.done(), "the attack ended before the trader had"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def port_of(service: Service) -> int:
    """Return where a service listens."""
    return httpx.URL(service.url).port or 0


@asynccontextmanager
async def reached(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Connect, and say nothing; at the end of the block it is cut off."""
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()
