"""The socket: prices and orders to OpenAlgo's clients, on `/ws` and on the port of its own.

A connection has to say who it is within seconds; a key that was revoked since closes it. One who
reads too slowly gets each instrument's newest price and nothing in between, is told so, and is let
go where that does not help. What cannot be understood is answered by one frame that says what would
be right.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import ExitStack, suppress
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bahi.api.live.bounds import Stranger
from bahi.api.live.frames import Frame, answering, refused
from bahi.api.live.happenings import Happenings
from bahi.api.live.line import Line
from bahi.api.live.room import Room
from bahi.api.live.talking import Talk
from bahi.api.live.visitor import Visitor
from bahi.bootstrap import House
from bahi.kernel.errors import BahiError, Busy, TooSoon, Unauthenticated
from bahi.quotes.service.sources import first_of

KNOWN_WITHIN_S: Final = 10.0
RECHECK_S: Final = 2.0
POLICY: Final = 1008
"""Closed because of what the client did, or is."""
UNEXPECTED: Final = 1011
BYE: Final = BahiError("Something unexpected went wrong here; it is in the log.")

log = logging.getLogger("bahi.socket")


class NotInTime(Unauthenticated):
    """Nobody said in time who this is; send {"action": "authenticate", "api_key": ...} first."""

    code = "authentication_timeout"


def socket_routes(house: House, happenings: Happenings) -> list[WebSocketRoute]:
    """Make the doors of sockets: clients that have a port of their own for it name no path."""
    doors = Doors(Room(house, happenings))
    return [WebSocketRoute(path, doors.come_in) for path in ("/ws", "/")]


class Doors:
    """The sockets of a process."""

    def __init__(self, room: Room) -> None:
        self._room = room

    async def come_in(self, socket: WebSocket) -> None:
        """Hold one socket from its first frame to its last."""
        visitor = Visitor(self._room.house, socket)
        if not visitor.may_come:
            await _turn_away(socket, 403, "Sockets open from this house's own pages alone.")
            return
        with ExitStack() as counted:
            try:
                stranger = counted.enter_context(self._room.sockets.let_in(visitor.home))
            except Busy as full:
                await _turn_away(socket, 503, str(full))
                return
            await socket.accept()
            await self._hold(Line(socket), visitor, stranger)

    async def _hold(self, line: Line, visitor: Visitor, stranger: Stranger) -> None:
        """Talk until either side has had enough; say why where it is this one."""
        try:
            await self._talk(line, visitor, stranger)
        except WebSocketDisconnect:
            return
        except BahiError as failure:
            said = refused(failure)
            if isinstance(failure, Unauthenticated) or not line.is_known:
                said["type"] = "auth"
            await line.end(POLICY, said)
        except Exception:
            log.exception("a socket failed")
            await line.end(UNEXPECTED, refused(BYE))

    async def _talk(self, line: Line, visitor: Visitor, stranger: Stranger) -> None:
        try:
            async with stranger.within(KNOWN_WITHIN_S):
                frame = await _introduction(line)
        except TimeoutError:
            raise NotInTime from None
        key = frame.key
        holder = await visitor.holder(key)
        self._room.sockets.know(stranger, holder.key_id)
        talk = Talk(self._room, line, visitor.actor(holder))
        try:
            line.know()
            await line.say(answering(await talk.welcome(), frame))
            await first_of(
                talk.listen(), talk.tell_prices(), talk.tell_orders(), _recheck(visitor, key)
            )
        finally:
            talk.close()


async def _introduction(line: Line) -> Frame:
    """Return the frame that says who this is; whatever else comes before it is refused."""
    while True:
        frame = await line.hear()
        if frame.action.strip().lower() in {"authenticate", "auth"}:
            return frame
        await line.say(refused(NotInTime("Say first who this is."), frame))


async def _recheck(visitor: Visitor, key: str) -> None:
    """End when the key is good no more; while nobody can say, it is what it was."""
    while True:
        await asyncio.sleep(RECHECK_S)
        try:
            await visitor.holder(key)
        except (Unauthenticated, TooSoon):  # too many unknown ones: it is among these by now
            raise Unauthenticated("This API key is good no more.") from None
        except BahiError as away:
            log.debug("a key could not be looked at again: %s", away)


async def _turn_away(socket: WebSocket, status: int, why: str) -> None:
    with suppress(RuntimeError):  # a server that knows no such answer closes by itself
        await socket.send_denial_response(PlainTextResponse(f"{why}\n", status))
