"""The drill: it brings every store's newest backup back, unseen, and names what is wrong."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bahi.db.migrate import Migrator
from bahi.db.opening import Database
from bahi.db.upkeep.backup import Backup, Backups
from bahi.db.upkeep.drill import Check, Verdict, drill
from bahi.db.upkeep.facts import Facts, digest_of
from bahi.kernel.clock import StoppedClock
from bahi.migrations import history
from tests import databases
from tests.db.ledger import SCHEMA, create
from tests.db.upkeep.test_backup import flip, full_load
from tests.migrations.houses import HISTORY, house


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(datetime(2026, 11, 20, 3, 45, tzinfo=UTC))


@pytest.fixture
def backups(tmp_path: Path, clock: StoppedClock) -> Backups:
    return Backups(tmp_path / "backups", clock)


@pytest.fixture
def pages(empty_database: databases.Database) -> Database:
    """The small house of the migrations' tests, at its head."""
    database = Database("main", empty_database.url, house())
    Migrator(database, HISTORY).upgrade()
    with database.opened() as core:
        core.exec_driver_sql(
            "INSERT INTO pages VALUES (1, 'cash'), (2, 'a %s \\ of \t odd; words')"
        )
        core.exec_driver_sql("INSERT INTO lines VALUES (7, 1, 5, 0)")
    return database


def drilled(database: Database, backups: Backups, *checks: Check) -> Verdict:
    (verdict,) = drill([database], lambda _: HISTORY, backups, {"main": checks})
    return verdict


def test_a_good_backup_is_called_good(pages: Database, backups: Backups) -> None:
    backup = backups.take(pages)
    verdict = drilled(pages, backups)
    assert verdict.is_good, verdict
    assert str(verdict) == f"main: {backup.file.name} is good ({verdict.rows} rows)"


def test_the_drill_leaves_no_trace(pages: Database, backups: Backups) -> None:
    backups.take(pages)
    with pages.opened() as core:
        core.exec_driver_sql("INSERT INTO pages VALUES (3, 'written since')")
    files = set(backups.folder.iterdir())
    schemas = places(pages)
    assert drilled(pages, backups).is_good
    assert set(backups.folder.iterdir()) == files
    assert places(pages) == schemas
    with pages.opened() as core:
        assert core.exec_driver_sql("SELECT count(*) FROM pages").scalar_one() == 3


def places(database: Database) -> list[str]:
    with database.opened() as core:
        return sa.inspect(core).get_schema_names()


@pytest.mark.torture
def test_writers_never_notice_a_drill(empty_database: databases.Database, backups: Backups) -> None:
    create(empty_database.url)
    ledger = Database("main", empty_database.url, SCHEMA)
    with full_load(ledger.url):
        backups.take(ledger)
        (verdict,) = drill([ledger], lambda _: HISTORY, backups, {})
    assert verdict.is_good, verdict


@pytest.mark.parametrize("place", ["start", "middle", "end"])
def test_a_flipped_bit_is_named_by_store_and_file(
    pages: Database, backups: Backups, place: str
) -> None:
    backup = backups.take(pages)
    for file in (backup.file, backup.facts_file):
        whole = file.read_bytes()
        flip(file, {"start": 3, "middle": len(whole) // 2, "end": len(whole) - 2}[place])
        verdict = drilled(pages, backups)
        assert not verdict.is_good
        assert str(verdict).startswith(f"main: {backup.file.name} is not good: ")
        assert file.name in verdict.faults[0]
        file.write_bytes(whole)
    assert drilled(pages, backups).is_good


def test_a_truncated_backup_is_named_by_store_and_file(pages: Database, backups: Backups) -> None:
    backup = backups.take(pages)
    for file in (backup.file, backup.facts_file):
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        assert str(drilled(pages, backups)).startswith(f"main: {backup.file.name} is not good: ")
        file.write_bytes(whole)


def test_damage_under_a_right_checksum_is_found_all_the_same(
    pages: Database, backups: Backups
) -> None:
    """Somebody may have written facts for a file that was broken before."""
    backup = backups.take(pages)
    content = backup.file.read_bytes()
    backup.file.write_bytes(content[: len(content) * 2 // 3])
    write_facts_anew(backup)
    assert not drilled(pages, backups).is_good


def write_facts_anew(backup: Backup) -> None:
    facts = Facts.read(backup.facts_file)
    size = backup.file.stat().st_size
    anew = replace(facts, size=size, digest=digest_of(backup.file))
    backup.facts_file.write_text(anew.text())


def test_rows_that_are_not_there_are_counted(pages: Database, backups: Backups) -> None:
    backup = backups.take(pages)
    facts = Facts.read(backup.facts_file)
    wrong = replace(facts, rows=facts.rows | {"pages": 5})
    backup.facts_file.write_text(wrong.text())
    assert drilled(pages, backups).faults == ("pages has 2 rows and had 5",)


def test_a_schema_that_is_not_the_codes_is_named(pages: Database, backups: Backups) -> None:
    with pages.opened() as core:
        core.exec_driver_sql("DROP VIEW v_lines")
    backups.take(pages)
    assert drilled(pages, backups).faults == ("view v_lines is missing",)


def test_an_older_version_is_not_compared_with_the_code(
    empty_database: databases.Database, backups: Backups
) -> None:
    database = Database("main", empty_database.url, house())
    Migrator(database, HISTORY).upgrade(to=1)
    backups.take(database)
    assert drilled(database, backups).is_good


def test_what_the_contexts_find_is_told(pages: Database, backups: Backups) -> None:
    def poor(core: sa.Connection) -> list[str]:
        total = core.exec_driver_sql("SELECT sum(amount) FROM lines").scalar_one()
        return [] if total > 100 else [f"only {total} in the book"]

    def broken(core: sa.Connection) -> list[str]:
        core.exec_driver_sql("SELECT * FROM nothing_of_the_kind")
        return []

    def content(core: sa.Connection) -> list[str]:
        return [] if core.exec_driver_sql("SELECT count(*) FROM pages").scalar_one() == 2 else ["?"]

    backups.take(pages)
    faults = drilled(pages, backups, poor, broken, content).faults
    assert faults[0] == "only 5 in the book"
    assert "nothing_of_the_kind" in faults[1]
    assert len(faults) == 2


def test_a_store_without_a_backup_fails(pages: Database, backups: Backups) -> None:
    verdict = drilled(pages, backups)
    assert not verdict.is_good
    assert str(verdict) == "main: there is no backup of it"


def test_the_newest_backup_is_the_one_that_counts(
    pages: Database, backups: Backups, clock: StoppedClock
) -> None:
    old = backups.take(pages)
    clock.advance(timedelta(hours=1))
    new = backups.take(pages)
    flip(old.file, 100)
    assert drilled(pages, backups).file == new.file.name
    assert drilled(pages, backups).is_good


def test_every_store_of_the_house_passes_its_drill(
    empty_database: databases.Database, backups: Backups
) -> None:
    stores = [house_store(empty_database, name) for name in ("main", "sandbox", "logs")]
    for database in stores:
        Migrator(database, history(database.store)).upgrade()
        backups.take(database)
    shutil.copy(backups.of("logs")[0].file, backups.folder / "a stranger")
    verdicts = drill(stores, history, backups, {})
    assert [(v.store, v.faults) for v in verdicts] == [("main", ()), ("sandbox", ()), ("logs", ())]


def house_store(database: databases.Database, store: str) -> Database:
    if database.kind == "postgresql":
        return Database(store, database.url)
    return Database(store, f"sqlite:///{database.path.with_name(f'{store}.sqlite')}")
