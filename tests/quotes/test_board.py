"""The board: everybody who reads has the newest price of everything they follow."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.errors import TooMuch
from bahi.kernel.money import Price
from bahi.quotes.model.quote import Quote, StalePrice, fresh, freshness
from bahi.quotes.service.board import INSTRUMENTS_AT_MOST, Board, Closed
from tests.quotes.names import at

BEGIN = at("2026-11-20 09:15:00")
SECOND = timedelta(seconds=1)


def a_quote(
    instrument_id: int, last: int = 100, *, after: float = 0, source: str = "test"
) -> Quote:
    when = BEGIN + after * SECOND
    return Quote(
        instrument_id=instrument_id, last=Price(last), at=when, received_at=when, source=source
    )


def test_ten_thousand_quotes_reach_all_of_fifty_but_one_that_sleeps() -> None:
    """No price is the last one of its instrument and yet unread by somebody awake."""
    instruments, quotes, subscribers = 200, 10_000, 50

    async def run() -> None:
        board = Board()
        seen: list[dict[int, int]] = [{} for _ in range(subscribers)]
        told = [0] * subscribers
        most = 0

        async def read(number: int) -> None:
            with board.subscribe(f"reader {number}", range(instruments)) as subscription:
                ready.release()
                while len(seen[number]) < instruments or min(seen[number].values()) < last_round:
                    news = await subscription.news()
                    assert len({it.instrument_id for it in news.quotes}) == len(news.quotes)
                    told[number] += len(news.quotes) + news.missed
                    for it in news.quotes:
                        assert it.last > seen[number].get(it.instrument_id, 0)
                        seen[number][it.instrument_id] = it.last

        last_round = quotes // instruments
        ready = asyncio.Semaphore(0)
        readers = [asyncio.create_task(read(n)) for n in range(subscribers - 1)]
        asleep = board.subscribe("asleep", range(instruments))
        for _ in readers:
            await ready.acquire()
        for n in range(quotes):
            number, place = divmod(n, instruments)
            board.publish(a_quote(place, number + 1, after=number))
            if n % 97 == 0:  # in the middle of rounds, so that what is told is conflated
                await asyncio.sleep(0)
            most = max(most, *(it.waiting for it in board.subscribers))
        await asyncio.gather(*readers)
        assert all(it == dict.fromkeys(range(instruments), last_round) for it in seen[:-1])
        assert told[:-1] == [quotes] * (subscribers - 1)
        assert most <= instruments
        assert asleep.waiting == instruments
        assert asleep.missed == quotes - instruments
        late = await asleep.news()
        assert {it.last for it in late.quotes} == {last_round}
        assert late.missed == quotes - instruments

    asyncio.run(run())


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("publish"), st.integers(0, 5)),
            st.tuples(st.just("read"), st.integers(0, 2)),
            st.tuples(st.just("follow"), st.integers(0, 2), st.sets(st.integers(0, 5))),
        ),
        max_size=60,
    )
)
def test_whatever_happens_each_reader_ends_with_the_newest(acts) -> None:
    async def run() -> None:
        board = Board()
        subscriptions = [board.subscribe(str(n)) for n in range(3)]
        seen: list[dict[int, int]] = [{} for _ in subscriptions]
        newest: dict[int, int] = {}

        def read(number: int) -> None:
            subscription = subscriptions[number]
            news = subscription.take()
            seen[number] |= {it.instrument_id: it.last for it in news.quotes}
            assert {it.instrument_id for it in news.quotes} <= subscription.instruments

        for step, (act, *what) in enumerate(acts):
            if act == "publish":
                newest[what[0]] = step + 1
                board.publish(a_quote(what[0], step + 1, after=step))
            elif act == "read":
                read(what[0])
            else:
                subscriptions[what[0]].follow(what[1])
            for it in subscriptions:
                assert it.waiting <= len(it.instruments)
        assert board.demand == frozenset().union(*(it.instruments for it in subscriptions))
        for number, it in enumerate(subscriptions):
            read(number)
            known = it.instruments & newest.keys()
            assert {key: seen[number][key] for key in known} == {key: newest[key] for key in known}

    asyncio.run(run())


def test_who_begins_late_has_the_newest_at_once_and_who_ends_is_told() -> None:
    async def run() -> None:
        board = Board()
        board.publish(a_quote(1, 500))
        changes = []
        board.on_demand(lambda: changes.append(board.demand))
        with board.subscribe("late", [1, 2]) as subscription:
            assert [it.last for it in (await subscription.news()).quotes] == [500]
            waiting = asyncio.create_task(subscription.news())
            await asyncio.sleep(0)
        with pytest.raises(Closed):
            await waiting
        assert changes == [{1, 2}, set()]
        assert board.subscribers == ()

    asyncio.run(run())


def test_an_older_price_does_not_replace_a_newer_one() -> None:
    board = Board()
    assert board.publish(a_quote(1, 500, after=5))
    assert not board.publish(a_quote(1, 400, after=4))
    assert board.publish(a_quote(1, 600, after=5))
    kept = board.latest(1)
    assert kept is not None
    assert kept.last == 600


def test_nobody_follows_more_than_the_bound() -> None:
    board = Board()
    with pytest.raises(TooMuch, match="5,000"):
        board.subscribe("greedy", range(INSTRUMENTS_AT_MOST + 1))
    assert board.demand == frozenset()
    assert board.subscribers == ()


def test_prices_that_nobody_follows_can_be_forgotten() -> None:
    board = Board()
    for n in range(5):
        board.publish(a_quote(n))
    board.subscribe("one", [3])
    board.forget()
    assert [n for n in range(5) if board.latest(n)] == [3]


def test_how_old_a_price_is_is_known_and_said() -> None:
    quote = a_quote(1, after=0)
    now = BEGIN + timedelta(minutes=3)
    assert quote.age(now) == timedelta(minutes=3)
    assert freshness(list(islice([quote, a_quote(2, after=60)], 2)), now) == timedelta(minutes=2)
    assert freshness([], now) is None
    assert fresh(quote, "SBIN", now, timedelta(minutes=3)) is quote
    with pytest.raises(
        StalePrice, match=r"SBIN is of 2026-11-20 09:15:00 \(source test\), 3 min ago"
    ):
        fresh(quote, "SBIN", now, timedelta(seconds=5))
    with pytest.raises(StalePrice, match="yet to come"):
        fresh(quote, "SBIN", BEGIN - timedelta(minutes=3), timedelta(seconds=5))
