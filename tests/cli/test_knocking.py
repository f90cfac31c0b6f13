"""How much somebody may send before their request is whole, and for how long: raw sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from bahi.cli import knocking
from bahi.cli.knocking import HEAD_AT_MOST, WHOLE_AT_MOST, BoundedProtocol
from tests.cli.processes import PATIENCE_S, Service, environment
from tests.ports import LOOPBACK


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    home: Path = tmp_path_factory.mktemp("knocking") / "data"
    with Service(environment(home)) as running:
        yield running


def answered(service: Service, *pieces: bytes) -> bytes:
    """Send pieces as long as they are taken; return what came back until the other side ended."""
    port = httpx.URL(service.url).port or 0
    came = b""
    with socket.create_connection((LOOPBACK, port), timeout=PATIENCE_S) as knocking_on:
        try:
            for piece in pieces:
                knocking_on.sendall(piece)
            while part := knocking_on.recv(65_536):
                came += part
        except ConnectionError:
            pass
    return came


LAST = b"Connection: close\r\n\r\n"
ASKED = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
POSTED = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"


def test_a_head_that_never_ends_is_cut_off_at_its_bound(service: Service) -> None:
    for begun in (ASKED + b"X: ", b"GET /", ASKED):
        just_over = begun + b"a" * (HEAD_AT_MOST + 3 * knocking.PIECE)
        assert b" 200 " not in answered(service, just_over)
    many = b"".join(b"X-%d: a\r\n" % number for number in range(10_000))
    assert b" 200 " not in answered(service, ASKED + many + LAST)
    assert answered(service, b"\r\n" * HEAD_AT_MOST, ASKED + LAST).count(b" 200 ") == 0


def test_who_waits_for_the_answer_is_told_of_the_bound(service: Service) -> None:
    head = ASKED + b"X: "
    answer = answered(service, head + b"a" * (HEAD_AT_MOST + 1 - len(head)))
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"64 KiB are the most" in answer


def test_a_long_head_within_the_bound_is_read_however_it_comes(service: Service) -> None:
    head = ASKED + b"X: " + b"a" * 60_000 + b"\r\n" + LAST
    assert answered(service, head).startswith(b"HTTP/1.1 200 ")
    assert answered(service, head[:30_000], head[30_000:]).startswith(b"HTTP/1.1 200 ")
    several = (ASKED + b"\r\n") * 3 + ASKED + LAST
    assert answered(service, several).count(b"HTTP/1.1 200 ") == 4


def test_a_body_that_never_ends_is_cut_off_too(service: Service) -> None:
    trailers = b"0\r\n" + b"".join(b"T-%d: a\r\n" % number for number in range(200_000))
    assert len(trailers) > 2 * WHOLE_AT_MOST
    assert b" 404 " not in answered(service, POSTED + b"\r\n", trailers)
    piece = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    came = answered(service, POSTED + b"\r\n", *[piece] * 200)  # it ends: that is what is tested
    assert came == b"" or came.startswith(b"HTTP/1.1 413 ")
    assert service.health()["status"] == "healthy"


async def _hello(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await PlainTextResponse("hello")(scope, receive, send)


async def _much(scope: Scope, receive: Receive, send: Send) -> None:
    while (await receive()).get("more_body"):
        pass
    await PlainTextResponse("much" * 2**20)(scope, receive, send)


def with_a_server(story: Callable[[int], Awaitable[None]], app: Any = _hello) -> None:
    """Serve with the protocol in this process, where its patience can be made short."""

    async def whole() -> None:
        config = uvicorn.Config(
            app, http=BoundedProtocol, ws="none", lifespan="off", log_config=None
        )
        config.load()
        server = uvicorn.Server(config)
        with socket.create_server((LOOPBACK, 0)) as door:
            loop = asyncio.get_running_loop()
            listening = await loop.create_server(
                lambda: BoundedProtocol(config, server.server_state, {}), sock=door
            )
            async with listening:
                await story(door.getsockname()[1])

    asyncio.run(whole())


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET / HT",
        ASKED,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf",
        ASKED + b"\r\n" + ASKED,
    ],
)
def test_who_never_finishes_a_request_is_let_go(
    begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(knocking, "WHOLE_WITHIN_S", 0.05)

    async def story(port: int) -> None:
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(begun)
        try:
            came = await reader.read()
        except ConnectionResetError:
            came = b""
        assert came == b"" or came.startswith(b"HTTP/1.1 200 ")
        writer.close()

    with_a_server(story)


def test_who_asks_again_and_again_on_one_connection_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(knocking, "WHOLE_WITHIN_S", 20.0)

    async def story(port: int) -> None:
        async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{port}") as client:
            for _ in range(3):
                assert (await client.post("/", content=b"x" * 40_000)).text == "hello"

    with_a_server(story)


@pytest.mark.parametrize("asked", [ASKED + b"\r\n", (ASKED + b"\r\n") * 5, ASKED + LAST])
def test_who_reads_nothing_of_the_answer_is_let_go(
    asked: bytes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(knocking, "UNREAD_WITHIN_S", 0.05)

    async def story(port: int) -> None:
        _, writer = await asyncio.open_connection(LOOPBACK, port, limit=1_024)
        writer.write(asked)
        crowd = BoundedProtocol.crowd
        async with asyncio.timeout(PATIENCE_S):
            while not len(crowd):  # noqa: ASYNC110 - the other side's count
                await asyncio.sleep(0)
            while len(crowd):  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.01)
        writer.transport.abort()

    with_a_server(story, _much)
    assert "Exception in ASGI application" not in caplog.text


SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: 5, 5\r\n",
        b"Content-Length : 5\r\n",
        b"Content-Length: 18446744073709551617\r\n",
        b"X: a\rContent-Length: 5\r\n",
        b"X: a\x00b\r\n",
        b" Content-Length: 5\r\n",
    ],
)
def test_a_head_that_two_could_read_differently_is_refused(service: Service, head: bytes) -> None:
    asked = b"POST /v1/orders HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n0\r\n\r\n" + SMUGGLED
    came = answered(service, asked)
    assert came.count(b"HTTP/1.1 ") == 1, came
    assert came.startswith(b"HTTP/1.1 400 "), came


def test_an_upgrade_to_what_nobody_speaks_is_answered_as_any_request(service: Service) -> None:
    for upgrade in (b"h2c", b"websocket, h2c", b"TLS/1.0"):
        head = b"Upgrade: " + upgrade + b"\r\nConnection: Upgrade, close\r\n\r\n"
        came = answered(service, ASKED + head)
        assert b" 500 " not in came
        assert came == b"" or came.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 400 "))
    assert service.health()["status"] == "healthy"
