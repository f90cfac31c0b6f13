"""The real masters, loaded as people load them, and what stands in the tables afterwards."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bahi.bootstrap import House
from bahi.brokers.reading import pieces_of
from bahi.db.stores import Store
from bahi.instruments.model.loads import Covers, Load, LoadStatus, Wanted
from bahi.instruments.service.loading import load_master
from bahi.kernel.actor import the_house
from bahi.kernel.clock import SystemClock
from tests.brokers.masters import (
    BREEZE,
    DHAN,
    DHAN_DETAILED,
    KITE_MOCK,
    KITE_NFO,
    KITE_NSE,
    UPSTOX_CSV,
    UPSTOX_JSON,
    WHOSE,
)
from tests.brokers.test_masters import COUNTS
from tests.databases import KINDS, Kind, MakeDatabase
from tests.furnished import Furnished
from tests.instruments.makers import asked, only
from tests.living import live_in

MEMORY_MB = 300
DAYS = {
    DHAN: date(2026, 2, 9),
    UPSTOX_CSV: date(2025, 8, 20),
    UPSTOX_JSON: date(2026, 8, 17),
    BREEZE: date(2026, 7, 30),
    KITE_NFO: date(2025, 9, 24),
    KITE_NSE: date(2025, 8, 22),
    KITE_MOCK: date(2017, 11, 30),
    DHAN_DETAILED: date(2026, 4, 15),
}
ALL_ON: dict[Kind, tuple[str, ...]] = {
    "sqlite": (UPSTOX_JSON, KITE_NFO, DHAN_DETAILED),
    "postgresql": (BREEZE, KITE_NSE, KITE_MOCK),
}
"""Which file is read on which database in every run; the largest of all is read on both."""


async def load_real(store: Store, data: Path, name: str, **vouched: bool) -> Load:
    """Load a real file on the day that it is of."""
    wanted = Wanted(broker=WHOSE[name], source=name, day=DAYS[name], **vouched)
    pieces = pieces_of(wanted.broker, data / "instruments" / name)
    return await load_master(store, the_house("test"), wanted, pieces, SystemClock())


async def see_all_of_it(store: Store, name: str, load: Load) -> None:
    """See that what the parser reads is in force, each contract once."""
    assert load.status is LoadStatus.IN_FORCE
    listed, ended = load.report["listed"], load.report["ended"]
    assert load.report["bad"] == []
    read = {it: listed.get(it, 0) + ended.get(it, 0) for it in {*listed, *ended}}
    assert read == COUNTS[name]
    segments = ", ".join(f"'{it}'" for it in listed)  # of others, an earlier file is in force
    of_it = (
        f"FROM broker_symbols WHERE broker = '{WHOSE[name]}' AND exchange_segment IN ({segments})"
    )
    counts = await asked(store, f"SELECT exchange_segment, count(*) {of_it} GROUP BY 1")
    assert dict(counts) == listed
    assert await only(store, f"SELECT count(DISTINCT instrument_id) {of_it}") == load.lines


async def tick(store: Store, segment: str, where: str) -> set[Any]:
    """Return the ticks of these instruments."""
    said = "SELECT DISTINCT tick_size FROM instruments WHERE is_active = 1"
    return {it for (it,) in await asked(store, f"{said} AND exchange_segment = '{segment}'{where}")}


async def see_anchors(store: Store, segments: set[str]) -> None:
    """See that what everybody trades is exact."""
    if "NSE_EQ" in segments:
        assert await tick(store, "NSE_EQ", " AND symbol = 'RELIANCE'") <= {1_000, None}
        reliance = "SELECT exchange_token, is_active FROM instruments WHERE symbol = 'RELIANCE'"
        assert await asked(store, f"{reliance} AND exchange_segment = 'NSE_EQ'") == [("2885", 1)]
    if "NSE_INDEX" in segments:
        nifty = "SELECT is_active FROM instruments WHERE symbol = 'NIFTY'"
        assert await asked(store, f"{nifty} AND exchange_segment = 'NSE_INDEX'") == [(1,)]
    if "NSE_FNO" in segments:
        nifty = " AND root_symbol = 'NIFTY' AND instrument_type = 'OPTIDX'"
        assert await tick(store, "NSE_FNO", nifty) == {500}
        strikes = await asked(
            store, f"SELECT symbol, strike FROM instruments WHERE strike IS NOT NULL{nifty}"
        )
        assert all(symbol[12:-2] == f"{strike / 10_000:g}" for symbol, strike in strikes)
    if "NSE_CURRENCY" in segments:
        assert await tick(store, "NSE_CURRENCY", " AND root_symbol = 'USDINR'") == {25}
    if "MCX_COMM" in segments:
        crude = " AND root_symbol = 'CRUDEOIL' AND instrument_type = 'FUTCOM'"
        assert await tick(store, "MCX_COMM", crude) == {10_000}


def test_the_largest_file_and_then_another_brokers_are_in_force_as_one_master(
    home: dict[str, str], shared_data: Path
) -> None:
    async def story(house: House) -> None:
        store = house.stores["main"]
        dhan = await load_real(store, shared_data, DHAN)
        await see_all_of_it(store, DHAN, dhan)
        await see_anchors(store, set(dhan.report["listed"]))
        before = await only(store, "SELECT count(*) FROM instruments")
        kite = await load_real(store, shared_data, KITE_NSE)
        await see_all_of_it(store, KITE_NSE, kite)
        both = (
            "SELECT count(*) FROM broker_symbols a JOIN broker_symbols b"
            " ON a.instrument_id = b.instrument_id WHERE a.broker = 'dhan' AND b.broker = 'kite'"
        )
        shared = await only(store, both)
        assert shared == kite.lines - kite.report["arrived"]
        assert shared > 0.9 * kite.lines
        after = await only(store, "SELECT count(*) FROM instruments")
        assert after == before + kite.report["arrived"]
        disagreed = kite.report["disagreed"]
        assert set(disagreed) <= {"adjusted", "renamed", "unit", "expired", "reused"}
        assert disagreed["adjusted"] > 0
        shown = [it for it in kite.report["disagreements"] if it["kind"] == "adjusted"]
        assert len(shown) == min(50, disagreed["adjusted"])
        assert all(it["with"] == "dhan" and "here" in it["is"] for it in shown)

    live_in(home, story)


@pytest.mark.parametrize("kind", KINDS)
def test_every_other_real_file_is_in_force_whole(
    kind: Kind,
    furnished: Furnished,
    make_database: MakeDatabase,
    tmp_path: Path,
    shared_data: Path,
    rounds: Any,
) -> None:
    async def story(house: House) -> None:
        store = house.stores["main"]
        files = ALL_ON[kind] if rounds(1) == 1 else [it for it in DAYS if it != DHAN]
        for name in files:
            load = await load_real(store, shared_data, name, covers=Covers.PART, is_checked=True)
            await see_all_of_it(store, name, load)
            await see_anchors(store, set(load.report["listed"]) if name != KITE_MOCK else set())

    live_in(furnished.copy(kind, tmp_path / "home", make_database), story)


PEAK = """
def peak_mb():
    status = Path("/proc/self/status").read_text()
    return int(next(it for it in status.splitlines() if it.startswith("VmHWM")).split()[1]) // 1024
