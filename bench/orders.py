"""Paper orders from intent to fill, a page among a million, and what a check of them costs."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import sqlite3
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import psycopg
import sqlalchemy as sa
from tests.clusters import Cluster
from tests.orders.brokers import MemoryBroker
from tests.orders.desks import ACTOR, OPEN, crossing, limit

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import add_account, list_accounts
from bahi.bootstrap import House, build
from bahi.bootstrap.pages import opening_of
from bahi.config import Settings
from bahi.db.tx import Tx
from bahi.kernel.clock import Clock, StoppedClock, SystemClock, to_micros
from bahi.kernel.words import AccountMode, BrokerSlug, OrderStatus, Side
from bahi.orders.model.order import FIELDS, SETTLED_AFTER
from bahi.orders.repository.listing import EVERYTHING
from bahi.orders.repository.order import COLUMN_OF
from bahi.orders.service.desk import Desk
from bahi.orders.service.looking import page_of
from bahi.orders.service.placing import Intent, place_order, record_intent, ticket_of
from bahi.orders.service.sweeping import Grounds, Sweep, unsettled_orders
from bahi.orders.service.verifying import verify
from bahi.risk.model.limits import NO_LIMITS
from bahi.risk.service.switching import open_account

SUBMITTERS = 64
ACCOUNTS = 16
ORDERS = 1_920
MANY = 1_000_000
CHECKED = 20_000
PAGES = 200
ON_THE_WAY = 10_000
PAGE = 50

Urls = Callable[[], AbstractContextManager[dict[str, str]]]


@contextmanager
def on_sqlite() -> Iterator[dict[str, str]]:
    """Give a house its files, on the disk that holds the data folder."""
    with tempfile.TemporaryDirectory(prefix="bahi-bench-") as folder:
        yield {"BAHI_HOME": folder} | OPEN


def on_postgres(cluster: Cluster) -> Urls:
    """Return what gives a house two databases of its own for its trading stores."""

    @contextmanager
    def urls() -> Iterator[dict[str, str]]:
        names = ("DATABASE_URL", "SANDBOX_DATABASE_URL")
        databases = {name: cluster.create_database() for name in names}
        with on_sqlite() as environ:
            yield environ | databases
        for url in databases.values():
            cluster.drop_database(url)

    return urls


@asynccontextmanager
async def a_house(environ: dict[str, str], clock: Clock | None = None) -> AsyncIterator[House]:
    """Live in a furnished house."""
    house = build(Settings.from_environment(environ), clock=clock or SystemClock())
    try:
        await house.furnish()
        yield house
    finally:
        await house.close()


async def desks_of(house: House, how_many: int) -> list[Desk]:
    """Return desks of paper accounts that no limit binds."""

    (first, *_) = await house.stores["main"].read(list_accounts, ACTOR, fresh=True)

    def add(tx: Tx, n: int) -> Account:
        wished = {"name": f"Bench {n} {secrets.token_hex(3)}"}
        return add_account(
            tx, ACTOR, BrokerSlug.PAPER, wished, house.clock(),  # type: ignore[arg-type]
            user_id=first.user_id, mode=AccountMode.PAPER,
        )  # fmt: skip

    desks = []
    for n in range(how_many):
        account = await house.stores["main"].write(add, n)
        begins = (opening_of(account), NO_LIMITS, house.clock())
        await house.stores["sandbox"].write(open_account, *begins, account=account.id)
        desks.append(await house.desk(ACTOR, account.id))
    return desks


class OrderBench:
    """Orders on one kind of database."""

    def __init__(self, urls: Urls) -> None:
        self._urls = urls
        self._held = ExitStack()
        self._planted: tuple[dict[str, str], int] | None = None

    def placed(self, accounts: int = ACCOUNTS) -> float:
        """Measure paper orders a second, placed to filled: three commits each."""

        async def run(environ: dict[str, str]) -> float:
            async with a_house(environ) as house:
                desks = await desks_of(house, accounts)
                turns = itertools.count()

                async def submit(n: int) -> None:
                    desk = desks[n % accounts]
                    for _ in range(ORDERS // SUBMITTERS):
                        side = Side.BUY if next(turns) % 2 else Side.SELL
                        wish = limit(desk, side, 1, price=crossing(desk, side))
                        order = await place_order(desk, wish)
                        assert order.status is not OrderStatus.REJECTED, order.error_message

                started = time.perf_counter()
                await asyncio.gather(*(submit(n) for n in range(SUBMITTERS)))
                return ORDERS / (time.perf_counter() - started)

        with self._urls() as environ:
            return asyncio.run(run(environ))

    def pages(self) -> float:
        """Measure pages a second of one account's orders, among a million."""

        async def run(environ: dict[str, str], account: int) -> float:
            async with a_house(environ) as house:
                store, behind = house.stores["sandbox"], None
                started = time.perf_counter()
                for _ in range(PAGES):
                    page = await store.read(page_of, account, EVERYTHING, behind, PAGE, fresh=True)
                    behind = page.next
                return PAGES / (time.perf_counter() - started)

        return asyncio.run(run(*self._with_many()))

    def raw_pages(self) -> float:
        """Measure the same pages as rows, by the driver alone."""
        environ, account = self._with_many()
        url = environ.get("SANDBOX_DATABASE_URL")
        file = Path(environ["BAHI_HOME"]) / "sandbox.sqlite"
        core = sqlite3.connect(file) if url is None else psycopg.connect(url)
        if url is not None:
            core.execute("SET search_path = sandbox")
        mark = "?" if url is None else "%s"
        query = (
            f"SELECT {', '.join(COLUMNS)} FROM orders"
            f" WHERE account_id = {account} AND (placed_at, id) < ({mark}, {mark})"
            f" ORDER BY placed_at DESC, id DESC LIMIT {PAGE + 1}"
        )
        at, identity = COLUMNS.index("placed_at"), COLUMNS.index("id")
        behind = (1 << 62, 1 << 62)
        started = time.perf_counter()
        for _ in range(PAGES):
            rows = core.execute(query, behind).fetchall()
            behind = (rows[PAGE - 1][at], rows[PAGE - 1][identity])
        took = time.perf_counter() - started
        core.close()
        return PAGES / took

    def _with_many(self) -> tuple[dict[str, str], int]:
        """Plant a million orders of one account, once for all measurements."""
        if self._planted is None:
            environ = self._held.enter_context(self._urls())
            self._planted = (environ, asyncio.run(_plant(environ)))
        return self._planted

    def close(self) -> None:
        """Let the planted house go."""
        self._planted = None
        self._held.close()

    def verified(self) -> float:
        """Measure orders a second that `verify` holds against their events and trades."""

        async def run(environ: dict[str, str]) -> float:
            async with a_house(environ) as house:
                (desk,) = await desks_of(house, 1)
                for n in range(CHECKED):
                    side = Side.BUY if n % 2 else Side.SELL
                    await place_order(desk, limit(desk, side, 1, price=crossing(desk, side)))
                started = time.perf_counter()
                found = [it async for it in verify(desk.store)]
                assert not found, found[0]
                return CHECKED / (time.perf_counter() - started)

        with self._urls() as environ:
            return asyncio.run(run(environ))

    def settled(self) -> float:
        """Measure orders a second that a house settles, come back to ten thousand on their way.

        They are among a million others with an event each, and each round says how many wait.
        """

        async def run(environ: dict[str, str]) -> float:
            clock = StoppedClock(SystemClock()())
            async with a_house(environ, clock) as house:
                (desk,) = await desks_of(house, 1)
                broker = MemoryBroker(clock)

                async def leave(n: int) -> None:
                    for _ in range(n, ON_THE_WAY, SUBMITTERS):
                        wish = limit(desk, Side.BUY, 1, price=crossing(desk, Side.BUY))
                        seen = desk.look(wish.segment, wish.symbol)
                        intent = Intent(
                            actor=ACTOR, account_id=desk.account_id, wish=wish, seen=seen,
                            terms=desk.terms, now=clock(),
                        )  # fmt: skip
                        order, _ = await desk.store.write(record_intent, intent)
                        broker.accept(ticket_of(order))

                await asyncio.gather(*(leave(n) for n in range(SUBMITTERS)))
                clock.advance(SETTLED_AFTER * 2)
                floor = house.floor
                sweep = Sweep(
                    Grounds(
                        store=desk.store,
                        broker_of=lambda _: broker,
                        terms_of=floor.terms_of,
                        listed=floor.market.instrument,
                        clock=clock,
                        has_reopened=floor.market.has_reopened,
                    )
                )
                started, settled = time.perf_counter(), 0
                while await unsettled_orders(desk.store, clock()):
                    settled += await sweep.round()
                return ON_THE_WAY / (time.perf_counter() - started)

        environ, _ = self._with_many()
        return asyncio.run(run(environ))


