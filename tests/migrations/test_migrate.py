"""The runner of migrations: whole steps, one at a time, and a schema that is what the code says."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bahi.db.migrate import History, SchemaDiffers, SchemaNewer, StepFailed
from bahi.db.opening import lay, transaction
from tests.databases import Database
from tests.migrations.houses import HISTORY, migrator

INJECTED = """
_upgrade = upgrade


def upgrade() -> None:
    _upgrade()
    raise RuntimeError("injected")
"""


def broken_at(step: str, folder: Path) -> History:
    """Copy the history with an error at the very end of one step."""
    copy = folder / "steps"
    shutil.copytree(HISTORY.folder, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (file,) = copy.glob(f"{step}_*.py")
    file.write_text(file.read_text("utf-8") + INJECTED, "utf-8")
    return History(copy)


def test_up_is_what_the_code_says_and_down_is_empty(empty_database: Database) -> None:
    moves = migrator(empty_database.url)
    for _ in range(2):
        assert [step.version for step in moves.upgrade()] == [1, 2]
        assert moves.version() == 2
        assert moves.differences() == []
        assert moves.upgrade() == []
        assert [step.version for step in moves.downgrade(0)] == [2, 1]
        assert moves.version() == 0
        assert moves.differences() == ["nothing has been created yet"]


def test_each_step_leaves_its_name_its_time_and_its_checksum(empty_database: Database) -> None:
    moves = migrator(empty_database.url)
    moves.upgrade(to=1)
    first, second = moves.applied()
    assert (first.name, first.applied_at is not None) == ("pages_and_lines", True)
    assert (second.name, second.applied_at) == ("amounts_are_positive", None)


@pytest.mark.parametrize("step", ["0001", "0002"])
def test_a_step_that_fails_never_happened_and_says_so(
    empty_database: Database, tmp_path: Path, step: str
) -> None:
    before = int(step) - 1
    migrator(empty_database.url).upgrade(to=before)
    broken = migrator(empty_database.url, broken_at(step, tmp_path))
    with pytest.raises(StepFailed, match=rf"Step {step} \(.+\) of the main store failed: injected"):
        broken.upgrade()
    whole = migrator(empty_database.url)
    assert whole.version() == before
    assert [s.version for s in whole.upgrade()] == [1, 2][before:]
    assert whole.differences() == []


def test_a_rebuilt_table_keeps_its_rows_its_children_and_its_view(empty_database: Database) -> None:
    moves = migrator(empty_database.url)
    moves.upgrade(to=1)
    with moves.database.opened() as core, transaction(core):
        lay(core, ["INSERT INTO pages VALUES (1, 'cash')"])
        lay(core, ["INSERT INTO lines VALUES (7, 1, -5, 0), (8, 1, 6, 0)"])
    moves.upgrade()
    with moves.database.opened() as core:
        rows = core.exec_driver_sql("SELECT id, name, amount FROM v_lines ORDER BY id").all()
        assert [tuple(row) for row in rows] == [(7, "cash", 5), (8, "cash", 6)]
        core.exec_driver_sql("DELETE FROM pages")
        assert core.exec_driver_sql("SELECT count(*) FROM lines").scalar_one() == 0


def test_two_who_upgrade_at_once_take_each_step_once(empty_database: Database) -> None:
    with ThreadPoolExecutor(4) as pool:
        moves = [pool.submit(migrator(empty_database.url).upgrade) for _ in range(4)]
        taken = [step.version for move in moves for step in move.result()]
    assert sorted(taken) == [1, 2]
    assert migrator(empty_database.url).differences() == []


def test_a_database_from_the_future_is_refused(empty_database: Database, tmp_path: Path) -> None:
    migrator(empty_database.url).upgrade()
    old = tmp_path / "old"
    old.mkdir()
    shutil.copy(next(HISTORY.folder.glob("0001_*.py")), old)
    with pytest.raises(SchemaNewer, match="is at version 2, and this Bahi knows versions up to 1"):
        migrator(empty_database.url, History(old)).upgrade()


def test_an_edited_step_is_named(empty_database: Database, tmp_path: Path) -> None:
    migrator(empty_database.url).upgrade()
    edited = broken_at("0001", tmp_path)
    found = migrator(empty_database.url, edited).differences()
    assert found == ["step 0001 (pages_and_lines) was edited after it was applied"]


def test_steps_that_do_not_lead_to_the_code_are_named(
    empty_database: Database, tmp_path: Path
) -> None:
    astray = History(tmp_path / "astray")
    astray.folder.mkdir()
    shutil.copy(next(HISTORY.folder.glob("0001_*.py")), astray.folder)
    with pytest.raises(SchemaDiffers, match=r"lines.*positive is missing"):
        migrator(empty_database.url, astray).upgrade()


PLANTED = {
    "a dropped rule": (
        {
            "sqlite": [
                "PRAGMA writable_schema = ON",
                "UPDATE sqlite_master SET sql = replace(sql, 'amount > 0', 'amount > -1')",
            ],
            "postgresql": ["ALTER TABLE lines DROP CONSTRAINT ck_lines_positive"],
        },
        "positive",
    ),
    "a changed view": (
        {
            kind: ["DROP VIEW v_lines", "CREATE VIEW v_lines AS SELECT 1 AS id"]
            for kind in ("sqlite", "postgresql")
        },
        "view v_lines",
    ),
    "a missing trigger": (
        {
            "sqlite": ["DROP TRIGGER lines_touch"],
            "postgresql": ["DROP TRIGGER lines_touch ON lines"],
        },
        "lines_touch is missing",
    ),
    "a trigger switched off": (
        {
            "sqlite": ["DROP TRIGGER lines_touch"],
            "postgresql": ["ALTER TABLE lines DISABLE TRIGGER lines_touch"],
        },
        "lines_touch",
    ),
    "a column of another kind": (
        {
            "sqlite": ["ALTER TABLE pages ADD COLUMN extra TEXT"],
            "postgresql": ["ALTER TABLE pages ALTER COLUMN name DROP NOT NULL"],
        },
        "column pages",
    ),
    "a stranger": (
        {kind: ["CREATE TABLE stranger (id INTEGER)"] for kind in ("sqlite", "postgresql")},
        "table stranger is not in the code",
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_a_planted_difference_is_found_and_named(empty_database: Database, planted: str) -> None:
    moves = migrator(empty_database.url)
    moves.upgrade()
    statements, name = PLANTED[planted]
    with moves.database.opened() as core:
        lay(core, statements[empty_database.kind])
    assert any(name in found for found in moves.differences()), moves.differences()
