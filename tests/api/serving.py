"""A house and its doors over real HTTP on the loopback, in a thread of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any, Final, Self, TypeVar

import uvicorn

from bahi.asgi import doors_of
from bahi.bootstrap import build
from bahi.config import Settings
from bahi.kernel.crypto import Passwords
from tests.api.standing import CHEAP, Standing
from tests.ports import LOOPBACK

T = TypeVar("T")

WITHIN_S: Final = 60


class Listening(uvicorn.Server):
    """A server that says when it listens, and whose streams end when it does."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    async def shutdown(self, sockets: Any = None) -> None:
        self.config.app.state.is_open = False  # type: ignore[union-attr] # it is ours
        await super().shutdown(sockets)


class Server:
    """A house that is served: `url` says where, `do` has something done inside."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._environ = {**environ, "BAHI_WORKER": "apart"}
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._fault: BaseException | None = None

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._fault is not None:
            raise self._fault
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def stop(self) -> None:
        """Begin to close, as a signal would have it."""
        self._server.should_exit = True

    def do(self, work: Callable[[Standing], Awaitable[T]]) -> T:
        """Have something done in the house, in its own loop."""

        async def doing() -> T:
            return await work(self.it)

        return asyncio.run_coroutine_threadsafe(doing(), self._loop).result(WITHIN_S)

    async def _serve(self) -> None:
        try:
            await self._open()
        except BaseException as fault:
            self._fault = fault
            raise
        finally:
            self._ready.set()
        await self._serving

    async def _open(self) -> None:
        self._loop = asyncio.get_running_loop()
        house = build(Settings.from_environment(self._environ), passwords=Passwords(CHEAP))
        app = doors_of(house)
        config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="on")
        self._server = Listening(config)
        self._serving = asyncio.create_task(self._server.serve())
        await self._server.listens.wait()
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://{LOOPBACK}:{port}"
        self.it = Standing(house, app, None)  # type: ignore[arg-type] # it opens no clients here
        for name in ("rate_limit_per_minute", "key_requests_per_minute"):
            await self.it.set("api", name, 100_000)
