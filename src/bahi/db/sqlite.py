"""A SQLite store: one writer thread for each file and process, many units to a COMMIT.

The disk's flush is what a write costs, so all units that wait share one. Each runs in a SAVEPOINT
of its own, and where the batch as a whole is lost (a full disk, an I/O error, RAISE(ROLLBACK), a
COMMIT that fails) nothing of it counts and each unit is run again alone, so that only the culprit
fails.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal

import sqlalchemy as sa

from bahi.db.failures import DatabaseAway, FileReplaced, TransactionLost, translate
from bahi.db.lanes import Lanes, Unit, publish
from bahi.db.running import Watch, after_commit
from bahi.db.turnstile import Turnstile
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, InDoubt, Misconfigured, NotCommitted

BATCH: Final = 128
BUSY_TIMEOUT_MS: Final = 5_000
CACHE_KIB: Final = 16_384
READERS_CACHE_KIB: Final = 4_096  # there are several of them to a file, which the system caches too
AGAIN_S: Final = 0.01
LOG_KEPT_BYTES: Final = 64 * 2**20
LOCK_ATTEMPTS: Final = 6  # times the busy time-out: half a minute behind somebody else's lock
OLDEST: Final = (3, 37, 0)

log = logging.getLogger("bahi.db")

Synchronous = Literal["FULL", "NORMAL"]


def connect(path: Path, *, synchronous: Synchronous = "FULL", readonly: bool = False) -> Any:
    """Open a connection as every part of Bahi expects it."""
    if sqlite3.sqlite_version_info < OLDEST:
        raise Misconfigured(
            f"This Python carries SQLite {sqlite3.sqlite_version}; "
            "Bahi needs 3.37 or newer (STRICT tables)."
        )
    if str(path) != ":memory:":
        _make_file(path)
    driver = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, cached_statements=512
    )
    try:
        _prepare(driver, path, synchronous, readonly=readonly)
    except BaseException:  # a damaged file, say: it must not stay open
        driver.close()
        raise
    return driver


def _make_file(path: Path) -> None:
    """Make a file that is not there, closed to others: SQLite gives its -wal and -shm its mode.

    One that is there is not opened: to close it again would drop every lock that this process
    holds on it (POSIX), and another process would take the file for its own.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR)) from None
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES)) from None


def _prepare(
    driver: sqlite3.Connection, path: Path, synchronous: Synchronous, *, readonly: bool
) -> None:
    driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    mode = _with_a_log(driver)
    if mode not in {"wal", "memory"}:
        raise Misconfigured(
            f"The folder of {path.name} cannot hold a write-ahead log (journal mode {mode}); "
            "put the store on a local disk."
        )
    driver.execute(f"PRAGMA synchronous = {synchronous}")
    driver.execute("PRAGMA foreign_keys = ON")
    driver.execute("PRAGMA recursive_triggers = ON")
    driver.execute("PRAGMA temp_store = MEMORY")
    driver.execute(f"PRAGMA cache_size = -{READERS_CACHE_KIB if readonly else CACHE_KIB}")
    driver.execute(f"PRAGMA journal_size_limit = {LOG_KEPT_BYTES}")
    if readonly:
        driver.execute("PRAGMA query_only = ON")


def _with_a_log(driver: sqlite3.Connection) -> str:
    """Have the file keep a write-ahead log; of several that make it at once, SQLite refuses some
    without waiting, whatever the busy timeout says.
    """
    until = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            (mode,) = driver.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > until:
                raise
            time.sleep(AGAIN_S)
        else:
            return str(mode)


def engine(path: Path, *, synchronous: Synchronous = "FULL", readonly: bool = False) -> sa.Engine:
    """Make an engine over such connections; transactions are ours to begin and end."""
    return sa.create_engine(
        "sqlite://",
        creator=lambda: connect(path, synchronous=synchronous, readonly=readonly),
        poolclass=sa.pool.NullPool,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
    )


class BatchLostError(Exception):
    """The transaction under the batch is gone, with everything in it."""


