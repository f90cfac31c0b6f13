"""A full disk in the middle of a batch."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from bahi.db.failures import DatabaseFull
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError
from tests.db.ledger import Gate, balances, create, enter, notes, open_store
from tests.disks import small_disk

MEGABYTE = 2**20
BALLAST = 24 * MEGABYTE  # more than the page cache holds, so SQLite meets the end mid-function


def enter_ballast(tx: Tx, name: str) -> None:
    for n in range(BALLAST // MEGABYTE):
        enter(tx, f"{name}{n}" + "x" * MEGABYTE)


def swallow_the_full_disk(tx: Tx, name: str) -> str:
    for n in range(BALLAST // MEGABYTE):
        with suppress(BahiError):
            enter(tx, f"{name}{n}" + "x" * MEGABYTE)
    with suppress(BahiError):
        enter(tx, f"{name} after the flood")
    return "all is well"


def test_only_the_culprits_fail_and_service_resumes_when_there_is_room(tmp_path: Path) -> None:
    with small_disk(4) as disk:
        asyncio.run(_fill_and_empty(disk or tmp_path, really=disk is not None))


async def _fill_and_empty(folder: Path, *, really: bool) -> None:
    url = f"sqlite:///{folder / 'small.sqlite'}"
    create(url)
    stores, store = open_store(url)
    try:
        if not really:
            await store.write(_bound_the_file)
        kept = await _a_batch_with_two_culprits(store)
        if really:
            kept |= await _no_room_at_all(store, folder / "ballast")
        kept.add(await _enter_again(store))
        assert await store.read(notes) == kept
        said, summed = await store.read(balances)
        assert said == summed
    finally:
        await stores.close()


def _bound_the_file(tx: Tx) -> None:
    tx.row(sa.text("PRAGMA max_page_count = 1000"))


async def _a_batch_with_two_culprits(store: Store) -> set[str]:
    gate = Gate()
    held = asyncio.ensure_future(store.write(gate.hold, enter, "held"))
    await asyncio.to_thread(gate.reached.wait)
    good = [store.write(enter, f"good{n}") for n in range(5)]
    bad = [store.write(swallow_the_full_disk, "sly"), store.write(enter_ballast, "loud")]
    more = [store.write(enter, f"more{n}") for n in range(5)]
    batch = asyncio.gather(*good, *bad, *more, return_exceptions=True)
    await asyncio.sleep(0)
    gate.open()
    ends = await batch
    await held
    kinds = [type(end) for end in ends]
    assert kinds == [int] * 5 + [DatabaseFull] * 2 + [int] * 5, ends
    return {"held"} | {f"good{n}" for n in range(5)} | {f"more{n}" for n in range(5)}


async def _no_room_at_all(store: Store, ballast: Path) -> set[str]:
    """Fill the disk, and then the last room inside SQLite's own files; then make room again."""
    await asyncio.to_thread(_fill, ballast)
    kept: set[str] = set()
    for n in range(1000):
        note = f"no room {n} " + "x" * 100_000
        try:
            await store.write(enter, note)
        except DatabaseFull:
            break
        kept.add(note)
    else:
        pytest.fail("the disk never filled")
    await asyncio.to_thread(ballast.unlink)
    return kept


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as filler, suppress(OSError):
        while filler.write(b"x" * 4096):
            pass


async def _enter_again(store: Store) -> str:
    await store.write(enter, "room again")
    return "room again"
