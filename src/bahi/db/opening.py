"""A connection for work on a store as a whole: migrations, comparisons, upkeep.

One connection, held alone, whose transactions are begun and ended in plain sight.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from zlib import crc32

import psycopg
import sqlalchemy as sa
from psycopg.pq import TransactionStatus as Status

from bahi.db import postgres, sqlite
from bahi.db.failures import DRIVER_ERRORS, translate
from bahi.db.schema import HOUSE, Schema, StoreSchema
from bahi.db.stores import sqlite_path
from bahi.db.turnstile import Turnstile, lock_beside
from bahi.kernel.errors import Misconfigured

LOCK_CLASS: Final = 0x6261_6869  # "bahi"


@dataclass(frozen=True)
class Database:
    """Where one store lives, and what it should look like."""

    store: str
    url: str = field(repr=False)
    house: Schema = HOUSE

    @property
    def path(self) -> Path | None:
        """The file of a SQLite store."""
        return sqlite_path(self.url)

    @property
    def schema(self) -> StoreSchema:
        """The tables and views that the code expects."""
        return self.house.of_store(self.store)

    @contextmanager
    def opened(self, *, foreign_keys: bool = True) -> Iterator[sa.Connection]:
        """Open the store; SQLite's foreign keys can only be switched outside a transaction."""
        try:
            core = self._engine().connect()
        except OSError as error:
            raise Misconfigured(f"{self.url} cannot be opened: {error.strerror}.") from error
        except (psycopg.Error, *DRIVER_ERRORS) as error:
            raise (translate(error) if self.path else postgres.away(error)) from error
        try:
            if self.path is None:
                self._make_schema(core)
                core.exec_driver_sql(
                    "SET statement_timeout = 0; SET lock_timeout = 0;"
                    " SET idle_in_transaction_session_timeout = 0"
                )
            elif not foreign_keys:
                core.exec_driver_sql("PRAGMA foreign_keys = OFF")
            yield core
        finally:
            core.close()

    def _engine(self) -> sa.Engine:
        if self.path is None:
            return postgres.engine(self.url, self.store)
        return sqlite.engine(self.path)

    def _make_schema(self, core: sa.Connection) -> None:
        """Make the store's schema; behind a lock, since two IF NOT EXISTS at once may collide."""
        if core.exec_driver_sql(f"SELECT to_regnamespace('{self.store}')").scalar():
            return
        with transaction(core):
            core.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_CLASS})")
            core.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {self.store}")

    @contextmanager
    def alone(self, core: sa.Connection) -> Iterator[None]:
        """Keep every other process from changing the schema meanwhile; it waits."""
        if self.path is None:
            lock = f"{LOCK_CLASS}, {crc32(self.store.encode()) - 2**31}"
            core.exec_driver_sql(f"SELECT pg_advisory_lock({lock})")
            try:
                yield
            finally:
                core.exec_driver_sql(f"SELECT pg_advisory_unlock({lock})")
            return
        handle = os.open(
            lock_beside(self.path, "schema"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


@contextmanager
def transaction(core: sa.Connection) -> Iterator[None]:
    """Run what is inside in one transaction of the database, in its turn among the writers."""
    with _turn(core):
        begin = "BEGIN IMMEDIATE" if core.dialect.name == "sqlite" else "BEGIN"
        core.exec_driver_sql(begin)
        try:
            yield
            core.exec_driver_sql("COMMIT")
        except BaseException:
            with suppress(*DRIVER_ERRORS):  # the cause is what has to be told
                if inside(core):
                    core.exec_driver_sql("ROLLBACK")
            raise


def there(core: sa.Connection, tables: Iterable[str]) -> list[str]:
    """Return those of some tables that the store has; a start asks, so one cheap look."""
    if core.dialect.name == "sqlite":
        look = "SELECT name FROM sqlite_schema WHERE type = 'table'"
    else:
        look = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    found = set(core.exec_driver_sql(look).scalars())
    return [name for name in tables if name in found]


def inside(core: sa.Connection) -> bool:
    """Whether a transaction of the database is open on the connection."""
    if core.invalidated:  # lost, and its transaction with it
        return False
    driver = core.connection.driver_connection
    if isinstance(driver, psycopg.Connection):
        return driver.info.transaction_status in {Status.INTRANS, Status.INERROR}
    return bool(driver.in_transaction)  # type: ignore[union-attr] # a sqlite3.Connection


@contextmanager
def _turn(core: sa.Connection) -> Iterator[None]:
    file = ""
    if core.dialect.name == "sqlite":
        where = "SELECT file FROM pragma_database_list WHERE name = 'main'"
        file = core.exec_driver_sql(where).scalar_one()
    if not file:
        yield
        return
    with closing(Turnstile(Path(file))) as turnstile, turnstile:
        yield


def lay(core: sa.Connection, statements: Iterable[str]) -> None:
    """Run DDL to the letter: psycopg would take a percent sign for a parameter."""
    on_postgres = core.dialect.name == "postgresql"
    for statement in statements:
        core.exec_driver_sql(statement.replace("%", "%%") if on_postgres else statement)
