"""A client of a socket that reads when it likes: all of the server, and no wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import ASGIApp, Message

PATIENCE_S = 20.0


class Lazy:
    """One socket; while `reads` is not set, nothing that is sent goes out."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.reads = asyncio.Event()
        self.reads.set()
        self._came: asyncio.Queue[Message] = asyncio.Queue()
        self._went: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Knock, and be let in."""
        scope = {
            "type": "websocket",
            "path": "/ws",
            "raw_path": b"/ws",
            "query_string": b"",
            "root_path": "",
            "scheme": "ws",
            "headers": [(b"host", b"bahi.test")],
            "client": ("127.0.0.1", 50_000),
            "subprotocols": [],
            "state": {},
            "asgi": {"version": "3.0", "spec_version": "2.4"},
        }
        self._came.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._app(scope, self._came.get, self._send))  # type: ignore[arg-type] # a coroutine
        assert (await self._next())["type"] == "websocket.accept"

    async def _send(self, message: Message) -> None:
        await self.reads.wait()
        self._went.put_nowait(message)

    async def _next(self) -> Message:
        async with asyncio.timeout(PATIENCE_S):
            return await self._went.get()

    async def hear(self) -> dict[str, Any]:
        """Return the next frame."""
        message = await self._next()
        said: dict[str, Any] = json.loads(message["text"])
        return said

    async def hear_of(self, kind: str) -> dict[str, Any]:
        """Return the next frame of a type."""
        while (said := await self.hear())["type"] != kind:
            pass
        return said

    async def ask(self, **said: Any) -> dict[str, Any]:
        """Send a frame, and return its answer."""
        text = json.dumps({**said, "request_id": 1})
        self._came.put_nowait({"type": "websocket.receive", "text": text})
        while (answer := await self.hear()).get("request_id") != 1:
            pass
        return answer

    async def tell(self, **said: Any) -> dict[str, Any]:
        """Send a frame, and return whatever comes next."""
        self._came.put_nowait({"type": "websocket.receive", "text": json.dumps(said)})
        return await self.hear()

    async def ended(self) -> None:
        """Wait until the other side has had enough."""
        assert self._task is not None
        await asyncio.wait((self._task,))
        self._task.result()

    async def leave(self) -> None:
        """Hang up."""
        self.reads.set()
        self._came.put_nowait({"type": "websocket.disconnect", "code": 1006})
        await self.ended()


@asynccontextmanager
async def lazily(app: ASGIApp) -> AsyncIterator[Lazy]:
    """Open a socket, and hang up at the end."""
    client = Lazy(app)
    await client.open()
    try:
        yield client
    finally:
        await client.leave()
