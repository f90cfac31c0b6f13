"""One process of a data folder has the prices; the others follow it over a loopback socket.

Whoever holds the lock `feed.lock` opens the source and serves; a lock ends with its process,
however it dies, so another one takes over. It is a lock of the folder and not a lease in a
database: the socket is of this machine, and so is who may serve it. The port and a fresh token
stand in `feed.json` (mode 600). A follower that does not read gets the newest prices only, and when
it has not read at all for a while it is told and cut off.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import secrets
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final

from bahi.db.upkeep.locks import held
from bahi.kernel.errors import BahiError, Conflict
from bahi.quotes.model.quote import Quote
from bahi.quotes.service.board import Board, Closed, Subscription
from bahi.quotes.service.feed_wire import (
    ADDRESS,
    GREETING,
    Address,
    Bye,
    FeedLost,
    Hello,
    News,
    Said,
    Watch,
    framed,
    hear_said,
    hear_told,
)
from bahi.quotes.service.sources import Pause, PriceSource, first_of, keep_pumping

LOCK: Final = "feed.lock"
CHUNK: Final = 500
"""Prices in one message."""
FOLLOWERS_AT_MOST: Final = 64
FOLLOWED_AT_MOST: Final = 50_000
"""Instruments of one follower, which asks for all that are followed in its process."""
GREETED_WITHIN_S: Final = 5.0
STRANGERS_AT_MOST: Final = 64
"""Connections that have not greeted: all followers at once, when another one begins to serve."""
INSIDE_AT_MOST: Final = FOLLOWERS_AT_MOST + 2 * STRANGERS_AT_MOST
"""Connections of any kind, those included that are just told why they end."""
STUCK_AFTER_S: Final = 10.0
"""How long a follower may leave everything unread."""
PARTING_S: Final = 0.5
"""How long the goodbye to one who has to go may take to be read."""
BUFFERED: Final = 64 << 10
"""Bytes that wait for a follower in this process; the system keeps some more."""
AGAIN_AFTER_S: Final = 0.05
AGAIN_AT_MOST_S: Final = 1.0

OpenSource = Callable[[], PriceSource]
"""Opens where prices come from; called by the one process that serves."""
Tell = Callable[[Quote], None]

log = logging.getLogger("bahi.quotes")


class FeedMember:
    """A process's part in the feed of its data folder: it serves, or it follows who does."""

    def __init__(
        self,
        home: Path,
        board: Board,
        open_source: OpenSource,
        *,
        tell: Tell | None = None,
        stuck_after_s: float = STUCK_AFTER_S,
        parting_s: float = PARTING_S,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._home, self._board, self._open_source = home, board, open_source
        self._tell, self._pause = tell, pause
        self._stuck_after_s, self._parting_s = stuck_after_s, parting_s
        self.is_serving = False
        self.is_connected = False

    @property
    def is_live(self) -> bool:
        """Whether prices can come at all: it serves, or it is connected to who does."""
        return self.is_serving or self.is_connected

    async def run(self) -> None:
        """Serve or follow until cancelled; change over when the one that serves is gone."""
        wait_s = AGAIN_AFTER_S
        while True:
            with ExitStack() as lease:
                if self._take(lease):
                    await self._serve()
            try:
                await self._follow()
                wait_s = AGAIN_AFTER_S
            except FeedLost:
                wait_s = AGAIN_AFTER_S if self.is_connected else min(2 * wait_s, AGAIN_AT_MOST_S)
            finally:
                self.is_connected = False
            await self._pause(wait_s)

    def _take(self, lease: ExitStack) -> bool:
        try:
            lease.enter_context(held(self._home / LOCK, "Another process has the prices."))
        except Conflict:
            return False
        return True

    # The one that has the prices

    async def _serve(self) -> None:
        token = secrets.token_urlsafe(32)
        door = _Door(self._board, token, self._stuck_after_s, self._parting_s)
        server = await asyncio.start_server(door.let_in, "127.0.0.1", 0)
        address = Address(server.sockets[0].getsockname()[1], token)
        try:
            address.write(self._home)
            self.is_serving = True
            source = self._open_source()
            log.info("the prices of %s are served by this process", source.name)
            await keep_pumping(source, self._board, self._tell, pause=self._pause)
            log.info("the prices of %s have ended", source.name)
            await asyncio.Event().wait()  # what came last is still served
        finally:
            self.is_serving = False
            server.close()
            await door.close()
            with suppress(OSError):
                (self._home / ADDRESS).unlink()

    # The others

    async def _follow(self) -> None:
        address = Address.read(self._home)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", address.port)
        except OSError:
            raise FeedLost("Nobody listens where the feed was.") from None
        wanted = asyncio.Event()
        wanted.set()
        self._board.on_demand(wanted.set)
        try:
            writer.write(framed(Hello(address.token)))
            await first_of(self._hear(reader), self._ask(writer, wanted))
        except OSError:
            raise FeedLost("The connection to the feed ended.") from None
        finally:
            self._board.off_demand(wanted.set)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        while True:
            told = await hear_told(reader)
            if isinstance(told, Bye):
                log.warning("the feed let this process go: %s", told.reason)
                raise FeedLost(told.reason)
            self.is_connected = True
            for quote in told.quotes:
                self._board.publish(quote)

    async def _ask(self, writer: asyncio.StreamWriter, wanted: asyncio.Event) -> None:
        while True:
            await wanted.wait()
            wanted.clear()
            writer.write(framed(Watch(sorted(self._board.demand))))
            await writer.drain()


class _Door:
    """Where followers come in: each with the token, and each with what it follows."""

    def __init__(self, board: Board, token: str, stuck_after_s: float, parting_s: float) -> None:
        self._board, self._token = board, token
        self._stuck_after_s, self._parting_s = stuck_after_s, parting_s
        self._inside: set[asyncio.Task[None]] = set()
        self._strangers = self._followers = 0

    async def let_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one follower until it goes, or has to."""
        if len(self._inside) >= INSIDE_AT_MOST:
            writer.transport.abort()  # too many to tell each of them why
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in one
        self._inside.add(task)
        writer.transport.set_write_buffer_limits(high=BUFFERED)
        try:
            await self._attend(reader, writer)
        except (FeedLost, Closed, OSError, asyncio.CancelledError):
            pass  # it went
        except _MustGo as why:
            await _part(reader, writer, str(why), self._parting_s)
        finally:
            self._inside.discard(task)
            writer.transport.abort()

    async def _attend(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        greeting = await self._greeting(reader)
        token = greeting.token if isinstance(greeting, Hello) else ""
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            raise _MustGo("The token is not the one in the data folder.")
        if self._followers >= FOLLOWERS_AT_MOST:
            raise _MustGo(f"There are {FOLLOWERS_AT_MOST} followers already.")
        self._followers += 1
        try:
            writer.write(framed(News([], 0)))  # it is let in
            with self._board.subscribe("feed", at_most=FOLLOWED_AT_MOST) as subscription:
                await first_of(_listen(reader, subscription), self._send(writer, subscription))
        finally:
            self._followers -= 1

    async def _greeting(self, reader: asyncio.StreamReader) -> Said:
        """Hear who it is, of so many at a time."""
        if self._strangers >= STRANGERS_AT_MOST:
            raise _MustGo(f"{STRANGERS_AT_MOST} others have not said yet who they are; try again.")
        self._strangers += 1
        try:
            async with asyncio.timeout(GREETED_WITHIN_S):
                return await hear_said(reader, GREETING)
        except TimeoutError:
            raise _MustGo("It did not say who it is.") from None
        finally:
            self._strangers -= 1

    async def _send(self, writer: asyncio.StreamWriter, subscription: Subscription) -> None:
        while True:
            news = await subscription.news()
            missed = news.missed
            for begin in range(0, len(news.quotes), CHUNK):
                writer.write(framed(News(list(news.quotes[begin : begin + CHUNK]), missed)))
                missed = 0
                try:
                    async with asyncio.timeout(self._stuck_after_s):
                        await writer.drain()
                except TimeoutError:
                    raise _MustGo("It did not read what it asked for.") from None

    async def close(self) -> None:
        """Let everybody go."""
        inside = tuple(self._inside)
        for task in inside:
            task.cancel()
        await asyncio.gather(*inside, return_exceptions=True)


class _MustGo(BahiError):
    """The follower has to go."""


async def _listen(reader: asyncio.StreamReader, subscription: Subscription) -> None:
    while True:
        said = await hear_said(reader)
        if isinstance(said, Watch):
            try:
                subscription.follow(said.instruments)
            except BahiError as fault:
                raise _MustGo(str(fault)) from None


async def _part(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reason: str, within_s: float
) -> None:
    """Tell why it ends, and wait a moment for it to be read and for the other side to hang up.

    What it still says is read and thrown away: a connection that is closed over unread words is
    reset, and the reason would be lost with it.
    """
    with suppress(OSError, TimeoutError):
        writer.write(framed(Bye(reason)))
        writer.write_eof()
        async with asyncio.timeout(within_s):
            while await reader.read(GREETING):
                pass
