"""Sealing anew: of facts that nobody may change, of rows that change meanwhile, of broken seals."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.db.failures import Refused
from bahi.db.opening import Database as Place
from bahi.db.opening import lay, transaction
from bahi.db.resealing import Resealing, census, row_id, sealed_tables
from bahi.db.schema import MAIN, AppendOnly, Schema, key, sealed, text_key
from bahi.db.stores import Stores
from bahi.db.tables import plumbing
from bahi.db.tx import Tx
from bahi.kernel.crypto import Vault, key_id_of
from bahi.kernel.keyring import Keyring
from tests.databases import Database

SCHEMA = Schema()
plumbing(SCHEMA)
facts = SCHEMA.table(
    "facts",
    "What may never change.",
    key(),
    sealed("secret_enc", "A secret.", null=True),
    append_only=AppendOnly(),
    stores=MAIN,
)
pairs = SCHEMA.table(
    "pairs",
    "What has a key of two parts.",
    text_key("left", "One."),
    text_key("right", "The other."),
    sealed("secret_enc", "A secret."),
    stores=MAIN,
)


@pytest.fixture
def keyring(tmp_path: Path) -> Keyring:
    return Keyring.create(tmp_path / "keyring")


@pytest.fixture
def stores(empty_database: Database) -> Iterator[Stores]:
    place = Place("main", empty_database.url, SCHEMA)
    with place.opened() as core, transaction(core):
        lay(core, place.schema.statements(core.dialect))
    stores = Stores({"main": empty_database.url}, lambda: 1)
    yield stores
    asyncio.run(stores.close())


def seal(vault: Vault, secret: str, table: str, row: int | str) -> bytes:
    return vault.seal(secret, table=table, column="secret_enc", row_id=row)


def put(tx: Tx, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        tx.change(table.insert(), row)


def secrets(tx: Tx, table: sa.Table) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in tx.rows(sa.select(table).order_by(*table.primary_key.columns))]


def test_facts_keep_their_trigger_and_get_a_new_seal(stores: Stores, keyring: Keyring) -> None:
    async def story() -> None:
        vault, store = Vault(keyring), stores["main"]
        rows = [
            {"id": n, "secret_enc": seal(vault, f"fact {n}", "facts", n)} for n in range(1, 131)
        ]
        await store.write(put, facts, [*rows, {"id": 131, "secret_enc": None}])
        new = keyring.add_key()
        told: list[int] = []
        done = await Resealing(vault, new, told.append).run(stores, SCHEMA)
        assert (done.secrets, done.broken, sum(told)) == (130, [], 130)
        for n, secret in await store.read(secrets, facts):
            if secret is not None:
                opened = vault.open(bytes(secret), table="facts", column="secret_enc", row_id=n)
                assert (opened.decode(), key_id_of(bytes(secret))) == (f"fact {n}", new)
        with pytest.raises(Refused):
            await store.write(lambda tx: tx.change(facts.delete()))

    asyncio.run(story())


def test_keys_of_several_parts_are_walked_to_their_end(stores: Stores, keyring: Keyring) -> None:
    async def story() -> None:
        vault, store = Vault(keyring), stores["main"]
        names = [(f"{n % 7}", f"{n:03}") for n in range(120)]
        rows = [
            {"left": a, "right": b, "secret_enc": seal(vault, b, "pairs", row_id((a, b)))}
            for a, b in names
        ]
        await store.write(put, pairs, rows)
        new = keyring.add_key()
        assert (await Resealing(vault, new).run(stores, SCHEMA)).secrets == len(names)
        assert await census(stores, SCHEMA) == {new: len(names)}

    asyncio.run(story())


def test_no_two_rows_have_one_place() -> None:
    assert row_id((7,)) == 7
    assert row_id(("a", "b,c")) != row_id(("a,b", "c"))


def test_whoever_changes_a_row_meanwhile_wins(stores: Stores, keyring: Keyring) -> None:
    async def story() -> None:
        vault, store = Vault(keyring), stores["main"]
        old = [{"left": "a", "right": b, "secret_enc": own(vault, "old", b)} for b in "xy"]
        await store.write(put, pairs, old)
        late = own(vault, "of the one who came between", "x")  # under the old key still
        new = keyring.add_key()
        vault_that_waits = Between(keyring, lambda: rewrite(stores, late))
        done = await Resealing(vault_that_waits, new).run(stores, SCHEMA)
        assert done.broken == []
        (_, _, x), (_, _, y) = await store.read(secrets, pairs)
        at = {"table": "pairs", "column": "secret_enc"}
        said = vault.open(bytes(x), **at, row_id=row_id(("a", "x")))
        assert said == b"of the one who came between"
        assert {key_id_of(bytes(x)), key_id_of(bytes(y))} == {new}

    asyncio.run(story())


def own(vault: Vault, secret: str, right: str) -> bytes:
    return seal(vault, secret, "pairs", row_id(("a", right)))


def rewrite(stores: Stores, secret: bytes) -> None:
    """Change row x from another thread, as another process would, and wait until it has."""
    x = pairs.update().where(pairs.c.right == "x").values(secret_enc=secret)
    write = stores["main"].write
    asyncio.run(write_once(write, x))


async def write_once(write: Callable[..., Any], clause: sa.Update) -> None:
    await write(lambda tx: tx.change(clause))


class Between(Vault):
    """A vault with which something happens between the reading of a row and its writing."""

    def __init__(self, keyring: Keyring, happens: Callable[[], None]) -> None:
        super().__init__(keyring)
        self._happens: Callable[[], None] | None = happens

    def open(self, sealed: bytes, **place: Any) -> bytes:
        if self._happens is not None:
            thread, self._happens = Thread(target=self._happens), None
            thread.start()
            thread.join()
        return super().open(sealed, **place)


def test_every_sealed_column_of_a_schema_is_found() -> None:
    found = {t.table.name: [c.name for c in t.columns] for t in sealed_tables("main", SCHEMA)}
    assert found == {"facts": ["secret_enc"], "pairs": ["secret_enc"]}
