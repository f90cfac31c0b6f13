"""The wire of one socket: a frame in, a frame out, and how long the other side lets us wait."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any, Final

from starlette.websockets import WebSocket, WebSocketDisconnect

from bahi.api.live.bounds import Pace
from bahi.api.live.frames import Frame, read, refused, written
from bahi.kernel.errors import BahiError, Invalid

SLOW_WITHIN_S: Final = 10.0
"""One frame that nobody takes for so long is the last."""
HELD_UP_S: Final = 1.0
"""What takes so long held us up."""
FAREWELL_WITHIN_S: Final = 1.0
REASON_AT_MOST: Final = 120
"""Bytes of a reason; the protocol has room for 123."""


class TooSlow(BahiError):
    """This client takes frames more slowly than they are made, so it is let go; connect again."""

    code = "slow_client"


class Line:
    """One socket that was accepted."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket, self._pace = socket, Pace()
        self.held_up = 0
        """How often a frame was long in going."""
        self.is_known = False

    def know(self) -> None:
        """Take note that whose this is was said; the server gives such a one more room."""
        self.is_known = True
        self._socket.state.is_known = True

    async def hear(self) -> Frame:
        """Return the next frame that can be understood; answer each other with what is wrong."""
        while True:
            message = await self._socket.receive()
            if message["type"] != "websocket.receive":
                raise WebSocketDisconnect(message.get("code", 1005))
            self._pace.count()
            try:
                said = message.get("text") or message.get("bytes")
                if not said:
                    raise Invalid("frame: it is empty.")
                return read(said)
            except Invalid as wrong:
                await self.say(refused(wrong))

    async def say(self, said: dict[str, Any]) -> None:
        """Send a frame."""
        await self.send(written(said))

    async def send(self, text: str) -> None:
        """Send a frame as it is written already; let go of who does not take it."""
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            async with asyncio.timeout(SLOW_WITHIN_S):
                await self._socket.send_text(text)
        except TimeoutError:
            raise TooSlow from None
        if loop.time() - began_s >= HELD_UP_S:
            self.held_up += 1

    async def end(self, code: int, said: dict[str, Any]) -> None:
        """Say why, and close; who takes nothing any more is not waited for."""
        reason = str(said["message"]).encode()[:REASON_AT_MOST].decode(errors="ignore")
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(FAREWELL_WITHIN_S):
                await self._socket.send_text(written(said))
        with suppress(WebSocketDisconnect, RuntimeError, TimeoutError):
            async with asyncio.timeout(FAREWELL_WITHIN_S):
                await self._socket.close(code, reason)
