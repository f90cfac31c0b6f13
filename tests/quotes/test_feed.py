"""The feed: one process has the prices, the others follow, and another one takes over."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from bahi.quotes.model.quote import Quote
from bahi.quotes.service.board import Board
from bahi.quotes.service.feed import INSIDE_AT_MOST, STRANGERS_AT_MOST, FeedMember
from bahi.quotes.service.feed_wire import (
    LARGEST,
    Address,
    Bye,
    FeedLost,
    Hello,
    News,
    Watch,
    framed,
    hear_told,
)
from tests.quotes.test_board import a_quote

ROOT = Path(__file__).parents[2]


@contextmanager
def a_process(home: Path, name: str, *instruments: int) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.quotes.member", str(home), name, *map(str, instruments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_when_the_one_that_serves_is_killed_another_one_does(tmp_path: Path) -> None:
    with ExitStack() as held:
        first = held.enter_context(a_process(tmp_path, "first", 1))
        assert heard(first) == "first hears first"
        others = {
            name: held.enter_context(a_process(tmp_path, name, 1, 2))
            for name in ("second", "third")
        }
        for name, process in others.items():
            assert heard(process) == f"{name} hears first"
        assert (tmp_path / "feed.json").stat().st_mode & 0o777 == 0o600
        first.kill()
        first.wait()
        told = {name: heard(process) for name, process in others.items()}
        (heir,) = {it.split(" hears ")[1] for it in told.values()}
        assert heir in others
        again = held.enter_context(a_process(tmp_path, "again", 2))
        assert heard(again) == f"again hears {heir}"


class Fed:
    """A source that tells what a test hands it, and knows what it was asked for."""

    name = "fed"

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Quote] = asyncio.Queue()
        self.watched: frozenset[int] = frozenset()
        self.asked = asyncio.Condition()

    async def watch(self, instrument_ids) -> None:
        async with self.asked:
            self.watched = frozenset(instrument_ids)
            self.asked.notify_all()

    async def is_asked_for(self, instrument_ids: set[int]) -> None:
        async with self.asked:
            await self.asked.wait_for(lambda: self.watched == instrument_ids)

    async def quotes(self):
        while True:
            yield await self.queue.get()


@asynccontextmanager
async def members(home: Path, fed: Fed, count: int, **more):
    boards = [Board() for _ in range(count)]
    serves = asyncio.Event()

    def open_source() -> Fed:
        serves.set()
        return fed

    running = []
    for board in boards:
        running.append(asyncio.create_task(FeedMember(home, board, open_source, **more).run()))
        await serves.wait()  # the first one does
    try:
        yield boards
    finally:
        for it in running:
            it.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def connected(home: Path, token: str | None = None):
    address = Address.read(home)
    reader, writer = await asyncio.open_connection("127.0.0.1", address.port, limit=1 << 12)
    writer.write(framed(Hello(address.token if token is None else token)))
    return reader, writer


def test_the_source_is_asked_for_what_is_followed_anywhere(tmp_path: Path) -> None:
    async def run() -> None:
        fed = Fed()
        async with members(tmp_path, fed, 3) as (one, two, three):
            one.subscribe("a", [1])
            second = two.subscribe("b", [2])
            third = three.subscribe("c", [2, 3])
            await fed.is_asked_for({1, 2, 3})
            for it in (1, 2, 3):
                fed.queue.put_nowait(a_quote(it, 500 + it))
            assert [it.last for it in (await second.news()).quotes] == [502]
            seen: set[int] = set()
            while len(seen) < 2:
                seen |= {it.last for it in (await third.news()).quotes}
            assert seen == {502, 503}
            second.close()
            third.follow([3])
            await fed.is_asked_for({1, 3})
            assert two.latest(2) == a_quote(2, 502)
        assert not (tmp_path / "feed.json").exists()

    asyncio.run(run())


def test_who_does_not_know_the_token_hears_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with members(tmp_path, Fed(), 1):
            reader, writer = await connected(tmp_path, "guessed")
            said = await hear_told(reader)
            assert isinstance(said, Bye)
            assert "token" in said.reason
            with pytest.raises(FeedLost):
                await hear_told(reader)
            writer.close()

    asyncio.run(run())


@pytest.mark.parametrize("noise", [b"GET / HTTP/1.1\r\n\r\n", b"\0\0\0\3abc", b"\xff" * 8])
def test_noise_ends_only_its_own_connection(tmp_path: Path, noise: bytes) -> None:
    async def run() -> None:
        fed = Fed()
        async with members(tmp_path, fed, 2) as (_, board):
            follower = board.subscribe("b", [1])
            await fed.is_asked_for({1})
            reader, writer = await connected(tmp_path)
            writer.write(noise)
            with suppress(FeedLost):
                while not isinstance(await hear_told(reader), Bye):
                    pass
            writer.close()
            fed.queue.put_nowait(a_quote(1, 700))
            assert [it.last for it in (await follower.news()).quotes] == [700]

    asyncio.run(run())


async def silent(home: Path, count: int) -> list[asyncio.StreamWriter]:
    port = Address.read(home).port
    return [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(count)]


def test_who_has_not_said_who_it_is_shares_a_bounded_room(tmp_path: Path) -> None:
    async def run() -> None:
        fed = Fed()
        async with members(tmp_path, fed, 2) as (_, board):
            follower = board.subscribe("b", [1])
            await fed.is_asked_for({1})
            strangers = await silent(tmp_path, STRANGERS_AT_MOST)
            reader, refused = await connected(tmp_path)
            told = await hear_told(reader)
            assert isinstance(told, Bye)
            assert f"{STRANGERS_AT_MOST} others" in told.reason
            with pytest.raises(FeedLost):
                await hear_told(reader)
            refused.close()
            fed.queue.put_nowait(a_quote(1, 700))  # who is inside does not notice
            assert [it.last for it in (await follower.news()).quotes] == [700]
            for it in strangers:
                it.close()
            while told != News([], 0):
                reader, writer = await connected(tmp_path)
                told = await hear_told(reader)
                writer.close()

    asyncio.run(run())


def test_those_who_are_told_to_go_are_bounded_as_well(tmp_path: Path) -> None:
    async def run() -> None:
        async with members(tmp_path, Fed(), 1, parting_s=60):
            held = await silent(tmp_path, INSIDE_AT_MOST)
            reader, writer = await connected(tmp_path)
            with pytest.raises(FeedLost):
                await hear_told(reader)
            for it in (*held, writer):
                it.close()

    asyncio.run(run())


def test_who_does_not_read_costs_bounded_memory_is_told_and_cut_off(tmp_path: Path) -> None:
    """It stops reading, and the feed goes on for the other; then it reads what was left for it."""

    async def run() -> None:
        fed = Fed()
        async with members(tmp_path, fed, 2, stuck_after_s=0.3, parting_s=60) as (serving, board):
            awake = board.subscribe("awake", range(50))
            await fed.is_asked_for(set(range(50)))
            reader, writer = await connected(tmp_path)
            assert await hear_told(reader) == News([], 0)
            writer.transport.pause_reading()
            writer.write(framed(Watch(list(range(2_000)))))
            await fed.is_asked_for(set(range(2_000)))
            (stuck,) = [it for it in serving.subscribers if len(it.instruments) == 2_000]
            count = 0
            while stuck in serving.subscribers:
                count += 1
                for it in range(0, 2_000, 1 if count < 40 else 100):
                    fed.queue.put_nowait(a_quote(it, count, after=count))
                await asyncio.sleep(0.005)
                assert stuck.waiting <= 2_000
            assert stuck.missed > 0
            seen: dict[int, int] = {}
            fed.queue.put_nowait(a_quote(49, count + 1, after=count + 1))
            while seen.get(49) != count + 1:
                seen |= {it.instrument_id: it.last for it in (await awake.news()).quotes}
            writer.transport.resume_reading()
            told = await hear_told(reader)
            while isinstance(told, News):
                told = await hear_told(reader)
            assert told == Bye("It did not read what it asked for.")
            with pytest.raises(FeedLost):
                await hear_told(reader)
            writer.close()

    asyncio.run(run())


def test_a_message_beyond_the_bound_is_refused() -> None:
    async def run() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data((LARGEST + 1).to_bytes(4))
        with pytest.raises(FeedLost, match="is announced"):
            await hear_told(reader)

    asyncio.run(run())
