"""Eight clients on eight paper accounts over HTTP: no order is lost, and none comes twice."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest

from bahi.accounts.service.accounts import add_account
from bahi.accounts.service.keys import issue_key
from bahi.bootstrap import House
from bahi.bootstrap.pages import opening_of
from bahi.bootstrap.verifying import verify_house
from bahi.db.tx import Tx
from bahi.identity.service.keys import PURPOSE, new_key
from bahi.identity.service.users import create_user
from bahi.kernel.actor import the_house
from bahi.kernel.words import BrokerSlug, KeyScope
from bahi.risk.model.limits import NO_LIMITS
from bahi.risk.service.switching import open_account
from bahi.settings.model import Wish
from bahi.settings.service import set_config
from tests.cli.processes import Environment, Service
from tests.databases import Kind, MakeDatabase
from tests.furnished import TODAY, Furnished
from tests.living import live_in
from tests.orders.balance import assert_balanced
from tests.orders.desks import OPEN
from tests.ports import LOOPBACK
from tests.siege.traders import port_of

CLIENTS: Final = 8
SECONDS: Final = 2
LONGEST_S: Final = 60
LEAST: Final = 30
"""Orders of each client: with these it has sent some twice in each of the three ways."""
AGAIN: Final = frozenset({429, 503, 504})
"""Answers after which the same order is sent again, by its name."""
ME: Final = the_house("test")


@dataclass
class Client:
    """One client: it names its orders, and keeps what it was told of each."""

    number: int
    account_id: int
    key: str
    ports: list[int]
    sent: dict[str, int] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)
    took_s: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    cut: int = 0
    twice: int = 0
    lines: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(
        default_factory=dict
    )

    async def go_on(self, until_s: float) -> None:
        """Place orders until it is time; every tenth is sent twice, in one of three ways."""
        draw = random.Random(self.number)
        n = 0
        while n < LEAST or time.monotonic() < until_s:
            n += 1
            quantity = draw.choice((-3, -2, -1, 1, 2, 3))
            name = f"{self.number}-{n}"
            self.sent[name] = quantity
            here, there = self.ports[self.number % len(self.ports)], self.ports[n % len(self.ports)]
            body = self._body(name, quantity)
            if n % 30 == 10:
                await self._cut(here, body)
                await self._place(there, name, body)
            elif n % 30 == 20:
                await self._place(here, name, body)
                await self._place(there, name, body)
            elif n % 30 == 0:
                other = Client(self.number, self.account_id, self.key, self.ports)
                await asyncio.gather(self._place(here, name, body), other._place(there, name, body))
                assert other.told == {name: self.told[name]}
                other.close()
            else:
                await self._place(here, name, body)
            self.twice += n % 10 == 0

    def _body(self, name: str, quantity: int) -> bytes:
        said = {
            "apikey": self.key,
            "symbol": "SBIN",
            "exchange": "NSE",
            "action": "BUY" if quantity > 0 else "SELL",
            "product": "MIS",
            "pricetype": "MARKET",
            "quantity": str(abs(quantity)),
            "client_order_id": name,
        }
        body = json.dumps(said).encode()
        return (
            b"POST /api/v1/placeorder HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )

    async def _cut(self, port: int, asked: bytes) -> None:
        """Ask, and hang up before the answer comes."""
        _, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(asked)
        await writer.drain()
        await asyncio.sleep(0.001 * (self.cut % 5))
        writer.transport.abort()
        self.cut += 1

    async def _place(self, port: int, name: str, asked: bytes) -> None:
        began_s = time.perf_counter()
        while True:
            status, said = await self._ask(port, asked)
            self.statuses[status] += 1
            if status not in AGAIN:
                break
        self.took_s.append(time.perf_counter() - began_s)
        assert (status, said["status"]) == (200, "success"), said
        assert self.told.setdefault(name, said["orderid"]) == said["orderid"]

    async def _ask(self, port: int, asked: bytes) -> tuple[int, dict[str, Any]]:
        while True:
            if port not in self.lines:
                self.lines[port] = await asyncio.open_connection(LOOPBACK, port)
            reader, writer = self.lines[port]
            writer.write(asked)
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                break
            except (asyncio.IncompleteReadError, ConnectionError):  # nobody holds one for ever
                self.lines.pop(port)[1].transport.abort()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        said: dict[str, Any] = json.loads(await reader.readexactly(length))
        return int(head.split()[1]), said

    def close(self) -> None:
        """Hang up."""
        for _, writer in self.lines.values():
            writer.transport.abort()


async def prepare(house: House) -> list[tuple[int, str]]:
    """Enter eight users, each with an account of their own, a key, and no limits."""
    main, sandbox, now = house.stores["main"], house.stores["sandbox"], house.clock()
    wish = Wish(category="api", key="key_requests_per_minute", value=100_000)
    await main.write(set_config, house.vault, ME, wish, now)
    made = []
    for n in range(CLIENTS):
        key = new_key()
        digest = house.vault.digest(key, PURPOSE)

        def enter(tx: Tx, name: str = f"client{n}", digest: str = digest) -> Any:
            user = create_user(tx, ME, name, now)
            account = add_account(
                tx, ME, BrokerSlug.PAPER, {"name": name, "is_primary": True}, now, user_id=user.id
            )
            issue_key(tx, ME, digest, now, user_id=user.id, name="load", scope=KeyScope.TRADE)
            return account

        account = await main.write(enter)
        begins = (opening_of(account), NO_LIMITS, now)
        await sandbox.write(open_account, *begins, account=account.id)
        made.append((account.id, key))
    return made


async def hold_against_the_books(house: House, clients: list[Client]) -> None:
    """Hold what the clients were told against the books, and the books against their facts."""
    for it in clients:
        orders = await house.stores["sandbox"].read(assert_balanced, it.account_id, fresh=True)
        named = Counter(order.client_order_id for order in orders)
        assert named == Counter(it.sent.keys()), "one was lost, or came twice"
        assert {order.client_order_id: str(order.id) for order in orders} == it.told
        assert all(order.filled == order.quantity for order in orders)
        signed = {True: 1, False: -1}
        net = sum(signed[order.side == "BUY"] * order.filled for order in orders)
        assert net == sum(it.sent.values())
        positions = await house.stores["sandbox"].read(net_of, it.account_id, fresh=True)
        assert positions == net
    faults = [found async for found in verify_house(house, lambda *_: None)]
    assert faults == []


def net_of(tx: Tx, account_id: int) -> int:
    """Return what the positions of an account come to."""
    from bahi.portfolio.repository.position import of_account

    return sum(it.net for it in of_account(tx, account_id))


@contextmanager
def served(envs: list[Environment]) -> Iterator[list[int]]:
    """Start a service in each folder; each is to end cleanly."""
    with ExitStack() as stack:
        services = [stack.enter_context(Service(env)) for env in envs]
        yield [port_of(it) for it in services]
        for it in services:
            code, errors = it.stop()
            assert code == 0, errors
            assert "Traceback" not in errors, errors


def homes(
    kind: Kind, tmp_path: Path, furnished: Furnished, make_database: MakeDatabase
) -> list[Environment]:
    """Lead to one house on SQLite; to one on PostgreSQL by two folders with the same keyring."""
    first = furnished.copy(kind, tmp_path / "first", make_database, at=TODAY) | OPEN
    if kind == "sqlite":
        return [first]
    shutil.copytree(tmp_path / "first", tmp_path / "second")
    second = tmp_path / "second"
    return [first, first | {"HOME": str(second), "BAHI_HOME": str(second)}]


@pytest.mark.torture
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_of_what_eight_clients_order_nothing_is_lost_and_nothing_comes_twice(
    kind: Kind,
    tmp_path: Path,
    furnished: Furnished,
    make_database: MakeDatabase,
    rounds: Callable[[int], int],
) -> None:
    envs = homes(kind, tmp_path, furnished, make_database)
    made = live_in(envs[0], prepare)
    seconds = min(LONGEST_S, rounds(SECONDS))
    with served(envs) as ports:
        clients = [Client(n, *it, ports) for n, it in enumerate(made)]

        async def story() -> None:
            until_s = time.monotonic() + seconds
            await asyncio.gather(*(it.go_on(until_s) for it in clients))
            for it in clients:
                it.close()

        asyncio.run(story())

    async def look(house: House) -> None:
        await hold_against_the_books(house, clients)

    live_in(envs[0], look)
    took_s = sorted(each for it in clients for each in it.took_s)
    placed = sum(len(it.sent) for it in clients)
    print(
        f"{kind}, {len(envs)} processes: {placed} orders in {seconds} s ({placed / seconds:.0f}/s),"
        f" {sum(it.twice for it in clients)} sent twice, {sum(it.cut for it in clients)} cut off;"
        f" median {took_s[len(took_s) // 2] * 1e3:.1f} ms,"
        f" p99 {took_s[len(took_s) * 99 // 100] * 1e3:.1f} ms;"
        f" answers {dict(sum((it.statuses for it in clients), Counter()))}"
    )
