"""Reading: a snapshot of its own, bounded, from the replica where there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.db import readers, tx
from bahi.db.readers import SqliteReaders
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, TooMuch
from tests.clusters import Cluster
from tests.databases import Database
from tests.db.ledger import create, enter, entries, notes, open_store, path_of

COUNT = sa.select(sa.func.count()).select_from(entries)


def run(url: str, story: Callable[[Store], Awaitable[Any]], **options: Any) -> Any:
    async def whole() -> Any:
        stores, store = open_store(url, **options)
        try:
            return await story(store)
        finally:
            await stores.close()

    return asyncio.run(whole())


def test_a_read_sees_one_moment_however_long_it_looks(empty_database: Database) -> None:
    create(empty_database.url)

    async def story(store: Store) -> None:
        loop = asyncio.get_running_loop()

        def look_twice(view: Tx) -> tuple[Any, Any]:
            first = view.row(COUNT)
            asyncio.run_coroutine_threadsafe(store.write(enter, "meanwhile"), loop).result(30)
            return first, view.row(COUNT)

        first, second = await store.read(look_twice)
        assert tuple(first) == tuple(second) == (0,)
        assert tuple(await store.read(lambda view: view.row(COUNT))) == (1,)

    run(empty_database.url, story)


def test_a_read_changes_nothing(empty_database: Database) -> None:
    create(empty_database.url)

    async def story(store: Store) -> None:
        with pytest.raises(BahiError, match="makes no ids"):
            await store.read(enter, "sneaked in")
        with pytest.raises(BahiError, match=r"read-?\s?only"):
            await store.read(lambda view: view.change(sa.text("UPDATE books SET balance = 9")))
        assert await store.read(notes) == set()

    run(empty_database.url, story)


def test_too_many_rows_are_refused_and_not_cut_off(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(empty_database.url)
    monkeypatch.setattr(tx, "ROWS_AT_MOST", 10)

    async def story(store: Store) -> None:
        await asyncio.gather(*(store.write(enter, f"{n}") for n in range(10)))
        assert len(await store.read(notes)) == 10
        await store.write(enter, "one more")
        with pytest.raises(TooMuch, match="more than 10 rows"):
            await store.read(notes)

    run(empty_database.url, story)


ENDLESS = sa.text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
)


def test_a_question_without_end_is_ended(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(empty_database.url)
    monkeypatch.setitem(SqliteReaders.__init__.__kwdefaults__, "within_s", 0.2)
    monkeypatch.setitem(readers.PostgresReaders.__init__.__kwdefaults__, "within_s", 0.2)

    async def story(store: Store) -> None:
        with pytest.raises(TooMuch, match="took longer"):
            await store.read(lambda view: view.row(ENDLESS))
        assert await store.read(notes) == set()

    run(empty_database.url, story)


def test_connections_are_kept(sqlite_url: str) -> None:
    create(sqlite_url)

    async def story(store: Store) -> None:
        for n in range(50):
            await store.write(enter, f"{n}")
            await store.read(notes)
        opened = store._readers._opened  # type: ignore[attr-defined]
        assert 1 <= len(opened) <= readers.SQLITE_READERS

    run(sqlite_url, story)
    assert path_of(sqlite_url).stat().st_mode & 0o777 == 0o600


def in_recovery(view: Tx) -> bool:
    row = view.row(sa.text("SELECT pg_is_in_recovery()"))
    return row is not None and row[0]


def test_reads_go_to_the_replica_fresh_ones_and_those_of_a_lost_replica_to_the_primary(
    make_cluster: Callable[..., Cluster],
) -> None:
    primary = make_cluster()
    url = primary.create_database("desk")
    create(url)
    standby = make_cluster(standby_of=primary)

    async def story(store: Store) -> None:
        await store.write(enter, "early")
        await asyncio.to_thread(standby.catch_up, primary)
        assert await store.read(in_recovery)
        assert not await store.read(in_recovery, fresh=True)
        standby.psql("SELECT pg_wal_replay_pause()")
        await store.write(enter, "late")
        assert await store.read(notes) == {"early"}
        assert await store.read(notes, fresh=True) == {"early", "late"}
        standby.kill()
        assert not await store.read(in_recovery)
        assert await store.read(notes) == {"early", "late"}

    run(url, story, replica_url=standby.url("desk"))
