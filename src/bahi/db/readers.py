"""Reading: on connections of its own, in a snapshot, bounded in time and rows."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol

import psycopg
import sqlalchemy as sa

from bahi.db import postgres, sqlite
from bahi.db.failures import DatabaseAway, translate
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, TooMuch

SQLITE_READERS: Final = 8
READ_WITHIN_S: Final = 30.0
STEPS_BETWEEN_LOOKS: Final = 20_000  # SQLite's virtual machine: about a millisecond
REPLICA_REST_S: Final = 5.0


@dataclass(frozen=True)
class Pool:
    """How many connections readers of one PostgreSQL URL may hold, and for how long."""

    size: int = 50
    overflow: int = 100
    timeout_s: int = 30
    recycle_s: int = 1800


class Readers(Protocol):
    """Runs reading functions for one store."""

    async def read(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Run the function in a read-only snapshot and return its result."""

    def close(self) -> None:
        """Let the connections go."""


def _no_ids() -> NoReturn:
    raise BahiError("A read makes no ids: nothing that it decides is kept.")


class SqliteReaders:
    """A few threads, each with a connection that it keeps."""

    def __init__(self, path: Path, *, within_s: float = READ_WITHIN_S) -> None:
        self._engine = sqlite.engine(path, readonly=True)
        self._within_s = within_s
        self._threads = ThreadPoolExecutor(SQLITE_READERS, f"read-{path.stem}")
        self._mine = threading.local()
        self._opened: list[sa.Connection] = []

    async def read(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """See `Readers`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._read, fn, args)

    def _read(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        core = self._connection()
        driver: Any = core.connection.driver_connection
        until = time.monotonic() + self._within_s
        driver.set_progress_handler(lambda: time.monotonic() > until, STEPS_BETWEEN_LOOKS)
        try:
            driver.execute("BEGIN")
            tx = Tx(core, driver, lambda: bool(driver.in_transaction), _no_ids)
            return _answer(fn(tx, *args), tx)
        except BahiError as error:
            if "interrupted" in str(error.__cause__):
                raise too_slow(self._within_s) from error
            raise
        finally:
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            driver.set_progress_handler(None, 0)

    def _connection(self) -> sa.Connection:
        core: sa.Connection | None = getattr(self._mine, "core", None)
        if core is None:
            try:
                core = self._engine.connect()
            except (sqlite3.Error, sa.exc.DBAPIError) as error:
                raise translate(error) from error
            self._mine.core = core
            self._opened.append(core)
        return core

    def close(self) -> None:
        """See `Readers`."""
        self._threads.shutdown()
        for core in self._opened:
            core.close()


class PostgresReaders:
    """The pool of one URL, shared by all stores that live there."""

    def __init__(self, url: str, pool: Pool, *, within_s: float = READ_WITHIN_S) -> None:
        self._within_s = within_s
        self._engine = postgres.engine(
            url,
            "public",
            pool_size=pool.size,
            max_overflow=pool.overflow,
            pool_timeout=pool.timeout_s,
            pool_recycle=pool.recycle_s,
            pool_pre_ping=True,
        )
        self._threads = ThreadPoolExecutor(pool.size + pool.overflow, "read-postgres")

    async def read(self, schema: str, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Run the function in a read-only snapshot of a store's schema."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._read, schema, fn, args)

    def _read(self, schema: str, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        try:
            core = self._engine.connect()
        except sa.exc.TimeoutError as error:
            raise TooMuch("All connections for reading are taken; try again shortly.") from error
        except (psycopg.Error, sa.exc.DBAPIError) as error:
            raise postgres.away(error) from error
        driver: Any = core.connection.driver_connection
        try:
            driver.execute(self._begin(schema), prepare=False)
            tx = Tx(core, driver, lambda: not driver.closed, _no_ids)
            answer = _answer(fn(tx, *args), tx)
            driver.execute("ROLLBACK", prepare=False)
        except (psycopg.Error, BahiError) as error:
            self._explain(driver, error)
            raise
        else:
            return answer
        finally:
            if driver.closed:
                core.invalidate()
            core.close()

    def _begin(self, schema: str) -> str:
        return (
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;"
            f" SET LOCAL search_path TO {schema};"
            f" SET LOCAL statement_timeout = {int(self._within_s * 1000)}"
        )

    def _explain(self, driver: Any, error: BaseException) -> None:
        cause = getattr(error.__cause__, "orig", None) or error.__cause__ or error
        if isinstance(cause, psycopg.errors.QueryCanceled):
            raise too_slow(self._within_s) from error
        if driver.closed:
            raise postgres.away(cause) from error

    def close(self) -> None:
        """Let the connections go."""
        self._threads.shutdown()
        self._engine.dispose()


class SchemaReaders:
    """One store's share of a URL's readers."""

    def __init__(self, schema: str, source: PostgresReaders) -> None:
        self._schema, self._source = schema, source

    async def read(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """See `Readers`: a read changes nothing, so a lost connection is simply asked again."""
        try:
            return await self._source.read(self._schema, fn, args)
        except DatabaseAway:
            return await self._source.read(self._schema, fn, args)

    def close(self) -> None:
        """See `Readers`: the pool outlives its share."""


class ReplicaReaders:
    """Reads go to the replica; while it is away they go to the primary."""

    def __init__(self, replica: Readers, primary: Readers) -> None:
        self._replica, self._primary = replica, primary
        self._away_until = 0.0

    async def read(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """See `Readers`."""
        if time.monotonic() >= self._away_until:
            try:
                return await self._replica.read(fn, args)
            except DatabaseAway:
                self._away_until = time.monotonic() + REPLICA_REST_S
        return await self._primary.read(fn, args)

    def close(self) -> None:
        """See `Readers`."""
        self._replica.close()
        self._primary.close()


def too_slow(within_s: float) -> TooMuch:
    """Say that a read took longer than its bound."""
    return TooMuch(f"The question took longer than {within_s:.0f} s; ask for less at a time.")


def _answer(result: Any, tx: Tx) -> Any:
    if tx.failure is not None:
        raise tx.failure
    return result
