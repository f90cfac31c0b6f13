"""The six stores, and the contract of a write.

`await store.write(fn, *args)` runs `fn(tx, *args)` in one transaction and returns after COMMIT.
There are three outcomes: the function's result (committed), an exception (not committed), and
`InDoubt` (the answer to COMMIT was lost and nobody could be asked). `fn` may be run more than
once, so it is a function of its arguments and has no effect but on tx.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar, TypeVarTuple

from bahi.db.lanes import Lane, Lanes, Unit, submit
from bahi.db.postgres import for_reading
from bahi.db.postgres_writer import FLOORS, WRITERS, PostgresWriter
from bahi.db.readers import (
    Pool,
    PostgresReaders,
    Readers,
    ReplicaReaders,
    SchemaReaders,
    SqliteReaders,
)
from bahi.db.running import inside_a_transaction
from bahi.db.schema import STORES
from bahi.db.sqlite import SqliteWriter
from bahi.db.statement import Params, Statement
from bahi.db.tx import Row, Tx
from bahi.kernel.errors import BahiError, Busy, Misconfigured, NotCommitted

DRAIN_S: Final = 5.0
LOSSY: Final = frozenset({"latency", "logs"})
"""Stores that would rather lose a row than hold anybody up."""
TRADING: Final = frozenset({"main", "sandbox"})
"""Stores with many accounts that write at once: on PostgreSQL they get several write threads."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Writer(Protocol):
    """What commits units for one store."""

    def start(self) -> None:
        """Begin to work."""

    def lane_of(self, account: int | None, instrument: int | None = None) -> Lanes:
        """Return where the units of an account wait, or those of an instrument."""

    def close(self, within_s: float) -> None:
        """Admit nothing more, finish within the bound, fail the rest."""


class NestedWrite(BahiError):
    """A function that a store runs cannot write again from within; return, then write."""

    code = "nested_write"


class Store:
    """One database: where functions of a transaction are run."""

    def __init__(
        self, name: str, kind: str, writer: Writer, readers: Readers, fresh: Readers
    ) -> None:
        self.name, self.kind = name, kind
        self._writer, self._readers, self._fresh = writer, readers, fresh
        self.dropped = 0

    def write(
        self,
        fn: Callable[[Tx, *Ts], T],
        *args: *Ts,
        lane: Lane = Lane.FACT,
        account: int | None = None,
        instrument: int | None = None,
        durable: bool = True,
    ) -> Coroutine[Any, Any, T]:
        """Run `fn(tx, *args)` in one transaction; the answer comes after COMMIT.

        Only a unit in the intent lane is ever refused for load. Units of one account are committed
        in the order in which they were written, some of them perhaps together; so are those of one
        `instrument`, which lock its row at the paper exchange and no account's page.

        What a later unit puts in force need not be `durable` by itself: on SQLite it is lost with
        the machine's power, unless a durable one was committed behind it. (PostgreSQL, which may
        crash alone, waits for the disk all the same.)
        """
        if inside_a_transaction():
            raise NestedWrite
        whose = account if instrument is None else instrument
        lanes = self._writer.lane_of(account, instrument)
        return submit(lanes, fn, args, lane, whose, durable=durable)

    def offer(self, fn: Callable[[Tx, *Ts], object], *args: *Ts) -> bool:
        """Write if there is room, never wait, and count what is dropped (logs, latencies)."""
        try:
            self._writer.lane_of(None).put(Unit(fn, args, Lane.INTENT, None, self._drop))
        except (Busy, NotCommitted):  # there is no room, or the house is closing
            self._drop()
            return False
        return True

    def _drop(self) -> None:
        self.dropped += 1

    def read(
        self, fn: Callable[[Tx, *Ts], T], *args: *Ts, fresh: bool = False
    ) -> Coroutine[Any, Any, T]:
        """Run `fn(tx, *args)` in a read-only snapshot; `fresh` sees every commit so far."""
        return (self._fresh if fresh else self._readers).read(fn, args)

    def glance(self, statement: Statement, params: Params) -> list[Row] | None:
        """Return the row that an index leads to, or none; None itself where that would wait.

        For the hottest look-ups: SQLite answers sooner than a thread could be asked to.
        """
        return self._fresh.glance(statement, params)

    def look(self, statement: Statement, params: Params) -> Coroutine[Any, Any, Row | None]:
        """Return the one row that an index leads to, as it is now, where `glance` cannot."""
        return self._fresh.look(statement, params)

    def start(self) -> None:
        """Begin to take writes."""
        self._writer.start()

    def _close(self, within_s: float) -> None:
        until = time.monotonic() + within_s
        self._writer.close(within_s)
        self._readers.close(max(0.0, until - time.monotonic()))

    async def close(self, within_s: float = DRAIN_S) -> None:
        """Finish what waits within the bound; the rest ends as not committed."""
        await asyncio.get_running_loop().run_in_executor(None, self._close, within_s)


