"""What is in force is a whole file: while loads go on, when one is killed, when two begin."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import pytest

from bahi.bootstrap import House
from bahi.instruments.model.loads import LoadStatus, Wanted
from bahi.instruments.service.loading import load_master
from bahi.kernel.actor import the_house
from bahi.kernel.errors import Conflict
from bahi.kernel.listings import Line
from bahi.kernel.words import BrokerSlug
from tests.instruments.makers import DAY, asked, everything, load, numbered, only, share
from tests.instruments.worlds import NEW, OLD, PIECE, in_force, world_of
from tests.living import MORNING, live_in, stopped

LOOKS_AT_LEAST = 20
PATIENCE_S = 60


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
                seen.append(await store.read(in_force, fresh=True))
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


def test_of_loads_at_once_all_but_the_first_are_told_to_wait(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        for _ in range(5):
            refused = await _begun_together(house)
            assert len(refused) == 2
            assert all("is being loaded" in it for it in refused)

    live_in(home, story, stopped())


async def _begun_together(house: House) -> list[str]:
    """Begin three loads; whichever is the first goes on when the others were refused."""
    refused: list[str] = []
    others_were_refused = asyncio.Event()

    async def lines() -> AsyncIterator[Sequence[Line]]:
        async with asyncio.timeout(PATIENCE_S):
            await others_were_refused.wait()
        yield numbered([share()])

    async def begin(broker: BrokerSlug) -> None:
        wanted = Wanted(broker=broker, source="a test", day=DAY)
        store, actor = house.stores["main"], the_house("test")
        try:
            await load_master(store, actor, wanted, lines(), house.clock)
        except Conflict as refusal:
            refused.append(str(refusal))
            if len(refused) == 2:
                others_were_refused.set()

    brokers = (BrokerSlug.UPSTOX, BrokerSlug.DHAN, BrokerSlug.KITE)
    await asyncio.gather(*(begin(it) for it in brokers))
    return refused


def test_a_load_that_is_called_off_leaves_nothing(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        store = house.stores["main"]
        await load(store, OLD)
        before = await everything(store)
        half_read = asyncio.Event()

        async def lines() -> AsyncIterator[Sequence[Line]]:
            yield numbered(NEW)[:PIECE]
            half_read.set()
            await asyncio.Event().wait()

        wanted = Wanted(broker=BrokerSlug.UPSTOX, source="a test", day=DAY)
        loading = asyncio.create_task(
            load_master(store, the_house("test"), wanted, lines(), house.clock, at_once=PIECE)
        )
        async with asyncio.timeout(PATIENCE_S):
            await half_read.wait()
        assert await only(store, "SELECT count(*) FROM broker_listings") == len(OLD) + PIECE
        loading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await loading
        assert await everything(store) == before
        assert await only(
            store, "SELECT reason FROM master_loads ORDER BY id DESC LIMIT 1"
        ) == "It was stopped (CancelledError)."  # fmt: skip

    live_in(home, story, stopped())
