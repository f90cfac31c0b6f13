"""Reading: on connections of its own, in a snapshot, bounded in time and rows."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol

import psycopg
import sqlalchemy as sa

from bahi.db import postgres, sqlite
from bahi.db.failures import DatabaseAway, Deadlock, translate
from bahi.db.line import Line
from bahi.db.looking import Looker, NotSeen
from bahi.db.reading import Reading, Threads, shutting_down
from bahi.db.statement import Params, Statement
from bahi.db.tx import Row, Tx
from bahi.kernel.errors import BahiError, TooMuch

SQLITE_READERS: Final = 8
CLOSE_WITHIN_S: Final = 5.0
CANCEL_WITHIN_S: Final = 5.0
STEPS_BETWEEN_LOOKS: Final = 20_000  # SQLite's virtual machine: about a millisecond
REPLICA_REST_S: Final = 5.0
TRUSTED_S: Final = 1.0
"""A connection that was let go so short a while ago is taken without being asked."""
BOUNDS: Final = (
    "SELECT set_config('search_path', $1, true), set_config('statement_timeout', $2, true)"
)


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

    def glance(self, statement: Statement, params: Params) -> list[Row] | None:
        """Return the row that an index leads to, or none; None itself where that would wait."""

    async def look(self, statement: Statement, params: Params) -> Row | None:
        """Return the one row that an index leads to, as it is now."""

    def close(self, within_s: float = CLOSE_WITHIN_S) -> None:
        """Give up what still reads, and let the connections go."""


class SqliteReaders:
    """A few threads, and the connections that they take turns with."""

    def __init__(self, path: Path) -> None:
        self._engine = sqlite.engine(path, readonly=True)
        self._threads = Threads(SQLITE_READERS, f"read-{path.stem}")
        self._idle: list[sa.Connection] = []
        self._path = path
        self._looker: Any = None
        self._looking = threading.Lock()

    def glance(self, statement: Statement, params: Params) -> list[Row] | None:
        """See `Readers`: done in the caller's thread, as it is done before one could be asked."""
        if not self._looking.acquire(blocking=False):
            return None
        try:
            return self._glance(statement, params)
        except sqlite3.Error:
            self._end_looking()
            return None
        finally:
            self._looking.release()

    async def look(self, statement: Statement, params: Params) -> Row | None:
        """See `Readers`."""
        found: Row | None = await self.read(_one, (statement, params))
        return found

    def _glance(self, statement: Statement, params: Params) -> list[Row]:
        if self._threads.closed:
            raise shutting_down()
        if self._looker is None:
            self._looker = sqlite.connect(self._path, readonly=True)
            self._looker.execute("PRAGMA busy_timeout = 0")
        text, bind = statement.on(self._engine.dialect)
        rows: list[Row] = self._looker.execute(text, bind(params)).fetchall()
        return rows

    def _end_looking(self) -> None:
        if self._looker is not None:
            self._looker.close()
            self._looker = None

    async def read(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """See `Readers`."""
        return await self._threads.run(lambda reading: self._read(fn, args, reading))

    def _read(self, fn: Callable[..., Any], args: tuple[Any, ...], reading: Reading) -> Any:
        core = self._take()
        driver: Any = core.connection.driver_connection
        driver.set_progress_handler(reading.is_over, STEPS_BETWEEN_LOOKS)
        try:
            driver.execute("BEGIN")
            tx = Tx(core, driver, lambda: driver.in_transaction and not reading.is_over(), _no_ids)
            return reading.answer(fn, args, tx)
        finally:
            driver.set_progress_handler(None, 0)
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            self._idle.append(core)
            if self._threads.closed:
                self._close_idle()

    def _take(self) -> sa.Connection:
        with suppress(IndexError):
            return self._idle.pop()
        try:
            return self._engine.connect()
        except (sqlite3.Error, sa.exc.DBAPIError) as error:
            raise translate(error) from error

    def _close_idle(self) -> None:
        with suppress(IndexError):
            while True:
                self._idle.pop().close()

    def close(self, within_s: float = CLOSE_WITHIN_S) -> None:
        """See `Readers`; a connection still in use is closed by the thread that uses it."""
        self._threads.close(within_s)
        with self._looking:
            self._end_looking()
        self._close_idle()


class PostgresReaders:
    """The pool of one URL, shared by all stores that live there."""

    def __init__(self, url: str, pool: Pool) -> None:
        self._engine = postgres.engine(
            url,
            "public",
            pool_size=pool.size,
            max_overflow=pool.overflow,
            pool_timeout=pool.timeout_s,
            pool_recycle=pool.recycle_s,
        )
        sa.event.listen(self._engine, "checkin", _note_when)
        sa.event.listen(self._engine, "checkout", self._ping_if_in_doubt)
        self._broke_at = 0.0
        self._threads = Threads(pool.size + pool.overflow, "read-postgres")
        self._url = url

    def looker(self, schema: str) -> Looker:
        """Make what looks at single rows of a store's schema."""
        return Looker(self._url, schema, self._engine.dialect)

    async def read(self, schema: str, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Run the function in a read-only snapshot of a store's schema."""
        return await self._threads.run(lambda reading: self._read(schema, fn, args, reading))

    def _read(
        self, schema: str, fn: Callable[..., Any], args: tuple[Any, ...], reading: Reading
    ) -> Any:
        core = self._take()
        driver: Any = core.connection.driver_connection
        try:
            with reading.interrupted_by(lambda: _cancel(driver)):
                line = _begun(core, schema, reading.left_s)
                goes_on = partial(_goes_on, driver, reading)
                answer = reading.answer(fn, args, Tx(core, driver, goes_on, _no_ids, line))
                line.flush("ROLLBACK")  # behind what was put: a read that changes is refused
                return answer
        except (psycopg.Error, BahiError) as error:
            if driver.closed:
                self._broke_at = time.monotonic()
                raise DatabaseAway("PostgreSQL closed the connection in mid-read.") from error
            if isinstance(error, psycopg.Error):
                raise translate(error) from error
            raise
        finally:
            if driver.closed or reading.is_over():  # a late cancel would end a stranger's statement
                core.invalidate()
            core.close()

    def _ping_if_in_doubt(self, driver: Any, record: Any, _whole: Any) -> None:
        """Ask whether a connection still stands, unless that was seen a moment ago."""
        left_at = record.info.get("left_at")
        if left_at is None or left_at > max(self._broke_at, time.monotonic() - TRUSTED_S):
            return
        try:
            driver.execute("SELECT 1")
        except psycopg.Error:
            raise sa.exc.InvalidatePoolError from None

    def _take(self) -> sa.Connection:
        try:
            return self._engine.connect()
        except sa.exc.TimeoutError as error:
            raise TooMuch("All connections for reading are taken; try again shortly.") from error
        except (psycopg.Error, sa.exc.DBAPIError) as error:
            raise postgres.away(error) from error

    def close(self, within_s: float = CLOSE_WITHIN_S) -> None:
        """Give up what still reads, and let the connections go."""
        self._threads.close(within_s)
        self._engine.dispose()


def _note_when(_driver: Any, record: Any) -> None:
    record.info["left_at"] = time.monotonic()


def _goes_on(driver: psycopg.Connection[Any], reading: Reading) -> bool:
    return not (driver.closed or reading.is_over())


def _begun(core: sa.Connection, schema: str, left_s: float) -> Line:
    """Begin a snapshot of a store's schema: it goes with the first statement."""
    line: Line | None = core.info.get("line")
    if line is None:
        driver = core.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)  # noqa: S101 - what we opened
        line = core.info["line"] = Line(driver)
    line.forget()  # what a reading that asked for nothing left
    line.say("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    line.say(BOUNDS, schema, f"{int(left_s * 1000) + 1}")
    return line


def _cancel(driver: psycopg.Connection[Any]) -> None:
    with suppress(psycopg.Error):  # a server that is away has nothing left to cancel
        driver.cancel_safe(timeout=CANCEL_WITHIN_S)


class SchemaReaders:
    """One store's share of a URL's readers."""

    def __init__(self, schema: str, source: PostgresReaders) -> None:
        self._schema, self._source = schema, source
        self._looker = source.looker(schema)
        self._closed = False

    async def read(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """See `Readers`: a read changes nothing, so a lost connection is simply asked again."""
        if self._closed:
            raise shutting_down()
        try:
            return await self._source.read(self._schema, fn, args)
        except DatabaseAway:
            return await self._source.read(self._schema, fn, args)

    def glance(self, statement: Statement, params: Params) -> list[Row] | None:  # noqa: ARG002 - the answer comes over a wire
        """See `Readers`."""
        return None

    async def look(self, statement: Statement, params: Params) -> Row | None:
        """See `Readers`."""
        if self._closed:
            raise shutting_down()
        try:
            return await self._looker.look(statement, params)
        except NotSeen:
            found: Row | None = await self.read(_one, (statement, params))
            return found

    def close(self, within_s: float = CLOSE_WITHIN_S) -> None:  # noqa: ARG002 - nothing to wait for
        """See `Readers`: the pool outlives its share."""
        self._closed = True
        self._looker.close()


class ReplicaReaders:
    """Reads go to the replica; while it is away they go to the primary."""

    def __init__(self, replica: Readers, primary: Readers) -> None:
        self._replica, self._primary = replica, primary
        self._away_until = 0.0

    async def read(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """See `Readers`; a read that stood in the way of the replica's recovery is asked again."""
        if time.monotonic() >= self._away_until:
            try:
                return await self._replica.read(fn, args)
            except DatabaseAway:
                self._away_until = time.monotonic() + REPLICA_REST_S
            except Deadlock:
                pass
        return await self._primary.read(fn, args)

    def glance(self, statement: Statement, params: Params) -> list[Row] | None:
        """See `Readers`: as it is now, so by the primary."""
        return self._primary.glance(statement, params)

    async def look(self, statement: Statement, params: Params) -> Row | None:
        """See `Readers`: as it is now, so by the primary."""
        return await self._primary.look(statement, params)

    def close(self, within_s: float = CLOSE_WITHIN_S) -> None:
        """See `Readers`."""
        self._replica.close(within_s)
        self._primary.close(within_s)


def _one(tx: Tx, statement: Statement, params: Params) -> Row | None:
    return tx.row(statement, params)


def _no_ids() -> NoReturn:
    raise BahiError("A read makes no ids: nothing that it decides is kept.")
