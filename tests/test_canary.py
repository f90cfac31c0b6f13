"""A secret that was written through every secret column is found nowhere in plain text."""

from __future__ import annotations

import asyncio
import base64
import functools
import logging
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.bootstrap import House, build
from bahi.config import STORE_VARIABLES, Settings
from bahi.db.opening import Database, transaction
from bahi.db.resealing import Resealing, SealedTable, census, row_id, sealed_tables
from bahi.db.schema import HOUSE, STORES
from bahi.db.tx import Tx
from bahi.db.upkeep.backup import Backups
from bahi.db.upkeep.export import export
from bahi.kernel.clock import SystemClock
from bahi.kernel.errors import BahiError
from tests.clusters import Cluster
from tests.databases import KINDS, Kind
from tests.db.good_rows import HAS_NO_GOOD_ROW, HAS_ONE_ROW, Planter, Row, schema_of
from tests.postgres import find_binaries

CANARY = "canary-3f9c-sings-in-plain-text"
SHAPES = (
    CANARY.encode(),
    CANARY.encode().hex().encode(),
    base64.b64encode(CANARY.encode())[:-4],
    CANARY.encode("utf-16-le"),
)


class CanaryPlanter(Planter):
    """Plants good rows whose every secret is the canary, sealed or digested as it should be."""

    def __init__(self, core: sa.Connection, store: str, house: House) -> None:
        super().__init__(core, schema_of(store))
        self._vault = house.vault

    def row(self, table: sa.Table, n: int) -> Row:
        """Make a row of the table with canaries."""
        row = super().row(table, n)
        at = row_id([row[column.name] for column in table.primary_key.columns])
        sealed = {c.name for t in sealed_tables_of(table) for c in t}
        for column in table.columns:
            place = {"table": table.name, "column": column.name, "row_id": at}
            if column.name in sealed:
                row[column.name] = self._vault.seal(CANARY, **place)
            elif column.info.get("secret"):
                row[column.name] = self._vault.digest(f"{CANARY}{n}", column.name)
        return row


def sealed_tables_of(table: sa.Table) -> Iterator[tuple[sa.Column[bytes], ...]]:
    store = next(iter(table.info["stores"]))
    return (t.columns for t in sealed_in(store) if t.table.name == table.name)


@functools.cache
def sealed_in(store: str) -> list[SealedTable]:
    return list(sealed_tables(store))


@pytest.fixture(params=KINDS)
def house_and_places(
    request: pytest.FixtureRequest, tmp_path: Path, make_cluster: Callable[..., Cluster]
) -> Iterator[tuple[House, list[Path]]]:
    """Build a house on either kind; hand out every folder in which it may leave something."""
    kind: Kind = request.param
    home = tmp_path / "home"
    environ = {"BAHI_HOME": str(home)}
    places = [tmp_path]
    if kind == "postgresql":
        cluster = make_cluster()
        url = cluster.create_database("desk")
        environ |= dict.fromkeys(STORE_VARIABLES.values(), url)
        places.append(cluster.folder)
    house = build(Settings.from_environment(environ))
    yield house, places
    house.held.close()


