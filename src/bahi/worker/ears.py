"""How a worker hears the bell: in its own process, from others on the machine, and from afar."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final

import psycopg

from bahi.db.postgres import connect
from bahi.jobs.service.bell import CHANNEL, Bell
from bahi.kernel.errors import BahiError

READ_AT_ONCE: Final = 4096
RECONNECT_AFTER_S: Final = 2.0

log = logging.getLogger("bahi.worker")


@asynccontextmanager
async def listening(bell: Bell, wake: Callable[[], None]) -> AsyncIterator[None]:
    """Have `wake` called in this loop for every ring, from wherever it comes."""
    loop = asyncio.get_running_loop()

    def from_any_thread() -> None:
        with suppress(RuntimeError):  # the loop has just ended
            loop.call_soon_threadsafe(wake)

    lines = [asyncio.create_task(_hear_notices(url, wake)) for url in bell.urls]
    bell.add(from_any_thread)
    try:
        with _pipe(bell, wake):
            yield
    finally:
        bell.remove(from_any_thread)
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)


@contextmanager
def _pipe(bell: Bell, wake: Callable[[], None]) -> Iterator[None]:
    """Stand by a pipe of our own; it gets its name when it is open, so that no ring removes it."""
    loop = asyncio.get_running_loop()
    bell.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    hidden, pipe = bell.folder / f".{name}", bell.folder / f"{name}.pipe"
    os.mkfifo(hidden, mode=0o600)
    end = os.open(hidden, os.O_RDWR | os.O_NONBLOCK)  # to write, too: or it would end with a writer
    hidden.rename(pipe)

    def heard() -> None:
        with suppress(BlockingIOError):
            os.read(end, READ_AT_ONCE)
        wake()

    loop.add_reader(end, heard)
    try:
        yield
    finally:
        loop.remove_reader(end)
        pipe.unlink(missing_ok=True)
        os.close(end)


async def _hear_notices(url: str, wake: Callable[[], None]) -> None:
    """Listen to the database's notices for ever; between two connections others may be missed."""
    while True:
        opening = asyncio.ensure_future(asyncio.to_thread(_listen, url))
        try:
            line = await asyncio.shield(opening)
        except asyncio.CancelledError:
            with suppress(psycopg.Error, BahiError):
                (await opening).close()
            raise
        except (psycopg.Error, BahiError) as fault:
            log.debug("no notices from other machines: %s", fault)
        else:
            wake()
            try:
                await _until_lost(line, wake)
            finally:
                line.close()
        await asyncio.sleep(RECONNECT_AFTER_S)


def _listen(url: str) -> psycopg.Connection[Any]:
    line = connect(url, "public")
    line.execute(f"LISTEN {CHANNEL}")
    return line


async def _until_lost(line: psycopg.Connection[Any], wake: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    lost = loop.create_future()
    socket = line.fileno()

    def heard() -> None:
        try:
            line.pgconn.consume_input()
            while line.pgconn.notifies():
                pass
        except psycopg.Error:
            if not lost.done():
                lost.set_result(None)
        wake()

    loop.add_reader(socket, heard)
    try:
        await lost
    finally:
        loop.remove_reader(socket)
