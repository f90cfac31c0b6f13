"""How large a store's tables are: rows counted, and bytes with their indexes where known."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from bahi.db.failures import DRIVER_ERRORS, translate
from bahi.db.opening import Database
from bahi.db.upkeep.facts import count_rows
from bahi.kernel.errors import NotFound

SIDE_FILES: Final = ("", "-wal")


@dataclass(frozen=True)
class Size:
    """One table; `size` is None where this SQLite was built without its page statistics."""

    table: str
    rows: int
    size: int | None


@dataclass(frozen=True)
class StoreSize:
    """A store as a whole, and its tables, the largest first."""

    store: str
    size: int
    tables: list[Size]


def sizes(database: Database) -> StoreSize:
    """Measure a store and its tables."""
    if database.path is not None and not database.path.is_file():
        raise NotFound(f"There is no {database.store} store at {database.path}.")
    try:
        with database.opened() as core:
            known = _on_postgres(core) if database.path is None else _on_sqlite(core)
            tables = [
                Size(table, rows, known.get(table) if known else None)
                for table, rows in count_rows(core).items()
            ]
    except DRIVER_ERRORS as error:
        raise translate(error) from error
    tables.sort(key=lambda t: (t.size or 0, t.rows), reverse=True)
    whole = sum(known.values()) if database.path is None else _of_files(database.path)
    return StoreSize(database.store, whole, tables)


def whole_size(database: Database) -> int:
    """Measure a store as a whole, which is quick however many rows it has."""
    if database.path is not None:
        return _of_files(database.path)
    try:
        with database.opened() as core:
            return sum(_on_postgres(core).values())
    except DRIVER_ERRORS as error:
        raise translate(error) from error


def _on_postgres(core: sa.Connection) -> dict[str, int]:
    rows = core.exec_driver_sql(
        "SELECT relname, pg_total_relation_size(oid) FROM pg_class"
        " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    )
    return {str(table): int(size) for table, size in rows}


def _on_sqlite(core: sa.Connection) -> dict[str, int]:
    """Add up the pages of each table and its indexes; nothing where SQLite cannot tell."""
    options = core.exec_driver_sql("PRAGMA compile_options").scalars().all()
    if "ENABLE_DBSTAT_VTAB" not in options:
        return {}
    rows = core.exec_driver_sql(
        "SELECT m.tbl_name, sum(s.pgsize) FROM dbstat('main', 1) s"
        " JOIN sqlite_master m ON m.name = s.name GROUP BY m.tbl_name"
    )
    return {str(table): int(size) for table, size in rows}


def _of_files(path: Path) -> int:
    files = [path.with_name(path.name + side) for side in SIDE_FILES]
    return sum(file.stat().st_size for file in files if file.exists())
