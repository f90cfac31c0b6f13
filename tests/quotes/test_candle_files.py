"""Candles on disk: read back exactly, put together with memory, and whole after any crash."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bahi.kernel.clock import StoppedClock
from bahi.kernel.errors import Misconfigured, TooMuch
from bahi.quotes.model.candles import Candle, Interval
from bahi.quotes.service.candle_files import CandleFiles
from bahi.quotes.service.history import KeptCandles
from bahi.quotes.service.rows import BadPrices
from tests.calendars.known import DAYS
from tests.quotes.names import CALL, EVERYTHING, RELIANCE, SBIN, a_market, at

SECOND = timedelta(seconds=1)
BEGIN, NOON = at("2026-11-20 09:15:00"), at("2026-11-20 12:00:00")
NAMED = {it.id: it for it in EVERYTHING}
MARKET = a_market()
ROOT = Path(__file__).parents[2]


class Kept:
    """Candles in memory and in a folder, as one process has them."""

    def __init__(self, folder: Path) -> None:
        self.clock = StoppedClock(BEGIN)
        self.memory = KeptCandles(DAYS, NAMED.get)
        self.files = CandleFiles(folder, self.memory, NAMED.get, self.clock)

    def follow(self, since: str, seconds: int, *, day: str = "2026-11-20") -> Kept:
        for n in range(0, seconds, 5):
            self.clock.set(at(f"{day} {since}") + n * SECOND)
            for it in (RELIANCE, CALL):
                quote = MARKET.quote(it, self.clock())
                assert quote is not None
                self.memory.take(quote)
        return self

    def write(self) -> Kept:
        asyncio.run(self.files.write_down())
        return self

    def candles(
        self, interval: Interval, it=RELIANCE, first=BEGIN, last=NOON
    ) -> tuple[Candle, ...]:
        return asyncio.run(self.files.candles(it, interval, first, last))


@pytest.fixture(autouse=True)
def _with_the_extra() -> None:
    pytest.importorskip("duckdb")


def test_what_was_written_is_read_again_exactly(tmp_path: Path) -> None:
    first = Kept(tmp_path).follow("09:15:00", 1_200)
    first.clock.set(NOON)
    first.write()
    later = Kept(tmp_path)
    for it in (RELIANCE, CALL):
        for interval in (Interval.M1, Interval.M5, Interval.D1):
            assert later.candles(interval, it) == first.candles(interval, it)
    assert len(later.candles(Interval.M1)) == 20
    assert later.candles(Interval.M1, SBIN) == ()
    (part,) = later.candles(Interval.M5, first=BEGIN + 6 * 60 * SECOND, last=BEGIN + 600 * SECOND)
    assert part == first.candles(Interval.M5)[2]
    assert [it.name for it in sorted(tmp_path.iterdir())] == [".lock", "2026-11-20.parquet"]


def test_a_process_that_takes_over_adds_to_the_days_file(tmp_path: Path) -> None:
    morning = Kept(tmp_path).follow("09:15:00", 600).write()
    after = Kept(tmp_path).follow("09:30:00", 601).write()
    whole = Kept(tmp_path).candles(Interval.M1)
    began = [it.at for it in whole]
    assert began == sorted(set(began))
    assert whole[:9] == morning.candles(Interval.M1)[:9]  # its tenth minute was not over
    assert whole[9:] == tuple(
        it for it in after.candles(Interval.M1)[9:] if it.at + 60 * SECOND <= after.clock()
    )
    assert after.candles(Interval.M1)[-1].at == at("2026-11-20 09:40:00")  # from memory


def test_days_are_told_one_after_the_other(tmp_path: Path) -> None:
    kept = Kept(tmp_path).follow("10:00:00", 120, day="2026-11-19").follow("10:00:00", 120)
    kept.clock.set(NOON)
    kept.write()
    days = Kept(tmp_path).candles(Interval.D1, first=at("2026-11-01 00:00:00"))
    assert [it.at for it in days] == [at("2026-11-19 09:15:00"), BEGIN]
    with pytest.raises(TooMuch, match="400 days"):
        kept.candles(Interval.D1, first=BEGIN - timedelta(days=500))


def test_it_is_written_every_few_minutes_and_at_the_end(tmp_path: Path) -> None:
    async def run() -> None:
        kept = Kept(tmp_path)
        waits, goes_on = asyncio.Event(), asyncio.Event()

        async def pause(seconds: float) -> None:
            assert seconds == 300
            waits.set()
            await goes_on.wait()
            goes_on.clear()

        keeping = asyncio.create_task(kept.files.keep(pause=pause))
        await waits.wait()
        for minutes, stop in ((2, False), (4, True)):
            kept.follow("09:15:00", minutes * 60 + 1)
            waits.clear()
            if stop:
                keeping.cancel()
                await asyncio.gather(keeping, return_exceptions=True)
            else:
                goes_on.set()
                await waits.wait()
            told = await Kept(tmp_path).files.candles(RELIANCE, Interval.M1, BEGIN, NOON)
            assert len(told) == minutes

    asyncio.run(run())


def test_what_cannot_be_written_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Kept(tmp_path).follow("09:15:00", 121).write()
    before = (tmp_path / "2026-11-20.parquet").read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    kept.follow("09:17:00", 121)
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        kept.write()
    assert "2026-11-20.parquet cannot be written" in caplog.text
    assert (tmp_path / "2026-11-20.parquet").read_bytes() == before
    kept.write()
    assert len(Kept(tmp_path).candles(Interval.M1)) == 4


def test_a_process_that_is_killed_while_it_writes_leaves_whole_files(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from tests.quotes.test_candle_files import *\n"
        "kept = Kept(Path(sys.argv[1]))\n"
        "for minute in range(30):\n"
        "    kept.follow(f'09:{15 + minute}:00', 61).write()\n"
        "    print(minute, flush=True)\n"
    )
    for lines in (1, 3, 5):
        with subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            for _ in range(lines):
                assert process.stdout.readline()
            process.kill()
        assert len(Kept(tmp_path).candles(Interval.M1)) >= lines


def test_a_file_that_is_no_parquet_is_said(tmp_path: Path) -> None:
    (tmp_path / "2026-11-20.parquet").write_bytes(b"nothing")
    with pytest.raises(BadPrices, match=r"cannot be read: .*2026-11-20\.parquet"):
        Kept(tmp_path).candles(Interval.M1)


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match=r"BAHI_CANDLES_FOLDER: .*cannot be used"):
        Kept(tmp_path / "file" / "folder")


def test_without_the_extra_the_setting_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)  # as if it were not installed
    with pytest.raises(Misconfigured, match=r"BAHI_CANDLES_FOLDER .*pip install 'bahi\[parquet\]'"):
        Kept(tmp_path / "candles")
    assert not (tmp_path / "candles").exists()
