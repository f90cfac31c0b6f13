"""What only a server can do to a transaction: deadlocks, silence, absence."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bahi.db import postgres
from bahi.db.failures import DatabaseAway
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.errors import InDoubt, NotCommitted
from tests.db.ledger import ADD_TO_BALANCE, balances, create, enter, notes, open_store
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


def test_a_commit_that_nobody_can_be_asked_about_is_in_doubt(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(postgres_url)
    monkeypatch.setattr(postgres, "RECONNECT_WITHIN_S", 0.5)

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
    monkeypatch.setattr(postgres, "RECONNECT_WITHIN_S", 0.1)
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
