"""What is sent without waiting for its answer means what it would have meant with it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from psycopg.pq import TransactionStatus

from bahi.db import postgres
from bahi.db.failures import Duplicate, Refused
from bahi.db.line import AT_ONCE, Line
from bahi.db.statement import Statement
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, Invalid
from tests.databases import Database
from tests.db.ledger import ADD_ENTRY, Gate, create, enter, entries, notes, open_store

BY_NOTE = Statement(sa.select(entries.c.amount).where(entries.c.note == sa.bindparam("note")))

Story = Callable[[Store], Awaitable[Any]]


def told(url: str, story: Story) -> Any:
    create(url)

    async def whole() -> Any:
        stores, store = open_store(url)
        try:
            return await story(store)
        finally:
            await stores.close()

    return asyncio.run(whole())


def put(tx: Tx, note: Any, amount: Any = 1) -> None:
    tx.put(ADD_ENTRY, {"id": tx.new_id(), "book_id": 1, "amount": amount, "note": note})


def put_all(tx: Tx, *wanted: str) -> None:
    for note in wanted:
        put(tx, note)


def test_what_is_put_is_there_for_the_next_statement_of_either_kind(
    empty_database: Database,
) -> None:
    def both(tx: Tx) -> tuple[Any, set[str]]:
        put(tx, "first", 7)
        found = tx.row(BY_NOTE, {"note": "first"})
        put(tx, "second")
        return found, notes(tx)

    async def story(store: Store) -> None:
        found, seen = await store.write(both)
        assert tuple(found) == (7,)
        assert seen == {"first", "second"}

    told(empty_database.url, story)


def test_more_than_goes_into_one_message_is_sent_in_several(empty_database: Database) -> None:
    many = [f"n{n}" for n in range(AT_ONCE * 2 + 3)]

    async def story(store: Store) -> None:
        await store.write(put_all, *many)
        assert await store.read(notes, fresh=True) == set(many)

    told(empty_database.url, story)


def test_what_fails_while_nobody_waits_fails_its_unit_by_name(empty_database: Database) -> None:
    async def story(store: Store) -> None:
        with pytest.raises(Duplicate, match=r"entries\.note"):
            await store.write(put_all, "once", "twice", "twice", "never")
        assert await store.read(notes, fresh=True) == set()
        await store.write(put_all, "again")
        assert await store.read(notes, fresh=True) == {"again"}

    told(empty_database.url, story)


def test_a_failure_that_was_swallowed_later_dooms_the_unit(empty_database: Database) -> None:
    def swallow(tx: Tx) -> str:
        put_all(tx, "twice", "twice") if tx.dialect.name == "postgresql" else put(tx, "twice")
        with suppress(BahiError):
            put(tx, "twice")
            tx.row(BY_NOTE, {"note": "twice"})
        return "all is well"

    async def story(store: Store) -> None:
        with pytest.raises(Duplicate):
            await store.write(swallow)
        assert await store.read(notes, fresh=True) == set()

    told(empty_database.url, story)


@pytest.mark.parametrize(
    ("note", "amount", "refused"),
    [("a\0b", 1, Refused), ("half \ud800", 1, Invalid), ("fraction", Decimal("1.5"), Refused)],
)
def test_what_a_column_cannot_hold_is_refused(
    postgres_url: str, note: str, amount: Any, refused: type[BahiError]
) -> None:
    async def story(store: Store) -> None:
        with pytest.raises(refused):
            await store.write(put, note, amount)
        await store.write(put, "well")
        assert await store.read(notes, fresh=True) == {"well"}

    told(postgres_url, story)


def test_values_of_every_kind_come_back_as_they_went(postgres_url: str) -> None:
    table = sa.Table(
        "kinds",
        sa.MetaData(),
        sa.Column("whole", sa.BigInteger),
        sa.Column("flag", sa.SmallInteger),
        sa.Column("words", sa.Text),
        sa.Column("bytes", sa.LargeBinary),
    )
    values = {"whole": -(1 << 62), "flag": True, "words": "₹ 'x' \\ %s $1", "bytes": b"\0\xff"}
    with psycopg.connect(postgres_url) as plain:
        plain.execute("CREATE TABLE kinds (whole bigint, flag smallint, words text, bytes bytea)")
    with postgres.connect(postgres_url, "public") as driver:
        line = Line(driver)
        line.put(Statement(sa.insert(table)), values)
        answer = line.execute(Statement(sa.select(table)), {})
        assert answer.rowcount == 1
        assert answer.fetchone() == (-(1 << 62), 1, "₹ 'x' \\ %s $1", b"\0\xff")
        assert answer.fetchone() is None


def test_after_one_that_fails_nothing_of_the_message_happens(postgres_url: str) -> None:
    with postgres.connect(postgres_url, "public") as driver:
        line = Line(driver)
        line.say("BEGIN")
        line.say("SELECT 1 / ($1::bigint - $1::bigint)", 1)
        with pytest.raises(psycopg.errors.DivisionByZero):
            line.flush("COMMIT")
        assert driver.info.transaction_status == TransactionStatus.INERROR
        driver.execute("ROLLBACK")
        assert line.flush("SELECT 1") == "SELECT 1"


def test_a_line_that_breaks_is_closed(postgres_url: str) -> None:
    with (
        postgres.connect(postgres_url, "public") as driver,
        psycopg.connect(postgres_url, autocommit=True) as other,
    ):
        line = Line(driver)
        other.execute("SELECT pg_terminate_backend(%s, 10000)", [driver.info.backend_pid])
        line.say("SELECT 1")
        with pytest.raises(psycopg.OperationalError):
            line.flush()
        assert driver.closed


def number(tx: Tx) -> int:
    """Return which transaction this is."""
    row = tx.row(sa.text("SELECT txid_current()"))
    assert row is not None
    return int(row[0])


def test_units_of_one_account_that_wait_together_are_committed_together(postgres_url: str) -> None:
    async def story(store: Store) -> None:
        gate = Gate()
        held = asyncio.ensure_future(store.write(gate.hold, account=7))
        await asyncio.to_thread(gate.reached.wait)
        waiting = [asyncio.ensure_future(store.write(number, account=7)) for _ in range(4)]
        other = asyncio.ensure_future(store.write(number, account=None))
        await asyncio.sleep(0)
        gate.open()
        await held
        together = set(await asyncio.gather(*waiting))
        assert len(together) == 1
        assert await other not in together

    told(postgres_url, story)


def test_of_units_that_were_committed_together_only_the_culprit_fails(
    empty_database: Database,
) -> None:
    runs: list[str] = []

    def note_and_enter(tx: Tx, note: str) -> None:
        runs.append(note)
        tx.after_commit(effects.append, note)
        enter(tx, note)
        if note == "wrong":
            put(tx, "one")

    effects: list[str] = []

    async def story(store: Store) -> None:
        gate = Gate()
        held = asyncio.ensure_future(store.write(gate.hold, account=7))
        await asyncio.to_thread(gate.reached.wait)
        waiting = [
            asyncio.ensure_future(store.write(note_and_enter, note, account=7))
            for note in ("one", "wrong", "two")
        ]
        await asyncio.sleep(0)
        gate.open()
        await held
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(end) for end in ends] == [type(None), Duplicate, type(None)]
        assert await store.read(notes, fresh=True) == {"one", "two"}

    told(empty_database.url, story)
    assert effects == ["one", "two"], "what follows a commit follows it once"


def test_accounts_are_dealt_out_to_the_threads_whatever_their_ids_end_in(
    postgres_url: str,
) -> None:
    all_at_once = threading.Barrier(4)

    def meet(tx: Tx) -> int:
        return all_at_once.wait(30)

    async def story(store: Store) -> None:
        accounts = [n << 22 for n in range(1, 5)]
        met = await asyncio.gather(*(store.write(meet, account=it) for it in accounts))
        assert set(met) == {0, 1, 2, 3}

    told(postgres_url, story)


def test_an_instrument_waits_behind_no_account(postgres_url: str) -> None:
    async def story(store: Store) -> None:
        gates = [Gate() for _ in range(8)]
        held = [
            asyncio.ensure_future(store.write(it.hold, account=n)) for n, it in enumerate(gates)
        ]
        for gate in gates:
            await asyncio.to_thread(gate.reached.wait)
        await store.write(enter, "matched", instrument=99)
        for gate in gates:
            gate.open()
        await asyncio.gather(*held)

    told(postgres_url, story)
