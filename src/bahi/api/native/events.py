"""What happens, pushed as server-sent events: orders, positions, tokens, jobs, alerts.

An event's id is its place in the stream: who comes back with `Last-Event-ID` is told of all behind
it. A reader who falls far behind, or whose key has ended, is told so and let go; nothing is lost,
because the tables have it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Iterator
from contextlib import aclosing, contextmanager
from typing import Annotated, Any, Final, Literal, NamedTuple

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.types import Send

from bahi.api.callers import Caller
from bahi.api.forms import number
from bahi.api.live.events import Event, Topic, payload_of
from bahi.api.live.happenings import Happenings
from bahi.api.live.listening import Ended, Listener
from bahi.api.routes import Authenticated, Who
from bahi.bootstrap import House
from bahi.kernel.actor import Actor
from bahi.kernel.clock import IST
from bahi.kernel.errors import BahiError, Forbidden, Invalid, TooSoon, Unauthenticated

STREAMS_AT_MOST: Final = 10
"""Of one key, or of one session."""
BEAT_S: Final = 15.0
"""How long nothing is said at most: proxies cut what is silent."""
LOOK_S: Final = 1.0
"""How soon a key that has ended is noticed; of sessions, the database is asked each beat."""
SLOW_S: Final = 30.0
"""How long a piece may take to be taken."""
AT_ONCE: Final = 100
RETRY_MS: Final = 2_000

TOPICS: Final = {
    "orders": Topic.ORDER,
    "positions": Topic.POSITION,
    "tokens": Topic.TOKEN,
    "jobs": Topic.JOB,
    "alerts": Topic.ALERT,
}
NAME_OF: Final = {topic: name for name, topic in TOPICS.items()}

Wanted = Annotated[
    str | None,
    Query(
        max_length=100,
        description=f"Which topics, parted by commas: {', '.join(TOPICS)}; without it, all.",
    ),
]
Last = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        pattern=r"^[0-9]{1,19}$",
        description="The id of the newest event that was heard: all behind it are told first.",
    ),
]
Since = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{1,19}$",
        description="From which id on to tell, for who cannot send a header; the header counts.",
    ),
]
Reason = Literal["slow", "revoked", "closing"]

log = logging.getLogger("bahi.api")


class Wish(NamedTuple):
    """What somebody wants to hear of: behind an event, from an id on, or from now on."""

    topics: Collection[Topic]
    behind: int | None
    since: int | None


class EventStream(StreamingResponse):
    """Pieces that are sent as they come; whoever does not take one in time is let go."""

    media_type = "text/event-stream"
    slow_s = SLOW_S

    def __init__(self, pieces: AsyncGenerator[str, None] | None = None) -> None:
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        super().__init__(pieces if pieces is not None else _nothing(), headers=headers)
        self._pieces = pieces

    async def stream_response(self, send: Send) -> None:
        """Send the pieces, and end what makes them however this ends."""
        begun = {"status": self.status_code, "headers": self.raw_headers}
        await send({"type": "http.response.start", **begun})
        if self._pieces is not None:
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    try:
                        async with asyncio.timeout(self.slow_s):
                            await send(_part(piece.encode()))
                    except TimeoutError:
                        log.warning("a reader of events took nothing for %g s", self.slow_s)
                        return
        await send(_part(b"", more=False))


class Streams:
    """How many streams each key or session has open."""

    def __init__(self) -> None:
        self._open: Counter[tuple[str, int | None]] = Counter()

    def require_room(self, actor: Actor) -> None:
        """Refuse one stream too many."""
        if self._open[_whose(actor)] >= STREAMS_AT_MOST:
            raise TooSoon(
                f"{STREAMS_AT_MOST} streams of events are open already; close one, and come again.",
                retry_after_s=5,
            )

    @contextmanager
    def one_more(self, actor: Actor) -> Iterator[None]:
        """Count one while it is open."""
        whose = _whose(actor)
        self._open[whose] += 1
        try:
            yield
        finally:
            self._open[whose] -= 1
            if not self._open[whose]:
                del self._open[whose]


def event_routes(house: House) -> APIRouter:
    """Make the door of events."""
    router = APIRouter(prefix="/v1/events", tags=["events"], route_class=Authenticated)
    streams = Streams()
    del house

    @router.get(
        "",
        status_code=200,
        response_class=EventStream,
        responses={200: {"description": "Server-sent events, until either side ends them."}},
    )
    async def events(
        actor: Who,
        request: Request,
        topics: Wanted = None,
        last: Last = None,
        since: Since = None,
    ) -> EventStream:
        """Tell what happens as it happens, in the form of server-sent events.

        `event` is the topic, `id` its place, `data` a JSON object. A comment comes every 15
        seconds. An event `end` says why no more is told: `slow`, `revoked` or `closing`.
        """
        behind, first = (None if it is None else number(it) for it in (last, since))
        wish = Wish(_topics(topics), behind, first)
        streams.require_room(actor)
        return EventStream(_told(request, actor, wish, streams))

    return router


async def _told(
    request: Request,
    actor: Actor,
    wish: Wish,
    streams: Streams,
) -> AsyncGenerator[str, None]:
    happenings: Happenings = request.app.state.happenings
    with streams.one_more(actor):
        async with happenings.listen(
            actor, wish.topics, after=wish.behind, since=wish.since, own=False
        ) as listener:
            yield f"retry: {RETRY_MS}\n: welcome\n\n"
            async for piece in _pieces(request, actor, listener):
                yield piece


async def _pieces(request: Request, actor: Actor, listener: Listener) -> AsyncGenerator[str, None]:
    """Yield what is heard, a beat where nothing is, and at the end why it ends."""
    waiting = asyncio.ensure_future(listener.next())
    silent_s = 0.0
    try:
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=LOOK_S)
            silent_s = 0.0 if done else silent_s + LOOK_S
            is_beat = silent_s >= BEAT_S
            if (why := await _end(request, actor, listener, ask=is_beat)) is not None:
                yield _said("end", {"reason": why})
                return
            if done:
                piece = _event(waiting.result())
                piece += "".join(_event(it) for it in _more(listener))
                waiting = asyncio.ensure_future(listener.next())
                yield piece
            elif is_beat:
                silent_s = 0.0
                yield ": beat\n\n"
    except Ended:
        yield _said("end", {"reason": "closing"})
    finally:
        waiting.cancel()


async def _end(request: Request, actor: Actor, listener: Listener, *, ask: bool) -> Reason | None:
    """Say why a stream ends; a session's is looked up where `ask` says so, a key is in memory."""
    if not request.app.state.is_open:
        return "closing"
    if listener.caught_up:
        return "slow"
    if actor.key_id is None and not ask:
        return None
    caller: Caller = request.state.caller
    try:
        now = await caller.still()
    except (Unauthenticated, Forbidden):
        return "revoked"
    except BahiError:  # the database is away: nobody knows better yet
        return None
    return None if (now.role, now.scope) == (actor.role, actor.scope) else "revoked"


