"""What the service bears from outside while its traders trade: real sockets at a real process."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from typing import Any, Final

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.cli.processes import PATIENCE_S, Environment, Service
from tests.siege.traders import Trader, besieged, going_on, port_of, reached


@pytest.fixture(scope="module")
def siege(env: Environment, many_files: None) -> Iterator[tuple[Service, Trader]]:
    """Give all sieges one service, which lives through them and closes cleanly behind them."""
    with besieged(env) as (service, trader):
        yield service, trader


@pytest.fixture
def service(siege: tuple[Service, Trader]) -> Service:
    return siege[0]


@pytest.fixture
def trader(siege: tuple[Service, Trader]) -> Trader:
    """Give a siege its trader, who has no times yet."""
    siege[1].slowest_s = 0.0
    return siege[1]


LORISES: Final = 200
IDLE: Final = 1_000
HUGE: Final = 100 * 2**20
HEAD: Final = b"POST /api/v1/placeorder HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
UPGRADE: Final = (
    b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
GUESSERS: Final = 8


def told(what: str, trader: Trader, **figures: Any) -> None:
    """Print what a siege came to; nothing is asserted of times."""
    said = " ".join(f"{name}={value}" for name, value in figures.items())
    print(f"{what}: {len(trader.orders)} orders, slowest {trader.slowest_s * 1e3:.0f} ms; {said}")


async def trickle(port: int, begun: bytes, drop: bytes) -> None:
    """Begin a request and go on with it a few bytes at a time; come again when cut off."""
    while True:
        with suppress(OSError):
            async with reached(port) as (_, writer):
                writer.write(begun)
                while True:
                    await asyncio.sleep(0.5)
                    writer.write(drop)
                    await writer.drain()


def test_two_hundred_slow_lorises_keep_no_trader_waiting(service: Service, trader: Trader) -> None:
    port = port_of(service)
    heads = (trickle(port, HEAD, b"X: a\r\n") for _ in range(LORISES // 2))
    length = b"Content-Length: 60000\r\n\r\n{"
    bodies = (trickle(port, HEAD + length, b" ") for _ in range(LORISES // 2))

    async def story() -> None:
        async with going_on(*heads, *bodies):
            await trader.trade()

    asyncio.run(story())
    told("slow lorises", trader)


async def pour(port: int, begun: bytes, piece: bytes, pieces: int) -> tuple[int, bytes]:
    """Send a body for as long as it is taken; return how much that was, and the answer."""
    sent, came = 0, b""
    async with reached(port) as (reader, writer):
        with suppress(OSError):
            writer.write(begun)
            for _ in range(pieces):
                writer.write(piece)
                await writer.drain()
                sent += len(piece)
        with suppress(OSError):
            came = await reader.read()
    return sent, came


def test_a_body_of_100_mb_is_not_taken_however_it_comes(service: Service, trader: Trader) -> None:
    piece = b" " * 65_536
    chunk = b"10000\r\n" + piece + b"\r\n"
    ways = {
        "with its length": (HEAD + b"Content-Length: %d\r\n\r\n" % HUGE, piece),
        "in chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunk),
        "without a length": (HEAD + b"\r\n", piece),
    }

    async def again_and_again(way: str, sent: Counter[str]) -> None:
        begun, piece = ways[way]
        while True:
            many, came = await pour(port_of(service), begun, piece, HUGE // len(piece))
            assert b" 200 " not in came[:20]
            sent[way] = max(sent[way], many)

    async def story() -> None:
        sent: Counter[str] = Counter()
        async with going_on(*(again_and_again(way, sent) for way in ways)):
            await trader.trade()
            while set(sent) != set(ways):
                await trader.round()
        assert max(sent.values()) < HUGE // 4, sent
        told("huge bodies", trader, **{it.replace(" ", "_"): sent[it] for it in sent})

    asyncio.run(story())


@pytest.mark.parametrize("said", [b"", b"GET / HT", UPGRADE], ids=["nothing", "half", "socket"])
def test_a_thousand_idle_sockets_lock_nobody_out(
    service: Service, trader: Trader, said: bytes
) -> None:
    port = port_of(service)

    async def idle(begun: asyncio.Semaphore) -> None:
        is_first = True
        while True:
            with suppress(OSError):
                async with reached(port) as (reader, writer):
                    writer.write(said)
                    if is_first:
                        begun.release()
                        is_first = False
                    while await reader.read(65_536):
                        pass
            await asyncio.sleep(0.5)

    async def story() -> None:
        begun = asyncio.Semaphore(0)
        async with trader.client() as held:
            await trader.round(held)  # who was there before stays
            async with going_on(*(idle(begun) for _ in range(IDLE))):
                for _ in range(IDLE):
                    await begun.acquire()
                await trader.round(held)
                await trader.trade()
        told("idle sockets", trader)

    asyncio.run(story())


@pytest.mark.parametrize("by", ["body", "header", "address", "socket"])
def test_a_flood_of_bad_keys_stops_nobody_who_has_a_good_one(
    service: Service, trader: Trader, by: str
) -> None:
    answers: Counter[object] = Counter()

    async def ask(client: httpx.AsyncClient, bad: str) -> object:
        if by == "socket":
            return await say_on_socket(service.url, bad)
        if by == "body":
            answer = await client.post("/api/v1/funds", json={"apikey": bad})
        elif by == "header":
            answer = await client.get("/v1/accounts", headers={"X-API-Key": bad})
        else:
            answer = await client.get("/api/v1/instruments", params={"apikey": bad})
        assert bad not in answer.text
        return answer.status_code

    async def flood() -> None:
        async with trader.client() as client:
            while True:
                answers[await ask(client, secrets.token_hex(32))] += 1

    async def story() -> None:
        await trader.round()
        async with going_on(*(flood() for _ in range(GUESSERS))):
            await trader.trade()
            while answers.total() < 200:
                await trader.round()
        told(f"bad keys ({by})", trader, **{f"_{it}": many for it, many in answers.items()})
        assert set(answers) <= {401, 403, 429, 1008, "refused"}, answers

    asyncio.run(story())


async def say_on_socket(url: str, key: str) -> object:
    """Say a key on a socket; return the code with which it is closed."""
    try:
        async with connect(url.replace("http", "ws") + "/ws", proxy=None) as wire:
            await wire.send(json.dumps({"action": "authenticate", "api_key": key}))
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    said = json.loads(await wire.recv())
                    assert said["status"] == "error", said
    except ConnectionClosed as end:
        return end.rcvd.code if end.rcvd else "refused"
    except InvalidHandshake:
        return "refused"


@pytest.mark.parametrize("door", ["hooks/alerts", "hooks/postbacks", "auth/notify/upstox"])
def test_a_flood_of_guesses_at_webhooks_stops_nobody(
    service: Service, trader: Trader, door: str
) -> None:
    answers: Counter[int] = Counter()

    async def flood() -> None:
        async with trader.client() as client:
            while True:
                path = f"/{door}/{secrets.token_hex(32)}"
                answers[(await client.post(path, json={"a": 1})).status_code] += 1

    async def story() -> None:
        async with going_on(*(flood() for _ in range(GUESSERS))):
            await trader.trade()
            while answers.total() < 200:
                await trader.round()
        told(f"guesses at {door}", trader, **{f"_{it}": n for it, n in answers.items()})
        assert set(answers) <= {404, 409, 429}, answers

    asyncio.run(story())


def test_who_asks_and_reads_no_answer_holds_nobody_up(service: Service, trader: Trader) -> None:
    asked = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"

    async def story() -> None:
        async with AsyncExitStack() as stack:
            for _ in range(100):
                at = reached(port_of(service))
                reader, writer = await stack.enter_async_context(at)
                reader._transport.pause_reading()  # type: ignore[attr-defined] # it reads nothing
                writer.write(asked * 20)
            await trader.trade()
        told("answers that nobody reads", trader)

    asyncio.run(story())