class SqliteWriter:
    """The thread that writes one file."""

    def __init__(
        self,
        name: str,
        path: Path,
        mint: Callable[[], int],
        *,
        synchronous: Synchronous = "FULL",
    ) -> None:
        self._path, self._mint, self._synchronous = path, mint, synchronous
        self._waits: Synchronous = synchronous
        self.lanes = Lanes()
        self._thread = threading.Thread(target=self._work, name=f"write-{name}", daemon=True)
        self._core: sa.Connection
        self._driver: sqlite3.Connection
        self._turnstile: Turnstile
        self._file: tuple[int, int]
        self._watch = Watch(name)
        self._committing = False
        self._opened = threading.Event()
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Open the file and begin to work; raises what the opening raises."""
        self._thread.start()
        self._opened.wait()
        if self._failure is not None:
            raise translate(self._failure) from self._failure

    def lane_of(self, account: int | None, instrument: int | None = None) -> Lanes:  # noqa: ARG002 - one thread serves all
        """Return where the units of an account wait, or those of an instrument."""
        return self.lanes

    def close(self, within_s: float) -> None:
        """Admit nothing more, finish what waits within the bound, and fail the rest."""
        self.lanes.close()
        self._thread.join(within_s)
        self.lanes.fail_the_rest()
        self._thread.join(within_s)

    def _work(self) -> None:
        try:
            self._open()
        except BaseException as error:  # noqa: BLE001 - it is raised where the store is started
            self._failure = error
            return
        finally:
            self._opened.set()
        while self.lanes.wait():
            self._take_a_turn()
        self._core.close()
        self._turnstile.close()

    def _open(self) -> None:
        self._core = engine(self._path, synchronous=self._synchronous).connect()
        driver = self._core.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - it is what we opened
        self._driver = driver
        self._turnstile = Turnstile(self._path)
        self._file = _identity(self._path)

    def _take_a_turn(self) -> None:
        """Take what waits once it is our turn, and bring all of it to an end, come what may."""
        batch: list[Unit] = []
        try:
            with self._turnstile:
                batch = self.lanes.take(BATCH)
                self._settle(batch)
        except BaseException:
            log.exception("the writer of %s met what it does not know", self._path.name)
            for unit in batch:
                if not unit.ended:
                    unit.fail(InDoubt() if self._committing else NotCommitted())
        finally:
            self._committing = False
        after_commit(batch)
        publish(batch)

    def _settle(self, batch: list[Unit]) -> None:
        """Bring every unit of the batch to its end."""
        try:
            self._commit_together(batch)
        except BatchLostError:
            for unit in batch:
                self._commit_alone(unit)
        except BahiError as refusal:
            for unit in batch:
                unit.fail(refusal)
        finally:
            self._rollback()

    def _commit_together(self, batch: list[Unit]) -> None:
        self._wait_for_the_disk(durable=any(it.durable for it in batch))
        self._begin()
        for unit in batch:
            self._execute("SAVEPOINT unit")
            self._run(unit)
            if not self._driver.in_transaction:
                raise BatchLostError
            if unit.error is not None:
                self._execute("ROLLBACK TO unit")
            self._execute("RELEASE unit")
        self._execute("COMMIT")
        for unit in batch:
            unit.ended = True

    def _commit_alone(self, unit: Unit) -> None:
        self._rollback()
        try:
            self._wait_for_the_disk(durable=unit.durable)
            self._begin()
            self._run(unit)
            if unit.error is None:
                self._execute("COMMIT")
        except BatchLostError as lost:
            unit.error = translate(lost.__cause__ or lost)
        except BahiError as refusal:
            unit.error = refusal
        unit.ended = True

    def _run(self, unit: Unit) -> None:
        tx = Tx(self._core, self._driver, self._in_transaction, self._mint)
        self._watch.run(unit, tx)
        if unit.error is None and not self._driver.in_transaction:
            unit.error = TransactionLost()

    def _in_transaction(self) -> bool:
        return self._driver.in_transaction

    def _begin(self) -> None:
        """Take the file's write lock; only a program that knows no turnstile can be in the way."""
        if _identity(self._path) != self._file:
            raise FileReplaced(f"{self._path.name} was moved or replaced while open; start again.")
        for _ in range(LOCK_ATTEMPTS):
            try:
                self._driver.execute("BEGIN IMMEDIATE")
            except sqlite3.Error as error:
                if getattr(error, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_BUSY:
                    raise translate(error) from error
            else:
                return
        raise DatabaseAway(
            f"Another program has held {self._path.name} locked for "
            f"{LOCK_ATTEMPTS * BUSY_TIMEOUT_MS // 1000} s; nothing was written."
        )

    def _wait_for_the_disk(self, *, durable: bool) -> None:
        """Have the next COMMIT wait for the disk, or leave that to a later one."""
        wanted: Synchronous = self._synchronous if durable else "NORMAL"
        if wanted != self._waits:
            self._driver.execute(f"PRAGMA synchronous = {wanted}")
            self._waits = wanted

    def _execute(self, text: str) -> None:
        self._committing = text == "COMMIT"
        try:
            self._driver.execute(text)
        except (sqlite3.Error, MemoryError) as error:
            self._committing = False  # a definite no
            raise BatchLostError from error
        self._committing = False

    def _rollback(self) -> None:
        if self._driver.in_transaction:
            with suppress(sqlite3.Error):  # SQLite has rolled back by itself
                self._driver.execute("ROLLBACK")


def _identity(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_dev, found.st_ino)
