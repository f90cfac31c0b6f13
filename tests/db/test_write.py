"""The contract of a write, on both databases."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from bahi.db.failures import Duplicate, Refused
from bahi.db.lanes import Lane, Lanes, Unit
from bahi.db.stores import NestedWrite, Store
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, Busy, NotCommitted
from tests.databases import Database
from tests.db.ledger import (
    MAKE_PROMISE,
    Gate,
    balances,
    create,
    enter,
    notes,
    open_store,
)

Story = Callable[[Store], Awaitable[Any]]
Tell = Callable[[Story], Any]


@pytest.fixture
def tell(empty_database: Database) -> Tell:
    """Run a story on a store of the small house, then close it."""
    create(empty_database.url)

    def run(story: Story) -> Any:
        async def whole() -> Any:
            stores, store = open_store(empty_database.url)
            try:
                return await story(store)
            finally:
                await stores.close()

        return asyncio.run(whole())

    return run


class Wrong(Exception):
    """What a function of the test raises."""


def fail_after_entering(tx: Tx, note: str) -> None:
    enter(tx, note)
    raise Wrong(note)


def enter_and_swallow_a_refusal(tx: Tx, note: str) -> str:
    enter(tx, note)
    with suppress(BahiError):
        enter(tx, note + " to nobody", book=404)
    return "all is well"


def promise_nothing(tx: Tx) -> None:
    enter(tx, "a promise")
    tx.change(MAKE_PROMISE, {"id": tx.new_id(), "entry_id": 999_999})


def test_what_is_acknowledged_is_there_and_what_failed_is_not(tell: Tell) -> None:
    async def story(store: Store) -> None:
        assert await store.write(enter, "kept", 5) > 0
        with pytest.raises(Wrong, match="lost"):
            await store.write(fail_after_entering, "lost")
        assert await store.read(notes, fresh=True) == {"kept"}

    tell(story)


def test_one_failure_among_many_costs_nobody_else(tell: Tell) -> None:
    async def story(store: Store) -> None:
        units = [
            store.write(fail_after_entering if n % 5 == 0 else enter, f"n{n}", account=n % 4)
            for n in range(100)
        ]
        ends = await asyncio.gather(*units, return_exceptions=True)
        failed = {f"n{n}" for n, end in enumerate(ends) if isinstance(end, Wrong)}
        assert failed == {f"n{n}" for n in range(0, 100, 5)}
        assert await store.read(notes) == {f"n{n}" for n in range(100)} - failed
        said, found = await store.read(balances)
        assert said == found

    tell(story)


def test_a_swallowed_refusal_does_not_commit(tell: Tell) -> None:
    async def story(store: Store) -> None:
        with pytest.raises(Refused):
            await store.write(enter_and_swallow_a_refusal, "half")
        assert await store.read(notes) == set()

    tell(story)


def test_the_same_row_twice_is_named(tell: Tell) -> None:
    async def story(store: Store) -> None:
        await store.write(enter, "once")
        with pytest.raises(Duplicate, match=r"entries\.note"):
            await store.write(enter, "once")

    tell(story)


def test_a_key_that_fails_at_commit_fails_its_own_unit_only(tell: Tell) -> None:
    async def story(store: Store) -> None:
        gate = Gate()
        held = asyncio.ensure_future(store.write(gate.hold, enter, "first"))
        await asyncio.to_thread(gate.reached.wait)
        units = [store.write(enter, "before"), store.write(promise_nothing)]
        waiting = asyncio.gather(*units, store.write(enter, "after"), return_exceptions=True)
        await asyncio.sleep(0)
        gate.open()
        ends = await waiting
        await held
        assert [type(end) for end in ends] == [int, Refused, int]
        assert await store.read(notes) == {"first", "before", "after"}

    tell(story)


def test_what_follows_a_commit_follows_only_a_commit(tell: Tell) -> None:
    done: list[str] = []

    def announce(tx: Tx, note: str, then: Callable[[Tx, str], Any]) -> None:
        tx.after_commit(done.append, note)
        then(tx, note)

    async def story(store: Store) -> None:
        await store.write(announce, "kept", enter)
        assert done == ["kept"]
        with pytest.raises(Wrong):
            await store.write(announce, "lost", fail_after_entering)
        with pytest.raises(Refused):
            await store.write(announce, "half", enter_and_swallow_a_refusal)
        await store.write(enter, "later")

    tell(story)
    assert done == ["kept"]


def test_a_failure_after_the_commit_changes_no_outcome_and_is_logged(
    tell: Tell, caplog: pytest.LogCaptureFixture
) -> None:
    def announce(tx: Tx) -> int:
        tx.after_commit(fail_after_entering, None, "afterwards")
        return enter(tx, "kept")

    async def story(store: Store) -> None:
        assert await store.write(announce) > 0
        assert await store.read(notes) == {"kept"}

    tell(story)
    assert "left to do after its commit failed" in caplog.text


def test_a_write_from_within_is_refused(tell: Tell) -> None:
    async def story(store: Store) -> None:
        def nested(tx: Tx) -> None:
            store.write(enter, "inner")

        with pytest.raises(NestedWrite):
            await store.write(nested)

    tell(story)


@contextmanager
def _small_lanes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Lanes.__init__, "__kwdefaults__", {"intents_waiting": 3})
    yield


def test_an_intent_is_refused_when_its_lane_is_full_and_a_fact_never(
    tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(store: Store) -> None:
        gate = Gate()
        held = asyncio.ensure_future(store.write(gate.hold, account=1))
        await asyncio.to_thread(gate.reached.wait)
        intents = [
            asyncio.ensure_future(store.write(enter, f"i{n}", lane=Lane.INTENT, account=1))
            for n in range(5)
        ]
        facts = [asyncio.ensure_future(store.write(enter, f"f{n}", account=1)) for n in range(9)]
        await asyncio.sleep(0.05)
        gate.open()
        await held
        ends = await asyncio.gather(*intents, return_exceptions=True)
        assert [isinstance(end, Busy) for end in ends] == [False, False, False, True, True]
        await asyncio.gather(*facts)
        assert await store.read(notes) == {f"f{n}" for n in range(9)} | {"i0", "i1", "i2"}

    with _small_lanes(monkeypatch):
        tell(story)


def test_facts_go_before_the_intents_that_were_there_first(tell: Tell) -> None:
    order: list[str] = []

    def note_down(tx: Tx, name: str) -> None:
        order.append(name)

    async def story(store: Store) -> None:
        gate = Gate()
        held = asyncio.ensure_future(store.write(gate.hold, account=1))
        await asyncio.to_thread(gate.reached.wait)
        waiting = [
            store.write(note_down, "intent", lane=Lane.INTENT, account=1),
            store.write(note_down, "fact", account=1),
        ]
        together = asyncio.gather(*waiting)
        await asyncio.sleep(0)
        gate.open()
        await asyncio.gather(held, together)

    tell(story)
    assert order == ["fact", "intent"]


def test_cancelled_while_it_waits_it_never_happens(tell: Tell) -> None:
    async def story(store: Store) -> None:
        gate = Gate()
        held = asyncio.ensure_future(store.write(gate.hold, account=1))
        await asyncio.to_thread(gate.reached.wait)
        waiting = asyncio.ensure_future(store.write(enter, "cancelled", account=1))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        gate.open()
        await held
        await store.write(enter, "next", account=1)
        assert await store.read(notes) == {"next"}

    tell(story)


def test_cancelled_while_it_runs_it_commits(tell: Tell) -> None:
    async def story(store: Store) -> None:
        gate = Gate()
        running = asyncio.ensure_future(store.write(gate.hold, enter, "running", account=1))
        await asyncio.to_thread(gate.reached.wait)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        gate.open()
        await store.write(enter, "next", account=1)
        assert await store.read(notes) == {"running", "next"}

    tell(story)


def test_a_closing_store_finishes_what_waits_and_admits_nothing_more(
    empty_database: Database,
) -> None:
    create(empty_database.url)

    async def story() -> None:
        stores, store = open_store(empty_database.url)
        waiting = asyncio.gather(*(store.write(enter, f"{n}", account=1) for n in range(500)))
        await asyncio.sleep(0)
        await stores.close()
        assert len(await waiting) == 500
        with pytest.raises(NotCommitted, match="shutting down"):
            await store.write(enter, "late", account=1)

    asyncio.run(story())
    assert _notes_of(empty_database.url) == {f"{n}" for n in range(500)}


def test_what_cannot_be_finished_in_time_ends_as_not_committed(empty_database: Database) -> None:
    create(empty_database.url)

    async def story() -> None:
        stores, store = open_store(empty_database.url)
        gate = Gate()
        held = asyncio.ensure_future(store.write(gate.hold, enter, "held", account=1))
        await asyncio.to_thread(gate.reached.wait)
        waiting = asyncio.ensure_future(store.write(enter, "too late", account=1))
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(stores.close(within_s=0.05))
        with pytest.raises(NotCommitted, match="shut down"):
            await waiting
        gate.open()
        await asyncio.gather(held, closing)

    asyncio.run(story())
    stores_after = _notes_of(empty_database.url)
    assert stores_after == {"held"}


def _notes_of(url: str) -> set[str]:
    async def look() -> set[str]:
        stores, store = open_store(url)
        try:
            return await store.read(notes, fresh=True)
        finally:
            await stores.close()

    return asyncio.run(look())


def test_units_of_one_account_are_committed_in_the_order_they_were_written(tell: Tell) -> None:
    async def story(store: Store) -> None:
        ids = await asyncio.gather(*(store.write(enter, f"{n}", account=7) for n in range(200)))
        assert ids == sorted(ids)

    tell(story)


def test_an_offer_is_dropped_and_counted_when_there_is_no_room(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(empty_database.url)

    async def story() -> None:
        stores, store = open_store(empty_database.url)
        gate = Gate()
        held = asyncio.ensure_future(store.write(gate.hold, account=0))
        await asyncio.to_thread(gate.reached.wait)
        lane = store._writer.lane_of(0)
        monkeypatch.setattr(store._writer, "lane_of", lambda *_whose: lane)
        assert [store.offer(enter, f"o{n}") for n in range(5)] == [True, True, True, False, False]
        assert store.dropped == 2
        gate.open()
        await held
        await stores.close()

    with _small_lanes(monkeypatch):
        asyncio.run(story())
    assert _notes_of(empty_database.url) == {"o0", "o1", "o2"}


def test_a_function_that_holds_the_writer_long_is_named(
    tell: Tell, caplog: pytest.LogCaptureFixture
) -> None:
    def dawdle(tx: Tx) -> None:
        until = time.perf_counter() + 0.03
        while time.perf_counter() < until:
            pass

    with caplog.at_level(logging.WARNING):
        tell(lambda store: store.write(dawdle))
    assert "dawdle held the writer of main" in caplog.text


def test_a_unit_is_in_one_state_at_a_time() -> None:
    """Removed means never taken, taken means never removed, whatever the order."""

    async def story() -> None:
        lanes, loop = Lanes(), asyncio.get_running_loop()
        units = [Unit(print, (), Lane.FACT, loop) for _ in range(50)]
        for unit in units:
            lanes.put(unit)
        removed = [unit for unit in units[::3] if lanes.remove(unit)]
        taken = lanes.take(100)
        assert not any(lanes.remove(unit) for unit in units)
        assert set(map(id, removed)) | set(map(id, taken)) == set(map(id, units))
        assert not set(map(id, removed)) & set(map(id, taken))

    asyncio.run(story())


def test_a_transaction_that_is_kept_for_later_is_over(tell: Tell) -> None:
    kept: list[Tx] = []

    async def story(store: Store) -> None:
        await store.write(kept.append)
        with pytest.raises(NotCommitted, match="ended the transaction"):
            enter(kept[0], "from outside")
        assert await store.read(notes) == set()

    tell(story)
