"""Accepted units a second: Bahi's writer against the disk, raw sqlite3 and pgbench."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.dialects import postgresql
from tests.clusters import DURABLE, Cluster
from tests.postgres import find_binaries

from bahi.db import sqlite
from bahi.db.stores import Stores
from bench.unit import ACCOUNTS, HOT, clauses, counting, lay_out, parameters, write_unit

SYNCS = 300
RAW_SINGLES = 300
RAW_BATCH = 64
RAW_BATCHES = 60
PGBENCH_S = 4


@contextmanager
def a_file() -> Iterator[str]:
    """Lay the house out in a file of its own, on the disk that holds the data folder."""
    with tempfile.TemporaryDirectory(prefix="bahi-bench-") as folder:
        url = f"sqlite:///{Path(folder) / 'main.sqlite'}"
        lay_out(url)
        yield url


def disk_floor() -> float:
    """Measure how often a second the disk makes 4 KiB durable."""
    with tempfile.TemporaryDirectory(prefix="bahi-bench-") as folder:
        handle = os.open(Path(folder) / "floor", os.O_CREAT | os.O_WRONLY)
        started = time.perf_counter()
        for _ in range(SYNCS):
            os.pwrite(handle, b"x" * 4096, 0)
            os.fdatasync(handle)
        took = time.perf_counter() - started
        os.close(handle)
    return SYNCS / took


def raw_sqlite(batch: int, batches: int) -> float:
    """Measure raw sqlite3: so many units to a COMMIT, a SAVEPOINT each where there are several."""
    with a_file() as url:
        driver = sqlite.connect(Path(url.removeprefix("sqlite:///")))
        dialect = sqlite.engine(Path(":memory:")).dialect
        texts = [statement.on(dialect) for statement in HOT["sqlite"]]
        mint = counting()
        started = time.perf_counter()
        for n in range(batches):
            driver.execute("BEGIN IMMEDIATE")
            for m in range(batch):
                if batch > 1:
                    driver.execute("SAVEPOINT unit")
                account = (n * batch + m) % ACCOUNTS
                for (text, bind), values in zip(texts, parameters(mint, account), strict=True):
                    driver.execute(text, bind(values))
                if batch > 1:
                    driver.execute("RELEASE unit")
            driver.execute("COMMIT")
        took = time.perf_counter() - started
        driver.close()
    return batch * batches / took


def ours(url: str, submitters: int, accounts: int, units: int) -> float:
    """Measure units through `store.write`, from so many tasks, over so many accounts."""

    async def run() -> float:
        stores = Stores({"main": url}, counting())
        store = stores["main"]

        async def submit(n: int) -> None:
            account = n % accounts
            for _ in range(units // submitters):
                await store.write(write_unit, account, account=account)

        started = time.perf_counter()
        await asyncio.gather(*(submit(n) for n in range(submitters)))
        took = time.perf_counter() - started
        await stores.close()
        return units // submitters * submitters / took

    return asyncio.run(run())


def ours_on_sqlite(submitters: int, accounts: int = ACCOUNTS) -> float:
    """Measure it on SQLite, FULL."""
    with a_file() as url:
        return ours(url, submitters, accounts, 300 if submitters == 1 else 4800)


class PostgresBench:
    """A durable cluster of our own, with the house in it anew for each measurement."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._binaries = cluster.binaries

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[PostgresBench | None]:
        """Start the cluster, where this machine has PostgreSQL's programs."""
        binaries = find_binaries()
        if binaries is None:
            yield None
            return
        with Cluster.make(binaries, settings=DURABLE) as cluster:
            yield cls(cluster)

    @contextmanager
    def house(self) -> Iterator[str]:
        """Lay the house out in a database of its own."""
        url = self.cluster.create_database()
        lay_out(url)
        yield url
        self.cluster.drop_database(url)

    def ours(self, submitters: int, accounts: int = ACCOUNTS) -> float:
        """Measure units through `store.write`."""
        with self.house() as url:
            return ours(url, submitters, accounts, 300 if submitters == 1 else 4800)

    def pgbench(self, clients: int) -> float:
        """Measure pgbench running the same transaction."""
        with self.house() as url, tempfile.TemporaryDirectory(prefix="bahi-bench-") as folder:
            script = Path(folder) / "unit.sql"
            script.write_text(_pgbench_script(), "utf-8")
            command = [self._binaries.path("pgbench"), "-n", "-M", "prepared"]
            command += ["-c", str(clients), "-j", "2", "-T", str(PGBENCH_S), "-f", script, url]
            said = subprocess.run(command, capture_output=True, text=True, check=False)
        for line in said.stdout.splitlines():
            if line.startswith("tps ="):
                return float(line.split()[2])
        sys.exit(f"pgbench failed: {said.stderr}")


def _pgbench_script() -> str:
    """Spell the unit for pgbench: the same statements, ids at random."""
    lines = ["SET search_path = main;", f"\\set account random(0, {ACCOUNTS - 1})"]
    lines += [f"\\set id{n} random(1, 4611686018427387903)" for n in range(4)]
    lines.append("BEGIN;")
    first = parameters(iter(range(4)).__next__, 0)
    for n, (clause, values) in enumerate(zip(clauses("postgresql"), first, strict=True)):
        names = {"id": f":id{n}", "account_id": ":account"}
        names |= {"order_id": ":id0", "client_order_id": ":id0::text"}
        text = str(clause.compile(dialect=postgresql.psycopg.dialect()))
        for name, value in values.items():
            literal = value if isinstance(value, int) else f"'{value}'"
            text = text.replace(f"%({name})s", names.get(name, str(literal)))
        lines.append(" ".join(text.split()) + ";")
    return "\n".join([*lines, "COMMIT;"]).replace(":id0::text::TEXT", "(:id0)::TEXT") + "\n"