async def _plant(environ: dict[str, str]) -> int:
    """Write a million orders that filled long ago, with an event each; return whose they are."""

    def plant(tx: Tx, account_id: int, first: int) -> None:
        values = PLANTED | {
            "account_id": str(account_id),
            "placed_at": f"{first} + n * 1000",
            "updated_at": f"{first} + n * 1000",
        }
        series = (
            f"WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < {MANY})"
            if tx.dialect.name == "sqlite"
            else f"WITH t AS (SELECT n FROM generate_series(1, {MANY}) n)"
        )
        tx.change(
            sa.text(
                f"INSERT INTO orders ({', '.join(values)})"
                f" {series} SELECT {', '.join(values.values())} FROM t"
            )
        )
        tx.change(
            sa.text(
                f"INSERT INTO order_events ({', '.join(EVENT)})"
                f" SELECT {', '.join(EVENT.values())} FROM orders WHERE account_id = {account_id}"
            )
        )

    async with a_house(environ) as house:
        (desk,) = await desks_of(house, 1)
        first = to_micros(house.clock()) - MANY * 1000
        await desk.store.write(plant, desk.account_id, first)
        await desk.store.write(_count)
        return desk.account_id


def _count(tx: Tx) -> None:
    """Have the database know how many there are, as it would a minute later by itself."""
    tx.change(sa.text("ANALYZE orders"))


