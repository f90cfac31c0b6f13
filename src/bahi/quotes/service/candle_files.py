"""Candles on disk: a Parquet file a day, beside what is in memory; needs the extra `parquet`.

A file holds the minutes of everything that was followed that day, with prices as whole
ten-thousandths of a rupee and instants as microseconds. It is written beside and renamed, so it is
whole or as it was; what stands in it and is no more in memory stays. One data folder writes to it.
"""

from __future__ import annotations

import asyncio
import csv
import io
import logging
import os
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from bahi.db.upkeep.locks import held
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import Clock, exchange_day, from_micros, to_micros
from bahi.kernel.errors import BahiError, Misconfigured, TooMuch
from bahi.kernel.money import Price
from bahi.quotes.model.candles import Candle, DayOfCandles, Interval, between, fold
from bahi.quotes.service.history import KeptCandles
from bahi.quotes.service.market import InstrumentOf
from bahi.quotes.service.rows import BadPrices
from bahi.quotes.service.sources import Pause

WRITTEN_EVERY_S: Final = 300.0
DAYS_AT_MOST: Final = 400
"""Days that are read at once."""
MINUTE: Final = timedelta(minutes=1)
DAY: Final = timedelta(days=1)
LOCKED_WITHIN_S: Final = 60.0

_LOAD: Final = """
CREATE TABLE minutes AS SELECT * FROM read_csv($new, header = false, columns = {
  segment: 'VARCHAR', symbol: 'VARCHAR', opens: 'BIGINT', begins: 'BIGINT', open: 'BIGINT',
  high: 'BIGINT', low: 'BIGINT', close: 'BIGINT', volume: 'BIGINT', open_interest: 'BIGINT'})"""
_ADD_OLD: Final = """
INSERT INTO minutes SELECT old.* FROM read_parquet($old) AS old
ANTI JOIN minutes USING (segment, symbol, begins)"""
_ALL: Final = "SELECT * FROM minutes ORDER BY segment, symbol, begins"
_READ: Final = """
SELECT opens, begins, open, high, low, close, volume, open_interest FROM read_parquet($files)
WHERE segment = $segment AND symbol = $symbol ORDER BY begins"""

log = logging.getLogger("bahi.quotes")


class _Day(NamedTuple):
    """An instrument's minutes of one day."""

    opens: datetime
    minutes: dict[datetime, Candle]


class CandleFiles:
    """Keeps candles in a folder, and tells those of the files and of memory together."""

    def __init__(
        self, folder: Path, kept: KeptCandles, instrument_of: InstrumentOf, clock: Clock
    ) -> None:
        try:
            import duckdb  # noqa: F401, PLC0415 - an extra: only who keeps such files needs it
        except ImportError:
            raise Misconfigured(
                "BAHI_CANDLES_FOLDER keeps candles as Parquet, which needs the extra: pip install "
                "'bahi[parquet]', or leave the setting out."
            ) from None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as fault:
            raise Misconfigured(
                f"BAHI_CANDLES_FOLDER: {folder} cannot be used ({fault.strerror}); name a folder "
                "that you may write to."
            ) from None
        self._folder, self._kept = folder, kept
        self._instrument_of, self._clock = instrument_of, clock
        self._written: dict[date, int] = {}

    async def keep(self, *, pause: Pause = asyncio.sleep) -> None:
        """Write down what memory holds, every few minutes and once more at the end."""
        try:
            while True:
                await pause(WRITTEN_EVERY_S)
                await self.write_down()
        finally:
            await self.write_down()

    async def write_down(self) -> None:
        """Write the days that have changed; one that cannot be written is tried again later."""
        now = self._clock()
        for day in sorted({it for _, it, _ in self._kept.days()}):
            text = await self._text_of(day, now)
            if not text or self._written.get(day) == hash(text):
                continue
            try:
                await asyncio.to_thread(_write, self._folder, day, text)
                self._written[day] = hash(text)
            except BahiError as fault:
                log.warning("the candles of %s are not on disk: %s", day, fault)

    async def _text_of(self, day: date, now: datetime) -> str:
        """Write the minutes of a day that are over; others have their turn between instruments."""
        text = io.StringIO()
        lines = csv.writer(text)
        for instrument_id, its_day, kept in self._kept.days():
            instrument = self._instrument_of(instrument_id)
            if its_day == day and instrument is not None:
                named = (instrument.segment, instrument.symbol, to_micros(kept.opens))
                lines.writerows(
                    [*named, to_micros(it.at), it.open, it.high, it.low, it.close, *_counts(it)]
                    for it in kept.candles()
                    if it.at + MINUTE <= now
                )
                await asyncio.sleep(0)
        return text.getvalue()

    async def candles(
        self, instrument: Instrument, interval: Interval, first: datetime, last: datetime
    ) -> tuple[Candle, ...]:
        """Return the candles that begin within a while, oldest first."""
        day, ends = exchange_day(first), exchange_day(last)
        if (many := (ends - day).days) > DAYS_AT_MOST:
            raise TooMuch(
                f"Candles of {DAYS_AT_MOST} days are read at once, and that is {many:,}; ask for "
                "less at a time."
            )
        days = [day + n * DAY for n in range(many + 1)]
        files = [file for it in days if (file := _file(self._folder, it)).exists()]
        found = await asyncio.to_thread(_read, files, instrument) if files else {}
        for instrument_id, its_day, kept in self._kept.days():
            if instrument_id == instrument.id and day <= its_day <= ends:
                _add(found, its_day, kept)
        return tuple(
            candle
            for _, it in sorted(found.items())
            for candle in between(tuple(_folded(it, interval)), first, last)
        )


