"""What verifying the audit trail costs, beside reading the same rows."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import sqlalchemy as sa

from bahi.audit import repository
from bahi.audit.service import Sealer, verify
from bahi.db.opening import Database, transaction
from bahi.db.stores import Stores
from bahi.kernel.clock import SystemClock
from bahi.kernel.crypto import Vault
from bahi.kernel.keyring import Keyring
from bench.unit import NOW, counting, tables

ROWS = 100_000
PAGE = 5_000


class TrailBench:
    """A sealed trail on one database, read and verified in the same run."""

    def __init__(self, url: str, keyring: Keyring, folder: Path, rows: int = ROWS) -> None:
        self._url, self._folder, self._rows = url, folder, rows
        self._vault, self._clock = Vault(keyring), SystemClock()

    def plant(self) -> None:
        """Write the rows as the house does, and seal them."""
        database = Database("main", self._url)
        add = sa.insert(tables["audit_trail"])
        with database.opened() as core, transaction(core):
            for begin in range(0, self._rows, 10_000):
                core.execute(add, [_entry(n + 1) for n in range(begin, begin + 10_000)])
        asyncio.run(self._seal())
        with database.opened() as core, transaction(core):
            core.exec_driver_sql("ANALYZE")

    async def _seal(self) -> None:
        stores = self._stores()
        try:
            await Sealer(stores["main"], self._vault, self._clock, self._folder).seal()
        finally:
            await stores.close()

    def _stores(self) -> Stores:
        return Stores({"main": self._url}, counting())

    def read(self) -> float:
        """Measure rows a second through `store.read`, page by page."""

        async def run() -> float:
            stores, after, found = self._stores(), 0, 0
            started = time.perf_counter()
            while page := await stores["main"].read(repository.rows_after, after, PAGE, fresh=True):
                after, found = page[-1][0], found + len(page)
            took = time.perf_counter() - started
            await stores.close()
            return found / took

        return asyncio.run(run())

    def verify(self) -> float:
        """Measure rows a second of the whole verification."""

        async def run() -> float:
            stores = self._stores()
            started = time.perf_counter()
            verdict = await verify(
                stores["main"],
                stores["main"],
                self._vault,
                folder=self._folder,
                now=self._clock(),
            )
            took = time.perf_counter() - started
            await stores.close()
            if not verdict.is_good or verdict.rows != self._rows:
                raise SystemExit(f"the trail of the bench is not whole: {verdict.findings[:3]}")
            return verdict.rows / took

        return asyncio.run(run())


def _entry(n: int) -> dict[str, object]:
    return {
        "id": n,
        "user_id": 1,
        "actor": "bench",
        "entity_type": "order",
        "entity_id": str(n),
        "action": "order.place",
        "new_value": '{"quantity":65,"side":"BUY","symbol":"NIFTY28NOV2626000CE"}',
        "ip_address": "127.0.0.1",
        "request_id": f"{n:016x}",
        "at": NOW + n,
    }


def a_keyring(folder: str) -> Keyring:
    """Make a keyring of the bench's own, as a house has one: in a file."""
    return Keyring.create(Path(folder) / "keyring")


def a_folder() -> tempfile.TemporaryDirectory[str]:
    """Make a folder for keyring, stores and seals."""
    return tempfile.TemporaryDirectory(prefix="bahi-bench-")
