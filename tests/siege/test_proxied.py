"""Strangers from everywhere behind a proxy of ours, and an end while everybody is there."""

from __future__ import annotations

import asyncio
import itertools
import json
import secrets
from collections import Counter
from contextlib import AsyncExitStack

from websockets.asyncio.client import connect

from tests.cli.processes import Environment
from tests.ports import LOOPBACK
from tests.siege.test_siege import GUESSERS, HEAD, UPGRADE, told
from tests.siege.traders import Trader, besieged, going_on, port_of, reached


def test_strangers_from_everywhere_stop_nobody_and_a_signal_ends_it_whoever_is_there(
    env: Environment,
) -> None:
    with besieged(env, BAHI_TRUSTED_PROXIES=LOOPBACK) as (service, trader):

        async def story() -> None:
            await strangers_from_everywhere(trader)
            async with AsyncExitStack() as stack:
                await come_of_every_kind(stack, trader, port_of(service))
                await trader.round()
                code, errors = await asyncio.to_thread(service.stop)
                assert code == 0, errors
                assert "Traceback" not in errors, errors

        asyncio.run(story())


async def strangers_from_everywhere(trader: Trader) -> None:
    """Have each bad key come from another address, as the proxy says."""
    answers: Counter[int] = Counter()
    numbers = itertools.count()

    async def flood() -> None:
        async with trader.client() as client:
            while True:
                n = next(numbers)
                by = {"X-Forwarded-For": f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"}
                bad = {"apikey": secrets.token_hex(32)}
                answer = await client.post("/api/v1/funds", json=bad, headers=by)
                answers[answer.status_code] += 1

    async with going_on(*(flood() for _ in range(GUESSERS))):
        await trader.trade()
        while answers.total() < 200:
            await trader.round()
    told("bad keys from everywhere", trader, **{f"_{it}": n for it, n in answers.items()})
    assert set(answers) <= {403, 429}, answers


async def come_of_every_kind(stack: AsyncExitStack, trader: Trader, port: int) -> None:
    """Open sockets and streams, and begin requests that never end."""
    url = trader.url.replace("http", "ws") + "/ws"
    for _ in range(5):
        wire = await stack.enter_async_context(connect(url, proxy=None))
        await wire.send(json.dumps({"action": "authenticate", "api_key": trader.key}))
        assert json.loads(await wire.recv())["status"] == "success"
        client = await stack.enter_async_context(trader.client())
        events = client.stream("GET", "/v1/events", headers={"X-API-Key": trader.key})
        answer = await stack.enter_async_context(events)
        assert answer.status_code == 200
    for begun in (b"", HEAD, HEAD + b"Content-Length: 9\r\n\r\n{", UPGRADE):
        _, writer = await stack.enter_async_context(reached(port))
        writer.write(begun)
