"""Prices as doors ask for them: with their source and age, or a sentence that says why not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bahi.calendar.model import NO_FACTS, MarketDays
from bahi.kernel.clock import StoppedClock
from bahi.kernel.errors import Invalid, TooMuch
from bahi.kernel.money import Price
from bahi.quotes.model.candles import Interval
from bahi.quotes.model.quote import NoPrice, StalePrice
from bahi.quotes.model.troubles import Troubles, read_troubles
from bahi.quotes.service.board import Board
from bahi.quotes.service.market import LiveMarket, SimulatedPrices
from bahi.quotes.service.quotes import Quotes
from bahi.quotes.service.sources import pump
from tests.calendars.known import DAYS
from tests.quotes.names import (
    CALL,
    EVERYTHING,
    NIFTY,
    RELIANCE,
    SBIN,
    a_market,
    an_instrument,
    at,
    references,
)
from tests.quotes.test_board import a_quote

BEGIN = at("2026-11-20 11:00:00")
SECOND = timedelta(seconds=1)
UNHEARD = an_instrument(9, "UNHEARD")


def live(**more) -> LiveMarket:
    async def days() -> MarketDays:
        return DAYS

    return LiveMarket(7, references, days, **more)


def simulated(clock: StoppedClock) -> Quotes:
    return Quotes(Board(), clock, market=live(), source="simulated")


def test_a_simulated_price_needs_no_feed() -> None:
    clock = StoppedClock(BEGIN)

    async def run() -> None:
        quotes = simulated(clock)
        with pytest.raises(NoPrice):
            quotes.latest(RELIANCE)  # nothing was asked of the calendar yet
        quote = await quotes.quote(RELIANCE, within=SECOND)
        assert quote == a_market().quote(RELIANCE, BEGIN)
        assert quote.is_simulated
        clock.advance(SECOND)
        assert quotes.latest(RELIANCE) == a_market().quote(RELIANCE, BEGIN + SECOND)
        found = await quotes.quotes([*EVERYTHING, UNHEARD])
        assert found.keys() == {it.id for it in EVERYTHING}
        known = quotes.freshness([RELIANCE, UNHEARD])
        assert (known.asked, known.known, known.sources) == (2, 1, ("simulated",))
        assert known.oldest == timedelta()
        with pytest.raises(NoPrice, match=r"no price of UNHEARD \(NSE\): the simulated market"):
            await quotes.quote(UNHEARD)
        assert len((await quotes.depth(CALL)).bids) == 5
        with pytest.raises(NoPrice, match="NIFTY is an index"):
            await quotes.depth(NIFTY)
        with pytest.raises(TooMuch):
            await quotes.quotes([RELIANCE] * 1_001)

    asyncio.run(run())


def test_a_price_of_the_close_is_stale_in_the_evening() -> None:
    quotes = simulated(StoppedClock(at("2026-11-20 21:00:00")))
    with pytest.raises(StalePrice, match=r"RELIANCE is of 2026-11-20 15:29:59 .*, 5 h ago"):
        asyncio.run(quotes.quote(RELIANCE, within=timedelta(seconds=5)))


def test_history_ends_with_the_present() -> None:
    async def run() -> None:
        quotes = simulated(StoppedClock(BEGIN))
        tomorrow = BEGIN + timedelta(days=1)
        candles = await quotes.history(RELIANCE, Interval.M5, at("2026-11-20 09:15:00"), tomorrow)
        assert [candles[0].at, candles[-1].at] == [at("2026-11-20 09:15:00"), BEGIN]
        assert candles[-1].close == (await quotes.quote(RELIANCE)).last
        assert await quotes.history(RELIANCE, Interval.M5, tomorrow, tomorrow) == ()
        with pytest.raises(Invalid, match="earlier time first"):
            await quotes.history(RELIANCE, Interval.M5, tomorrow, BEGIN)

    asyncio.run(run())


def test_a_calendar_that_changes_changes_the_market() -> None:
    known = [MarketDays(NO_FACTS)]

    async def days() -> MarketDays:
        return known[-1]

    async def run() -> None:
        market = LiveMarket(7, references, days)
        quotes = Quotes(Board(), StoppedClock(BEGIN), market=market, source="simulated")
        with pytest.raises(NoPrice):
            await quotes.quote(RELIANCE)
        known.append(DAYS)
        assert (await quotes.quote(RELIANCE)).at == BEGIN

    asyncio.run(run())


def test_an_evening_can_be_always_open() -> None:
    evening = at("2026-11-21 22:00:00")
    quotes = Quotes(Board(), StoppedClock(evening), market=live(always_open=True))
    assert asyncio.run(quotes.quote(RELIANCE)).at == evening


def test_followed_prices_tick_by_the_second_and_rest_with_the_market() -> None:
    async def run() -> None:
        clock = StoppedClock(at("2026-11-20 15:29:58"))
        board, market = Board(), live()
        source = SimulatedPrices(market, {it.id: it for it in EVERYTHING}.get, clock)
        pumping = asyncio.create_task(pump(source, board))
        with board.subscribe("me", [RELIANCE.id, 999]) as subscription:
            for _ in range(2):
                (quote,) = (await subscription.news()).quotes
                assert quote == a_market().quote(RELIANCE, clock())
                clock.advance(SECOND)
                board.subscribe("more", [SBIN.id]).close()  # has it look again at once
            told = board.published
            for _ in range(3):
                clock.advance(SECOND)
                await source.watch([RELIANCE.id])
                await asyncio.sleep(0.01)
            assert board.published == told
        pumping.cancel()
        await asyncio.gather(pumping, return_exceptions=True)

    asyncio.run(run())


def test_what_nobody_follows_is_followed_for_a_moment() -> None:
    async def run() -> None:
        board = Board()
        quotes = Quotes(board, StoppedClock(BEGIN), source="replay:day.csv", first_within_s=0.05)

        def tell() -> None:
            for it in board.demand & {SBIN.id}:
                asyncio.get_running_loop().call_soon(board.publish, a_quote(it, 970))

        board.on_demand(tell)
        assert (await quotes.quote(SBIN)).last == 970
        with pytest.raises(NoPrice, match=r"RELIANCE \(NSE\): replay:day\.csv has told none"):
            await quotes.quote(RELIANCE)
        assert board.demand == frozenset()

        async def ask(ids):
            return [a_quote(it, 1_450) for it in ids]

        asked = Quotes(Board(), StoppedClock(BEGIN), source="kite", ask=ask)
        assert (await asked.quote(RELIANCE)).last == 1_450
        assert asked.latest(RELIANCE).last == 1_450

    asyncio.run(run())


def test_without_a_source_the_sentence_says_where_to_set_one() -> None:
    quotes = Quotes(Board(), StoppedClock(BEGIN))
    with pytest.raises(NoPrice, match="see BAHI_MARKET"):
        asyncio.run(quotes.quote(SBIN))


# Troubles


def test_there_is_no_trouble_unless_asked_for() -> None:
    assert read_troubles({}) == Troubles()
    with pytest.raises(Invalid, match="no trouble 'rain'"):
        read_troubles({"rain": 1})
    with pytest.raises(Invalid, match="locked"):
        read_troubles({"locked": 2})


def test_a_feed_that_stalls_tells_old_prices_with_their_age() -> None:
    market = a_market(troubles=Troubles(stalled=0.5))
    ages = set()
    for n in range(0, 3_600, 7):
        now = BEGIN + n * SECOND
        quote, real = market.quote(RELIANCE, now), a_market_quote(now)
        assert quote is not None
        ages.add(quote.age(now) > timedelta())
        if quote.at == now:
            assert quote == real
    assert ages == {True, False}


def a_market_quote(now, market=a_market()):  # noqa: B008 - one for all
    return market.quote(RELIANCE, now)


def test_freaks_are_far_off_for_a_second_and_not_in_the_days_figures() -> None:
    market = a_market(troubles=Troubles(freak=0.05))
    freaks = 0
    for n in range(400):
        now = BEGIN + n * SECOND
        quote, real = market.quote(RELIANCE, now), a_market_quote(now)
        assert quote is not None
        assert real is not None
        assert (quote.high, quote.low, quote.bids) == (real.high, real.low, real.bids)
        freaks += quote.last != real.last
    assert 5 < freaks < 50


def test_a_locked_name_stands_still_with_one_side() -> None:
    market = a_market(troubles=Troubles(locked=1))
    one, other = (market.quote(SBIN, BEGIN + n * SECOND) for n in (0, 1_000))
    assert one is not None
    assert other is not None
    assert one.last == other.last == one.high == one.low
    assert bool(one.bids) != bool(one.asks)
    assert one.previous_close is not None
    assert other.last != Price(0)


def test_a_gap_is_a_leap_at_the_open() -> None:
    market = a_market(troubles=Troubles(gaps=1))
    quote = market.quote(RELIANCE, at("2026-11-20 09:15:00"))
    assert quote is not None
    assert quote.open is not None
    assert quote.previous_close is not None
    assert abs(quote.open / quote.previous_close - 1) > 0.02
