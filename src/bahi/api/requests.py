"""What happens to every request: it gets an id, a bound, its headers, and a line in the record."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl
from uuid import uuid4

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bahi.api.bodies import is_too_deep
from bahi.api.callers import Caller, Callers
from bahi.api.errors import answer_to, operation_of
from bahi.bootstrap import House
from bahi.kernel.clock import Clock
from bahi.kernel.errors import TooMuch
from bahi.telemetry.service import CallRecorder, Numbers, about

BODY_AT_MOST: Final = 64 * 1024
KEPT_AT_MOST: Final = 16 * 1024
"""A longer answer is recorded without its body."""
UNRECORDED: Final = ("/healthz", "/readyz", "/metrics", "/static/", "/v1/events")

HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)
NOTHING: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
FORGET: Final = (b"cache-control", b"no-store")


class TooLarge(TooMuch):
    """The body is too large; 64 KiB are the most that any door takes."""

    code = "body_too_large"


class HungUp(Exception):
    """Who asked went away before the whole question had come."""


class Requests:
    """The hall through which every request comes and every answer goes."""

    def __init__(self, app: ASGIApp, house: House, callers: Callers) -> None:
        self._app, self._callers = app, callers
        self._clock: Clock = house.clock
        self._recorder: CallRecorder = house.recorder
        self._numbers: Numbers = house.numbers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, bounded and named, and write down what became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(uuid4())  # with its dashes: the log takes other long runs for secrets
        caller = self._callers.caller(scope, request_id)
        scope.setdefault("state", {}).update(request_id=request_id, caller=caller)
        visit = Visit(scope, caller, request_id, send)
        began_at, began = self._clock(), time.perf_counter()
        with about(request_id=request_id):
            try:
                visit.body = await _whole_body(scope, receive)
            except HungUp:
                return  # half a question may read like a whole one: none of it is done
            except TooLarge as failure:
                await answer_to(Request(scope), failure)(scope, receive, visit.send)
            else:
                await self._app(scope, _again(visit.body, receive), visit.send)
            if not scope["path"].startswith(UNRECORDED):
                took_us = int((time.perf_counter() - began) * 1e6)
                if visit.is_noise or visit.is_beat:
                    self._numbers.count_request(operation_of(scope), visit.status, took_us / 1e6)
                    return
                self._recorder.record_request(
                    operation_of(scope),
                    started_at=began_at,
                    took_us=took_us,
                    status=visit.status,
                    user_id=caller.known.user_id if caller.known else None,
                    request_id=request_id,
                    request=visit.asked(),
                    response=visit.answered(),
                    failure=scope["state"].get("failure", ""),
                )


class Visit:
    """One request, from what it brought to what was answered."""

    def __init__(self, scope: Scope, caller: Caller, request_id: str, send: Send) -> None:
        self._scope, self._caller, self._send = scope, caller, send
        self._request_id = request_id
        self.status = 500
        self.body = b""
        self._answer = bytearray()
        self._is_json = False

    async def send(self, message: Message) -> None:
        """Send a part of the answer, with the headers that keep a browser from doing more."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = list(message.get("headers", []))
            names = {name.lower() for name, _ in given}
            self._is_json = (b"content-type", b"application/json") in given
            given += [*HEADERS, (b"x-request-id", self._request_id.encode())]
            given += [each for each in (NOTHING, FORGET) if each[0] not in names]
            if self._caller.share is not None:
                given += self._caller.share.headers
            message["headers"] = given
        elif self._is_json and len(self._answer) <= KEPT_AT_MOST:
            self._answer += message.get("body", b"")
        await self._send(message)

    @property
    def is_noise(self) -> bool:
        """Whether a stranger asked too much, or for nothing there is: it is counted, not recorded.

        Else whoever floods us would fill a disk with it.
        """
        is_refused = self.status == HTTPStatus.TOO_MANY_REQUESTS or "route" not in self._scope
        return is_refused and self._caller.known is None

    @property
    def is_beat(self) -> bool:
        """Whether an open page asked for its figures, as it does each second: counted only."""
        return bool(self._scope["state"].get("is_beat"))

    def asked(self) -> dict[str, Any] | None:
        """Return what is recorded of the question; the recorder takes secrets out."""
        if self._is_private:
            return None
        query = dict(parse_qsl(self._scope.get("query_string", b"").decode("latin-1")))
        found = {"query": query} if query else {}
        is_json = Headers(scope=self._scope).get("content-type", "").startswith("application/json")
        if is_json and (body := _parsed(self.body)) is not None:
            found["body"] = body
        return found or None

    def answered(self) -> Any:
        """Return what is recorded of the answer."""
        if self._is_private or len(self._answer) > KEPT_AT_MOST:
            return None
        return _parsed(bytes(self._answer))

    @property
    def _is_private(self) -> bool:
        """Whether it is left out of the record: it was marked, or nobody knows what it is."""
        return "route" not in self._scope or bool(self._scope["state"].get("is_private"))


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body) if body and not is_too_deep(body) else None
    except (ValueError, RecursionError):
        return None


async def _whole_body(scope: Scope, receive: Receive) -> bytes:
    """Read a body up to its bound; what says beforehand that it is longer is not read at all."""
    said = Headers(scope=scope).get("content-length", "0")
    if said.isdecimal() and int(said[:20]) > BODY_AT_MOST:
        raise TooLarge
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HungUp
        body += message.get("body", b"")
        if len(body) > BODY_AT_MOST:
            raise TooLarge
        if not message.get("more_body", False):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Hand out a body that was read already, then whatever comes after it."""
    handed = False

    async def receiving() -> Message:
        nonlocal handed
        if handed:
            return await receive()
        handed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving
