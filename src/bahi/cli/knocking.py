"""How much, and for how long, somebody may send before their request is whole, or leave unread.

The parser keeps a head that never ends in memory, and waits for the rest of a request for ever.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Final

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from bahi.cli.crowd import Crowd

HEAD_AT_MOST: Final = 64 * 1024
WHOLE_AT_MOST: Final = 1024 * 1024
"""More than any body that is taken, however small the pieces in which it comes."""
WHOLE_WITHIN_S: Final = 30.0
PIECE: Final = 16 * 1024
FRAME_AT_MOST: Final = 64 * 1024
"""What a socket may send in one frame, in however many pieces."""
GOODBYE_WITHIN_S: Final = 2.0
"""How long one that is closed may take to close its end."""
UNREAD_AT_MOST: Final = 1024 * 1024
"""Bytes that wait for one who asks and does not read."""
UNREAD_WITHIN_S: Final = 30.0
"""How long one who is answered may read nothing of it."""
PIECES_AT_MOST: Final = 1_000
"""In how many pieces a frame may come: an empty piece counts towards no length."""

TOO_LONG: Final = b"The head of the request is too long; 64 KiB are the most.\n"
REFUSAL: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\nconnection: close\r\n\r\n%b" % (len(TOO_LONG), TOO_LONG)
)


class BoundedProtocol(HttpToolsProtocol):
    """A connection whose requests have a bound in length and in time, and their answers too."""

    crowd: ClassVar = Crowd()

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._in_head, self._sent = True, 0
        self._is_socket = False
        self._deadline: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        self._answered: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Expect a whole request from now on."""
        super().connection_made(transport)
        self._expect()
        self.crowd.come(self, self.client and self.client[0])

    def connection_lost(self, exc: Exception | None) -> None:
        """Expect nothing any more."""
        self.crowd.leave(self)
        self._expect_nothing()
        self._is_read()
        if self._answered is not None:
            self._answered.disconnected = True  # of several asked at once, the one at work
        super().connection_lost(exc)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Have a request answered; nothing is written to one who was cut off meanwhile."""
        self._answered = cycle

        async def answer(scope: Any, receive: Any, send: Any) -> None:
            async def sending(message: Any) -> None:
                if self.transport.is_closing():
                    cycle.disconnected = True
                await send(message)

            await app(scope, receive, sending)

        super()._start_asgi_task(cycle, answer)

    @property
    def is_known(self) -> bool:
        """Whether who asked last is known by now."""
        if self._answered is None:
            return False
        caller = self._answered.scope["state"].get("caller")
        return caller is not None and caller.known is not None

    @property
    def is_busy(self) -> bool:
        """Whether a whole request is being answered, to somebody who reads the answer."""
        return self._is_answering and not self.cycle.more_body and self._unread is None

    def send_away(self) -> None:
        """Cut the connection: others need the room."""
        self.transport.abort()

    def shutdown(self) -> None:
        """Finish what is being answered; who has not asked yet, or does not read, is let go."""
        super().shutdown()
        if self._is_answering and not self.is_busy:
            self.transport.abort()

    def pause_writing(self) -> None:
        """Wait for one who reads nothing, but not without end."""
        super().pause_writing()
        self._have_it_read()

    def resume_writing(self) -> None:
        """Go on: it is read."""
        self._is_read()
        super().resume_writing()

    def on_response_complete(self) -> None:
        """Take note of who is known by now; a last answer has to be read within the bound too."""
        if self.is_known:
            self.crowd.know(self)
        self.crowd.rest(self)
        super().on_response_complete()
        if self.transport.is_closing():
            self._have_it_read()

    def timeout_keep_alive_handler(self) -> None:
        """Close one that asks no more."""
        super().timeout_keep_alive_handler()
        self._have_it_read()

    def data_received(self, data: bytes) -> None:
        """Read on in small pieces, so that the bounds are looked at between them."""
        self._expect()
        for begin in range(0, len(data), PIECE):
            piece = data[begin : begin + PIECE]
            self._sent += len(piece)
            super().data_received(piece)
            if self._sent > (HEAD_AT_MOST if self._in_head else WHOLE_AT_MOST):
                self._refuse()
            if self.transport.is_closing() or self._is_socket:
                return

    def on_message_begin(self) -> None:
        """Expect the rest of a request, also of one that came close behind another."""
        super().on_message_begin()
        self._expect()

    def on_headers_complete(self) -> None:
        """Count the body from here on."""
        super().on_headers_complete()
        self._in_head = False

    def on_message_complete(self) -> None:
        """Let a whole request take as long as its answer does."""
        super().on_message_complete()
        self._in_head, self._sent = True, 0
        self._expect_nothing()

    def handle_websocket_upgrade(self) -> None:
        """Expect nothing any more: from here on it is a socket, with bounds of its own."""
        self._is_socket = True
        self._expect_nothing()
        self.crowd.leave(self)
        super().handle_websocket_upgrade()

    def _expect(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(WHOLE_WITHIN_S, self._too_slow)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _have_it_read(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(UNREAD_WITHIN_S, self.transport.abort)

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self._is_answering and not self.cycle.more_body:
            self._expect()  # what came early is looked at when the answer before it has gone
        else:
            self.transport.abort()

    @property
    def _is_answering(self) -> bool:
        return bool(self.cycle) and not self.cycle.response_complete  # at first there is none

    def _refuse(self) -> None:
        if self.transport.is_closing():
            return
        if not self._in_head or self._is_answering:
            self.transport.abort()
            return
        self.transport.write(REFUSAL)
        self.transport.close()


class BoundedSocket(WebSocketsSansIOProtocol):
    """A socket for which no more is kept than its client reads, and whose frames no log shows."""

    crowd: ClassVar = BoundedProtocol.crowd

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.conn.debug = False  # the first frame carries a key
        self.close_timeout = GOODBYE_WITHIN_S

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count it among the connections."""
        super().connection_made(transport)
        self.crowd.come(self, self.client and self.client[0])

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no more."""
        self.crowd.leave(self)
        super().connection_lost(exc)

    @property
    def is_busy(self) -> bool:
        """Whether it is in use: it is as soon as somebody known holds it."""
        return self.is_known

    @property
    def is_known(self) -> bool:
        """Whether it was said whose it is."""
        return hasattr(self, "scope") and bool(self.scope["state"].get("is_known"))

    def send_away(self) -> None:
        """Cut the connection: others need the room."""
        self.transport.abort()

    def handle_cont(self, event: Frame) -> None:
        """Take a piece of a frame; of one in too many pieces, nothing."""
        if len(self.frames) >= PIECES_AT_MOST:
            self.transport.abort()
            return
        super().handle_cont(event)

    async def send(self, message: Any) -> None:
        """Send a frame; one who reads nothing is not waited for to be told goodbye."""
        if message["type"] == "websocket.close" and not self.writable.is_set():
            self.transport.abort()
            return
        if self.is_known:
            self.crowd.know(self)
        await super().send(message)

    def handle_ping(self) -> None:
        """Answer a ping, as long as somebody reads the answers."""
        super().handle_ping()
        if self.transport.get_write_buffer_size() > UNREAD_AT_MOST:
            self.transport.abort()


def doors_in(
    crowd: Crowd,
) -> tuple[type[BoundedProtocol], type[BoundedSocket]]:
    """Return how connections and sockets are held whose room is one crowd's."""

    class Connection(BoundedProtocol):
        """A connection among them."""

    class Socket(BoundedSocket):
        """A socket among them."""

    Connection.crowd = Socket.crowd = crowd
    return Connection, Socket
