"""Copying one store into one file, from one snapshot, while everybody writes on.

What comes back with the copy is what it holds: the version, and the rows of each table.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from bahi.db import sqlite
from bahi.db.failures import DRIVER_ERRORS, translate
from bahi.db.opening import Database
from bahi.db.upkeep.facts import Damaged, count_rows, version_of
from bahi.db.upkeep.programs import find_programs, server_version
from bahi.kernel.errors import NotFound

Tell = Callable[[str], None]

PAGES: Final = 2048  # to a step: 8 MB
TELL_EVERY_PERCENT: Final = 5


def copy(database: Database, to: Path, tell: Tell) -> tuple[int, dict[str, int]]:
    """Copy a store into a file that is there and empty, and read the copy back."""
    try:
        if database.path is None:
            return _copy_postgres(database, to, tell)
        return _copy_sqlite(database.path, database.store, to, tell)
    except DRIVER_ERRORS as error:
        raise translate(error) from error


def _copy_sqlite(path: Path, store: str, to: Path, tell: Tell) -> tuple[int, dict[str, int]]:
    if not path.is_file():
        raise NotFound(f"There is no {store} store at {path}.")
    _copy_pages(path, store, to, tell)
    tell(f"{store}: reading the copy back")
    with _opened(to) as core:
        if faults := sqlite_faults(core):
            raise Damaged(f"The {store} store itself is damaged: {faults[0]}.")
        rows = _something(store, count_rows(core))
        return version_of(core, rows), rows


def _copy_pages(path: Path, store: str, to: Path, tell: Tell) -> None:
    """Copy every page of one snapshot.

    A copy in steps begins again whenever somebody else writes between two of them: under load it
    never ends. The open read transaction keeps the source at its snapshot from the first page to
    the last; meanwhile others write on, and only the WAL grows.
    """
    told = 0

    def progress(_status: int, left: int, of: int) -> None:
        nonlocal told
        percent = 100 * (of - left) // max(of, 1)
        if percent >= told + TELL_EVERY_PERCENT:
            told = percent
            tell(f"{store}: {percent} % copied")

    with (
        closing(sqlite.connect(path, readonly=True)) as source,
        closing(sqlite3.connect(to, isolation_level=None)) as target,
    ):
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # takes the snapshot
        target.execute("PRAGMA synchronous = OFF")  # synced as a whole before it gets its name
        source.backup(target, pages=PAGES, progress=progress)
        target.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it


@contextmanager
def _opened(file: Path) -> Iterator[sa.Connection]:
    """Open a backup's file itself, which nothing may change."""

    def connect() -> Any:
        return sqlite3.connect(
            f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None
        )

    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.pool.NullPool)
    with engine.connect() as core:
        yield core


def sqlite_faults(core: sa.Connection) -> list[str]:
    """Name what is wrong inside a SQLite file: broken pages, rows that point nowhere."""
    said = core.exec_driver_sql("PRAGMA integrity_check(10)").scalars().all()
    broken = [] if said == ["ok"] else [str(line).splitlines()[-1] for line in said]
    orphans = core.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(10)
    return broken + [
        f"row {row} of {table} points to a row of {target} that is not there"
        for table, row, target, _ in orphans
    ]


def _copy_postgres(database: Database, to: Path, tell: Tell) -> tuple[int, dict[str, int]]:
    """Let pg_dump see what a transaction of ours sees, so that the counted rows are the saved."""
    with database.opened() as core:
        driver: Any = core.connection.driver_connection
        programs = find_programs(server_version(driver))
        core.exec_driver_sql("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        core.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        snapshot = core.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
        tell(f"{database.store}: counting rows")
        rows = _something(database.store, count_rows(core))
        programs.dump(
            driver,
            url=database.url,
            schema=database.store,
            snapshot=snapshot,
            to=to,
            tell=lambda table: tell(f"{database.store}: copying {table}"),
        )
        version = version_of(core, rows)
        core.exec_driver_sql("ROLLBACK")
    tell(f"{database.store}: reading the copy back")
    programs.read_through(to)
    return version, rows


def _something(store: str, rows: dict[str, int]) -> dict[str, int]:
    if not rows:
        raise NotFound(
            f"The {store} store has no tables yet, so there is nothing to save; "
            "make it first with: bahi db upgrade."
        )
    return rows


def sync(path: Path) -> None:
    """Have a file, or a folder's names, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
