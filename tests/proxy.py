"""A proxy in front of a PostgreSQL server that loses connections at chosen moments.

It follows the protocol just far enough to know a COMMIT when one passes, whether as a simple
query or as a prepared statement's execution, and the answer to it.
"""

from __future__ import annotations

import asyncio
import random
import re
import socket
import struct
import threading
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Literal, Self, TypeVar
from urllib.parse import urlsplit

from tests.ports import LOOPBACK, release_port, reserve_port

When = Literal["before", "during", "after"]
"""The connection is lost before the server saw the COMMIT (it did not happen), while the server
works on it (who knows), or after the server said it is done (it happened)."""

PATIENCE_S: Final = 10
ASKS_FOR_ENCRYPTION: Final = {80877103, 80877104}  # SSL, GSS
HAS_COMMIT: Final = re.compile(rb"(?:^|;)\s*commit\b", re.IGNORECASE)

T = TypeVar("T")
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy:
    """A loopback port that leads to a server, until told otherwise."""

    def __init__(self, server_url: str) -> None:
        self._url = urlsplit(server_url)
        self.port = reserve_port()
        self.commits = 0
        self.cuts = 0
        self._refuses = False
        self._when: When = "before"
        self._strikes: Iterator[bool] = iter(())
        self._wires: set[Wire] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)

    @property
    def url(self) -> str:
        """The server's URL by way of this proxy."""
        user = f"{self._url.netloc.rpartition('@')[0]}@" if "@" in self._url.netloc else ""
        return self._url._replace(netloc=f"{user}{LOOPBACK}:{self.port}").geturl()

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        self._listener = self._ask(asyncio.start_server(self._serve, LOOPBACK, self.port))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Cut what is open and be gone."""
        self._ask(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()
        release_port(self.port)

    # Switches

    def cut(self) -> None:
        """Reset every open connection, now."""
        self._ask(self._cut_all())

    def refuse(self) -> None:
        """Reset every new connection from now on; open ones live."""
        self._refuses = True

    def accept(self) -> None:
        """Let new connections through again."""
        self._refuses = False

    def lead_to(self, server_url: str) -> None:
        """Lead new connections to another server from now on."""
        self._url = urlsplit(server_url)

    def cut_at_commit(
        self, when: When, *, nth: int = 1, chance: float | None = None, seed: int = 0
    ) -> None:
        """Cut the connection of the nth COMMIT from now on, or of each with a seeded chance."""
        strikes = _the(nth) if chance is None else _by(chance, random.Random(seed))
        self._when, self._strikes = when, strikes

    def let_commits_pass(self) -> None:
        """Cut no more."""
        self._strikes = iter(())

    # Within: all of it on the loop's thread

    def _ask(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream = await asyncio.open_connection(self._url.hostname, self._url.port)
        except OSError:
            return _reset(writer)
        wire = Wire(self, (reader, writer), upstream)
        if self._refuses:
            return wire.cut()
        self._wires.add(wire)
        try:
            await wire.carry()
        finally:
            self._wires.discard(wire)

    async def _cut_all(self) -> None:
        for wire in list(self._wires):
            wire.cut()
        await asyncio.sleep(0)  # the loop closes the sockets in its next round

    async def _close(self) -> None:
        self._refuses = True
        self._listener.close()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await self._cut_all()
            await asyncio.gather(*others, return_exceptions=True)

    def judge_commit(self) -> When | None:
        """Count a COMMIT; say when to cut it, if this is one to cut."""
        self.commits += 1
        return self._when if next(self._strikes, False) else None


def _the(nth: int) -> Iterator[bool]:
    yield from (number == nth for number in range(1, nth + 1))


def _by(chance: float, dice: random.Random) -> Iterator[bool]:
    while True:
        yield dice.random() < chance


@dataclass(eq=False)
class Wire:
    """One client's connection to the server, message by message."""

    proxy: Proxy
    client: Stream
    server: Stream
    cut_after_answer: bool = False
    prepared: dict[bytes, bool] = field(default_factory=dict)
    portals: dict[bytes, bool] = field(default_factory=dict)

    async def carry(self) -> None:
        """Carry messages both ways until either side ends."""
        ways = [asyncio.ensure_future(way) for way in (self._upward(), self._downward())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            self.client[1].close()
            self.server[1].close()

    def cut(self) -> None:
        """Reset both sides, without a goodbye."""
        _reset(self.client[1])
        _reset(self.server[1])

    async def _upward(self) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await self._start_up()
            while True:
                kind, message = await _message(self.client[0])
                cut = self.proxy.judge_commit() if self._is_commit(kind, message[5:]) else None
                if cut == "before":
                    return self._strike()
                if cut == "after":
                    self.cut_after_answer = True
                await _pass_on(self.server[1], message)
                if cut == "during":
                    return self._strike()

    async def _downward(self) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                kind, message = await _message(self.server[0])
                if self.cut_after_answer:
                    if kind + message[5:] == b"CCOMMIT\0":
                        return self._strike()
                    if kind == b"E" or kind + message[5:] == b"CROLLBACK\0":
                        self.cut_after_answer = False  # it did not happen: nothing to be lost
                await _pass_on(self.client[1], message)

    async def _start_up(self) -> None:
        """Pass the first, untyped message on; whoever asks for encryption first is told no."""
        while True:
            header = await self.client[0].readexactly(8)
            size, code = struct.unpack("!ii", header)
            if code not in ASKS_FOR_ENCRYPTION:
                break
            await _pass_on(self.client[1], b"N")
        await _pass_on(self.server[1], header + await self.client[0].readexactly(size - 8))

    def _strike(self) -> None:
        self.proxy.cuts += 1
        self.cut()

    def _is_commit(self, kind: bytes, body: bytes) -> bool:
        """Tell whether this message has the server commit: Query, or Execute of what was bound."""
        first, _, rest = body.partition(b"\0")
        second = rest.partition(b"\0")[0]
        match kind:
            case b"Q":
                return HAS_COMMIT.search(first) is not None
            case b"P":
                self.prepared[first] = HAS_COMMIT.search(second) is not None
            case b"B":
                self.portals[first] = self.prepared.get(second, False)
            case b"E":
                return self.portals.get(first, False)
        return False


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read one message; return its kind and the whole of it."""
    header = await reader.readexactly(5)
    (size,) = struct.unpack("!i", header[1:])
    return header[:1], header + await reader.readexactly(size - 4)


async def _pass_on(writer: asyncio.StreamWriter, message: bytes) -> None:
    writer.write(message)
    await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side sees a reset and not an end."""
    with suppress(OSError):
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
    writer.transport.abort()
