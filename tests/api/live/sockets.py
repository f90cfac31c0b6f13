"""Real sockets at real doors: a server on loopback in the test's own loop, and clients of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from typing import Any, Final, TypeVar

import uvicorn
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from bahi.cli.knocking import FRAME_AT_MOST, BoundedProtocol, BoundedSocket
from bahi.cli.up import bind
from tests.api.standing import Standing, standing
from tests.orders.desks import OPEN
from tests.ports import LOOPBACK

T = TypeVar("T")
PATIENCE_S: Final = 20.0
SBIN: Final = {"symbol": "SBIN", "exchange": "NSE"}


@asynccontextmanager
async def served(it: Standing) -> AsyncIterator[str]:
    """Answer at a port of its own, as `bahi up` does; return where."""
    config = uvicorn.Config(
        it.app,
        http=BoundedProtocol,
        ws=BoundedSocket,
        ws_max_size=FRAME_AT_MOST,
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    with closing(bind(LOOPBACK, 0)) as door:
        config.load()
        server.lifespan = config.lifespan_class(config)
        await server.startup([door])
        try:
            yield f"ws://{LOOPBACK}:{door.getsockname()[1]}"
        finally:
            await server.shutdown([door])


class Client:
    """One socket, from its client's side."""

    def __init__(self, wire: ClientConnection) -> None:
        self.wire = wire

    async def say(self, **said: Any) -> None:
        """Send a frame."""
        await self.wire.send(json.dumps(said))

    async def hear(self) -> dict[str, Any]:
        """Return the next frame."""
        async with asyncio.timeout(PATIENCE_S):
            said: dict[str, Any] = json.loads(await self.wire.recv())
        return said

    async def hear_of(self, kind: str) -> dict[str, Any]:
        """Return the next frame of a type, past others."""
        while True:
            if (said := await self.hear())["type"] == kind:
                return said

    async def ask(self, **said: Any) -> dict[str, Any]:
        """Send a frame, and return its answer, past what is told meanwhile."""
        name = said.setdefault("request_id", "a-question")
        await self.say(**said)
        while True:
            answer = await self.hear()
            if answer.get("request_id") == name:
                return answer

    async def closed(self) -> ConnectionClosed:
        """Wait until the other side closes; return how it did."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    await self.wire.recv()
                except ConnectionClosed as end:
                    return end


@asynccontextmanager
async def knocking(url: str, **more: Any) -> AsyncIterator[Client]:
    """Open a socket and say nothing."""
    async with connect(url, compression=None, proxy=None, **more) as wire:
        yield Client(wire)


@asynccontextmanager
async def known(url: str, key: str, **more: Any) -> AsyncIterator[Client]:
    """Open a socket and say whose it is."""
    async with knocking(url, **more) as client:
        await client.say(action="authenticate", api_key=key)
        answer = await client.hear()
        assert (answer["type"], answer["status"]) == ("auth", "success"), answer
        yield client


def listening(
    environ: dict[str, str], story: Callable[[Standing, str], Awaitable[T]], **more: Any
) -> T:
    """Open a house with an open market at a real port, let the story happen, close it."""

    async def whole(it: Standing) -> T:
        async with served(it) as url:
            return await story(it, f"{url}/ws")

    return standing({**environ, **OPEN}, whole, **more)