def _counts(it: Candle) -> tuple[int | None, int | None]:
    return it.volume, it.open_interest


def _add(found: dict[date, _Day], day: date, kept: DayOfCandles) -> None:
    """Put what is in memory over what stood in the file; it is as new or newer."""
    known = found.setdefault(day, _Day(kept.opens, {}))
    known.minutes.update((it.at, it) for it in kept.candles())


def _folded(day: _Day, interval: Interval) -> Iterable[Candle]:
    return fold((day.minutes[at] for at in sorted(day.minutes)), day.opens, interval)


def _file(folder: Path, day: date) -> Path:
    return folder / f"{day}.parquet"


def _write(folder: Path, day: date, text: str) -> None:
    """Put minutes into a day's file, in a thread; a file of a dead process is written over."""
    import duckdb  # noqa: PLC0415 - an extra

    file, new, beside = _file(folder, day), folder / ".new.csv", folder / ".new.parquet"
    busy = "Another process writes candles there."
    try:
        with held(folder / ".lock", busy, within_s=LOCKED_WITHIN_S), duckdb.connect() as connection:
            new.write_text(text, "utf-8")
            connection.execute(_LOAD, {"new": str(new)})
            if file.exists():
                connection.execute(_ADD_OLD, {"old": str(file)})
            connection.sql(_ALL).write_parquet(str(beside))
            _sync(beside)
            beside.replace(file)
            _sync(folder)
            new.unlink()
    except (duckdb.Error, OSError) as fault:
        raise BadPrices(f"{file.name} cannot be written: {_why(fault)}.") from None


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read(files: list[Path], instrument: Instrument) -> dict[date, _Day]:
    """Read an instrument's minutes, in a thread."""
    import duckdb  # noqa: PLC0415 - an extra

    asked = {
        "files": [str(it) for it in files],
        "segment": str(instrument.segment),
        "symbol": instrument.symbol,
    }
    try:
        with duckdb.connect() as connection:
            rows = connection.execute(_READ, asked).fetchall()
    except duckdb.Error as fault:
        raise BadPrices(f"The candles on disk cannot be read: {_why(fault)}.") from None
    found: dict[date, _Day] = {}
    for opens, begins, *prices, volume, interest in rows:
        one, high, low, close = map(Price, prices)
        candle = Candle(
            at=from_micros(begins), open=one, high=high, low=low, close=close,
            volume=volume, open_interest=interest,
        )  # fmt: skip
        at = from_micros(opens)
        found.setdefault(exchange_day(at), _Day(at, {})).minutes[candle.at] = candle
    return found


def _why(fault: Exception) -> str:
    return str(fault).splitlines()[0].rstrip(".")
