"""Sizes, slow statements and upkeep: on stores that are in use."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import pytest

from bahi.db.opening import Database
from bahi.db.running import NAMES_AT_MOST, THE_REST, Watch
from bahi.db.turnstile import lock_beside
from bahi.db.tx import Tx
from bahi.db.upkeep.facts import Damaged
from bahi.db.upkeep.locks import held
from bahi.db.upkeep.maintain import MARKS_KEPT_US, maintain
from bahi.db.upkeep.sizes import sizes
from bahi.db.upkeep.slow import Slow, slowest
from bahi.db.upkeep.statistics import StatisticsFiles, folder_of, read_statistics
from bahi.kernel.errors import Conflict, NotFound
from tests import databases
from tests.clusters import Cluster
from tests.db.ledger import SCHEMA, create, enter, open_store
from tests.db.upkeep.test_backup import full_load, look, write


@pytest.fixture
def ledger(empty_database: databases.Database) -> Database:
    create(empty_database.url)
    write(empty_database.url, *(f"note {n}" for n in range(20)))
    return Database("main", empty_database.url, SCHEMA)


# Sizes


def test_tables_are_listed_by_size_with_their_rows(ledger: Database) -> None:
    found = sizes(ledger)
    rows = {table.table: table.rows for table in found.tables}
    assert (rows["entries"], rows["books"], rows["promises"]) == (20, 4, 0)
    known = [table.size for table in found.tables if table.size is not None]
    assert known == sorted(known, reverse=True)
    assert found.size >= sum(known) > 0


def test_a_store_that_is_not_there_is_named(tmp_path: Path) -> None:
    nowhere = Database("main", f"sqlite:///{tmp_path / 'nowhere.sqlite'}", SCHEMA)
    for ask in (sizes, maintain):
        with pytest.raises(NotFound, match="There is no main store"):
            ask(nowhere)
    assert not nowhere.path.exists()  # type: ignore[union-attr]


# Slow


def dawdle(tx: Tx) -> None:
    until = time.perf_counter() + 0.05
    while time.perf_counter() < until:
        pass


async def work(url: str, home: Path) -> None:
    stores, store = open_store(url)
    files = StatisticsFiles(home, every_s=0.01)
    files.start()
    try:
        await asyncio.gather(*(store.write(enter, f"s{n}", account=n) for n in range(10)))
        await store.write(dawdle)
    finally:
        await stores.close()
        files.close()


def work_in_a_process(url: str, home: Path) -> None:
    asyncio.run(work(url, home))


def test_the_store_tells_another_process_what_took_long(ledger: Database, tmp_path: Path) -> None:
    """In a process of its own: what a process tells is all that it ever did."""
    working = get_context("spawn").Process(target=work_in_a_process, args=(ledger.url, tmp_path))
    working.start()
    working.join(60)
    assert working.exitcode == 0
    (file,) = folder_of(tmp_path).glob("main-*.json")
    told = json.loads(file.read_text())  # what any other process would read
    assert told["enter"][0] >= 10
    found = slowest(ledger, tmp_path)
    assert found.source == "store"
    by_name = {it.what: it for it in found.statements}
    assert by_name["dawdle"].worst_us >= 50_000
    assert by_name["enter"].calls >= 10
    assert [it.mean_us for it in found.statements] == sorted(
        (it.mean_us for it in found.statements), reverse=True
    )


def test_what_several_processes_told_is_added_up(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.mkdir()
    (folder / "main-1.json").write_text('{"enter": [2, 30, 20]}')
    (folder / "main-2.json").write_text('{"enter": [1, 60, 60], "leave": [1, 1, 1]}')
    (folder / "main-3.json").write_text('{"ent')
    (folder / "logs-1.json").write_text('{"enter": [9, 9, 9]}')
    assert read_statistics(tmp_path, "main") == {"enter": [3, 90, 60], "leave": [1, 1, 1]}
    logs = Database("logs", f"sqlite:///{tmp_path / 'logs.sqlite'}")
    assert slowest(logs, tmp_path).statements == [Slow("enter", 9, 1, 9)]


def test_a_new_run_forgets_the_processes_that_are_gone(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    folder.mkdir()
    gone = folder / f"main-{2**22 + 1}.json"  # no process has a number so high
    gone.write_text('{"enter": [2, 30, 20]}')
    files = StatisticsFiles(tmp_path)
    files.start()
    files.close()
    assert not gone.exists()


def test_no_number_of_names_makes_the_statistic_grow_for_ever() -> None:
    watch = Watch("nowhere")
    for n in range(2 * NAMES_AT_MOST):
        watch._note(f"function {n}", 1)
    assert len(watch.spent) == NAMES_AT_MOST + 1
    assert watch.spent[THE_REST] == [NAMES_AT_MOST, NAMES_AT_MOST, 1]


def test_the_server_is_asked_where_it_counts(
    make_cluster: Callable[..., Cluster], postgres: databases.Postgres, tmp_path: Path
) -> None:
    if not any(postgres.needed_binaries.folder.parent.glob("**/pg_stat_statements.so")):
        pytest.skip("this PostgreSQL has no pg_stat_statements")
    cluster = make_cluster(settings={"shared_preload_libraries": "pg_stat_statements"})
    url = cluster.create_database("counted")
    create(url)
    database = Database("main", url, SCHEMA)
    assert slowest(database, tmp_path).source == "store"
    cluster.psql("CREATE EXTENSION pg_stat_statements", "counted")
    cluster.psql("CREATE ROLE somebody PASSWORD 'hunter2'", "counted")
    with database.opened() as core:
        core.exec_driver_sql("SELECT pg_sleep(0.05), 'hunter2'")
    found = slowest(database, tmp_path)
    assert found.source == "server"
    assert found.statements[0].what == "SELECT pg_sleep($1), $2"
    assert found.statements[0].worst_us >= 50_000
    assert "hunter2" not in str(found)
    assert len(found.statements) <= 10


# Upkeep


def test_upkeep_leaves_every_row_and_tells_each_step(ledger: Database) -> None:
    before = look(ledger.url)
    told: list[str] = []
    maintain(ledger, told.append)
    assert look(ledger.url) == before
    assert len(told) >= 5
    assert all(line.startswith("main: ") for line in told)


def test_room_goes_back_to_the_disk(sqlite_url: str) -> None:
    create(sqlite_url)
    database = Database("main", sqlite_url, SCHEMA)
    assert database.path is not None
    with database.opened() as core:
        core.exec_driver_sql("CREATE TABLE ballast (content TEXT) STRICT")
        core.exec_driver_sql("INSERT INTO ballast SELECT hex(randomblob(1000000))")
        core.exec_driver_sql("DROP TABLE ballast")
    large = sizes(database).size
    maintain(database)
    assert sizes(database).size < large / 10
    wal = database.path.with_name(f"{database.path.name}-wal")
    assert not wal.exists() or wal.stat().st_size == 0


def test_marks_of_threads_long_gone_are_dropped(ledger: Database) -> None:
    now = time.time_ns() // 1000
    with ledger.opened() as core:
        core.exec_driver_sql(
            "INSERT INTO write_marks (writer, unit, marked_at) VALUES"
            f" (1, 1, {now - MARKS_KEPT_US - 60_000_000}), (2, 1, {now})"
        )
    maintain(ledger)
    with ledger.opened() as core:
        left = set(core.exec_driver_sql("SELECT writer FROM write_marks").scalars())
    assert {1, 2} & left == {2}


@pytest.mark.torture
def test_writers_keep_writing_through_upkeep(ledger: Database) -> None:
    with full_load(ledger.url) as acknowledged:
        before = len(acknowledged)
        maintain(ledger)
    assert len(acknowledged) > before
    found, (said, summed) = look(ledger.url)
    assert said == summed
    assert {f"{note}/debit" for note in acknowledged} <= found


def test_who_gets_no_turn_says_so(sqlite_url: str) -> None:
    create(sqlite_url)
    database = Database("main", sqlite_url, SCHEMA)
    assert database.path is not None
    with (
        held(lock_beside(database.path, "turn"), "busy"),
        pytest.raises(Conflict, match="held by somebody else's work and gave no turn"),
    ):
        maintain(database, turn_within_s=0.05)
    maintain(database, turn_within_s=0.05)


def test_what_an_upkeep_left_half_built_the_next_one_drops(
    postgres_url: str,
) -> None:
    create(postgres_url)
    database = Database("main", postgres_url, SCHEMA)
    with database.opened() as other:
        other.exec_driver_sql("BEGIN")
        other.exec_driver_sql("UPDATE books SET balance = 0")
        with pytest.raises(Conflict, match="gave no turn"):
            maintain(database, turn_within_s=0.2)
        other.exec_driver_sql("ROLLBACK")
    maintain(database)
    half_built = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
    with database.opened() as core:
        assert core.exec_driver_sql(half_built).scalar_one() == 0


def test_a_damaged_store_is_named_before_anything_is_rebuilt(sqlite_url: str) -> None:
    create(sqlite_url)
    database = Database("main", sqlite_url, SCHEMA)
    assert database.path is not None
    with closing(sqlite3.connect(database.path)) as driver:
        driver.execute("PRAGMA foreign_keys = OFF")
        driver.execute("INSERT INTO entries VALUES (1, 999, 5, 'of no page')")
        driver.commit()
    with pytest.raises(Damaged, match=r"row 1 of entries points to a row of books"):
        maintain(database)
