"""Backups: taken under full load and whole, kept by number and age, and brought back unharmed."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from bahi.db.migrate import History, SchemaNewer
from bahi.db.opening import Database
from bahi.db.upkeep.backup import Backup, Backups, Keep
from bahi.db.upkeep.facts import Damaged
from bahi.db.upkeep.locks import held
from bahi.db.upkeep.programs import find_programs
from bahi.db.upkeep.restore import restore
from bahi.kernel.clock import StoppedClock
from bahi.kernel.errors import Conflict, Invalid, Misconfigured, NotFound
from tests import databases
from tests.db.ledger import SCHEMA, balances, create, enter, entries, notes, open_store
from tests.db.worker import Worker, whole_units

MORNING = datetime(2026, 11, 20, 3, 45, tzinfo=UTC)  # 09:15:00 in India
NO_STEPS = History(Path(__file__).parent / "no_steps")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock(MORNING)


@pytest.fixture
def backups(tmp_path: Path, clock: StoppedClock) -> Backups:
    return Backups(tmp_path / "backups", clock)


@pytest.fixture
def ledger(empty_database: databases.Database) -> Database:
    create(empty_database.url)
    write(empty_database.url, "first", "second")
    return Database("main", empty_database.url, SCHEMA)


def write(url: str, *names: str) -> None:
    async def all_of_them() -> None:
        stores, store = open_store(url, start=int.from_bytes(os.urandom(5)) << 20)
        try:
            for name in names:
                await store.write(enter, name)
        finally:
            await stores.close()

    asyncio.run(all_of_them())


def look(url: str) -> tuple[set[str], tuple[list[int], list[int]]]:
    async def ask() -> tuple[set[str], tuple[list[int], list[int]]]:
        stores, store = open_store(url)
        try:
            return await store.read(notes), await store.read(balances)
        finally:
            await stores.close()

    return asyncio.run(ask())


@contextmanager
def full_load(url: str, processes: int = 2) -> Iterator[list[str]]:
    """Write from several processes, from before the first line in here until after the last."""
    workers = [Worker() for _ in range(processes)]
    acknowledged: list[str] = []
    for n, worker in enumerate(workers):
        worker.__enter__()
        worker.go(url, 16, f"w{n}")
    lines = [worker.lines() for worker in workers]
    for each in lines:
        acknowledged += [note for _, (_, note) in zip(range(32), each, strict=False)]
    try:
        yield acknowledged
    finally:
        for worker, each in zip(workers, lines, strict=True):
            worker.kill()
            acknowledged += [note for word, note in each if word == "ack"]
            worker.__exit__(None, None, None)


@pytest.mark.torture
def test_a_backup_under_full_load_comes_back_consistent(
    ledger: Database,
    backups: Backups,
    clock: StoppedClock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bahi.db.upkeep.copies.PAGES", 4)  # hundreds of steps
    write(
        ledger.url,
        *(f"{n}/{half}" + "x" * 4000 for n in range(500) for half in ("debit", "credit")),
    )
    steps: list[str] = []
    with full_load(ledger.url) as acknowledged:
        before = set(acknowledged)
        backup = backups.take(ledger, steps.append)
    after = set(acknowledged) - before
    assert len(after) > 0, "nobody wrote meanwhile"
    restore(backup, ledger, NO_STEPS, tmp_path, clock, force=True)
    found, (said, summed) = look(ledger.url)
    assert said == summed
    assert before <= whole_units(found - {"first", "second"})
    assert steps
    assert backup.verify().rows["entries"] == len(found)


def test_a_backup_bears_the_desks_time_and_is_the_owners_alone(
    ledger: Database, backups: Backups
) -> None:
    backup = backups.take(ledger)
    extension = "sqlite" if ledger.path else "pgdump"
    assert backup.file.name == f"main_20261120-091500.{extension}"
    assert stat.S_IMODE(backups.folder.stat().st_mode) == 0o700
    for file in backups.folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    facts = backup.verify()
    assert (facts.store, facts.version, facts.rows["entries"]) == ("main", 0, 2)
    assert {file.name for file in backups.folder.iterdir()} == {
        ".lock",
        backup.file.name,
        backup.facts_file.name,
    }


def test_two_backups_in_one_second_have_names_of_their_own(
    sqlite_url: str, backups: Backups
) -> None:
    create(sqlite_url)
    database = Database("main", sqlite_url, SCHEMA)
    names = [backups.take(database).stamp for _ in range(3)]
    assert names == ["20261120-091500", "20261120-091501", "20261120-091502"]
    assert [backup.stamp for backup in backups.of("main")] == names[::-1]


def test_two_at_once_do_not_get_in_each_others_way(sqlite_url: str, backups: Backups) -> None:
    create(sqlite_url)
    backups.folder.mkdir()
    with (
        held(backups.folder / ".lock", "busy"),
        pytest.raises(Conflict, match=r"Another backup into .* is under way"),
    ):
        backups.take(Database("main", sqlite_url, SCHEMA))


def test_what_a_cut_off_backup_left_is_cleared_away(sqlite_url: str, backups: Backups) -> None:
    create(sqlite_url)
    backups.folder.mkdir()
    (backups.folder / ".main_20261119-091500.sqlite.unfinished").touch()
    backups.take(Database("main", sqlite_url, SCHEMA))
    assert not list(backups.folder.glob("*.unfinished"))


def test_there_must_be_something_to_save(
    empty_database: databases.Database, backups: Backups, tmp_path: Path
) -> None:
    with pytest.raises(NotFound, match="The main store has no tables yet"):
        backups.take(Database("main", empty_database.url, SCHEMA))
    nowhere = Database("main", f"sqlite:///{tmp_path / 'nowhere.sqlite'}", SCHEMA)
    with pytest.raises(NotFound, match=r"There is no main store at .*nowhere.sqlite"):
        backups.take(nowhere)
    assert not (tmp_path / "nowhere.sqlite").exists()
    assert backups.of("main") == []


# Retention


@pytest.fixture
def small(sqlite_url: str) -> Database:
    create(sqlite_url)
    return Database("main", sqlite_url, SCHEMA)


def kept(small: Database, folder: Path, clock: StoppedClock, keep: Keep, days: int) -> list[Backup]:
    backups = Backups(folder, clock, keep)
    for _ in range(days):
        backups.take(small)
        clock.advance(timedelta(days=1))
    return backups.of("main")


def test_the_oldest_go_beyond_the_number(
    small: Database, tmp_path: Path, clock: StoppedClock
) -> None:
    left = kept(small, tmp_path / "b", clock, Keep(count=3, days=100), 5)
    assert [backup.stamp[:8] for backup in left] == ["20261124", "20261123", "20261122"]
    assert len(list((tmp_path / "b").glob("main_*"))) == 6  # their facts went with the others


def test_the_oldest_go_beyond_the_age(small: Database, tmp_path: Path, clock: StoppedClock) -> None:
    left = kept(small, tmp_path / "b", clock, Keep(count=100, days=2), 5)
    assert [backup.stamp[:8] for backup in left] == ["20261124", "20261123", "20261122"]


def test_the_newest_good_one_stays_however_old(
    small: Database, tmp_path: Path, clock: StoppedClock
) -> None:
    newest, good, old = kept(small, tmp_path / "b", clock, Keep(count=100, days=100), 3)
    flip(newest.file, 5000)
    clock.advance(timedelta(days=1000))
    gone = Backups(tmp_path / "b", clock, Keep(count=1, days=1)).prune("main")
    assert {b.stamp for b in gone} == {newest.stamp, old.stamp}
    assert good.is_good()


# Damage


def flip(file: Path, position: int) -> None:
    content = bytearray(file.read_bytes())
    content[position] ^= 0x10
    file.write_bytes(content)


def test_a_flipped_bit_anywhere_is_found(ledger: Database, backups: Backups) -> None:
    backup = backups.take(ledger)
    for file in (backup.file, backup.facts_file):
        whole = file.read_bytes()
        for position in {
            0,
            1,
            17,
            len(whole) // 3,
            len(whole) // 2,
            len(whole) - 2,
            len(whole) - 1,
        }:
            flip(file, position)
            with pytest.raises(Damaged, match=file.name):
                backup.verify()
            file.write_bytes(whole)
    backup.verify()


def test_a_truncated_a_longer_and_a_missing_part_are_found(
    ledger: Database, backups: Backups
) -> None:
    backup = backups.take(ledger)
    for file in (backup.file, backup.facts_file):
        whole = file.read_bytes()
        for wrong in (whole[:-1], whole[: len(whole) // 2], b"", whole + b"\n"):
            file.write_bytes(wrong)
            assert not backup.is_good()
        file.write_bytes(whole)
    backup.facts_file.unlink()
    with pytest.raises(Damaged, match="facts is missing"):
        backup.verify()


def test_a_renamed_backup_is_not_taken_for_another_stores(
    small: Database, backups: Backups
) -> None:
    backup = backups.take(small)
    other = Backup(backup.file.rename(backups.folder / "logs_20261120-091500.sqlite"))
    backup.facts_file.rename(other.facts_file)
    with pytest.raises(Damaged, match=r"logs_20261120-091500.sqlite holds the main store"):
        other.verify()


# Restoring


def test_a_store_with_rows_is_not_overwritten_unless_it_must_be(
    ledger: Database, backups: Backups, clock: StoppedClock, tmp_path: Path
) -> None:
    backup = backups.take(ledger)
    write(ledger.url, "third")
    with pytest.raises(Conflict, match=r"The main store is not empty \(\d+ rows\); --force"):
        restore(backup, ledger, NO_STEPS, tmp_path, clock)
    assert look(ledger.url)[0] == {"first", "second", "third"}
    assert restore(backup, ledger, NO_STEPS, tmp_path, clock, force=True) is not None
    assert look(ledger.url)[0] == {"first", "second"}
    write(ledger.url, "fourth")  # it is a working store
    with ledger.opened() as core, pytest.raises(sa.exc.DBAPIError, match="append-only"):
        core.execute(sa.delete(entries))


def test_what_is_replaced_is_kept_under_another_name(
    ledger: Database, backups: Backups, clock: StoppedClock, tmp_path: Path
) -> None:
    backup = backups.take(ledger)
    write(ledger.url, "third")
    name = restore(backup, ledger, NO_STEPS, tmp_path, clock, force=True)
    assert name is not None
    if ledger.path:
        assert name == "main_replaced_20261120-091500.sqlite"
        assert look(f"sqlite:///{ledger.path.with_name(name)}")[0] == {"first", "second", "third"}
        return
    with ledger.opened() as core:
        rows = core.exec_driver_sql(f'SELECT note FROM "{name}".entries').scalars()
        assert set(rows) == {"first", "second", "third"}


def test_a_lost_store_comes_back(
    ledger: Database, backups: Backups, clock: StoppedClock, tmp_path: Path
) -> None:
    backup = backups.take(ledger)
    if ledger.path:
        ledger.path.unlink()
    else:
        with ledger.opened() as core:
            core.exec_driver_sql("DROP SCHEMA main CASCADE")
    assert restore(backup, ledger, NO_STEPS, tmp_path, clock) is None
    assert look(ledger.url) == ({"first", "second"}, ([2, 0, 0, 0], [2, 0, 0, 0]))
    if ledger.path:
        assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600


def test_a_damaged_backup_touches_nothing(
    ledger: Database, backups: Backups, clock: StoppedClock, tmp_path: Path
) -> None:
    backup = backups.take(ledger)
    write(ledger.url, "third")
    flip(backup.file, backup.file.stat().st_size // 2)
    files = set(tmp_path.iterdir())
    with pytest.raises(Damaged, match=backup.file.name):
        restore(backup, ledger, NO_STEPS, tmp_path, clock, force=True)
    assert look(ledger.url)[0] == {"first", "second", "third"}
    assert {f for f in tmp_path.iterdir() if "restoring" in f.name or "replaced" in f.name} == set()
    assert files <= set(tmp_path.iterdir())


def test_nothing_is_restored_under_a_running_service(
    ledger: Database, backups: Backups, clock: StoppedClock, tmp_path: Path
) -> None:
    backup = backups.take(ledger)
    with (tmp_path / "service.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Conflict, match="Bahi is running on this data folder"):
            restore(backup, ledger, NO_STEPS, tmp_path, clock, force=True)


def test_no_file_is_pulled_from_under_another_process(
    small: Database, backups: Backups, clock: StoppedClock, tmp_path: Path
) -> None:
    backup = backups.take(small)
    assert small.path is not None
    with small.opened() as other:
        other.exec_driver_sql("SELECT count(*) FROM books").scalar_one()
        with pytest.raises(Conflict, match=r"Another process has .*sqlite open"):
            restore(backup, small, NO_STEPS, tmp_path, clock, force=True)


def test_a_store_damaged_beyond_reading_is_replaced_by_force_and_its_files_kept(
    small: Database, backups: Backups, clock: StoppedClock, tmp_path: Path
) -> None:
    backup = backups.take(small)
    assert small.path is not None
    small.path.write_bytes(b"not a database at all" * 1000)
    wal = small.path.with_name(f"{small.path.name}-wal")
    wal.write_bytes(b"a log of other days")
    with pytest.raises(Conflict, match="cannot be read; --force"):
        restore(backup, small, NO_STEPS, tmp_path, clock)
    name = restore(backup, small, NO_STEPS, tmp_path, clock, force=True)
    assert name is not None
    assert small.path.with_name(name).read_bytes().startswith(b"not a database")
    assert small.path.with_name(f"{name}-wal").read_bytes() == b"a log of other days"
    assert look(small.url)[1] == ([0] * 4, [0] * 4)


@pytest.mark.torture
def test_a_writer_on_another_machine_is_before_a_restore_or_after_it_and_never_lost(
    postgres_url: str, backups: Backups, clock: StoppedClock, tmp_path: Path
) -> None:
    create(postgres_url)
    database = Database("main", postgres_url, SCHEMA)
    backup = backups.take(database)
    with full_load(postgres_url) as acknowledged:
        name = restore(backup, database, NO_STEPS, tmp_path, clock, force=True)
    with database.opened() as core:
        before = set(core.exec_driver_sql(f'SELECT note FROM "{name}".entries').scalars())
    after, (said, summed) = look(postgres_url)
    assert said == summed
    assert set(acknowledged) <= whole_units(before) | whole_units(after)


def test_a_backup_goes_back_only_to_where_it_came_from(
    small: Database, backups: Backups, clock: StoppedClock, tmp_path: Path
) -> None:
    backup = backups.take(small)
    logs = Database("logs", f"sqlite:///{tmp_path / 'logs.sqlite'}", SCHEMA)
    with pytest.raises(Invalid, match="is a backup of main on sqlite; it cannot become logs"):
        restore(backup, logs, NO_STEPS, tmp_path, clock)


def test_a_backup_from_the_future_is_refused(
    small: Database, backups: Backups, clock: StoppedClock, tmp_path: Path
) -> None:
    with small.opened() as core:
        core.exec_driver_sql("INSERT INTO schema_migrations VALUES (7, 'later', 'x', 0)")
    backup = backups.take(small)
    with pytest.raises(SchemaNewer, match="is of version 7, and this Bahi knows versions up to 0"):
        restore(backup, small, NO_STEPS, tmp_path, clock, force=True)


def test_a_copy_is_taken_while_another_connection_holds_the_write_lock(
    small: Database, backups: Backups
) -> None:
    assert small.path is not None
    with closing(sqlite3.connect(small.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("UPDATE books SET balance = 5")
        backup = backups.take(small)
        other.execute("COMMIT")
    with closing(sqlite3.connect(backup.file)) as copy:
        assert copy.execute("SELECT sum(balance) FROM books").fetchone() == (0,)


def test_a_copy_in_steps_does_not_begin_again_when_others_write_between_them(
    small: Database, backups: Backups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bahi.db.upkeep.copies.PAGES", 1)
    assert small.path is not None
    with closing(sqlite3.connect(small.path, isolation_level=None)) as other:
        told: list[str] = []

        def write_between(line: str) -> None:
            told.append(line)
            other.execute("UPDATE books SET balance = balance + 1")

        backup = backups.take(small, write_between)
    assert len(told) > 5
    with closing(sqlite3.connect(backup.file)) as copy:
        assert copy.execute("SELECT sum(balance) FROM books").fetchone() == (0,)


# PostgreSQL's programs


def test_a_pg_dump_older_than_the_server_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(
        Misconfigured, match="needs pg_dump and pg_restore 99 or newer, and the newest"
    ):
        find_programs(99)
    with pytest.raises(Misconfigured, match="there is none here: install Debian's"):
        find_programs(14, folders=[tmp_path])


def test_the_nearest_programs_are_taken(tmp_path: Path) -> None:
    for version in (13, 15, 18):
        folder = tmp_path / str(version)
        folder.mkdir()
        for name in ("pg_dump", "pg_restore"):
            (folder / name).write_text(f"#!/bin/sh\necho '{name} (PostgreSQL) {version}.1'\n")
            (folder / name).chmod(0o755)
    folders = sorted(tmp_path.iterdir())
    assert find_programs(14, folders).version == 15
    assert find_programs(16, folders).version == 18


def test_no_command_line_and_no_error_shows_the_password(
    postgres_url: str, backups: Backups, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spy in front of the real pg_dump writes down what any user could read of it."""
    create(postgres_url)
    url = postgres_url.replace("://bahi@", "://bahi:hunter2@")
    real = find_programs(14)
    spy = tmp_path / "spy"
    spy.mkdir()
    seen = tmp_path / "seen"
    (spy / "pg_dump").write_text(
        f'#!/bin/sh\necho "$@" >>{seen}\nexec {real.folder}/pg_dump "$@"\n'
    )
    (spy / "pg_restore").symlink_to(real.folder / "pg_restore")
    (spy / "pg_dump").chmod(0o755)
    monkeypatch.setattr("bahi.db.upkeep.programs._places", lambda: iter([spy]))
    assert backups.take(Database("main", url, SCHEMA)).is_good()
    assert "hunter2" not in seen.read_text()
    assert "--snapshot" in seen.read_text()


def test_the_service_lock_is_let_go_of_after_a_restore(
    small: Database, backups: Backups, clock: StoppedClock, tmp_path: Path
) -> None:
    restore(backups.take(small), small, NO_STEPS, tmp_path, clock, force=True)
    taken = subprocess.run(["flock", "-n", tmp_path / "service.lock", "true"], check=False)
    assert taken.returncode == 0
