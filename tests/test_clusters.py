"""The tests' own tools do what they say: only then do the proofs made with them prove anything."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.clusters import Cluster, run_sql
from tests.databases import Database, Postgres
from tests.disks import small_disk
from tests.ports import release_port, reserve_port
from tests.proxy import Proxy, When

MakeCluster = Callable[..., Cluster]


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[Proxy]:
    run_sql(postgres_url, "CREATE TABLE notes (id int PRIMARY KEY)")
    with Proxy(postgres_url) as proxy:
        yield proxy


def _notes(url: str) -> list[int]:
    return [row[0] for row in run_sql(url, "SELECT id FROM notes ORDER BY id")]


# Databases


def test_an_empty_database_is_empty_and_private(empty_database: Database) -> None:
    if empty_database.kind == "sqlite":
        with closing(sqlite3.connect(empty_database.path)) as connection:
            assert connection.execute("SELECT * FROM sqlite_schema").fetchall() == []
    else:
        count = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        assert run_sql(empty_database.url, count) == [(0,)]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_copy_of_a_template_has_its_rows_and_leaves_it_alone(
    kind: str, make_database: Callable[..., Database]
) -> None:
    template = make_database(kind)
    _run(template, "CREATE TABLE notes (id int)", "INSERT INTO notes VALUES (7)")
    copy = make_database(kind, template=template)
    assert _run(copy, "SELECT id FROM notes") == [(7,)]
    _run(copy, "DELETE FROM notes")
    assert _run(template, "SELECT id FROM notes") == [(7,)]


def _run(database: Database, *statements: str) -> list[tuple[int, ...]]:
    rows: list[tuple[int, ...]] = []
    for statement in statements:
        if database.kind == "sqlite":
            with closing(sqlite3.connect(database.path, isolation_level=None)) as connection:
                rows = connection.execute(statement).fetchall()
        else:
            rows = run_sql(database.url, statement)
    return rows


# Clusters


def test_a_killed_cluster_has_every_committed_row_when_it_is_started_again(
    make_cluster: MakeCluster,
) -> None:
    cluster = make_cluster()
    cluster.psql("CREATE TABLE notes (id int PRIMARY KEY)")
    with closing(psycopg.connect(cluster.url())) as open_transaction:
        for number in range(20):
            cluster.psql(f"INSERT INTO notes VALUES ({number})")
        open_transaction.execute("INSERT INTO notes VALUES (99)")
        cluster.kill()
        assert not cluster.is_running
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(cluster.url())
        cluster.start()
    assert _notes(cluster.url()) == list(range(20))


def test_a_promoted_synchronous_standby_has_every_acknowledged_row(
    make_cluster: MakeCluster,
) -> None:
    primary = make_cluster()
    primary.psql("CREATE TABLE notes (id int PRIMARY KEY)")
    standby = make_cluster(standby_of=primary, synchronous=True)
    for number in range(20):
        primary.psql(f"INSERT INTO notes VALUES ({number})")
    primary.kill()
    standby.promote()
    standby.psql("INSERT INTO notes VALUES (20)")
    assert _notes(standby.url()) == list(range(21))


def test_a_standby_reads_what_the_primary_wrote_and_follows_it_over_a_restart(
    make_cluster: MakeCluster,
) -> None:
    primary = make_cluster()
    standby = make_cluster(standby_of=primary)
    primary.restart()
    primary.psql("CREATE TABLE notes (id int PRIMARY KEY)")
    primary.psql("INSERT INTO notes VALUES (1)")
    standby.catch_up(primary)
    assert _notes(standby.url()) == [1]
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        standby.psql("INSERT INTO notes VALUES (2)")


def test_no_process_and_no_file_is_left_of_a_cluster(postgres: Postgres) -> None:
    with Cluster.make(postgres.needed_binaries) as cluster:
        ((pid,),) = cluster.psql("SELECT pg_backend_pid()")
    assert not cluster.folder.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_server_does_not_outlive_whoever_started_it(pytestconfig: pytest.Config) -> None:
    script = """
