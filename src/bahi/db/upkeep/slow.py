"""The ten slowest statements of a store: what the server knows, else what the store itself counted.

PostgreSQL's pg_stat_statements writes a query's values as $1; only for queries, though, so nothing
else is shown. Without it the functions of a transaction stand in for their statements.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bahi.db.failures import DRIVER_ERRORS
from bahi.db.opening import Database
from bahi.db.upkeep.statistics import read_statistics

MOST: Final = 10

FROM_SERVER: Final = r"""
SELECT regexp_replace(query, '\s+', ' ', 'g'), calls, mean_exec_time, max_exec_time
FROM {extension}.pg_stat_statements JOIN pg_database d ON d.oid = dbid
WHERE d.datname = current_database() AND query ~* '^\s*(select|insert|update|delete|with)\s'
ORDER BY mean_exec_time DESC LIMIT {most}
"""


@dataclass(frozen=True)
class Slow:
    """One statement, or one function, and how long it takes."""

    what: str
    calls: int
    mean_us: int
    worst_us: int


@dataclass(frozen=True)
class Slowest:
    """The slowest of a store by their mean, and who counted: `server` or `store`."""

    source: str
    statements: list[Slow]


def slowest(database: Database, home: Path, most: int = MOST) -> Slowest:
    """Return the slowest statements of a store, the slowest first."""
    if database.path is None and (known := _from_server(database, most)) is not None:
        return Slowest("server", known)
    functions = [
        Slow(name, count, total_us // count, worst_us)
        for name, (count, total_us, worst_us) in read_statistics(home, database.store).items()
        if count
    ]
    return Slowest("store", sorted(functions, key=lambda f: f.mean_us, reverse=True)[:most])


def _from_server(database: Database, most: int) -> list[Slow] | None:
    """Ask pg_stat_statements; None where it is not installed, not loaded or not for our eyes."""
    with database.opened() as core:
        extension = core.exec_driver_sql(
            "SELECT quote_ident(extnamespace::regnamespace::text) FROM pg_extension"
            " WHERE extname = 'pg_stat_statements'"
        ).scalar()
        if extension is None:
            return None
        try:
            rows = core.exec_driver_sql(FROM_SERVER.format(extension=extension, most=most)).all()
        except DRIVER_ERRORS:
            return None
    return [
        Slow(query, calls, int(mean * 1000), int(worst * 1000))
        for query, calls, mean, worst in rows
    ]
