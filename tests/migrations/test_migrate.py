"""The runner of migrations: whole steps, one at a time, and a schema that is what the code says."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from bahi.db.migrate import History, SchemaDiffers, SchemaNewer, StepFailed
from bahi.db.opening import lay, transaction
from tests.databases import Database
from tests.migrations.houses import HISTORY, altered, migrator

INJECTED = """
_upgrade = upgrade


def upgrade() -> None:
    _upgrade()
    raise RuntimeError("injected")
"""


def broken_at(step: str, folder: Path) -> History:
    """Copy the history with an error at the very end of one step."""
    return altered(step, INJECTED, folder)


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
    for _ in range(2):
        with pytest.raises(SchemaDiffers, match=r"lines.*positive is missing.* as it was before"):
            migrator(empty_database.url, astray).upgrade()
        assert migrator(empty_database.url).version() == 0


def then(statement: str, afterwards: str = "") -> str:
    """Let a step do its work, then a statement, then something more."""
    return f"""
_upgrade = upgrade


def upgrade() -> None:
    _upgrade()
    op.get_bind().exec_driver_sql({statement!r})
    {afterwards}
"""


@pytest.mark.parametrize(
    "ending",
    [
        then("COMMIT"),
        then("COMMIT", "raise RuntimeError('injected')"),
        then("COMMIT", "op.get_bind().exec_driver_sql('BEGIN')"),
        then("ROLLBACK"),
    ],
    ids=["commits", "commits and fails", "commits and begins another", "rolls back"],
)
def test_a_step_that_ends_its_own_transaction_is_not_said_to_have_left_nothing(
    empty_database: Database, tmp_path: Path, ending: str
) -> None:
    with pytest.raises(StepFailed, match="look at the store by hand") as failed:
        migrator(empty_database.url, altered("0002", ending, tmp_path)).upgrade()
    assert "as it was" not in str(failed.value)
    assert ("injected" if "injected" in ending else "ended its own") in str(failed.value)


def test_what_ended_the_transaction_is_told_and_not_that_nothing_could_be_rolled_back(
    empty_database: Database,
) -> None:
    moves = migrator(empty_database.url)

    def write(core: sa.Connection) -> None:
        with transaction(core):
            core.exec_driver_sql("ROLLBACK")
            raise RuntimeError("the disk is full")

    with moves.database.opened() as core, pytest.raises(RuntimeError, match="the disk is full"):
        write(core)


def test_a_commit_that_is_refused_leaves_no_transaction_behind(empty_database: Database) -> None:
    moves = migrator(empty_database.url)
    moves.upgrade()
    with moves.database.opened() as core:
        with pytest.raises(sa.exc.IntegrityError), transaction(core):
            lay(core, ["INSERT INTO permits VALUES (1, 0, 'nobody gives it back')"])
        with transaction(core):
            assert core.exec_driver_sql("SELECT count(*) FROM permits").scalar_one() == 0


def test_a_step_whose_connection_is_lost_never_happened(postgres_url: str, tmp_path: Path) -> None:
    lost = then("SELECT pg_terminate_backend(pg_backend_pid())")
    with pytest.raises(StepFailed, match="as it was before the step"):
        migrator(postgres_url, altered("0001", lost, tmp_path)).upgrade()
    assert [step.version for step in migrator(postgres_url).upgrade()] == [1, 2]


CUTS_ITSELF_AT_COMMIT = """
    CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER cut AFTER INSERT ON pages
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cut();
    INSERT INTO pages VALUES (1, 'cash')
"""


def test_a_connection_lost_in_commit_leaves_the_step_in_doubt(
    postgres_url: str, tmp_path: Path
) -> None:
    cut = altered("0001", then(CUTS_ITSELF_AT_COMMIT), tmp_path)
    with pytest.raises(StepFailed, match="`bahi db status` says whether it did"):
        migrator(postgres_url, cut).upgrade(to=1)


@pytest.mark.parametrize(
    ("forgotten", "said"),
    [
        (2, "schema_migrations says version 0001, and alembic_version says 0002"),
        (1, "schema_migrations has no record of step 0001, and a later one was taken"),
    ],
)
def test_records_that_contradict_each_other_are_refused_and_nothing_is_done(
    empty_database: Database, forgotten: int, said: str
) -> None:
    moves = migrator(empty_database.url)
    moves.upgrade()
    with moves.database.opened() as core:
        lay(core, [f"DELETE FROM schema_migrations WHERE version = {forgotten}"])
    for move in (moves.upgrade, lambda: moves.downgrade(0), moves.missing):
        with pytest.raises(SchemaDiffers, match=f"cannot be migrated: {said}"):
            move()
    assert moves.differences() == [said]


def test_what_is_missing_can_be_asked(empty_database: Database) -> None:
    moves = migrator(empty_database.url)
    assert [step.version for step in moves.missing()] == [1, 2]
    moves.upgrade(to=1)
    assert [step.version for step in moves.missing()] == [2]


def test_a_migrator_shows_no_url() -> None:
    shown = repr(migrator("postgresql://someone:secret@nowhere/main"))
    assert shown == "Migrator('main')"
