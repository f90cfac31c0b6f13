"""Bringing a backup back in place of its store.

Everything is verified first, the new store is made whole beside the old one, and the two change
places in one step; what was there is kept under `<store>_replaced_<stamp>`. Until that step nothing
has been touched, and after it nothing is left to do.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from bahi.db.failures import DRIVER_ERRORS, translate
from bahi.db.migrate import History, SchemaNewer
from bahi.db.opening import Database, transaction
from bahi.db.turnstile import lock_beside
from bahi.db.upkeep.backup import Backup, copy_out, stamp
from bahi.db.upkeep.copies import Tell, sqlite_faults, sync
from bahi.db.upkeep.facts import Damaged, Facts, count_rows
from bahi.db.upkeep.loading import load
from bahi.db.upkeep.locks import held
from bahi.kernel.clock import Clock
from bahi.kernel.errors import Conflict, Invalid, NotCommitted

PLUMBING: Final = frozenset({"alembic_version", "permits", "schema_migrations", "write_marks"})
SERVICE_LOCK: Final = "service.lock"
ASK_WITHIN_S: Final = 5.0
WRITERS_END_WITHIN_MS: Final = 10_000
SIDE_FILES: Final = ("-wal", "-shm", "-journal")


def restore(
    backup: Backup,
    database: Database,
    history: History,
    home: Path,
    clock: Clock,
    *,
    force: bool = False,
    tell: Tell = lambda _: None,
) -> str | None:
    """Put a backup in place of its store; return under what name the old one was kept."""
    _fits(backup, database)
    facts = Facts.read(backup.facts_file)
    if facts.version > history.head:
        raise SchemaNewer(
            f"{backup.file.name} is of version {facts.version}, "
            f"and this Bahi knows versions up to {history.head}: install a newer Bahi."
        )
    busy = "Bahi is running on this data folder; stop it before a store is replaced."
    kept = f"{database.store}_replaced_{stamp(clock())}"
    with held(home / SERVICE_LOCK, busy):
        try:
            if database.path is None:
                return _into_postgres(backup, database, kept, force=force, tell=tell)
            return _into_sqlite(backup, database, database.path, kept, force=force, tell=tell)
        except DRIVER_ERRORS as error:
            raise translate(error) from error


def row_faults(said: dict[str, int], found: dict[str, int]) -> list[str]:
    """Name every table that has not the rows it had when it was saved."""
    return [
        f"{table} has {found.get(table, 0):,} rows and had {said.get(table, 0):,}"
        for table in sorted(said.keys() | found.keys())
        if said.get(table) != found.get(table)
    ]


def _fits(backup: Backup, database: Database) -> None:
    kind = "postgresql" if database.path is None else "sqlite"
    if (backup.store, backup.kind) != (database.store, kind):
        raise Invalid(
            f"{backup.file.name} is a backup of {backup.store} on {backup.kind}; "
            f"it cannot become {database.store} on {kind}."
        )


def _refuse_to_overwrite(store: str, rows: dict[str, int], *, force: bool) -> None:
    held_rows = sum(count for table, count in rows.items() if table not in PLUMBING)
    if held_rows and not force:
        raise Conflict(
            f"The {store} store is not empty ({held_rows:,} rows); --force puts the backup in its "
            "place and keeps what is there under another name."
        )


def _whole(backup: Backup, facts: Facts, faults: list[str], rows: dict[str, int]) -> None:
    if found := faults + row_faults(facts.rows, rows):
        raise Damaged(f"{backup.file.name} is damaged: {found[0]}.")


# SQLite


def _into_sqlite(
    backup: Backup, database: Database, path: Path, kept: str, *, force: bool, tell: Tell
) -> str | None:
    new = path.with_name(f".{path.name}.restoring")
    try:
        new.unlink(missing_ok=True)
        tell(f"{database.store}: verifying {backup.file.name}")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = copy_out(backup, new)
        with Database(database.store, f"sqlite:///{new}").opened() as core:
            _whole(backup, facts, sqlite_faults(core), count_rows(core))
        _as_one_file(new)
        with held(lock_beside(path, "schema"), "The store is being upgraded just now."):
            return _change_places(new, database, path, kept, force=force)
    finally:
        for leftover in (new, *_side_files(new)):
            leftover.unlink(missing_ok=True)


def _change_places(
    new: Path, database: Database, path: Path, kept: str, *, force: bool
) -> str | None:
    if not path.exists():
        new.rename(path)
        sync(path.parent)
        return None
    try:
        _read_only(path)
        _as_one_file(path)
        with database.opened() as core:
            _refuse_to_overwrite(database.store, count_rows(core), force=force)
    except (NotCommitted, *DRIVER_ERRORS) as error:
        _refuse_unless_damaged(error, path, force=force)
    _aside(path, kept)
    new.replace(path)
    sync(path.parent)
    return f"{kept}{path.suffix}"


def _refuse_unless_damaged(error: Exception, path: Path, *, force: bool) -> None:
    """A store that cannot be read is replaced, its files kept as they are; never one in use."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        raise Conflict(
            f"Another process has {path.name} open; stop it before the store is replaced."
        ) from error
    if not force:
        raise Conflict(
            f"{path.name} is there and cannot be read; --force puts the backup in its place and "
            "keeps its files under another name."
        ) from error


def _read_only(path: Path) -> None:
    """Read a little without touching anything: to open a damaged store would cost it its WAL."""
    look = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    with closing(look) as driver:
        driver.execute("SELECT count(*) FROM sqlite_master").fetchone()


def _as_one_file(path: Path) -> None:
    """Fold the WAL into its file: only who is alone with a store may, so this asks that too."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=ASK_WITHIN_S)) as driver:
        driver.execute("PRAGMA journal_mode = DELETE")
    sync(path)


def _aside(path: Path, kept: str) -> None:
    """Give the old store its new name; its own stays until the new store takes it."""
    aside = path.with_name(f"{kept}{path.suffix}")
    for side in _side_files(path):  # of a damaged store; a new one must never meet an old WAL
        if side.exists():
            side.rename(aside.with_name(side.name.replace(path.name, aside.name)))
    os.link(path, aside)


def _side_files(path: Path) -> list[Path]:
    return [path.with_name(path.name + suffix) for suffix in SIDE_FILES]


# PostgreSQL


def _into_postgres(
    backup: Backup, database: Database, kept: str, *, force: bool, tell: Tell
) -> str | None:
    store = database.store
    tell(f"{store}: verifying {backup.file.name}")
    facts = backup.verify()
    with database.opened() as core, database.alone(core), transaction(core):
        rows = count_rows(core)
        _refuse_to_overwrite(store, rows, force=force)
        if "write_marks" in rows:  # every write begins there: a writer elsewhere is before or after
            core.exec_driver_sql(f"SET LOCAL lock_timeout = {WRITERS_END_WITHIN_MS}")
            core.exec_driver_sql("LOCK TABLE write_marks IN ACCESS EXCLUSIVE MODE")
        make_room(core, store, kept if rows else None)
        load(core, backup.file, store, tell)
        _whole(backup, facts, [], count_rows(core))
    return kept if rows else None


def make_room(core: sa.Connection, store: str, kept: str | None) -> None:
    """Rename the schema of a store, or drop it where it is empty and no name is given."""
    core.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    if kept is None:
        core.exec_driver_sql(f"DROP SCHEMA {store}")
    else:
        core.exec_driver_sql(f'ALTER SCHEMA {store} RENAME TO "{kept}"')
