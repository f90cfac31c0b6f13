"""A broker on loopback: real HTTP, every request remembered exactly, bad manners on demand.

    with KiteSimulator([application]) as kite:
        kite.behave(Behaviour.THROTTLE, times=1, path="/session/token")
        ...
        assert [asked.path for asked in kite.requests] == ["/session/token"]

It runs in a thread of its own, so that it can serve a test's loop, a worker's, and a browser.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from bahi.kernel.clock import Clock, SystemClock
from bahi.kernel.ports import Application

LOOPBACK: Final = "127.0.0.1"
HUGE_BYTES: Final = 3_000_000
PATIENCE_S: Final = 10


class Behaviour(StrEnum):
    """What a simulator does instead of answering well."""

    THROTTLE = "throttle"
    HANG = "hang"
    LATE = "late"
    RESET = "reset"
    DROP_READ = "drop read"
    DROP_DONE = "drop done"
    HTML = "html"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    HALF_JSON = "half json"
    WRONG_TYPE = "wrong type"
    HUGE = "huge"
    REDIRECT = "redirect"
    SERVER_ERROR = "server error"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request, as it came over the wire."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    body: bytes
    peer: str = ""

    def header(self, name: str) -> str:
        """Return a header, or nothing."""
        return next((v for n, v in self.headers if n.lower() == name.lower()), "")

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body or b"{}")

    def form(self) -> dict[str, str]:
        """Return the body as a form."""
        return dict(parse_qsl(self.body.decode("ascii")))


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One answer: an object goes out as JSON."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def redirect(cls, to: str, query: Mapping[str, str]) -> Answer:
        """Send a person on."""
        joint = "&" if "?" in to else "?"
        return cls(status=302, headers={"Location": f"{to}{joint}{urlencode(query)}"})


Route = Callable[[Asked], Answer]


class Simulator:
    """One broker, which knows some applications by their secrets and forgets nothing."""

    def __init__(self, applications: Iterable[Application], clock: Clock | None = None) -> None:
        self.applications = {each.client_id: each for each in applications}
        self.clock: Clock = clock or SystemClock()
        self.requests: list[Asked] = []
        self.logins: list[str] = []
        """The client ids that were given a token, in order."""
        self.tokens: dict[str, str] = {}
        """The tokens that are alive, each with its client id."""
        self.codes: dict[str, str] = {}
        self._heard = threading.Condition()
        self._planned: list[_Plan] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._released = asyncio.Event()

    # What a broker says; each of them answers these.

    def routes(self) -> Mapping[tuple[str, str], Route]:
        """Return what it serves, by method and path; * at the end serves all below it."""
        raise NotImplementedError

    def throttled(self) -> Answer:
        """Return how this broker says that it was asked too often."""
        raise NotImplementedError

    # What a test may do.

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self.port}"

    def behave(self, how: Behaviour, *, times: int | None = None, path: str = "") -> None:
        """Misbehave the next so many times (or from now on), on paths that contain this."""
        self._planned.append(_Plan(how, path, times))

    def answer(self, with_: Answer, *, times: int | None = None, path: str = "") -> None:
        """Give just this answer the next so many times, on paths that contain this."""
        self._planned.append(_Plan(with_, path, times))

    def behave_well(self) -> None:
        """Forget every bad manner, and let go of whoever hangs."""
        self._planned.clear()
        self.release()

    def release(self) -> None:
        """Answer whoever was kept waiting."""
        self._loop.call_soon_threadsafe(self._released.set)

    def wait_for_requests(self, count: int) -> None:
        """Return once so many requests came; call it by `asyncio.to_thread` from a loop."""
        with self._heard:
            came = self._heard.wait_for(lambda: len(self.requests) >= count, PATIENCE_S)
        assert came, f"{len(self.requests)} requests came, not {count}"

    def end(self, token: str) -> None:
        """Have a token die."""
        self.tokens.pop(token, None)

    def end_all(self) -> None:
        """Have every token die, as at the end of a day."""
        self.tokens.clear()

    # What its children do.

    def issue(self, client_id: str, token: str = "") -> str:
        """Give an application a new token."""
        token = token or f"{type(self).__name__.lower()}-{secrets.token_urlsafe(24)}"
        self.tokens[token] = client_id
        self.logins.append(client_id)
        return token

    def hand_code(self, client_id: str) -> str:
        """Make a code that can be used once."""
        code = secrets.token_hex(16)
        self.codes[code] = client_id
        return code

    def application_of(self, token: str) -> Application | None:
        """Return whose a living token is."""
        return self.applications.get(self.tokens.get(token, ""))

    # The server.

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        start = asyncio.start_server(self._serve, LOOPBACK, 0, limit=HUGE_BYTES)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(PATIENCE_S)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, and let go of everybody."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked = replace(await _read(head, reader), peer=writer.get_extra_info("peername")[0])
        with self._heard:
            self.requests.append(asked)
            self._heard.notify_all()
        how = self._plan_for(asked.path)
        if how is Behaviour.RESET:
            writer.transport.abort()
        elif how is Behaviour.DROP_READ:
            return
        elif how is Behaviour.HANG:
            await self._released.wait()
        else:
            await self._respond(asked, how, writer)

    async def _respond(
        self, asked: Asked, how: Behaviour | Answer | None, writer: asyncio.StreamWriter
    ) -> None:
        answer = how if isinstance(how, Answer) else self._answer_to(asked, how)
        if how is Behaviour.DROP_DONE:
            return
        if how is Behaviour.LATE:
            await self._released.wait()
        body = _bytes(answer.body)
        writer.write(_head(answer, len(body)))
        writer.write(body[: len(body) // 2] if how is Behaviour.TRUNCATED else body)
        await writer.drain()

    def _answer_to(self, asked: Asked, how: Behaviour | None) -> Answer:
        nonsense = {
            Behaviour.HTML: Answer(body="<html><body>Be right back</body></html>"),
            Behaviour.EMPTY: Answer(),
            Behaviour.HALF_JSON: Answer(body='{"status": "success", "data": {"access_to'),
            Behaviour.WRONG_TYPE: Answer(body=["success"]),
            Behaviour.HUGE: Answer(body={"status": "success", "data": "x" * HUGE_BYTES}),
            Behaviour.REDIRECT: Answer.redirect("https://elsewhere.example/", {"a": "b"}),
            Behaviour.SERVER_ERROR: Answer(status=503, body="<h1>503</h1>"),
        }
        if how is Behaviour.THROTTLE:
            return self.throttled()
        if how in nonsense:
            return nonsense[how]
        for (method, path), route in self.routes().items():
            fits = asked.path.startswith(path[:-1]) if path.endswith("*") else asked.path == path
            if fits and asked.method == method:
                return route(asked)
        return Answer(status=404, body={"status": "error", "message": "no such address"})

    def _plan_for(self, path: str) -> Behaviour | Answer | None:
        for plan in self._planned:
            if plan.path in path and plan.left != 0:
                plan.left = None if plan.left is None else plan.left - 1
                return plan.how
        return None


@dataclass
class _Plan:
    how: Behaviour | Answer
    path: str
    left: int | None


async def _read(head: bytes, reader: asyncio.StreamReader) -> Asked:
    first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, _version = first.split(" ")
    headers = tuple((n.strip(), v.strip()) for n, _, v in (line.partition(":") for line in lines))
    length = next((int(v) for n, v in headers if n.lower() == "content-length"), 0)
    path, _, query = target.partition("?")
    return Asked(
        method=method,
        path=path,
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        body=await reader.readexactly(length),
    )


def _bytes(body: Any) -> bytes:
    if isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def _head(answer: Answer, length: int) -> bytes:
    kind = "application/json" if isinstance(answer.body, dict | list) else "text/html"
    headers = {
        "Content-Type": kind,
        "Content-Length": str(length),
        "Connection": "close",
        **answer.headers,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\n{lines}\r\n".encode()


def person_logs_in(address: str) -> dict[str, str]:
    """Do what a person does with a login's address: log in, and bring back what it redirects to."""
    page = httpx.get(address, follow_redirects=False, trust_env=False)
    assert page.status_code == 302, page.text
    return dict(parse_qsl(urlsplit(page.headers["Location"]).query))
