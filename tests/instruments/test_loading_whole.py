"""What is in force is a whole file: while loads go on, when one is killed, when two begin."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta

import pytest

from bahi.bootstrap import House
from bahi.db.stores import Store
from bahi.instruments.model.loads import Load, LoadStatus
from bahi.kernel.errors import Conflict
from bahi.kernel.words import BrokerSlug
from tests.instruments.makers import asked, everything, load, only, share
from tests.instruments.worlds import NEW, OLD, PIECE, in_force, world_of
from tests.living import MORNING, live_in, stopped

LOOKS_AT_LEAST = 20


def test_who_reads_while_loads_go_on_sees_one_whole_file(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        store = house.stores["main"]
        await load(store, OLD)
        seen, over = [], asyncio.Event()

        async def look() -> None:
            while not over.is_set() or len(seen) < LOOKS_AT_LEAST:
                seen.append(await store.read(in_force, fresh=True))

        looking = asyncio.create_task(look())
        for _ in range(3):
            for file in (NEW, OLD):
                await load(store, file, size=PIECE)
        over.set()
        await looking
        assert set(seen) == {world_of(OLD), world_of(NEW)}

    live_in(home, story)


POINTS = {
    "1": OLD,
    "4": OLD,
    "swap": OLD,
    "swapped": NEW,
    "undoing": OLD,
}


@pytest.mark.parametrize("point", POINTS)
def test_a_load_that_is_killed_leaves_a_whole_master_and_the_next_one_clears_up(
    point: str, home: dict[str, str]
) -> None:
    async def begin(house: House) -> None:
        await load(house.stores["main"], OLD)

    async def go_on(house: House) -> None:
        store = house.stores["main"]
        assert await store.read(in_force, fresh=True) == world_of(POINTS[point])
        if point != "swapped":
            with pytest.raises(Conflict, match="is being loaded"):
                await load(store, NEW)
        later = stopped(MORNING + timedelta(minutes=3))
        await load(store, NEW, clock=later)
        assert await store.read(in_force, fresh=True) == world_of(NEW)
        assert await only(store, "SELECT count(*) FROM broker_listings") == len(NEW)
        known = len({it.symbol for it in (*OLD, *NEW)}) + 1  # ITC, which no file has named
        assert await only(store, "SELECT count(*) FROM instruments") == known
        ended = await asked(store, "SELECT status FROM master_loads ORDER BY id")
        assert LoadStatus.READING not in {status for (status,) in ended}
        assert ended[-1] == (LoadStatus.IN_FORCE,)

    live_in(home, begin)
    killed = subprocess.run(
        [sys.executable, "-m", "tests.instruments.dying", point],
        env=home, capture_output=True, check=False, timeout=60,
    )  # fmt: skip
    assert killed.returncode == -9, killed.stderr.decode()
    live_in(home, go_on)


def test_of_two_loads_at_once_one_is_told_to_wait(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        store = house.stores["main"]
        brokers = [BrokerSlug.UPSTOX, BrokerSlug.DHAN, BrokerSlug.KITE]
        for _ in range(5):
            ends: Sequence[Load | BaseException] = await asyncio.gather(
                *(load(store, [share()], it) for it in brokers), return_exceptions=True
            )
            refused = [it for it in ends if isinstance(it, BaseException)]
            assert [type(it) for it in refused] == [Conflict] * 2
            assert all("is being loaded" in str(it) for it in refused)

    live_in(home, story)


def test_a_load_that_is_called_off_leaves_nothing(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        store = house.stores["main"]
        await load(store, OLD)
        before = await everything(store)
        loading = asyncio.create_task(load(store, NEW, size=PIECE))
        while not await _is_half_read(store):
            pass
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        assert await everything(store) == before
        assert await only(
            store, "SELECT reason FROM master_loads ORDER BY id DESC LIMIT 1"
        ) == "It was stopped (CancelledError)."  # fmt: skip

    live_in(home, story)


async def _is_half_read(store: Store) -> bool:
    listed = await only(store, "SELECT count(*) FROM broker_listings")
    return bool(listed > len(OLD))
