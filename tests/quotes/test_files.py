"""Prices from files and into them: what is recorded is lived again as it was."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.clock import StoppedClock
from bahi.kernel.errors import Invalid, Silent
from bahi.kernel.money import Price, parse_price
from bahi.kernel.ports import Level, Tick
from bahi.quotes.model.quote import Quote
from bahi.quotes.service.board import Board
from bahi.quotes.service.files import Recorded, Recording, Replay, lines_of
from bahi.quotes.service.rows import COLUMNS, BadPrices, read, written
from bahi.quotes.service.sources import BrokerPrices, keep_pumping, pump
from tests.quotes.names import CALL, NIFTY, RELIANCE, SBIN, a_market, at

NAMED = {(it.exchange, it.symbol): it for it in (RELIANCE, SBIN, NIFTY, CALL)}
BEGIN = at("2026-11-20 10:00:00")
SECOND = timedelta(seconds=1)
TEXT = """at,exchange,symbol,last,volume
2026-11-20T10:00:00+05:30,NSE,SBIN,970.05,100
2026-11-20T10:00:01.500+05:30,NSE,SBIN,970.10,120
2026-11-20 10:00:02,NSE,RELIANCE,1450,5
2026-11-20T10:00:04+05:30,NSE,SBIN,970,140
"""


def find(exchange: str, symbol: str) -> int | None:
    it = NAMED.get((exchange, symbol))
    return it.id if it else None


def name_of(instrument_id: int) -> tuple[str, str] | None:
    return next((key for key, it in NAMED.items() if it.id == instrument_id), None)


class Moving:
    """A clock that moves when somebody waits."""

    def __init__(self) -> None:
        self.clock = StoppedClock(at("2026-11-21 20:00:00"))
        self.waited: list[float] = []

    async def pause(self, seconds: float) -> None:
        self.waited.append(round(seconds, 3))
        self.clock.advance(timedelta(seconds=seconds))


prices = st.one_of(st.none(), st.integers(1, 10**12).map(Price))
wholes = st.one_of(st.none(), st.integers(0, 10**15))
sides = st.lists(
    st.builds(Level, st.integers(1, 10**10).map(Price), st.integers(0, 10**9), wholes), max_size=5
).map(tuple)


@given(st.integers(1, 10**12), st.integers(0, 10**15), prices, prices, wholes, wholes, sides, sides)
def test_what_is_written_is_read_again_exactly(last, micros, one, other, volume, oi, bids, asks):
    when = BEGIN + timedelta(microseconds=micros)
    quote = Quote(
        instrument_id=0, last=Price(last), at=when, received_at=when, source="s", open=one,
        high=other, low=one, previous_close=other, volume=volume, open_interest=oi, bids=bids,
        asks=asks,
    )  # fmt: skip
    row = read(dict(zip(COLUMNS, written("NSE", "SBIN", quote), strict=True)), "s")
    assert row == ("NSE", "SBIN", quote)


def test_a_replay_keeps_the_times_between_and_dates_them_anew(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_text(TEXT, "utf-8")
    moving = Moving()
    begin = moving.clock()

    async def run() -> list[Quote]:
        replay = Replay(file, find, moving.clock, speed=2, pause=moving.pause)
        await replay.watch([SBIN.id])
        return [it async for it in replay.quotes()]

    quotes = asyncio.run(run())
    assert [it.last for it in quotes] == [parse_price(it) for it in ("970.05", "970.1", "970")]
    assert [(it.at - begin) / SECOND for it in quotes] == [0, 0.75, 2]
    assert all(it.at == it.received_at and it.source == "replay:day.csv" for it in quotes)
    assert moving.waited == [0.75, 0.25, 1]


def test_at_no_speed_it_comes_at_once_with_the_times_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "day.csv"
    file.write_text(TEXT, "utf-8")
    moving = Moving()
    board = Board()
    board.subscribe("me", [SBIN.id, RELIANCE.id])
    asyncio.run(pump(Replay(file, find, moving.clock, speed=0, pause=moving.pause), board))
    assert moving.waited == []
    kept = board.latest(SBIN.id)
    assert kept is not None
    assert (kept.last, kept.at, kept.volume) == (parse_price(970), BEGIN + 4 * SECOND, 140)
    assert kept.bid is kept.open is None
    with pytest.raises(Invalid, match="speed"):
        Replay(file, find, moving.clock, speed=-1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: the columns at, exchange, symbol, last are missing"),
        ("at,exchange,symbol\n", "line 1: the columns last are missing"),
        ("at,exchange,symbol,last,last\n", "line 1: a column is named twice"),
        (TEXT + "yesterday,NSE,SBIN,1,1\n", "line 6: at: 'yesterday' is no time"),
        (TEXT + "2026-11-20T10:00:05+05:30,NSE,SBIN,1.00001,1\n", "line 6: last: '1.00001'"),
        (TEXT + "2026-11-20T10:00:05+05:30,NSE,SBIN,0,1\n", "line 6: last: '0' is no price"),
        (TEXT + "2026-11-20T10:00:05+05:30,NSE,SBIN,970,-1\n", "line 6: volume: '-1'"),
        (TEXT + "2026-11-20T10:00:05+05:30,NSE,,970,1\n", "line 6: exchange, symbol"),
        (TEXT + "2026-11-20T10:00:05+05:30,NSE,SBIN\n", "line 6: it has 3 columns"),
        (TEXT + '"2026', "no CSV"),
        (b"\xff\xfe\x00", "is no text"),
        (None, "cannot be read"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, text: str | bytes | None, said: str) -> None:
    file = tmp_path / "bad.csv"
    if text is not None:
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(BadPrices, match=r"bad\.csv") as caught:
        list(lines_of(file, "s"))
    assert said in str(caught.value)


def test_parquet_is_read_as_csv_is(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    csv, parquet = tmp_path / "day.csv", tmp_path / "day.parquet"
    csv.write_text(TEXT, "utf-8")
    with duckdb.connect() as connection:
        connection.execute(
            f"COPY (SELECT * FROM read_csv('{csv}', all_varchar=true)) TO '{parquet}'"
        )
    assert list(lines_of(parquet, "s")) == list(lines_of(csv, "s"))
    parquet.write_bytes(b"nothing")
    with pytest.raises(BadPrices, match=r"day.parquet cannot be read"):
        list(lines_of(parquet, "s"))


def test_what_passes_is_recorded_and_lived_again(tmp_path: Path) -> None:
    market, file = a_market(), tmp_path / "recorded.csv"
    followed = (RELIANCE, NIFTY, CALL)
    told = [
        quote
        for n in range(30)
        for it in followed
        if (quote := market.quote(it, BEGIN + n * SECOND)) is not None
    ]

    class Told:
        name = "told"

        async def watch(self, instrument_ids) -> None: ...

        async def quotes(self):
            for it in told:
                yield it

    async def run() -> list[Quote]:
        board = Board()
        ids = [it.id for it in followed]
        board.subscribe("me", ids)
        with Recording(file, name_of) as recording:
            await pump(Recorded(Told(), recording), board)
            assert recording.lines == len(told)
        replay = Replay(file, find, StoppedClock(BEGIN), speed=0)
        await replay.watch(ids)
        return [it async for it in replay.quotes()]

    again = asyncio.run(run())
    assert [(it.instrument_id, it.at, it.last, it.bids, it.asks, it.volume) for it in again] == [
        (it.instrument_id, it.at, it.last, it.bids, it.asks, it.volume) for it in told
    ]
    assert file.stat().st_mode & 0o777 == 0o600


class AFeed:
    """A broker's stream that is lost after each price."""

    def __init__(self, prices: list[int]) -> None:
        self.prices, self.subscribed = prices, []

    async def ask(self, broker_tokens):
        return [Tick(broker_token=it, last_price=Price(7_500), at=BEGIN) for it in broker_tokens]

    async def subscribe(self, broker_tokens) -> None:
        self.subscribed.append(sorted(broker_tokens))

    async def ticks(self):
        if self.prices:
            await asyncio.sleep(0)
            yield Tick(broker_token="T3", last_price=Price(self.prices.pop(0)), at=BEGIN)
            yield Tick(broker_token="T999", last_price=Price(1), at=BEGIN)
            raise Silent


def test_a_brokers_stream_is_taken_up_again_when_it_was_lost() -> None:
    feed, waited = AFeed([500, 1_000, 1_500]), []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    def token_of(instrument_id: int) -> str | None:
        return None if instrument_id == NIFTY.id else f"T{instrument_id}"

    async def run() -> Board:
        board = Board()
        board.subscribe("me", [SBIN.id, NIFTY.id])
        source = BrokerPrices("kite", feed, token_of, StoppedClock(BEGIN))
        await keep_pumping(source, board, pause=pause)
        (once,) = await source.ask([RELIANCE.id, NIFTY.id])
        assert (once.instrument_id, once.last, once.source) == (RELIANCE.id, 7_500, "kite")
        return board

    board = asyncio.run(run())
    kept = board.latest(SBIN.id)
    assert kept is not None
    assert (kept.last, kept.source, board.published) == (1_500, "kite", 3)
    assert len(waited) == 3
    assert feed.subscribed[0] == ["T3"]