def test_a_secret_is_found_nowhere_and_moves_to_a_new_key_under_load(
    house_and_places: tuple[House, list[Path]],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    house, places = house_and_places
    with caplog.at_level(logging.DEBUG):
        said = asyncio.run(_live_with_secrets(house, tmp_path))
    found = [
        str(file)
        for place in places
        for file in place.rglob("*")
        if file.is_file() and _sings(_read(file))
    ]
    assert found == []
    assert not _sings(caplog.text.encode())
    assert not _sings(repr((said, house)).encode())


def _read(file: Path) -> bytes:
    """Read a file; a PostgreSQL dump is unpacked, or its compression would hide what is in it."""
    if not (file.name.endswith(".pgdump") and (binaries := find_binaries())):
        return file.read_bytes()
    unpacked = subprocess.run(
        [binaries.path("pg_restore"), "-f", "-", file], check=True, capture_output=True
    )
    return file.read_bytes() + unpacked.stdout


def _sings(text: bytes) -> bool:
    return any(shape in text for shape in SHAPES)


async def _live_with_secrets(house: House, folder: Path) -> list[str]:
    """Plant, fail, back up, export, rotate under load, retire; return what callers were told."""
    for store in STORES:
        _plant(house, store)
    said = [await _fail_over_a_secret(house)]
    before = house.keyring.active
    planted = (await census(house.stores))[before]
    assert planted == sum(len(t.columns) for s in STORES for t in sealed_tables(s))
    await _rotate_under_load(house)
    assert set(await census(house.stores)) == {house.keyring.active} != {before}
    _save(house, folder)
    house.keyring.retire(before)
    assert await _open_everything(house) > planted
    await house.stores.close()
    return said


def _database(house: House, store: str) -> Database:
    return Database(store, house.settings.urls[store])


def _plant(house: House, store: str) -> None:
    with _database(house, store).opened() as core, transaction(core):
        planter = CanaryPlanter(core, store, house)
        for table in schema_of(store).metadata.sorted_tables:
            if table.name not in HAS_NO_GOOD_ROW | HAS_ONE_ROW | {"schema_migrations"}:
                planter.plant(table, 1)


async def _fail_over_a_secret(house: House) -> str:
    """Write the same digest twice: the refusal names the column and not the value."""
    keys = HOUSE.metadata.tables["api_keys"]

    def again(tx: Tx) -> None:
        (row,) = tx.rows(sa.select(keys))
        tx.change(keys.insert(), dict(row._mapping) | {"id": 99})  # type: ignore[attr-defined]

    with pytest.raises(BahiError) as refusal:
        await house.stores["main"].write(again)
    return str(refusal.value)


async def _rotate_under_load(house: House) -> None:
    """Seal new secrets without pause while every old one is moved to a new key."""
    stop = asyncio.Event()
    apis = HOUSE.metadata.tables["broker_apis"]

    def register(tx: Tx, n: int, sealed: Callable[[int], bytes]) -> None:
        (account,) = tx.rows(sa.select(apis.c.account_id).limit(1))
        row: dict[str, Any] = {"id": 1000 + n, "account_id": account[0], "api_index": n + 10}
        row |= {"api_name": f"API{n}", "client_id": "x", "created_at": 1, "updated_at": 1}
        tx.change(apis.insert(), row | {"secret_enc": sealed(1000 + n)})

    def sealed(row: int) -> bytes:
        return house.vault.seal(CANARY, table="broker_apis", column="secret_enc", row_id=row)

    async def load() -> int:
        n = 0
        while not stop.is_set():
            await house.stores["main"].write(register, n, sealed)
            n += 1
        return n

    busy = asyncio.ensure_future(load())
    await asyncio.sleep(0)
    new = house.keyring.add_key()
    resealing = await Resealing(house.vault, new).run(house.stores)
    stop.set()
    assert await busy > 0
    await Resealing(house.vault, new).run(house.stores)
    assert resealing.broken == []


def _save(house: House, folder: Path) -> None:
    backups = Backups(folder / "backups", SystemClock())
    for store in STORES:
        backups.take(_database(house, store))
        export(_database(house, store), folder / "exports" / store, views=True)


async def _open_everything(house: House) -> int:
    """Open every sealed value, old and new, under the one key that is left."""
    opened = 0
    for store in STORES:
        for sealed in sealed_tables(store):
            rows = await house.stores[store].read(
                lambda tx, it=sealed: tx.rows(sa.select(*it.key, *it.columns))  # type: ignore[misc]
            )
            for row in rows:
                at = row_id(row[: len(sealed.key)])
                for column, secret in zip(sealed.columns, row[len(sealed.key) :], strict=True):
                    if secret is None:  # not every application has every secret
                        continue
                    place = {"table": sealed.table.name, "column": column.name, "row_id": at}
                    assert house.vault.open(bytes(secret), **place) == CANARY.encode()
                    opened += 1
    return opened


def test_the_search_would_find_a_secret(tmp_path: Path) -> None:
    """The proof above can fail: a canary in any of these shapes is seen."""
    for n, shape in enumerate(SHAPES):
        (tmp_path / str(n)).write_bytes(b"before " + shape + b" after")
    with suppress(FileNotFoundError):
        assert all(_sings(file.read_bytes()) for file in tmp_path.iterdir())