PLANTED = {
    "id": "n",
    "exchange_segment": "'NSE_EQ'",
    "symbol": "'SBIN'",
    "side": "'BUY'",
    "product": "'INTRADAY'",
    "order_type": "'LIMIT'",
    "validity": "'DAY'",
    "quantity": "10",
    "price": "8000000",
    "status": "'EXECUTED'",
    "filled_qty": "10",
    "traded_value": "80000000",
    "actor": "'bench'",
}
EVENT = {
    "id": "id",
    "order_id": "id",
    "event_type": "'EXECUTED'",
    "source": "'REST_API'",
    "data": "'{}'",
    "event_at": "placed_at",
    "recorded_at": "placed_at",
    "sequence": "1",
}
COLUMNS = [COLUMN_OF[name] for name in FIELDS]

RATIOS = [
    *(
        (f"{name}: paper orders, {accounts}", f"{floor}", target)
        for name, floors in (
            ("SQLite", ("sqlite3: one unit a COMMIT", "Bahi, SQLite: 64 submitters")),
            ("PostgreSQL", ("pgbench: 64 clients", "Bahi, PostgreSQL: 64 submitters")),
        )
        for accounts in ("16 accounts", "one account")
        for floor, target in zip(floors, (None, None), strict=True)
    ),
    *(
        (f"{name}: a page of 50 of 1M orders", f"{name}: its rows, by the driver", 1 / 3)
        for name in ("SQLite", "PostgreSQL")
    ),
]
