"""One row by its index, by the shortest way there is, and by a longer one when that fails."""

from __future__ import annotations

import asyncio

import psycopg
import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.stores import Store
from tests.databases import Database
from tests.db.ledger import create, enter, entries, open_store

BY_NOTE = Statement(sa.select(entries.c.note).where(entries.c.note == sa.bindparam("note")))
END_ALL = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


async def seen(store: Store, note: str) -> str | None:
    rows = store.glance(BY_NOTE, {"note": note})
    if rows is not None:
        return rows[0][0] if rows else None
    row = await store.look(BY_NOTE, {"note": note})
    return None if row is None else row[0]


async def story(url: str) -> None:
    stores, store = open_store(url)
    try:
        assert await seen(store, "told") is None
        await store.write(enter, "told")
        assert await seen(store, "told") == "told"
    finally:
        await stores.close()


def test_a_look_sees_every_commit(empty_database: Database) -> None:
    create(empty_database.url)
    asyncio.run(story(empty_database.url))


def test_a_look_whose_connection_was_lost_is_answered_all_the_same(postgres_url: str) -> None:
    create(postgres_url)

    async def lost_in_between() -> None:
        stores, store = open_store(postgres_url)
        try:
            await store.write(enter, "told")
            for _ in range(3):
                assert await store.look(BY_NOTE, {"note": "told"}) is not None
                with psycopg.connect(postgres_url, autocommit=True) as other:
                    other.execute(END_ALL)
        finally:
            await stores.close()

    asyncio.run(lost_in_between())


def test_many_who_look_at_once_all_see_it(empty_database: Database) -> None:
    create(empty_database.url)

    async def at_once() -> None:
        stores, store = open_store(empty_database.url)
        try:
            await store.write(enter, "told")
            found = await asyncio.gather(*(seen(store, "told") for _ in range(200)))
            assert set(found) == {"told"}
        finally:
            await stores.close()

    asyncio.run(at_once())


def test_one_who_stops_waiting_leaves_the_next_an_answer_of_its_own(
    empty_database: Database,
) -> None:
    create(empty_database.url)

    async def given_up() -> None:
        stores, store = open_store(empty_database.url)
        try:
            for note in ("one", "two"):
                await store.write(enter, note)
            assert await seen(store, "one") == "one"
            for _ in range(20):
                first = asyncio.ensure_future(seen(store, "one"))
                await asyncio.sleep(0)
                first.cancel()
                assert await seen(store, "two") == "two"
                await asyncio.gather(first, return_exceptions=True)
        finally:
            await stores.close()

    asyncio.run(given_up())
