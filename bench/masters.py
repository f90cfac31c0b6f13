"""Loading an instrument file: against raw inserts of the same rows, and beside other writers.

The raw side pours the very rows that a load left, in the order of their ids, into the same two
tables with all their indexes, in one transaction: the least that the work can cost.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.opening import Database, transaction
from bahi.db.stores import Store, Stores
from bahi.db.tx import Tx
from bahi.instruments.model.loads import Wanted
from bahi.instruments.service.loading import load_master
from bahi.kernel.actor import the_house
from bahi.kernel.clock import SystemClock
from bahi.kernel.listings import Listing
from bahi.kernel.money import Price
from bahi.kernel.words import BrokerSlug, InstrumentType, OptionType, Segment
from bench.unit import ACCOUNTS, counting, write_unit

ROWS: Final = 150_000
PIECE: Final = 1_000
DAY: Final = date(2026, 11, 23)
SUBMITTERS: Final = 8
SHARES: Final = 1_500
ROOTS: Final = ("NIFTY", *(f"SHARE{n}" for n in range(1, 200)))  # a master without it is none
TABLES: Final = {"instruments": "underlying_id IS NOT NULL, id", "broker_listings": "1, 2"}
"""And the order in which their rows were written: what others settle on comes first."""


def listings(rows: int = ROWS, *, day: int = 0) -> Iterator[Listing]:
    """Yield shares and their options; from day to day a hundredth of the strikes is replaced."""
    for n in range(SHARES):
        yield Listing(
            n, Segment.NSE_EQ, f"SHARE{n}" if n else "RELIANCE", f"SHARE{n}-EQ", f"NSE_EQ|{n}",
            InstrumentType.EQUITY,
            exchange_token=str(n), trading_symbol=f"SHARE{n}-EQ", name=f"Share number {n}",
            series="EQ", isin=f"INE{n:09}", lot_size=1, tick_size=Price(500),
        )  # fmt: skip
    expiry = DAY + timedelta(days=30)
    for n in range(SHARES, rows):
        root, moved = ROOTS[n % 200], n + (rows if n % 100 == 0 else 0) * day
        strike, call = 20_000 + moved // 400, n // 200 % 2
        kind = OptionType.CE if call else OptionType.PE
        symbol = f"{root}{expiry:%d%b%y}{strike}{kind}".upper()
        yield Listing(
            n, Segment.NSE_FNO, symbol, symbol, f"NSE_FO|{moved}",
            InstrumentType.OPTIDX if root == "NIFTY" else InstrumentType.OPTSTK,
            root=root, exchange_token=str(moved), trading_symbol=symbol, name=root, expiry=expiry,
            strike=Price(strike * 10_000), option_type=kind, lot_size=500, tick_size=Price(500),
            freeze_qty=50_000,
        )  # fmt: skip


async def pieces(lines: Iterator[Listing]) -> AsyncIterator[Sequence[Listing]]:
    """Hand them out as the reading process does."""
    while some := list(itertools.islice(lines, PIECE)):
        yield some


def load(url: str, *, day: int = 0, rows: int = ROWS) -> float:
    """Load a day's file and return how many rows a second came into force."""

    async def run() -> float:
        stores = Stores({"main": url}, time.time_ns)
        rate = await load_into(stores["main"], day=day, rows=rows)
        await stores.close()
        return rate

    return asyncio.run(run())


async def load_into(main: Store, *, day: int = 0, rows: int = ROWS) -> float:
    """Load a day's file into a store that is open, and return how many rows a second it took."""
    wanted = Wanted(broker=BrokerSlug.UPSTOX, source="bench", day=DAY, is_checked=True)
    file = list(listings(rows, day=day))
    gc.freeze()  # in a real load they come piece by piece, and are not there to be traced
    started = time.perf_counter()
    await load_master(main, the_house("bench"), wanted, pieces(iter(file)), SystemClock())
    return rows / (time.perf_counter() - started)


def loaded_rows(url: str) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """Return what a load left, to be written again raw."""
    with Database("main", url).opened() as core:
        found = {}
        for table, order in TABLES.items():
            answer = core.execute(sa.text(f"SELECT * FROM {table} ORDER BY {order}"))
            found[table] = (list(answer.keys()), [tuple(row) for row in answer])
        return found


