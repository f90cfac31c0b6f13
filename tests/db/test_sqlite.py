"""How a SQLite store is opened."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from bahi.db import sqlite
from bahi.db.failures import DatabaseAway
from bahi.db.stores import Stores
from bahi.db.tx import Tx
from tests.db.ledger import create, enter, notes, open_store, path_of

PROMISED = {"journal_mode": "wal", "foreign_keys": 1, "recursive_triggers": 1}


def pragmas(tx: Tx) -> dict[str, object]:
    found = {name: tx.row(sa.text(f"PRAGMA {name}")) for name in (*PROMISED, "synchronous")}
    return {name: row[0] for name, row in found.items() if row is not None}


@pytest.mark.parametrize(
    ("store", "synchronous"), [("main", 2), ("archive", 2), ("latency", 1), ("logs", 1)]
)
def test_every_connection_is_opened_as_promised(
    tmp_path: Path, store: str, synchronous: int
) -> None:
    async def story() -> None:
        stores = Stores({store: f"sqlite:///{tmp_path / 'x.sqlite'}"}, lambda: 1)
        try:
            written = await stores[store].write(pragmas)
            assert written == PROMISED | {"synchronous": synchronous}
            assert (await stores[store].read(pragmas)).items() >= PROMISED.items()
        finally:
            await stores.close()

    asyncio.run(story())


def test_every_file_is_its_owners_alone(sqlite_url: str) -> None:
    create(sqlite_url)
    files: dict[str, int] = {}

    async def story() -> None:
        stores, store = open_store(sqlite_url)
        await store.write(enter, "a secret")
        for file in path_of(sqlite_url).parent.iterdir():
            files[file.name] = file.stat().st_mode & 0o777
        await stores.close()

    asyncio.run(story())
    assert len(files) >= 5
    assert set(files.values()) == {0o600}, files


def test_a_program_that_knows_no_turnstile_is_waited_for_with_a_bound(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(sqlite_url)
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(sqlite, "LOCK_ATTEMPTS", 2)

    async def story() -> None:
        stores, store = open_store(sqlite_url)
        with closing(sqlite3.connect(path_of(sqlite_url), isolation_level=None)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")
            ends = await asyncio.gather(
                *(store.write(enter, f"{n}") for n in range(3)), return_exceptions=True
            )
            assert [type(end) for end in ends] == [DatabaseAway] * 3, ends
            assert "Another program has held" in str(ends[0])
        await store.write(enter, "afterwards")
        assert await store.read(notes) == {"afterwards"}
        await stores.close()

    asyncio.run(story())
