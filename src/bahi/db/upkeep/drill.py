"""The drill: is the newest backup of every store one that could be brought back?

Each is restored into a scratch place and examined there: its bytes against its facts, pages and
keys, the schema against the code, the rows against what was counted, and whatever the contexts have
to say about their books. On PostgreSQL the scratch place is a transaction that is rolled back:
nobody sees it, it asks for no right that a store's owner lacks, and a drill that is cut off leaves
nothing behind.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from bahi.db import catalogue
from bahi.db.failures import DRIVER_ERRORS, translate
from bahi.db.migrate import History
from bahi.db.opening import Database
from bahi.db.upkeep.backup import Backup, Backups, copy_out
from bahi.db.upkeep.copies import Tell, sqlite_faults
from bahi.db.upkeep.facts import Facts, count_rows, version_of
from bahi.db.upkeep.loading import load
from bahi.db.upkeep.restore import make_room, row_faults
from bahi.kernel.errors import BahiError, Invalid

Check = Callable[[sa.Connection], list[str]]
"""Looks at a store and names what is wrong with it; handed in by the contexts."""

SET_ASIDE: Final = "bahi_drill"


@dataclass(frozen=True)
class Verdict:
    """What the drill found of one store's newest backup."""

    store: str
    file: str | None
    rows: int
    faults: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Say whether the backup could be brought back."""
        return not self.faults

    def __str__(self) -> str:
        """Say it in a sentence that names the store and the file."""
        if self.file is None:
            return f"{self.store}: there is no backup of it"
        if self.is_good:
            return f"{self.store}: {self.file} is good ({self.rows:,} rows)"
        return f"{self.store}: {self.file} is not good: {'; '.join(self.faults)}"


def drill(
    databases: Iterable[Database],
    history: Callable[[str], History],
    backups: Backups,
    checks: Mapping[str, Sequence[Check]],
    tell: Tell = lambda _: None,
) -> list[Verdict]:
    """Examine the newest backup of every store."""
    return [
        _drill_one(database, history(database.store), backups, checks.get(database.store, ()), tell)
        for database in databases
    ]


def _drill_one(
    database: Database, history: History, backups: Backups, checks: Sequence[Check], tell: Tell
) -> Verdict:
    backup = backups.newest(database.store)
    if backup is None:
        return Verdict(database.store, None, 0, ("there is no backup",))
    rows, faults = 0, []
    try:
        with _brought_back(backup, database, tell) as (facts, core):
            tell(f"{database.store}: examining what came back")
            faults = list(_examine(core, facts, database, history, checks))
            rows = sum(facts.rows.values())
    except BahiError as error:
        faults = [str(error).rstrip(".")]
    except DRIVER_ERRORS as error:
        faults = [str(translate(error)).rstrip(".")]
    return Verdict(database.store, backup.file.name, rows, tuple(faults))


@contextmanager
def _brought_back(
    backup: Backup, database: Database, tell: Tell
) -> Iterator[tuple[Facts, sa.Connection]]:
    tell(f"{database.store}: verifying {backup.file.name}")
    if backup.kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix=".drill-", dir=backup.file.parent) as scratch:
            file = Path(scratch) / f"{backup.store}.sqlite"
            facts = copy_out(backup, file)
            with Database(backup.store, f"sqlite:///{file}", database.house).opened() as core:
                yield facts, core
        return
    if database.path is not None:
        raise Invalid("it is of PostgreSQL, and the store lives in SQLite now; take a new backup")
    facts = backup.verify()
    with database.opened() as core:
        core.exec_driver_sql("BEGIN")
        try:
            make_room(core, database.store, f"{SET_ASIDE}_{database.store}")
            load(core, backup.file, database.store, tell)
            yield facts, core
        finally:
            core.exec_driver_sql("ROLLBACK")


def _examine(
    core: sa.Connection,
    facts: Facts,
    database: Database,
    history: History,
    checks: Sequence[Check],
) -> Iterator[str]:
    if core.dialect.name == "sqlite":
        yield from sqlite_faults(core)
    rows = count_rows(core)
    yield from row_faults(facts.rows, rows)
    if (version := version_of(core, rows)) != facts.version:
        yield f"it is at version {version} and was at {facts.version}"
    if facts.version == history.head:
        yield from _schema_faults(core, database)
    for check in checks:
        yield from _asked(check, core)


def _schema_faults(core: sa.Connection, database: Database) -> list[str]:
    """Compare with the code, whose schema is built elsewhere: our transaction has work to do."""
    if core.dialect.name == "sqlite":
        code = catalogue.expected(core, database.schema)
    else:
        with database.opened() as other:
            code = catalogue.expected(other, database.schema)
    return catalogue.differences(code, catalogue.read(core))


def _asked(check: Check, core: sa.Connection) -> list[str]:
    """Run a check; one that cannot even ask its question is a fault of the backup too."""
    core.exec_driver_sql("SAVEPOINT asking")
    try:
        return check(core)
    except DRIVER_ERRORS as error:
        return [str(translate(error)).rstrip(".")]
    finally:
        core.exec_driver_sql("ROLLBACK TO asking")
        core.exec_driver_sql("RELEASE asking")
