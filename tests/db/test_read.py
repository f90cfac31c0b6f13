"""Reading: a snapshot of its own, bounded, from the replica where there is one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NoReturn

import pytest
import sqlalchemy as sa

from bahi.db import readers, reading, tx
from bahi.db.readers import Pool, PostgresReaders, Readers, SchemaReaders, SqliteReaders
from bahi.db.statement import Statement
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, TooMuch, Unavailable
from tests.clusters import Cluster, run_sql
from tests.databases import Database
from tests.db.ledger import (
    ADD_TO_BALANCE,
    Gate,
    books,
    create,
    enter,
    entries,
    notes,
    open_store,
    path_of,
)
from tests.proxy import Proxy

ANY_BOOK = Statement(sa.select(books.c.id))
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
        with pytest.raises(BahiError, match=r"read-?\s?only"):
            await store.read(lambda view: view.put(ADD_TO_BALANCE, {"book": 1, "amount": 9}))
        assert await store.read(notes) == set()

    run(empty_database.url, story)


def test_stores_that_share_a_connection_each_read_their_own_rows(postgres_url: str) -> None:
    for n, schema in enumerate(("main", "sandbox")):
        run_sql(postgres_url, f"CREATE SCHEMA {schema}")
        run_sql(postgres_url, f"CREATE TABLE {schema}.books AS SELECT {n}::bigint AS id")

    async def whole() -> list[Any]:
        source = PostgresReaders(postgres_url, Pool(size=1, overflow=0))
        stores = [SchemaReaders(schema, source) for schema in ("main", "sandbox")]
        ask = (lambda view: view.row(ANY_BOOK)), ()
        try:
            return [await store.read(*ask) for store in stores * 3]
        finally:
            source.close()

    assert asyncio.run(whole()) == [(0,), (1,)] * 3


def test_connections_that_were_cut_a_moment_after_their_reads_cost_no_read(
    postgres_url: str,
) -> None:
    create(postgres_url)
    together = threading.Barrier(6)

    def meet(view: Tx) -> set[str]:
        found = notes(view)
        together.wait(30)
        return found

    async def story(store: Store) -> None:
        for _ in range(3):
            await asyncio.gather(*(store.read(meet) for _ in range(6)))
            proxy.cut()
            assert await asyncio.gather(*(store.read(notes) for _ in range(6))) == [set()] * 6

    with Proxy(postgres_url) as proxy:
        run(proxy.url, story)


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


BOUND_S = 0.3
ONE_THREAD = Pool(size=1, overflow=0)


Impatient = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Impatient:
    @contextmanager
    def bounded() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(reading, "READ_WITHIN_S", BOUND_S)
            yield

    return bounded


def test_a_question_without_end_is_ended(empty_database: Database, impatient: Impatient) -> None:
    create(empty_database.url)

    async def story(store: Store) -> None:
        with impatient(), pytest.raises(TooMuch, match="took longer"):
            await store.read(lambda view: view.row(ENDLESS))
        assert await store.read(notes) == set()

    run(empty_database.url, story)


def test_many_short_questions_have_one_bound_together(
    empty_database: Database, impatient: Impatient
) -> None:
    create(empty_database.url)
    refused = threading.Event()

    def ask_on_and_on(view: Tx) -> None:
        try:
            for _ in range(1_000_000):
                view.row(COUNT)
        except BahiError:
            refused.set()

    async def story(store: Store) -> None:
        with impatient(), pytest.raises(TooMuch, match="took longer"):
            await store.read(ask_on_and_on)
        assert await asyncio.to_thread(refused.wait, 30)
        assert await store.read(notes) == set()

    run(empty_database.url, story)


def test_whoever_asks_is_answered_in_time_even_behind_functions_that_dawdle(
    empty_database: Database, impatient: Impatient
) -> None:
    create(empty_database.url)
    gate = Gate()

    async def story(store: Store) -> None:
        with impatient():
            asked = [store.read(gate.hold) for _ in range(readers.SQLITE_READERS)]
            ends = await asyncio.gather(*asked, store.read(notes), return_exceptions=True)
        assert {type(end) for end in ends} == {TooMuch}
        gate.open()
        assert await store.read(notes) == set()

    run(empty_database.url, story, pool=ONE_THREAD)


def test_a_read_that_nobody_waits_for_gives_its_thread_back(empty_database: Database) -> None:
    create(empty_database.url)
    begun = threading.Barrier(2)

    def ask(view: Tx) -> None:
        begun.wait(30)
        view.row(ENDLESS)

    async def story(store: Store) -> None:
        for _ in range(2 * readers.SQLITE_READERS):
            asked = asyncio.ensure_future(store.read(ask))
            await asyncio.to_thread(begun.wait, 30)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
        assert await store.read(notes) == set()

    run(empty_database.url, story, pool=ONE_THREAD)


@pytest.mark.parametrize("raised", [StopIteration, SystemExit, KeyboardInterrupt])
def test_what_a_function_raises_reaches_its_caller_and_ends_nothing_else(
    empty_database: Database, raised: type[BaseException]
) -> None:
    create(empty_database.url)

    def fail(_: Tx) -> NoReturn:
        raise raised

    async def story(store: Store) -> None:
        with pytest.raises(RuntimeError, match=f"fail raised {raised.__name__}"):
            await store.read(fail)
        assert await store.read(notes) == set()

    run(empty_database.url, story)


def test_a_coroutine_is_no_reading_function(empty_database: Database) -> None:
    create(empty_database.url)

    async def look(view: Tx) -> None:
        view.row(COUNT)

    async def story(store: Store) -> None:
        with pytest.raises(TypeError, match="runs plain functions"):
            await store.read(look)

    run(empty_database.url, story)


def test_closing_gives_up_what_reads_and_what_waits_and_admits_nothing_more(
    empty_database: Database,
) -> None:
    create(empty_database.url)
    reading_now = threading.Event()

    def ask(view: Tx) -> None:
        reading_now.set()
        view.row(ENDLESS)

    async def ended(read: Coroutine[Any, Any, Any]) -> None:
        with pytest.raises(Unavailable, match="shutting down"):
            await read

    async def whole() -> None:
        stores, store = open_store(empty_database.url, pool=ONE_THREAD)
        asked = [store.read(ask) for _ in range(2 * readers.SQLITE_READERS)]
        waiting = [asyncio.ensure_future(ended(read)) for read in asked]
        await asyncio.to_thread(reading_now.wait, 30)
        await stores.close()
        await asyncio.gather(*waiting)
        await ended(store.read(notes))

    asyncio.run(whole())


def test_closing_does_not_wait_for_a_function_that_dawdles(empty_database: Database) -> None:
    create(empty_database.url)
    gate = Gate()
    source: SqliteReaders | PostgresReaders
    share: Readers
    if empty_database.kind == "sqlite":
        source = share = SqliteReaders(path_of(empty_database.url))
    else:
        source = PostgresReaders(empty_database.url, ONE_THREAD)
        share = SchemaReaders("main", source)

    async def story() -> None:
        dawdling = asyncio.ensure_future(share.read(gate.hold, (notes,)))
        await asyncio.to_thread(gate.reached.wait, 30)
        await asyncio.to_thread(source.close, BOUND_S)
        gate.open()
        with pytest.raises(Unavailable, match="shutting down"):
            await dawdling

    asyncio.run(story())


def test_connections_are_kept(sqlite_url: str) -> None:
    create(sqlite_url)

    async def story(store: Store) -> None:
        for n in range(50):
            await store.write(enter, f"{n}")
            await store.read(notes)
        idle = store._readers._idle  # type: ignore[attr-defined]
        assert 1 <= len(idle) <= readers.SQLITE_READERS

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


def test_a_read_that_the_replica_gives_up_for_its_recovery_is_answered_by_the_primary(
    make_cluster: Callable[..., Cluster],
) -> None:
    primary = make_cluster(settings={"max_standby_streaming_delay": "0"})
    url = primary.create_database("desk")
    create(url)
    standby = make_cluster(standby_of=primary)
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"

    def look_long(view: Tx) -> bool:
        view.row(COUNT)
        there = in_recovery(view)
        if there:
            view.row(sa.text("SELECT pg_sleep(60)"))
        return there

    def until_asleep() -> None:
        while standby.psql(asleep) == [(0,)]:
            pass

    async def story(store: Store) -> None:
        await asyncio.to_thread(standby.catch_up, primary)
        asked = asyncio.ensure_future(store.read(look_long))
        await asyncio.to_thread(until_asleep)
        await store.write(lambda t: t.change(sa.text("UPDATE books SET balance = balance")))
        primary.psql("VACUUM main.books", "desk")
        assert await asked is False
        assert await store.read(in_recovery)

    run(url, story, replica_url=standby.url("desk"))
