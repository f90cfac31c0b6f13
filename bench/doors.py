"""Paper orders over HTTP: placed to filled and durable, by the very requests that clients send.

The service is `bahi up` in a process of its own. A client here is as cheap as one can be, a socket
that writes bytes and reads an answer: it shares two processors with what is measured.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from statistics import quantiles
from typing import Any, Final, Self

import psutil

from bahi.accounts.service.accounts import list_accounts
from bahi.accounts.service.keys import issue_key
from bahi.bootstrap import House
from bahi.bootstrap.first_start import admin_of
from bahi.db.tx import Tx
from bahi.identity.service.keys import PURPOSE, new_key
from bahi.kernel.words import KeyScope, OrderStatus, OrderType, Product, Segment, Side
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.placing import place_order
from bahi.settings.model import Wish
from bahi.settings.service import set_config
from bench.masters import load_into
from bench.orders import ACTOR, Urls, a_house, desks_of

CLIENTS: Final = 8
ORDERS: Final = 1_600
REMEMBERED: Final = 3_500
READY_S: Final = 60.0
PLENTY: Final = 100_000


@dataclass
class Prepared:
    """A house that was furnished, with keys that open one account each."""

    environ: dict[str, str]
    keys: list[str] = field(default_factory=list)
    accounts: list[int] = field(default_factory=list)


async def prepare(environ: dict[str, str]) -> Prepared:
    """Furnish a house whose limits bind nobody, with a key for each client."""
    made = Prepared(environ)
    async with a_house(environ) as house:
        desks = await desks_of(house, CLIENTS)
        for desk in desks:
            made.accounts.append(desk.account_id)
            made.keys.append(await _key(house, desk.account_id))
    return made


async def _key(house: House, account_id: int) -> str:
    key, now = new_key(), house.clock()
    digest = house.vault.digest(key, PURPOSE)

    def write(tx: Tx) -> None:
        wish = Wish(category="api", key="key_requests_per_minute", value=PLENTY)
        set_config(tx, house.vault, ACTOR, wish, now)
        issue_key(
            tx, ACTOR, digest, now, user_id=admin_of(tx).id, name=secrets.token_hex(3),
            scope=KeyScope.TRADE, accounts=[account_id], defaults=[account_id],
        )  # fmt: skip

    await house.stores["main"].write(write)
    return key


@contextmanager
def serving(environ: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Run a service; give its port and process. What it says on standard error is seen."""
    env = {**os.environ, **environ, "BAHI_PORT": "0", "BAHI_LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-c", "from bahi.__main__ import main; main()", "up"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as service:
        try:
            assert service.stdout is not None
            for line in service.stdout:
                if " is open at " in line:
                    yield int(line.rpartition(":")[2]), service.pid
                    break
        finally:
            service.send_signal(signal.SIGINT)
            service.wait(READY_S)


class Client:
    """One connection that asks and is answered, and keeps how long each answer took."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._key = port, key
        self.took_s: list[float] = []

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, path: str, **asked: Any) -> dict[str, Any]:
        """Post a request of the OpenAlgo API, and return the answer."""
        body = json.dumps({"apikey": self._key, **asked}).encode()
        head = f"POST /api/v1/{path} HTTP/1.1\r\nhost: b\r\ncontent-type: application/json\r\n"
        started = time.perf_counter()
        self._writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        answered = await self._reader.readuntil(b"\r\n\r\n")
        length = int(answered.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        found: dict[str, Any] = json.loads(await self._reader.readexactly(length))
        self.took_s.append(time.perf_counter() - started)
        return found

    async def place_many(self, many: int) -> None:
        """Place so many orders, one after the other."""
        for n in range(many):
            await self.place(n)

    async def place(self, n: int) -> str:
        """Place an order at the market, which is answered when it has filled."""
        side = "BUY" if n % 2 else "SELL"
        found = await self.ask(
            "placeorder", strategy="bench", symbol="RELIANCE", exchange="NSE", action=side,
            quantity="1", pricetype="MARKET", product="MIS",
        )  # fmt: skip
        assert found["status"] == "success", found
        return str(found["orderid"])


@asynccontextmanager
async def clients(port: int, keys: list[str]) -> AsyncIterator[list[Client]]:
    """Connect a client with each key."""
    found = [Client(port, key) for key in keys]
    for it in found:
        await it.__aenter__()
    try:
        yield found
    finally:
        for it in found:
            await it.__aexit__()


def _at_market(side: Side) -> PlaceOrder:
    return PlaceOrder(
        segment=Segment.NSE_EQ, symbol="RELIANCE", side=side, quantity=1,
        product=Product.INTRADAY, order_type=OrderType.MARKET,
    )  # fmt: skip


class DoorBench:
    """Orders over HTTP on one kind of database, and the same orders in process."""

    def __init__(self, urls: Urls) -> None:
        self._urls, self._held = urls, ExitStack()
        self._p99_s = 0.0

    @cached_property
    def _house(self) -> Prepared:
        return asyncio.run(prepare(self._held.enter_context(self._urls())))

    def over_http(self, orders: int = ORDERS) -> float:
        """Measure orders a second, by eight clients; every one of them is looked up afterwards."""

        prepared = self._house

        async def run(port: int) -> float:
            async with clients(port, prepared.keys) as asking:
                await asyncio.gather(*(it.place_many(8) for it in asking))  # warm
                for it in asking:
                    it.took_s.clear()
                started = time.perf_counter()
                await asyncio.gather(*(it.place_many(orders // CLIENTS) for it in asking))
                rate = orders / (time.perf_counter() - started)
                took = sorted(each for it in asking for each in it.took_s)
                self._p99_s = quantiles(took, n=100)[98]
                return rate

        with serving(prepared.environ) as (port, _):
            return asyncio.run(run(port))

    def one_in_a_hundred(self) -> float:
        """Measure how many answers fit into a second that take as long as the slowest hundredth."""
        if not self._p99_s:
            self.over_http()
        return 1 / self._p99_s

    def in_process(self, orders: int = ORDERS) -> float:
        """Measure the same orders by eight tasks in one process, without HTTP."""

        prepared = self._house

        async def run() -> float:
            async with a_house(prepared.environ) as house:
                main = house.stores["main"]
                known = await main.read(list_accounts, ACTOR, fresh=True)
                own = [it for it in known if it.id in prepared.accounts]
                desks = [await house.desk(ACTOR, it.id) for it in own]

                async def submit(n: int, many: int) -> None:
                    for turn in range(many):
                        side = Side.BUY if turn % 2 else Side.SELL
                        order = await place_order(desks[n], _at_market(side))
                        assert order.status is OrderStatus.EXECUTED, order.error_message

                await asyncio.gather(*(submit(n, 8) for n in range(CLIENTS)))
                started = time.perf_counter()
                await asyncio.gather(*(submit(n, orders // CLIENTS) for n in range(CLIENTS)))
                return orders / (time.perf_counter() - started)

        return asyncio.run(run())

    def close(self) -> None:
        """Let the house go."""
        self._held.close()


class LargeBench:
    """A house with a master of 150,000 instruments: its start, and what it takes of memory."""

    def __init__(self, urls: Urls) -> None:
        self._urls, self._held = urls, ExitStack()

    @cached_property
    def _house(self) -> Prepared:
        environ = self._held.enter_context(self._urls())

        async def furnish() -> Prepared:
            made = await prepare(environ)
            async with a_house(environ) as house:
                await load_into(house.stores["main"])
            return made

        return asyncio.run(furnish())

    def starts(self) -> float:
        """Measure how many starts to a first answer fit into a minute: a symbol is found."""
        prepared = self._house
        started = time.perf_counter()
        with serving(prepared.environ) as (port, _):

            async def once() -> None:
                async with clients(port, prepared.keys[:1]) as (asking,):
                    found = await asking.ask("symbol", symbol="SHARE7", exchange="NSE")
                    assert found["status"] == "success", found

            asyncio.run(once())
            return 60 / (time.perf_counter() - started)

    def memory(self) -> float:
        """Measure how many services fit into 100 gigabytes, after 3,500 orders each."""
        prepared = self._house

        async def run(port: int) -> None:
            async with clients(port, prepared.keys) as asking:
                await asyncio.gather(*(it.place_many(REMEMBERED // CLIENTS) for it in asking))

        with serving(prepared.environ) as (port, process):
            asyncio.run(run(port))
            return 100 * 2**30 / float(psutil.Process(process).memory_info().rss)

    def close(self) -> None:
        """Let the house go."""
        self._held.close()


RATIOS: Final = [
    ("SQLite: orders over HTTP, 8 clients", "sqlite3: one unit a COMMIT", 0.5),
    ("SQLite: orders over HTTP, 8 clients", "SQLite: the same in process", 0.5),
    ("PostgreSQL: orders over HTTP, 8 clients", "PostgreSQL: the same in process", 0.5),
]
