"""A permit opens append-only tables to one transaction, and cannot outlive it."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from bahi.db.failures import Refused
from bahi.db.stores import Store
from bahi.db.tx import Tx
from tests.databases import Database
from tests.db.ledger import SCHEMA, create, enter, entries, notes, open_store

permits = SCHEMA.metadata.tables["permits"]


def take_away(tx: Tx) -> None:
    tx.change(entries.delete())


def take_away_with_permit(tx: Tx, *, give_back: bool) -> None:
    tx.change(permits.insert(), {"id": 1, "never": 0, "reason": "the archiver"})
    take_away(tx)
    if give_back:
        tx.change(permits.delete())


def give_back(tx: Tx) -> None:
    take_away_with_permit(tx, give_back=True)


def keep(tx: Tx) -> None:
    take_away_with_permit(tx, give_back=False)


def test_facts_leave_only_under_a_permit_that_is_given_back(empty_database: Database) -> None:
    create(empty_database.url)

    async def story(store: Store) -> None:
        await store.write(enter, "a fact")
        with pytest.raises(Refused, match="append-only"):
            await store.write(take_away)
        with pytest.raises(Refused):
            await store.write(keep)
        assert await store.read(notes) == {"a fact"}
        await store.write(give_back)
        assert await store.read(notes) == set()
        assert await store.read(lambda view: view.rows(sa.select(permits.c.id))) == []

    async def whole() -> None:
        stores, store = open_store(empty_database.url)
        try:
            await story(store)
        finally:
            await stores.close()

    asyncio.run(whole())