"""
"""What a process took at most; getrusage would begin with what its parent took."""
READING = f"""
import io, sys
from pathlib import Path
from bahi.brokers.reading import main
{PEAK}
class Nowhere(io.RawIOBase):
    def write(self, piece):
        return len(piece)

main("dhan", sys.argv[1], Nowhere())
print(peak_mb())
"""
LOADING = f"""
import asyncio, os, sys
from pathlib import Path
from bahi.bootstrap import build
from bahi.config import Settings
from tests.instruments.test_loading import DHAN, load_real

async def load():
    house = build(Settings.from_environment(os.environ))
    try:
        return await load_real(house.stores["main"], Path(sys.argv[1]), DHAN)
    finally:
        await house.close()

{PEAK}
print(asyncio.run(load()).lines, peak_mb())
"""


def test_the_largest_file_takes_little_memory_in_both_processes(
    furnished: Furnished, make_database: MakeDatabase, tmp_path: Path, shared_data: Path
) -> None:
    home = furnished.copy("sqlite", tmp_path / "home", make_database)

    def run(script: str, data: Path) -> list[int]:
        said = subprocess.run(
            [sys.executable, "-c", script, str(data)],
            env=home, capture_output=True, check=True, timeout=120,
        )  # fmt: skip
        return [int(it) for it in said.stdout.split()]

    lines, loading = run(LOADING, shared_data)
    assert lines > 200_000
    assert loading < MEMORY_MB
    (reading,) = run(READING, shared_data / "instruments" / DHAN)
    assert reading < MEMORY_MB
