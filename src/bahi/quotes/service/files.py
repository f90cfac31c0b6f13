"""Prices from a file, at any speed, and prices into one: a day can be recorded and lived again."""

from __future__ import annotations

import asyncio
import csv
import os
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bahi.kernel.clock import Clock
from bahi.kernel.errors import BahiError, Invalid
from bahi.quotes.model.quote import Quote
from bahi.quotes.service.rows import COLUMNS, NEEDED, BadPrices, Row, read, written
from bahi.quotes.service.sources import Pause, PriceSource

PIECE: Final = 1_000
"""Lines that are read at once, in a thread."""
AT_ONCE: Final = 200
"""Prices that are told before others have their turn."""
FLUSHED_AFTER: Final = timedelta(seconds=1)
PARQUET: Final = (".parquet", ".pq")

Find = Callable[[str, str], int | None]
"""Finds an instrument's id by exchange and symbol; None: there is no such instrument."""
NameOf = Callable[[int], tuple[str, str] | None]
"""Names an instrument by its id: its exchange and symbol."""


class Replay:
    """A file of prices, lived again.

    At a speed above zero the prices are dated anew: the first one is made now, and each other one
    as long after it as it was then, divided by the speed; so they are as fresh as they look. At
    speed zero they come as fast as they are read, with the times that stand in the file.
    """

    def __init__(
        self,
        file: Path,
        find: Find,
        clock: Clock,
        *,
        speed: float = 1.0,
        pause: Pause = asyncio.sleep,
    ) -> None:
        if speed < 0:
            raise Invalid(f"speed: {speed:g} cannot be; 1 is as it was, 0 as fast as it goes.")
        self._file, self._find, self._clock = file, find, clock
        self._speed, self._pause = speed, pause
        self._watched: frozenset[int] = frozenset()
        self._latest: dict[int, Quote] = {}
        self._asked: list[int] = []

    @property
    def name(self) -> str:
        """The file that is replayed."""
        return f"replay:{self._file.name}"

    async def watch(self, instrument_ids: Collection[int]) -> None:
        """Tell of exactly these from now on; what was passed already is told once, as it stood."""
        wanted = frozenset(instrument_ids)
        self._asked += wanted - self._watched
        self._watched = wanted

    async def quotes(self) -> AsyncIterator[Quote]:
        """Yield the file's prices, each when its time has come."""
        rows = lines_of(self._file, self.name)
        started: tuple[datetime, datetime] | None = None
        told = 0
        fault: BadPrices | None = None
        while fault is None:
            piece, fault = await asyncio.to_thread(_next_piece, rows)
            if not piece and fault is None:
                return
            for row in piece:
                quote = self._named(row)
                if started is None:
                    started = (row.quote.at, self._clock())
                quote = await self._dated(quote, started)
                for late in self._asked_again():
                    yield late
                if quote.instrument_id:
                    self._latest[quote.instrument_id] = quote
                if quote.instrument_id in self._watched:
                    yield quote
                told += 1
                if told % AT_ONCE == 0:
                    await asyncio.sleep(0)
        raise fault

    def _named(self, row: Row) -> Quote:
        return replace(row.quote, instrument_id=self._find(row.exchange, row.symbol) or 0)

    async def _dated(self, quote: Quote, started: tuple[datetime, datetime]) -> Quote:
        if not self._speed:
            return replace(quote, received_at=self._clock())
        then, now = started
        at = now + (quote.at - then) / self._speed
        while (wait := (at - self._clock()).total_seconds()) > 0:
            await self._pause(wait)
        return replace(quote, at=at, received_at=self._clock())

    def _asked_again(self) -> Iterator[Quote]:
        asked, self._asked = self._asked, []
        for it in asked:
            if (known := self._latest.get(it)) is not None and it in self._watched:
                yield known


def _next_piece(rows: Iterator[Row]) -> tuple[list[Row], BadPrices | None]:
    """Return some rows, and what is wrong with the line behind them where something is."""
    found: list[Row] = []
    try:
        found.extend(islice(rows, PIECE))
    except BadPrices as fault:
        return found, fault
    return found, None