import os, subprocess
from tests.clusters import leash
leash(subprocess.Popen(["sh", "-c", "ulimit -c 0; exec sleep 1000"]).pid)
os._exit(9)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(  # returns when the last holder of the pipe is gone: the sleeper
        command, cwd=pytestconfig.rootpath, stdout=subprocess.PIPE, timeout=60, check=False
    )
    assert done.returncode == 9


def test_a_reserved_port_is_reserved_once_and_can_be_given_back() -> None:
    ports = [reserve_port() for _ in range(50)]
    assert len(set(ports)) == 50
    before = len(list(Path("/proc/self/fd").iterdir()))
    for port in ports:
        release_port(port)
    assert len(list(Path("/proc/self/fd").iterdir())) == before - 50


# The proxy


@pytest.mark.parametrize("prepared", [False, True], ids=["simple", "prepared"])
@pytest.mark.parametrize(("when", "kept"), [("before", []), ("after", [1])])
def test_a_commit_that_is_cut_before_is_lost_and_one_that_is_cut_after_is_kept(
    proxy: Proxy, postgres_url: str, when: When, kept: list[int], prepared: bool
) -> None:
    with psycopg.connect(proxy.url, autocommit=True) as connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO notes VALUES (1)")
        proxy.cut_at_commit(when)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("COMMIT", prepare=prepared)
    assert _notes(postgres_url) == kept
    assert (proxy.commits, proxy.cuts) == (1, 1)


def test_a_commit_that_is_cut_during_it_is_not_answered(proxy: Proxy, postgres_url: str) -> None:
    proxy.cut_at_commit("during")
    with pytest.raises(psycopg.OperationalError), psycopg.connect(proxy.url) as connection:
        connection.execute("INSERT INTO notes VALUES (1)")
    assert _notes(postgres_url) in ([], [1])


def test_only_the_nth_commit_is_cut(proxy: Proxy, postgres_url: str) -> None:
    proxy.cut_at_commit("before", nth=3)
    for number in range(5):
        try:
            with psycopg.connect(proxy.url) as connection:
                connection.execute("INSERT INTO notes VALUES (%s)", [number])
        except psycopg.OperationalError:
            assert number == 2
    assert _notes(postgres_url) == [0, 1, 3, 4]
    assert (proxy.commits, proxy.cuts) == (5, 1)


def test_a_seeded_chance_cuts_some_and_each_ends_as_it_was_meant_to(
    proxy: Proxy, postgres_url: str
) -> None:
    proxy.cut_at_commit("after", chance=0.5, seed=7)
    lost = []
    for number in range(20):
        try:
            with psycopg.connect(proxy.url) as connection:
                connection.execute("INSERT INTO notes VALUES (%s)", [number])
        except psycopg.OperationalError:
            lost.append(number)
    assert 0 < len(lost) == proxy.cuts < 20
    assert _notes(postgres_url) == list(range(20))


def test_a_commit_that_the_server_refuses_is_answered(proxy: Proxy) -> None:
    with psycopg.connect(proxy.url, autocommit=True) as connection:
        connection.execute("BEGIN")
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute("INSERT INTO nowhere VALUES (1)")
        proxy.cut_at_commit("after")
        assert connection.execute("COMMIT").statusmessage == "ROLLBACK"
    assert proxy.cuts == 0


def test_cut_and_refused_connections_fail_and_accepted_ones_live(proxy: Proxy) -> None:
    with psycopg.connect(proxy.url) as connection:
        proxy.refuse()
        assert connection.execute("SELECT 1").fetchone() == (1,)  # open ones live
        proxy.cut()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(proxy.url)
    proxy.accept()
    with psycopg.connect(proxy.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_proxy_ends_while_clients_are_still_connected(postgres_url: str) -> None:
    with Proxy(postgres_url) as proxy:
        connection = psycopg.connect(proxy.url)
    with closing(connection), pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")


# The disk


def test_a_small_disk_is_full_after_its_size() -> None:
    with small_disk(4) as folder:
        if folder is None:
            pytest.skip("a disk can only be mounted by root")
        with pytest.raises(OSError, match="No space left") as refused:
            _fill(folder / "file")
        assert refused.value.errno == errno.ENOSPC
    assert not folder.exists()


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for _ in range(5):
            file.write(b"x" * 1024 * 1024)
            os.fsync(file.fileno())
