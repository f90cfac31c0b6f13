"""Units that share a transaction end as if each had had its own, whatever becomes of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Any, Self

import pytest
import sqlalchemy as sa

from bahi.db import postgres_writer
from bahi.db.failures import DatabaseAway, Deadlock, Duplicate, Refused
from bahi.db.lanes import Lane
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, InDoubt
from tests.databases import Database
from tests.db.ledger import (
    ADD_ENTRY,
    MAKE_PROMISE,
    Gate,
    balances,
    create,
    enter,
    entries,
    notes,
    open_store,
)
from tests.proxy import Proxy

Ends = list[Any]
IDS = sa.select(entries.c.id)


def told(url: str, story: Callable[[Store], Awaitable[Any]]) -> Any:
    async def whole() -> Any:
        stores, store = open_store(url)
        try:
            return await story(store)
        finally:
            await stores.close()

    create(url)
    return asyncio.run(whole())


class Queue:
    """An account whose thread is held, so that all that is asked meanwhile waits together."""

    def __init__(self, store: Store, account: int = 7) -> None:
        self._store, self._account, self._gate = store, account, Gate()
        self.ends: list[asyncio.Future[Any]] = []

    async def __aenter__(self) -> Self:
        held = self._store.write(self._gate.hold, account=self._account)
        self._held = asyncio.ensure_future(held)
        await asyncio.to_thread(self._gate.reached.wait)
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.sleep(0)  # each is in its lane
        self._gate.open()
        await asyncio.gather(self._held, return_exceptions=True)

    def write(self, *asked: Any, lane: Lane = Lane.FACT) -> asyncio.Future[Any]:
        """Have a function wait for its turn."""
        unit = self._store.write(*asked, lane=lane, account=self._account)
        self.ends.append(asyncio.ensure_future(unit))
        return self.ends[-1]

    async def ended(self) -> Ends:
        """Wait until all have ended, each in its way."""
        return await asyncio.gather(*self.ends, return_exceptions=True)


def put(tx: Tx, note: str, book: int = 1) -> None:
    tx.put(ADD_ENTRY, {"id": tx.new_id(), "book_id": book, "amount": 1, "note": note})


def promise_nothing(tx: Tx) -> None:
    put(tx, "a promise")
    tx.put(MAKE_PROMISE, {"id": tx.new_id(), "entry_id": 999_999})


@pytest.mark.parametrize(
    "wrong", [lambda tx: put(tx, "to nobody", 404), promise_nothing], ids=["a row", "at COMMIT"]
)
def test_a_row_that_fails_unseen_fails_the_unit_that_put_it(
    empty_database: Database, wrong: Callable[[Tx], None]
) -> None:
    async def story(store: Store) -> None:
        async with Queue(store) as queue:
            for unit in (put, "one"), (wrong,), (put, "two"), (enter, "three"):
                queue.write(*unit)
        ends = await queue.ended()
        assert [type(end) for end in ends] == [type(None), Refused, type(None), int]
        assert await store.read(notes, fresh=True) == {"one", "two", "three"}

    told(empty_database.url, story)


def test_an_answer_is_that_of_the_run_that_was_committed(empty_database: Database) -> None:
    runs: dict[str, list[int]] = {"one": [], "two": []}

    def counted(tx: Tx, note: str) -> int:
        runs[note].append(enter(tx, note))
        return runs[note][-1]

    async def story(store: Store) -> None:
        async with Queue(store) as queue:
            queue.write(counted, "one")
            queue.write(put, "to nobody", 404)
            queue.write(counted, "two")
        one, _, two = await queue.ended()
        kept = await store.read(lambda tx: {row[0] for row in tx.rows(IDS)}, fresh=True)
        assert kept == {one, two} == {runs["one"][-1], runs["two"][-1]}

    told(empty_database.url, story)


def test_facts_come_first_and_each_lane_keeps_its_order(empty_database: Database) -> None:
    order: list[str] = []

    def noted(tx: Tx, note: str) -> None:
        put(tx, note)
        order.append(note)

    async def story(store: Store) -> None:
        async with Queue(store) as queue:
            for n in range(20):
                lane = Lane.FACT if n % 2 else Lane.INTENT
                queue.write(noted, f"{lane.name} {n:02}", lane=lane)
        await queue.ended()

    told(empty_database.url, story)
    assert order == sorted(order), "FACT is before INTENT in the alphabet too"
    assert len(order) == 20


def test_a_caller_who_leaves_while_its_unit_waits_takes_it_along(
    empty_database: Database,
) -> None:
    async def story(store: Store) -> None:
        async with Queue(store) as queue:
            queue.write(put, "one")
            left = queue.write(put, "left")
            queue.write(put, "two")
            await asyncio.sleep(0)
            left.cancel()
        await queue.ended()
        assert await store.read(notes, fresh=True) == {"one", "two"}

    told(empty_database.url, story)


def test_a_caller_who_leaves_while_its_unit_runs_costs_no_neighbour(
    empty_database: Database,
) -> None:
    async def story(store: Store) -> None:
        inner = Gate()
        async with Queue(store) as queue:
            queue.write(put, "one")
            left = queue.write(inner.hold, put, "left")
            queue.write(put, "two")
        await asyncio.to_thread(inner.reached.wait)
        left.cancel()
        inner.open()
        ends = await queue.ended()
        assert isinstance(ends[1], asyncio.CancelledError)
        await store.write(put, "afterwards", account=7)
        assert await store.read(notes, fresh=True) == {"one", "left", "two", "afterwards"}

    told(empty_database.url, story)


def test_a_store_that_closes_finishes_what_waits_together(empty_database: Database) -> None:
    url = empty_database.url
    create(url)

    async def whole() -> Ends:
        stores, store = open_store(url)
        async with Queue(store) as queue:
            for n in range(20):
                queue.write(put, f"n{n}")
            await asyncio.sleep(0)
            closing = asyncio.ensure_future(stores.close())
            await asyncio.sleep(0)
        ends = await queue.ended()
        await closing
        return ends

    assert asyncio.run(whole()) == [None] * 20
    with_them = open_store(url, start=1000)

    async def look() -> set[str]:
        stores, store = with_them
        found = await store.read(notes, fresh=True)
        await stores.close()
        return found

    assert asyncio.run(look()) == {f"n{n}" for n in range(20)}


ENDS = {
    "well": type(None),
    "its own fault": KeyError,
    "twice": Duplicate,
    "to nobody": Refused,
    "a promise": Refused,
}


def test_whatever_ends_are_mixed_each_unit_has_its_own(empty_database: Database) -> None:
    """Accounts of which many units wait, and of which any may fail, at once or only at COMMIT."""
    dice = random.Random(12)
    done: dict[int, list[str]] = {account: [] for account in range(3)}

    def end(tx: Tx, note: str, kind: str, account: int) -> None:
        tx.after_commit(done[account].append, note)
        put(tx, note)
        match kind:
            case "its own fault":
                raise KeyError(note)
            case "twice":
                put(tx, note)
            case "to nobody":
                put(tx, f"{note} to nobody", 404)
            case "a promise":
                tx.put(MAKE_PROMISE, {"id": tx.new_id(), "entry_id": 999_999})

    async def story(store: Store) -> None:
        said = [
            (f"n{n:03}", dice.choices([*ENDS], [8, 1, 1, 1, 1])[0], dice.randrange(3))
            for n in range(200)
        ]
        units = [store.write(end, *each, account=each[2]) for each in said]
        ends = await asyncio.gather(*units, return_exceptions=True)
        assert [type(it) for it in ends] == [ENDS[kind] for _, kind, _ in said]
        well = [(note, account) for note, kind, account in said if kind == "well"]
        assert await store.read(notes, fresh=True) == {note for note, _ in well}
        for account, notes_done in done.items():
            assert notes_done == [note for note, whose in well if whose == account]

    told(empty_database.url, story)


def test_a_deadlock_under_several_costs_none_of_them(postgres_url: str) -> None:
    """One unit in a shared transaction is chosen by the server to give way: all are run again."""
    runs: list[str] = []

    def first_gives_way(tx: Tx) -> None:
        runs.append("runs")
        if len(runs) == 1:
            failure = Deadlock()
            tx.failure = failure
            raise failure
        put(tx, "gave way")

    async def story(store: Store) -> None:
        async with Queue(store) as queue:
            queue.write(put, "one")
            queue.write(first_gives_way)
            queue.write(put, "two")
        assert await queue.ended() == [None] * 3
        assert await store.read(notes, fresh=True) == {"one", "gave way", "two"}

    told(postgres_url, story)


def test_a_server_that_is_away_is_waited_for_once_by_all_that_share(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_writer, "RECONNECT_WITHIN_S", 0.1)
    asked: list[BaseException] = []
    away = postgres_writer.away

    def counted(error: BaseException) -> BahiError:
        asked.append(error)
        return away(error)

    monkeypatch.setattr(postgres_writer, "away", counted)

    async def story(store: Store) -> None:
        async with Queue(store) as queue:
            for n in range(5):
                queue.write(put, f"n{n}")
            proxy.refuse()
            proxy.cut()
        assert [type(end) for end in await queue.ended()] == [DatabaseAway] * 5
        assert len(asked) == 2, "once by the unit that was held, once by the five"
        proxy.accept()
        await store.write(put, "afterwards", account=7)
        assert await store.read(notes, fresh=True) == {"afterwards"}

    with Proxy(postgres_url) as proxy:
        told(proxy.url, story)


@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_several_whose_commit_is_cut_are_each_committed_once(postgres_url: str, when: Any) -> None:
    effects: list[str] = []

    def noted(tx: Tx, note: str) -> None:
        tx.after_commit(effects.append, note)
        enter(tx, f"{note} {tx.new_id()}")

    async def story(store: Store) -> None:
        async with Queue(store) as queue:
            for note in ("one", "two", "three"):
                queue.write(noted, note)
            proxy.cut_at_commit(when, nth=2)  # the first is that of the unit that is held
        assert await queue.ended() == [None] * 3
        assert effects == ["one", "two", "three"]
        found = sorted(it.split()[0] for it in await store.read(notes, fresh=True))
        assert found == ["one", "three", "two"]
        said, summed = await store.read(balances, fresh=True)
        assert said == summed

    with Proxy(postgres_url) as proxy:
        told(proxy.url, story)
        assert proxy.cuts == 1


def test_a_commit_in_doubt_is_in_doubt_for_each_that_shared_it(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_writer, "RECONNECT_WITHIN_S", 0.5)
    effects: list[str] = []

    def noted(tx: Tx, note: str) -> None:
        tx.after_commit(effects.append, note)
        put(tx, note)

    async def story(store: Store) -> None:
        inner = Gate()
        async with Queue(store) as queue:
            queue.write(noted, "one")
            queue.write(inner.hold, noted, "two")
        await asyncio.to_thread(inner.reached.wait)
        proxy.cut_at_commit("after")
        proxy.refuse()
        inner.open()
        doubts = await queue.ended()
        assert [type(it) for it in doubts] == [InDoubt, InDoubt]
        assert doubts[0] is not doubts[1], "an exception belongs to one caller"
        proxy.accept()
        await store.write(put, "after", account=7)
        assert await store.read(notes, fresh=True) == {"one", "two", "after"}

    with Proxy(postgres_url) as proxy:
        told(proxy.url, story)
    assert effects == []


def test_an_instrument_with_an_accounts_number_has_a_thread_of_its_own(postgres_url: str) -> None:
    async def story(store: Store) -> None:
        async with Queue(store, account=7):
            await asyncio.wait_for(store.write(enter, "matched", instrument=7), 30)

    told(postgres_url, story)