def lines_of(file: Path, source: str) -> Iterator[Row]:
    """Yield the prices of a file, CSV or Parquet by its name; a bad line is named by its number."""
    cells = _of_parquet(file) if file.suffix.casefold() in PARQUET else _of_csv(file)
    for number, line in cells:
        try:
            yield read(line, source)
        except BahiError as fault:
            raise BadPrices(f"{file.name}, line {number:,}: {fault}") from None


Cells = Iterator[tuple[int, dict[str, str]]]


def _of_csv(file: Path) -> Cells:
    if file.exists() and not file.is_file():
        raise BadPrices(f"{file.name} is no file; what is replayed has to be one.")
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.reader(lines, strict=True)
            names = [it.strip().casefold() for it in next(reader, [])]
            _check_columns(file, names)
            for row in reader:
                if not row:
                    continue
                if len(row) != len(names):
                    raise BadPrices(
                        f"{file.name}, line {reader.line_num:,}: it has {len(row)} columns, and "
                        f"the first line names {len(names)}."
                    )
                yield reader.line_num, dict(zip(names, row, strict=True))
    except OSError as fault:
        raise BadPrices(f"{file.name} cannot be read: {fault.strerror}.") from None
    except UnicodeDecodeError:
        raise BadPrices(f"{file.name} is no text; a CSV of prices has to be UTF-8.") from None
    except csv.Error as fault:
        raise BadPrices(f"{file.name}: this is no CSV: {fault}.") from None


def _of_parquet(file: Path) -> Cells:
    try:
        import duckdb  # noqa: PLC0415 - an extra: only who has such files needs it
    except ImportError:
        raise BadPrices(
            f"{file.name} is Parquet, which needs the extra: pip install 'bahi[parquet]'."
        ) from None
    try:
        with duckdb.connect() as connection:
            rows = connection.execute(
                "SELECT COLUMNS(*)::VARCHAR FROM read_parquet(?)", [str(file)]
            )
            names = [it[0].casefold() for it in rows.description or ()]
            _check_columns(file, names)
            number = 0
            while piece := rows.fetchmany(PIECE):
                for row in piece:
                    number += 1
                    yield number, {name: cell or "" for name, cell in zip(names, row, strict=True)}
    except duckdb.Error as fault:
        raise BadPrices(f"{file.name} cannot be read: {str(fault).splitlines()[0]}") from None


def _check_columns(file: Path, names: list[str]) -> None:
    if missing := [it for it in NEEDED if it not in names]:
        raise BadPrices(
            f"{file.name}, line 1: the columns {', '.join(missing)} are missing; the first line "
            f"names {', '.join(COLUMNS)}, the first {len(NEEDED)} of them at least."
        )
    if len(set(names)) < len(names):
        raise BadPrices(f"{file.name}, line 1: a column is named twice.")


class Recording:
    """A file that prices are written to, for a replay; nobody else may read it."""

    def __init__(self, file: Path, name_of: NameOf) -> None:
        self._name_of = name_of
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(handle, "w", encoding="utf-8", newline="")
        self._writer = csv.writer(self._file)
        self._flushed: datetime | None = None
        self.lines = 0
        if not self._file.tell() and not os.fstat(handle).st_size:
            self._writer.writerow(COLUMNS)

    def take(self, quote: Quote) -> None:
        """Write a price down."""
        if (named := self._name_of(quote.instrument_id)) is None:
            return
        self._writer.writerow(written(*named, quote))
        self.lines += 1
        if self._flushed is None or quote.received_at - self._flushed >= FLUSHED_AFTER:
            self._file.flush()
            self._flushed = quote.received_at

    def close(self) -> None:
        """Write what is left."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


class Recorded:
    """A source whose prices are written down as they pass."""

    def __init__(self, source: PriceSource, recording: Recording) -> None:
        self._source, self._recording = source, recording

    @property
    def name(self) -> str:
        """The name of the source itself."""
        return self._source.name

    async def watch(self, instrument_ids: Collection[int]) -> None:
        """Bring exactly these from now on."""
        await self._source.watch(instrument_ids)

    async def quotes(self) -> AsyncIterator[Quote]:
        """Yield what the source tells."""
        async for quote in self._source.quotes():
            with suppress(OSError):  # a full disk is no reason to trade without prices
                self._recording.take(quote)
            yield quote