class Stores:
    """All stores of a house, by name; one pool of readers for each distinct PostgreSQL URL."""

    def __init__(
        self,
        urls: Mapping[str, str],
        mint: Callable[[], int],
        *,
        pool: Pool = Pool(),  # noqa: B008 - frozen
        replica_url: str | None = None,
    ) -> None:
        self._mint, self._pool, self._replica_url = mint, pool, replica_url
        self._pools: dict[str, PostgresReaders] = {}
        self._stores = {name: self._open(known(name), url) for name, url in urls.items()}

    def __getitem__(self, name: str) -> Store:
        return self._stores[known(name)]

    def __iter__(self) -> Iterator[Store]:
        return iter(self._stores.values())

    async def close(self, within_s: float = DRAIN_S) -> None:
        """Close every store at once, then the pools that they share."""
        await asyncio.gather(*(store.close(within_s) for store in self))
        for pool in self._pools.values():
            await asyncio.to_thread(pool.close, within_s)

    def _open(self, name: str, url: str) -> Store:
        path = sqlite_path(url)
        store = self._on_postgres(name, url) if path is None else self._on_sqlite(name, path)
        store.start()
        return store

    def _on_sqlite(self, name: str, path: Path) -> Store:
        synchronous: Final = "NORMAL" if name in LOSSY else "FULL"
        writer = SqliteWriter(name, path, self._mint, synchronous=synchronous)
        readers = SqliteReaders(path)
        return Store(name, "sqlite", writer, readers, readers)

    def _on_postgres(self, name: str, url: str) -> Store:
        threads = WRITERS if name in TRADING else 1
        floors = FLOORS if name in TRADING else 0
        writer = PostgresWriter(name, url, self._mint, threads=threads, floors=floors)
        fresh = self._readers(name, url)
        readers: Readers = fresh
        if name == "main" and self._replica_url is not None:
            readers = ReplicaReaders(self._readers(name, for_reading(self._replica_url)), fresh)
        return Store(name, "postgresql", writer, readers, fresh)

    def _readers(self, schema: str, url: str) -> Readers:
        if url not in self._pools:
            self._pools[url] = PostgresReaders(url, self._pool)
        return SchemaReaders(schema, self._pools[url])


def sqlite_path(url: str) -> Path | None:
    """Return the file of a SQLite URL, None for a PostgreSQL one; refuse any other."""
    if url.startswith("sqlite:///"):
        return Path(url.removeprefix("sqlite:///"))
    if url.startswith(("postgresql://", "postgres://")):
        return None
    raise Misconfigured(
        f"The database URL begins with {url.partition(':')[0]!r}; "
        "it must begin with sqlite:/// or postgresql://."
    )


def known(name: str) -> str:
    """Return the name of a store, or say which there are."""
    if name not in STORES:
        raise Misconfigured(f"There is no store {name!r}; the stores are {', '.join(STORES)}.")
    return name
