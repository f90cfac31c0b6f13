"""What only a server can do to a transaction: deadlocks, silence, absence."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest

from bahi.db import postgres, postgres_writer
from bahi.db.failures import DatabaseAway
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.errors import InDoubt, NotCommitted
from tests.clusters import Cluster
from tests.db.ledger import ADD_ENTRY, ADD_TO_BALANCE, balances, create, enter, notes, open_store
from tests.proxy import Proxy


def run(url: str, story: Callable[[Store], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        stores, store = open_store(url)
        try:
            return await story(store)
        finally:
            await stores.close()

    return asyncio.run(whole())


def test_units_that_wait_for_each_other_are_both_committed(postgres_url: str) -> None:
    create(postgres_url)
    both_hold_one = threading.Barrier(2)
    tries: list[int] = []

    def cross(tx: Tx, first: int, second: int) -> None:
        tries.append(first)
        tx.change(ADD_TO_BALANCE, {"book": first, "amount": 0})
        if tries.count(first) == 1:
            both_hold_one.wait(30)
        enter(tx, f"{first} to {second}", 1, second)

    async def story(store: Store) -> None:
        await asyncio.gather(
            store.write(cross, 1, 2, account=1), store.write(cross, 2, 1, account=2)
        )
        assert await store.read(notes) == {"1 to 2", "2 to 1"}
        said, summed = await store.read(balances)
        assert said == summed

    run(postgres_url, story)
    assert len(tries) == 3, "one of the two was given up and run again"


def test_a_deadlock_that_shows_only_with_commit_is_ended_by_another_run(postgres_url: str) -> None:
    create(postgres_url)
    both_hold_one = threading.Barrier(2)
    tries: list[int] = []

    def cross(tx: Tx, first: int, second: int) -> None:
        tries.append(first)
        tx.change(ADD_TO_BALANCE, {"book": first, "amount": 1})
        if tries.count(first) == 1:
            both_hold_one.wait(30)
        tx.put(ADD_TO_BALANCE, {"book": second, "amount": 1})

    async def story(store: Store) -> None:
        await asyncio.gather(
            store.write(cross, 1, 2, account=1), store.write(cross, 2, 1, account=2)
        )
        said, _ = await store.read(balances)
        assert said == [2, 2, 0, 0]

    run(postgres_url, story)
    assert len(tries) == 3, "one of the two was given up and run again"


@pytest.mark.parametrize("looks", [True, False], ids=["seen by a look", "seen at COMMIT"])
def test_a_change_put_behind_somebodys_lock_is_given_up_in_time(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, looks: bool
) -> None:
    create(postgres_url)
    monkeypatch.setattr(postgres, "LOCK_TIMEOUT_MS", 50)

    def put(tx: Tx) -> None:
        tx.put(ADD_TO_BALANCE, {"book": 1, "amount": 1})
        if looks:
            notes(tx)

    async def story(store: Store) -> None:
        with psycopg.connect(postgres_url) as other:
            other.execute("SELECT 1 FROM main.books WHERE id = 1 FOR UPDATE")
            with pytest.raises(NotCommitted, match="lock timeout"):
                await store.write(put, account=1)
        await store.write(put, account=1)
        said, _ = await store.read(balances)
        assert said == [1, 0, 0, 0]

    run(postgres_url, story)


def test_a_commit_that_nobody_can_be_asked_about_is_in_doubt(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(postgres_url)
    monkeypatch.setattr(postgres_writer, "RECONNECT_WITHIN_S", 0.5)

    async def story(store: Store) -> None:
        await store.write(enter, "before", account=1)
        proxy.cut_at_commit("after")
        proxy.refuse()
        with pytest.raises(InDoubt):
            await store.write(enter, "who knows", account=1)
        with pytest.raises(DatabaseAway):
            await store.write(enter, "nobody there", account=1)
        proxy.accept()
        await store.write(enter, "after", account=1)
        assert await store.read(notes) == {"before", "who knows", "after"}

    with Proxy(postgres_url) as proxy:
        run(proxy.url, story)


def test_a_server_that_does_not_answer_is_named_without_its_password(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_writer, "RECONNECT_WITHIN_S", 0.1)
    with Proxy(postgres_url) as proxy:
        proxy.refuse()
        url = proxy.url.replace("//bahi@", "//bahi:canary-password@")

        async def story(store: Store) -> None:
            with pytest.raises(NotCommitted, match="PostgreSQL does not answer") as caught:
                await store.write(enter, "nobody there")
            assert isinstance(caught.value, DatabaseAway)
            with pytest.raises(DatabaseAway, match="PostgreSQL does not answer") as again:
                await store.read(notes)
            assert "canary" not in f"{caught.value} {again.value}"

        run(url, story)


def test_a_first_unit_that_commits_late_is_not_run_again(
    make_cluster: Callable[..., Cluster],
) -> None:
    """The server is still inside COMMIT when it is asked: the question waits for the answer."""
    cluster = make_cluster()
    url = cluster.create_database("desk")
    create(url)
    runs: list[int] = []

    def once(tx: Tx) -> None:
        runs.append(1)
        enter(tx, f"run {len(runs)}")

    async def story(store: Store) -> None:
        cluster.psql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        cluster.psql("SELECT pg_reload_conf()")
        proxy.cut_at_commit("during")
        writing = asyncio.ensure_future(store.write(once, account=1))
        await asyncio.to_thread(_until_somebody_waits_for_a_lock, cluster)
        cluster.psql("ALTER SYSTEM RESET synchronous_standby_names")
        cluster.psql("SELECT pg_reload_conf()")
        await writing
        assert await store.read(notes) == {"run 1"}

    with Proxy(url) as proxy:
        run(proxy.url, story)
    assert runs == [1]


def _until_somebody_waits_for_a_lock(cluster: Cluster) -> None:
    _until_waiting(cluster, "wait_event_type = 'Lock'")


def _until_waiting(cluster: Cluster, where: str) -> None:
    until = time.monotonic() + 30
    question = f"SELECT count(*) FROM pg_stat_activity WHERE {where}"
    while cluster.psql(question) == [(0,)]:
        assert time.monotonic() < until, "nobody waits for it"


def test_a_commit_whose_standby_was_not_waited_for_is_in_doubt(
    make_cluster: Callable[..., Cluster],
) -> None:
    cluster = make_cluster()
    url = cluster.create_database("desk")
    create(url)

    async def story(store: Store) -> None:
        await store.write(enter, "before", account=1)
        cluster.psql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        cluster.psql("SELECT pg_reload_conf()")
        writing = asyncio.ensure_future(store.write(enter, "here only", account=1))
        await asyncio.to_thread(_until_waiting, cluster, WAITS_FOR_STANDBY)
        cluster.psql(
            f"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE {WAITS_FOR_STANDBY}"
        )
        with pytest.raises(InDoubt):
            await writing
        cluster.psql("ALTER SYSTEM RESET synchronous_standby_names")
        cluster.psql("SELECT pg_reload_conf()")
        await store.write(enter, "after", account=1)
        assert await store.read(notes, fresh=True) == {"before", "here only", "after"}

    run(url, story)


WAITS_FOR_STANDBY = "wait_event = 'SyncRep' AND datname = 'desk'"


def test_a_server_that_stands_still_is_not_waited_for_without_end(
    make_cluster: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_writer, "UNIT_WITHIN_S", 0.5)
    monkeypatch.setattr(postgres_writer, "LOOK_EVERY_S", 0.1)
    monkeypatch.setattr(postgres_writer, "RECONNECT_WITHIN_S", 0.5)
    cluster = make_cluster()
    url = cluster.create_database("desk")
    create(url)

    async def story(store: Store) -> None:
        await store.write(enter, "before", account=1)
        backends = [pid for (pid,) in cluster.psql(BACKENDS)]
        for pid in backends:
            os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises((NotCommitted, InDoubt)):
                await asyncio.wait_for(store.write(stands_still, account=1), 60)
        finally:
            for pid in backends:
                os.kill(pid, signal.SIGCONT)
        await store.write(enter, "after", account=1)
        assert await store.read(notes, fresh=True) == {"before", "after"}

    def stands_still(tx: Tx) -> None:
        enter(tx, "meanwhile")
        raise NotCommitted("the server moved after all")

    run(url, story)


def test_a_unit_is_run_again_although_the_server_still_holds_on_to_its_first_run(
    make_cluster: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "LOCK_TIMEOUT_MS", 500)
    monkeypatch.setattr(postgres_writer, "UNIT_WITHIN_S", 0.5)
    monkeypatch.setattr(postgres_writer, "LOOK_EVERY_S", 0.1)
    cluster = make_cluster()
    url = cluster.create_database("desk")
    create(url)
    stopped: list[int] = []

    def loses_its_server(tx: Tx) -> None:
        enter(tx, f"run {len(stopped)}", book=1 + len(stopped))
        if not stopped:
            ((backend,),) = cluster.psql(BACKENDS)
            stopped.append(backend)
            os.kill(backend, signal.SIGSTOP)
            notes(tx)

    async def story(store: Store) -> None:
        try:
            await asyncio.wait_for(store.write(loses_its_server, account=1), 60)
        finally:
            os.kill(stopped[0], signal.SIGCONT)
        assert await store.read(balances, fresh=True) == ([0, 1, 0, 0], [0, 1, 0, 0])

    run(url, story)


def test_what_a_server_comes_to_late_is_not_committed_a_second_time(
    make_cluster: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server process stands still with a whole unit in its ear, and hears it after all."""
    monkeypatch.setattr(postgres_writer, "UNIT_WITHIN_S", 0.5)
    monkeypatch.setattr(postgres_writer, "LOOK_EVERY_S", 0.1)
    cluster = make_cluster()
    url = cluster.create_database("desk")
    create(url)

    def put_anew(tx: Tx, note: str) -> None:
        entry = tx.new_id()
        row = {"id": entry, "book_id": 1, "amount": 1, "note": f"{note} {entry}"}
        tx.put(ADD_ENTRY, row)

    async def story(store: Store) -> None:
        await store.write(put_anew, "before", account=1)
        ((backend,),) = cluster.psql(BACKENDS)
        os.kill(backend, signal.SIGSTOP)
        try:
            await asyncio.wait_for(store.write(put_anew, "once", account=1), 60)
        finally:
            os.kill(backend, signal.SIGCONT)
        await asyncio.to_thread(_until_gone, cluster, backend)
        found = sorted(note.split()[0] for note in await store.read(notes, fresh=True))
        assert found == ["before", "once"]

    run(url, story)


def _until_gone(cluster: Cluster, backend: int) -> None:
    until = time.monotonic() + 30
    while (backend,) in cluster.psql(BACKENDS):
        assert time.monotonic() < until, "the server process goes on without its client"


BACKENDS = (
    "SELECT pid FROM pg_stat_activity"
    " WHERE datname = 'desk' AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
