"""What a connection has prepared is a convenience: either side may forget it at any time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from bahi.db import line as lines
from bahi.db import postgres
from bahi.db.line import Line
from bahi.db.statement import Statement
from bahi.db.stores import Store
from bahi.db.tx import Tx
from tests.clusters import run_sql
from tests.db.ledger import ADD_ENTRY, create, enter, entries, notes, open_store

BY_NOTE = Statement(sa.select(entries.c.amount).where(entries.c.note == sa.bindparam("note")))
HOW_MANY = "SELECT count(*) FROM pg_prepared_statements WHERE NOT from_sql"


def told(url: str, story: Callable[[Store], Awaitable[Any]]) -> None:
    async def whole() -> None:
        stores, store = open_store(url)
        try:
            await story(store)
        finally:
            await stores.close()

    create(url)
    asyncio.run(whole())


def amount_of(tx: Tx, note: str) -> Any:
    row = tx.row(BY_NOTE, {"note": note})
    return row and row[0]


def put(tx: Tx, note: str) -> None:
    tx.put(ADD_ENTRY, {"id": tx.new_id(), "book_id": 1, "amount": 5, "note": note})


def put_and_look(tx: Tx, note: str) -> Any:
    put(tx, note)
    return amount_of(tx, note)


def forget_once(tx: Tx, note: str, done: list[bool], then: Callable[[Tx, str], Any]) -> Any:
    """Have the server forget, as one does between the sessions that a pooler lends it to."""
    if not done:
        done.append(True)
        tx.row(sa.text("SELECT 1"))
        tx.change(sa.text("DEALLOCATE ALL"))
    return then(tx, note)


@pytest.mark.parametrize("then", [put, enter, put_and_look])
def test_a_unit_whose_statements_the_server_forgot_is_run_again(
    postgres_url: str, then: Callable[[Tx, str], Any]
) -> None:
    async def story(store: Store) -> None:
        await store.write(then, "first", account=1)
        await store.write(forget_once, "second", [], then, account=1)
        await store.write(then, "third", account=1)
        assert await store.read(notes, fresh=True) == {"first", "second", "third"}

    told(postgres_url, story)


def test_a_read_whose_statements_the_server_forgot_is_asked_again(postgres_url: str) -> None:
    async def story(store: Store) -> None:
        await store.write(put, "first")
        assert await store.read(amount_of, "first", fresh=True) == 5
        assert await store.read(forget_once, "first", [], amount_of, fresh=True) == 5

    told(postgres_url, story)


def test_a_table_that_changed_under_a_running_house_is_read_as_it_is_now(
    postgres_url: str,
) -> None:
    async def story(store: Store) -> None:
        assert await store.write(put_and_look, "first", account=1) == 5
        assert await store.read(amount_of, "first", fresh=True) == 5
        to_text = "ALTER TABLE main.entries ALTER COLUMN amount TYPE text"
        await asyncio.to_thread(run_sql, postgres_url, to_text)
        assert await store.write(amount_of, "first", account=1) == "5"
        assert await store.read(amount_of, "first", fresh=True) == "5"

    told(postgres_url, story)


def test_a_connection_keeps_a_bounded_number_of_statements(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "PREPARED_AT_MOST", 10)
    with postgres.connect(postgres_url, "public") as driver:
        line = Line(driver)
        for n in range(100):
            assert line.flush(f"SELECT {n}") == "SELECT 1"
            line.say("SELECT 'again'")
            assert line.flush(f"SELECT {n}") == "SELECT 1"
            ((kept,),) = driver.execute(HOW_MANY).fetchall()
            assert kept <= 10 + 2


def test_what_was_prepared_for_a_message_that_failed_is_prepared_again(postgres_url: str) -> None:
    with postgres.connect(postgres_url, "public") as driver:
        line = Line(driver)
        for _ in range(3):
            line.say("BEGIN")
            line.say("SELECT 1 / ($1::bigint - $1::bigint)", 1)
            line.say("SELECT 'never reached'")
            with pytest.raises(psycopg.errors.DivisionByZero):
                line.flush("COMMIT")
            driver.execute("ROLLBACK")
        assert line.flush("SELECT 'never reached'") == "SELECT 1"


def test_a_server_that_has_our_names_from_somebody_else_is_left(postgres_url: str) -> None:
    with postgres.connect(postgres_url, "public") as driver:
        driver.execute("PREPARE hot_0 AS SELECT 'of somebody else'")
        line = Line(driver)
        with pytest.raises(psycopg.errors.DuplicatePreparedStatement):
            line.flush("SELECT 1")
        assert driver.closed
