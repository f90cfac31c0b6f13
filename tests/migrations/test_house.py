"""The house's own histories: from nothing to what the code says, and back, for every store."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

from bahi.config import Settings
from bahi.db.migrate import History, Migrator, StepFailed
from bahi.db.opening import Database, lay
from bahi.db.schema import STORES
from bahi.migrations import history
from tests import databases

each_store = pytest.mark.parametrize("store", STORES)


def of(store: str, made: databases.Database, steps: History | None = None) -> Migrator:
    return Migrator(Database(store, made.url), steps or history(store))


@each_store
def test_from_empty_to_the_code_and_down_and_up_again(
    empty_database: databases.Database, store: str
) -> None:
    moves = of(store, empty_database)
    assert moves.upgrade() == moves.steps
    assert moves.differences() == []
    moves.downgrade(0)
    with moves.database.opened() as core:
        left = set(_names(core, empty_database.kind))
    assert left <= {"schema_migrations", "alembic_version"}
    moves.upgrade()
    assert moves.differences() == []


def _names(core: object, kind: str) -> list[str]:
    question = {
        "sqlite": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view', 'trigger')"
        " AND name NOT LIKE 'sqlite%'",
        "postgresql": "SELECT relname FROM pg_class WHERE relkind IN ('r', 'v')"
        " AND relnamespace = current_schema()::regnamespace",
    }
    return list(core.exec_driver_sql(question[kind]).scalars())  # type: ignore[attr-defined]


@each_store
def test_an_error_in_any_step_leaves_the_store_as_it_was(
    empty_database: databases.Database, store: str, tmp_path: Path
) -> None:
    dice = random.Random(5)
    for step in history(store).steps():
        for place in (0.0, dice.random(), 1.0):
            steps = _with_error(store, step.version, empty_database.kind, place, tmp_path)
            with pytest.raises(StepFailed, match=rf"Step {step.version:04} \({step.name}\)"):
                of(store, empty_database, steps).upgrade(step.version)
            assert of(store, empty_database).version() == step.version - 1
        of(store, empty_database).upgrade(step.version)
    assert of(store, empty_database).differences() == []


def _with_error(store: str, version: int, kind: str, place: float, folder: Path) -> History:
    """Copy the history with a statement that fails, so far down in one step's SQL."""
    copy = folder / f"{version}-{place}"
    shutil.copytree(history(store).folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (file,) = copy.glob(f"{version:04}_*.{kind}.sql")
    up, mark, down = file.read_text("utf-8").partition("\n-- down\n")
    statements = up.strip().split("\n\n")
    statements.insert(round(place * len(statements)), "SELECT this_does_not_exist()")
    file.write_text("\n\n".join(statements) + "\n" + mark + down, "utf-8")
    return History(copy)


PLANTED = {
    "a dropped rule": (
        [
            "PRAGMA writable_schema = ON",
            "UPDATE sqlite_master SET sql = replace(sql, 'length(name) >= 3', 'length(name) >= 0')",
        ],
        ["ALTER TABLE accounts DROP CONSTRAINT ck_accounts_name_length"],
        "ck_accounts_name_length",
    ),
    "a changed view": (
        ["DROP VIEW activity_logs", "CREATE VIEW activity_logs AS SELECT 1 AS id"],
        ["DROP VIEW activity_logs", "CREATE VIEW activity_logs AS SELECT 1 AS id"],
        "view activity_logs",
    ),
    "a missing trigger": (
        ["DROP TRIGGER audit_trail_no_delete"],
        ["DROP TRIGGER audit_trail_no_delete ON audit_trail"],
        "audit_trail_no_delete is missing",
    ),
    "a dropped index": (
        ["DROP INDEX ix_orders_account_id_status"],
        ["DROP INDEX ix_orders_account_id_status"],
        "ix_orders_account_id_status is missing",
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_difference_is_found_and_named(home: dict[str, str], planted: str) -> None:
    main = Database("main", Settings.from_environment(home).main)
    moves = Migrator(main, history("main"))
    on_sqlite, on_postgresql, name = PLANTED[planted]
    with moves.database.opened() as core:
        lay(core, on_sqlite if main.path else on_postgresql)
    found = moves.differences()
    assert len(found) == 1
    assert name in found[0]


def test_all_stores_live_in_one_database_side_by_side(postgres_url: str) -> None:
    for store in STORES:
        Migrator(Database(store, postgres_url), history(store)).upgrade()
    for store in STORES:
        assert Migrator(Database(store, postgres_url), history(store)).differences() == []