def _more(listener: Listener) -> Iterator[Event]:
    for _ in range(AT_ONCE):
        if (event := listener.take()) is None:
            return
        yield event


def _event(event: Event) -> str:
    name = NAME_OF[event.topic]
    said = {
        "id": str(event.id),
        "topic": name,
        "what": event.what,
        "at": event.at.astimezone(IST).isoformat(),
        "account_id": None if event.account_id is None else str(event.account_id),
        "about": payload_of(event),
    }
    return _said(name, said, event.id)


def _said(name: str, data: dict[str, Any], identity: int | None = None) -> str:
    written = json.dumps(data, separators=(",", ":"), default=str)
    place = "" if identity is None else f"id: {identity}\n"
    return f"{place}event: {name}\ndata: {written}\n\n"


def _topics(said: str | None) -> frozenset[Topic]:
    names = [it.strip() for it in (said or "").split(",") if it.strip()] or list(TOPICS)
    for name in names:
        if name not in TOPICS:
            raise Invalid(f"topics: {name[:40]!r} is none; there are {', '.join(TOPICS)}.")
    return frozenset(TOPICS[name] for name in names)


def _whose(actor: Actor) -> tuple[str, int | None]:
    if actor.key_id is not None:
        return "key", actor.key_id
    return "session", actor.session_id


def _part(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}


async def _nothing() -> AsyncGenerator[str, None]:
    return
    yield