def raw(url: str, rows: dict[str, tuple[list[str], list[tuple[Any, ...]]]]) -> float:
    """Pour rows into the same tables in one transaction; return how many listings a second."""
    tables = {table.name: table for table in lay_out_loads(url)}
    with Database("main", url).opened() as core:
        driver: Any = core.connection.driver_connection
        started = time.perf_counter()
        with transaction(core):
            tx = Tx(core, driver, lambda: True, time.time_ns)
            for name, (columns, those) in rows.items():
                if core.dialect.name == "sqlite":
                    _executemany(driver, name, columns, those)
                else:
                    tx.pour(tables[name], columns, those)
        took = time.perf_counter() - started
    return len(rows["broker_listings"][1]) / took


def _executemany(driver: Any, name: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * len(columns))
    driver.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", rows)


def lay_out_loads(url: str) -> list[sa.Table]:
    """Enter the load that raw rows refer to, and return the tables they go into."""
    metadata = sa.MetaData()
    with Database("main", url).opened() as core, transaction(core):
        metadata.reflect(core, only=[*TABLES, "master_loads"])
        loads = {"id": 1, "broker": "upstox", "source": "raw", "trading_day": str(DAY)}
        loads |= {"status": "READING", "lines": 0, "started_by": "raw"}
        core.execute(
            sa.insert(metadata.tables["master_loads"]), [{**loads, "started_at": 0, "seen_at": 0}]
        )
    return [metadata.tables[name] for name in TABLES]


def as_of_load_one(
    rows: dict[str, tuple[list[str], list[tuple[Any, ...]]]],
) -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """Make them rows of the load that `lay_out_loads` enters."""
    names, listed = rows["broker_listings"]
    return {**rows, "broker_listings": (names, [(1, *row[1:]) for row in listed])}


def p99_of_writes(url: str, *, beside_a_load: bool, day: int = 0, seconds: float = 6.0) -> float:
    """Return how many p99s of a write fit into a second, perhaps beside a load elsewhere."""
    command = [sys.executable, "-m", "bench.masters", url, str(day)]

    other = subprocess.Popen(command) if beside_a_load else None

    async def run() -> float:
        stores = Stores({"main": url}, counting())
        took: list[float] = []
        until = time.monotonic() + seconds

        async def submit(n: int) -> None:
            while other.poll() is None if other else time.monotonic() < until:
                started = time.perf_counter()
                await stores["main"].write(write_unit, n % ACCOUNTS, account=n % ACCOUNTS)
                took.append(time.perf_counter() - started)

        await asyncio.gather(*(submit(n) for n in range(SUBMITTERS)))
        await stores.close()
        if other is not None and other.returncode:
            sys.exit("the load beside failed")
        return 1 / sorted(took)[len(took) * 99 // 100]

    return asyncio.run(run())


class MasterBench:
    """Measures it in houses that `house` lays out, each empty."""

    def __init__(self, house: Any) -> None:
        self._house = house
        self._rows: dict[str, tuple[list[str], list[tuple[Any, ...]]]] = {}
        self._next_day = 0.0

    def load(self) -> float:
        """Measure the first load of all; the next day's is measured behind it."""
        with self._house() as url:
            first = load(url)
            self._rows = self._rows or as_of_load_one(loaded_rows(url))
            self._next_day = load(url, day=1)
        return first

    def next_day(self) -> float:
        """Return how fast the next day's nearly equal file was."""
        return self._next_day

    def raw(self) -> float:
        """Measure the same rows, raw."""
        with self._house() as url:
            return raw(url, self._rows)

    def writes_alone(self) -> float:
        """Measure writes with no load, in a house that has a master."""
        with self._house() as url:
            load(url)
            return p99_of_writes(url, beside_a_load=False)

    def writes_beside_a_load(self) -> float:
        """Measure writes while another process loads the next day's file."""
        with self._house() as url:
            load(url)
            return p99_of_writes(url, beside_a_load=True, day=1)

    def writes_beside_the_first(self) -> float:
        """Measure writes while another process loads the first file of all."""
        with self._house() as url:
            return p99_of_writes(url, beside_a_load=True)


RATIOS = [
    *((f"{name}: master loaded", f"{name}: its rows, raw", 1 / 1.5) for name in
      ("SQLite", "PostgreSQL")),
    *((f"{name}: next day's master", f"{name}: its rows, raw", None) for name in
      ("SQLite", "PostgreSQL")),
    *((f"{name}: 1/p99 of a write beside a load", f"{name}: 1/p99 of a write alone", 1 / 3)
      for name in ("SQLite", "PostgreSQL")),
    *((f"{name}: 1/p99 of a write beside the first", f"{name}: 1/p99 of a write alone", None)
      for name in ("SQLite", "PostgreSQL")),
]  # fmt: skip


if __name__ == "__main__":
    load(sys.argv[1], day=int(sys.argv[2]))
