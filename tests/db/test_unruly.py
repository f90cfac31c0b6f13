"""Functions that do what no function should: their callers are told, and nobody else notices."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.db.failures import Refused
from bahi.db.opening import Database as OpenedDatabase
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError, Misconfigured
from tests.databases import Database
from tests.db.ledger import ADD_ENTRY, balances, create, enter, notes, open_store

CANARY = "canary-hunter2"


@asynccontextmanager
async def a_store(url: str) -> AsyncIterator[Store]:
    stores, store = open_store(url)
    try:
        yield store
    finally:
        await stores.close()


@pytest.fixture
def url(empty_database: Database) -> str:
    create(empty_database.url)
    return empty_database.url


def text_inside(text: str) -> Callable[[Tx], None]:
    def unruly(tx: Tx) -> None:
        enter(tx, "first half")
        with suppress(ValueError):
            tx.change(sa.text(text))
        enter(tx, "second half")

    return unruly


@pytest.mark.parametrize(
    "text", ["COMMIT", "ROLLBACK", " rollback to unit", "SELECT 1; COMMIT", "SAVEPOINT mine"]
)
def test_a_function_cannot_end_its_transaction_nor_its_neighbours(url: str, text: str) -> None:
    async def story() -> None:
        async with a_store(url) as store:
            units = [store.write(enter, f"neighbour {n}", account=1) for n in range(5)]
            units.insert(3, store.write(text_inside(text), account=1))
            ends = await asyncio.gather(*units, return_exceptions=True)
            assert isinstance(ends.pop(3), BahiError)
            assert all(isinstance(end, int) for end in ends)
            assert await store.read(notes) == {f"neighbour {n}" for n in range(5)}
            said, summed = await store.read(balances)
            assert said == summed

    asyncio.run(story())


def leaves(tx: Tx) -> None:
    raise SystemExit(3)


def stops(tx: Tx) -> None:
    next(iter(()))


def forgets_a_parameter(tx: Tx) -> str:
    enter(tx, "first half")
    with suppress(Exception):
        tx.change(ADD_ENTRY, {"id": 1})
    return "all is well"


async def waits(tx: Tx) -> None:
    enter(tx, "never run")


def yields(tx: Tx) -> Iterator[None]:
    enter(tx, "never run")
    yield


def money_with_a_fraction(tx: Tx) -> None:
    enter(tx, "half a paisa", amount=0.5)  # type: ignore[arg-type]


def money_as_decimal(tx: Tx) -> None:
    enter(tx, "a decimal", amount=Decimal("1.5"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "unruly",
    [leaves, stops, forgets_a_parameter, waits, yields, money_with_a_fraction, money_as_decimal],
)
def test_its_caller_is_told_and_nothing_of_it_is_kept(
    url: str, unruly: Callable[[Tx], Any]
) -> None:
    async def story() -> None:
        async with a_store(url) as store:
            with pytest.raises(Exception):  # noqa: B017, PT011 - each in its own way
                await store.write(unruly, account=1)
            await store.write(enter, "afterwards", account=1)
            assert await store.read(notes) == {"afterwards"}

    asyncio.run(story())


def test_a_fraction_is_refused_and_never_rounded(url: str) -> None:
    async def story() -> None:
        async with a_store(url) as store:
            with pytest.raises(Refused):
                await store.write(money_with_a_fraction)

    asyncio.run(story())


def test_whatever_follows_a_commit_its_caller_is_told_that_it_happened(url: str) -> None:
    def unruly(tx: Tx) -> int:
        tx.after_commit(leaves, tx)
        return enter(tx, "kept")

    async def story() -> None:
        async with a_store(url) as store:
            assert await store.write(unruly, account=1) > 0
            await store.write(enter, "afterwards", account=1)
            assert await store.read(notes) == {"kept", "afterwards"}

    asyncio.run(story())


def test_an_offer_that_fails_is_counted(url: str) -> None:
    async def story() -> None:
        stores, store = open_store(url)
        assert [store.offer(leaves) for _ in range(3)] == [True] * 3
        await stores.close()
        assert store.dropped == 3

    asyncio.run(story())


def test_no_argument_reaches_a_log_or_a_statistic(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def dawdle(secret: str, tx: Tx) -> None:
        until = time.perf_counter() + 0.03
        while time.perf_counter() < until:
            pass

    class Holder:
        def __repr__(self) -> str:
            raise AssertionError(CANARY)

        def method(self, tx: Tx) -> None:
            dawdle("", tx)

    async def story() -> None:
        async with a_store(url) as store:
            await store.write(functools.partial(dawdle, CANARY))
            await store.write(Holder().method)

    with caplog.at_level(logging.DEBUG):
        asyncio.run(story())
    assert "dawdle held the writer" in caplog.text
    assert CANARY not in caplog.text


def test_no_row_is_quoted_by_a_failure(url: str) -> None:
    import traceback

    async def story() -> None:
        async with a_store(url) as store:
            await store.write(enter, CANARY)
            with pytest.raises(BahiError) as twice:
                await store.write(enter, CANARY)
            assert CANARY not in "".join(traceback.format_exception(twice.value))
            with pytest.raises(BahiError) as wrong:
                await store.write(enter, "x", CANARY)  # type: ignore[arg-type]
            assert CANARY not in "".join(traceback.format_exception(wrong.value))

    asyncio.run(story())


@pytest.mark.parametrize("password", [f"{CANARY}%zz", f"p@{CANARY}"])
def test_an_address_that_cannot_be_understood_is_not_quoted(password: str) -> None:
    url = f"postgresql://desk:{password}@127.0.0.1:1/desk"
    assert CANARY not in repr(OpenedDatabase("main", url))
    with pytest.raises(Misconfigured, match="cannot be understood") as refused:
        open_store(url)
    assert CANARY not in str(refused.value)
