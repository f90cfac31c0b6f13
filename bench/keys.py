"""What knowing an API key costs: remembered, beside one keyed BLAKE2b; new, beside the raw row."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

from bahi.db import sqlite
from bahi.db.opening import Database, transaction
from bahi.db.revisions import Revisions
from bahi.db.stores import Stores
from bahi.identity.repository.keys import HOLDER
from bahi.identity.service.keys import PURPOSE, Keys, new_key
from bahi.kernel.clock import SystemClock
from bahi.kernel.crypto import Vault
from bahi.kernel.keyring import Keyring
from bahi.kernel.words import KeyScope
from bench.unit import NOW, counting, tables

HOT = 20_000
MISSES = 1_000
READY_S = 3_600.0


def blake2b_floor() -> float:
    """Measure how often a second this machine digests a key with a key."""
    secret, key = b"k" * 32, new_key()
    started = time.perf_counter()
    for _ in range(HOT):
        blake2b(key.encode(), key=secret).hexdigest()
    return HOT / (time.perf_counter() - started)


class KeyBench:
    """A main store with so many keys in it, on one database."""

    def __init__(self, url: str, keyring: Keyring, stored: int) -> None:
        self._url, self._vault, self._stored = url, Vault(keyring), stored
        self._keys = [new_key() for _ in range(MISSES)]

    def plant(self) -> None:
        """Store the keys: those that are asked for, and older ones up to the number."""
        rows = [
            {
                "id": n + 1,
                "user_id": 1,
                "key_hash": self._vault.digest(key, PURPOSE),
                "scope": KeyScope.READ,
                "created_at": NOW,
            }
            for n, key in enumerate(self._keys[: self._stored])
        ]
        rows += [
            {**rows[0], "id": n + 1, "key_hash": self._vault.digest(str(n), PURPOSE)}
            for n in range(len(rows), self._stored)
        ]
        database = Database("main", self._url)
        with database.opened() as core, transaction(core):
            core.execute(sa.insert(tables["api_keys"]), rows)
        with database.opened() as core, transaction(core):
            core.exec_driver_sql("ANALYZE")

    def hot(self) -> float:
        """Measure `Keys.holder` of a key that is remembered."""

        async def run(keys: Keys) -> float:
            await keys.holder(self._keys[0])
            started = time.perf_counter()
            for _ in range(HOT):
                await keys.holder(self._keys[0])
            return HOT / (time.perf_counter() - started)

        return self._with_keys(run)

    def missed(self) -> float:
        """Measure `Keys.holder` of keys that are not remembered, one after the other."""
        wanted = [self._keys[n % min(self._stored, MISSES)] for n in range(MISSES)]

        async def run(keys: Keys) -> float:
            await keys.holder(wanted[0])  # connections are open
            took = 0.0
            for key in wanted:
                keys.forget()
                started = time.perf_counter()
                await keys.holder(key)
                took += time.perf_counter() - started
            return MISSES / took

        return self._with_keys(run)

    def _with_keys(self, run: Callable[[Keys], Any]) -> float:
        async def whole() -> float:
            stores = Stores({"main": self._url}, counting())
            revisions = Revisions(stores["main"], lambda: 0.0)  # they never grow old here
            await revisions.look()
            keys = Keys(stores["main"], self._vault, SystemClock(), revisions)
            try:
                found: float = await run(keys)
                return found
            finally:
                await stores.close()

        return asyncio.run(whole())

    def raw(self) -> float:
        """Measure the same row by the same statement, on a connection of the driver's own."""
        wanted = [self._keys[n % min(self._stored, MISSES)] for n in range(MISSES)]
        digests = [self._vault.digest(key, PURPOSE) for key in wanted]
        if self._url.startswith("sqlite"):
            return self._raw_sqlite(digests)
        return self._raw_postgres(digests)

    def _raw_sqlite(self, digests: list[str]) -> float:
        driver = sqlite.connect(Path(self._url.removeprefix("sqlite:///")))
        text, bind = HOLDER.on(sqlite.engine(Path(":memory:")).dialect)
        started = time.perf_counter()
        for digest in digests:
            driver.execute(text, bind({"digest": digest})).fetchone()
        took = time.perf_counter() - started
        driver.close()
        return len(digests) / took

    def _raw_postgres(self, digests: list[str]) -> float:
        text, bind = HOLDER.on(_postgres_dialect())
        with psycopg.connect(self._url, autocommit=True) as driver:
            driver.execute("SET search_path = main")
            started = time.perf_counter()
            for digest in digests:
                driver.execute(text, bind({"digest": digest})).fetchone()  # type: ignore[arg-type]
            return len(digests) / (time.perf_counter() - started)


def _postgres_dialect() -> sa.Dialect:
    return sa.create_engine("postgresql+psycopg://").dialect
