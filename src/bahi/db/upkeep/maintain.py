"""Keeping a store in shape while it is in use: check, rebuild indexes, give room back, analyse.

Each step takes its turn like any writer and lets others have theirs before the next. A turn that
does not come within its bound ends the upkeep with a sentence; the steps before it stand.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psycopg
import sqlalchemy as sa

from bahi.db.failures import DRIVER_ERRORS, translate
from bahi.db.opening import Database
from bahi.db.turnstile import lock_beside
from bahi.db.upkeep.copies import Tell, sqlite_faults
from bahi.db.upkeep.facts import Damaged
from bahi.db.upkeep.locks import held
from bahi.kernel.errors import Conflict, NotFound

TURN_WITHIN_S: Final = 30.0
MARKS_KEPT_US: Final = 30 * 86_400 * 1_000_000
HALF_BUILT: Final = r"""
SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid
WHERE relnamespace = current_schema()::regnamespace AND NOT indisvalid
  AND relname ~ '_cc(new|old)\d*$'
"""
"""The indexes that a REINDEX CONCURRENTLY leaves when it is cut off."""


def maintain(
    database: Database, tell: Tell = lambda _: None, *, turn_within_s: float = TURN_WITHIN_S
) -> None:
    """Do all the upkeep of a store, telling of each step."""
    if database.path is not None and not database.path.is_file():
        raise NotFound(f"There is no {database.store} store at {database.path}.")
    try:
        with database.opened() as core:
            steps = (
                _on_postgres(core, turn_within_s)
                if database.path is None
                else _on_sqlite(core, database.path, turn_within_s)
            )
            for what, step in steps:
                tell(f"{database.store}: {what}")
                step()
    except DRIVER_ERRORS as error:
        if isinstance(getattr(error, "orig", error), psycopg.errors.LockNotAvailable):
            raise _no_turn(database.store, turn_within_s) from error
        raise translate(error) from error


def _no_turn(store: str, within_s: float) -> Conflict:
    return Conflict(
        f"The {store} store is held by somebody else's work and gave no turn within "
        f"{within_s:.0f} s; the upkeep stopped there, try again when it is quieter."
    )


Step = tuple[str, Callable[[], object]]


# SQLite


def _on_sqlite(core: sa.Connection, path: Path, turn_within_s: float) -> Iterator[Step]:
    run = core.exec_driver_sql

    def in_turn(statement: str) -> Callable[[], None]:
        def step() -> None:
            with _turn(path, turn_within_s):
                run(statement)

        return step

    yield "checking pages and keys", lambda: _refuse_damage(core, path)
    yield "dropping old write marks", in_turn(_old_marks())
    yield "rebuilding indexes", in_turn("REINDEX")
    yield "giving free room back", in_turn("VACUUM")
    yield "analysing for the planner", in_turn("ANALYZE")
    yield "folding the WAL into the file", lambda: _checkpoint(core, path, turn_within_s)


def _refuse_damage(core: sa.Connection, path: Path) -> None:
    if faults := sqlite_faults(core):
        raise Damaged(f"{path.name} is damaged: {faults[0]}; restore its newest good backup.")


def _checkpoint(core: sa.Connection, path: Path, turn_within_s: float) -> None:
    with _turn(path, turn_within_s):
        held_up, _, _ = core.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
    if held_up:
        raise _no_turn(path.stem, turn_within_s)


@contextmanager
def _turn(path: Path, within_s: float) -> Iterator[None]:
    """Take one turn at the file's turnstile, as `Turnstile` does, but not wait for ever."""
    busy = str(_no_turn(path.stem, within_s))
    with (
        held(lock_beside(path, "gate"), busy, within_s=within_s),
        held(lock_beside(path, "turn"), busy, within_s=within_s),
    ):
        yield


# PostgreSQL


def _on_postgres(core: sa.Connection, turn_within_s: float) -> Iterator[Step]:
    def run(statement: str) -> Callable[[], object]:
        return lambda: core.exec_driver_sql(statement)

    core.exec_driver_sql(f"SET lock_timeout = {int(turn_within_s * 1000)}")
    yield "dropping half-built indexes", lambda: _drop_half_built(core)
    yield "dropping old write marks", run(_old_marks())
    for table in sorted(sa.inspect(core).get_table_names()):
        yield f"vacuuming and analysing {table}", run(f"VACUUM (ANALYZE) {table}")
        yield f"rebuilding the indexes of {table}", lambda t=table: _reindex(core, t)  # type: ignore[misc] # mypy does not follow t


def _reindex(core: sa.Connection, table: str) -> None:
    try:
        core.exec_driver_sql(f"REINDEX TABLE CONCURRENTLY {table}")
    except DRIVER_ERRORS:
        with suppress(*DRIVER_ERRORS):  # still locked: the next upkeep begins by dropping it
            _drop_half_built(core)
        raise


def _drop_half_built(core: sa.Connection) -> None:
    for name in core.exec_driver_sql(HALF_BUILT).scalars().all():
        core.exec_driver_sql(f"DROP INDEX CONCURRENTLY {name}")


def _old_marks() -> str:
    """A mark is asked after for some seconds at most; threads of the past leave theirs behind."""
    return f"DELETE FROM write_marks WHERE marked_at < {time.time_ns() // 1000 - MARKS_KEPT_US}"  # noqa: S608
