"""The simulated market: one price for everybody, and none that a market could not make."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import exp
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.errors import TooMuch
from bahi.kernel.money import Price, parse_price
from bahi.kernel.words import OptionType
from bahi.quotes.model.candles import Interval, fold
from bahi.quotes.model.hours import AlwaysOpen
from bahi.quotes.model.pricing import RATE, YEAR
from bahi.quotes.model.quote import Quote
from bahi.quotes.model.simulated import SimulatedMarket
from tests.quotes.names import (
    AUCTIONED,
    CALL,
    CRUDE,
    EVERYTHING,
    EXPIRY,
    FAR_CALL,
    FUTURE,
    NIFTY,
    OTHER_SBIN,
    PUT,
    RELIANCE,
    SBIN,
    USDINR,
    a_market,
    an_instrument,
    an_option,
    at,
)

SECOND = timedelta(seconds=1)
OPEN, CLOSE = at("2026-11-20 09:15:00"), at("2026-11-20 15:29:59")
TRADED = [it for it in EVERYTHING if it.is_tradable]
MARKET = a_market()

instruments = st.sampled_from(EVERYTHING)
instants = st.integers(0, 375 * 60 - 1).map(lambda n: OPEN + n * SECOND)


def quoted(instrument: Instrument, when: datetime, market: SimulatedMarket = MARKET) -> Quote:
    quote = market.quote(instrument, when)
    assert quote is not None
    return quote


# One price for everybody


@given(st.lists(st.tuples(instruments, instants), min_size=1, max_size=12), st.randoms())
@settings(max_examples=15)
def test_a_price_depends_on_nothing_that_was_asked_before(asked, random) -> None:
    first, other = a_market(), a_market()
    told = {it: first.quote(*it) for it in asked}
    random.shuffle(asked)
    assert {it: other.quote(*it) for it in asked} == told


def test_two_processes_reckon_the_same_prices() -> None:
    program = (
        "from tests.quotes.names import *\n"
        "m = a_market(11)\n"
        "print([m.quote(it, at('2026-11-20 13:07:31')) for it in reversed(EVERYTHING)])"
    )
    root = Path(__file__).parents[2]
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    here = a_market(11)
    when = at("2026-11-20 13:07:31")
    assert told.stdout.strip() == str([here.quote(it, when) for it in reversed(EVERYTHING)])


def test_another_seed_makes_another_market() -> None:
    when = at("2026-11-20 13:07:31")
    assert quoted(RELIANCE, when).last != quoted(RELIANCE, when, a_market(8)).last


def test_an_id_means_nothing_and_new_terms_count_at_once() -> None:
    when = at("2026-11-20 13:07:31")
    market = a_market()
    mine = quoted(RELIANCE, when, market)
    assert replace(quoted(replace(RELIANCE, id=99), when), instrument_id=2) == mine
    coarse = quoted(replace(RELIANCE, tick_size=Price(50_000)), when, market)
    assert coarse.last % 50_000 == 0


# Prices that a market could make


@given(instruments, instants)
def test_a_quote_is_on_its_tick_with_a_book_about_it_and_within_its_day(it, when) -> None:
    quote, tick = quoted(it, when), it.tick_size or 500
    assert quote.open is not None
    assert quote.high is not None
    assert quote.low is not None
    for price in (quote.last, quote.open, quote.high, quote.low, quote.previous_close):
        assert price is not None
        assert price % tick == 0
        assert price >= tick
    assert quote.low <= min(quote.last, quote.open) <= max(quote.last, quote.open) <= quote.high
    assert len(quote.bids) <= 5
    assert len(quote.asks) <= 5
    for side, sign in ((quote.bids, -1), (quote.asks, 1)):
        steps = [sign * level.price for level in side]
        assert steps == sorted(set(steps))
        assert all(level.price % tick == 0 and level.price >= tick for level in side)
        assert all(level.quantity > 0 and level.quantity % it.lot_size == 0 for level in side)
        assert all(0 < (level.orders or 0) <= level.quantity // it.lot_size for level in side)
    if quote.bid is not None and quote.ask is not None:
        assert quote.bid < quote.ask
        assert quote.last in {quote.bid, quote.ask}


@pytest.mark.parametrize(
    "it", [NIFTY, RELIANCE, FUTURE, CALL, PUT, USDINR], ids=lambda it: it.symbol
)
def test_every_second_of_a_while_fits_the_figures_of_the_day(it: Instrument) -> None:
    high, low, volume = 0, 1 << 62, 0
    moved = set()
    for n in range(40 * 60):
        quote = quoted(it, OPEN + n * SECOND)
        assert quote.at == OPEN + n * SECOND or it is USDINR
        high, low = max(high, quote.last), min(low, quote.last)
        if it is not USDINR:  # it opened before
            assert (quote.high, quote.low) == (high, low)
        assert quote.high is not None
        assert quote.high >= high
        assert (quote.volume or 0) >= volume
        volume = quote.volume or 0
        moved.add(quote.last)
    assert len(moved) > 20


@given(instruments, instants)
@example(AUCTIONED, at("2026-11-20 15:14:30"))
@settings(max_examples=40)
def test_a_minute_is_what_its_seconds_came_to(it, when) -> None:
    """Of what is in the closing auction, as long as its trading is continuous: until 15:15."""
    assume(not it.cas_eligible or when < at("2026-11-20 15:15:00"))
    begins = when - timedelta(seconds=when.second)
    seconds = [quoted(it, begins + n * SECOND) for n in range(60)]
    before = quoted(it, begins - SECOND)
    (minute,) = MARKET.candles(it, Interval.M1, begins, begins + 59 * SECOND)
    lasts = [quote.last for quote in seconds]
    assert (minute.at, minute.open, minute.close) == (begins, lasts[0], lasts[-1])
    assert (minute.high, minute.low) == (max(lasts), min(lasts))
    assert minute.open_interest == seconds[-1].open_interest
    if begins > OPEN and it.is_tradable:
        assert minute.volume == (seconds[-1].volume or 0) - (before.volume or 0)


@given(instruments, instants)
@settings(max_examples=20)
def test_candles_tell_nothing_of_what_is_to_come(it, when) -> None:
    day = OPEN - timedelta(hours=8)
    quote = quoted(it, when)
    for interval in (Interval.M1, Interval.M5, Interval.D1):
        newest = MARKET.candles(it, interval, day, when)[-1]
        assert newest.close == quote.last
        assert newest.at <= when
    (whole,) = MARKET.candles(it, Interval.D1, day, when)
    assert (whole.open, whole.high, whole.low) == (quote.open, quote.high, quote.low)
    assert (whole.volume, whole.open_interest) == (quote.volume, quote.open_interest)


@pytest.mark.parametrize("it", EVERYTHING, ids=lambda it: f"{it.exchange}:{it.symbol}")
def test_the_minutes_of_a_day_come_to_the_day(it: Instrument) -> None:
    first, last = at("2026-11-20 00:00:00"), at("2026-11-20 23:59:59")
    minutes = MARKET.candles(it, Interval.M1, first, last)
    (day,) = MARKET.candles(it, Interval.D1, first, last)
    (folded,) = fold(minutes, minutes[0].at, Interval.D1)
    assert folded == day
    five = MARKET.candles(it, Interval.M5, first, last)
    assert tuple(fold(minutes, minutes[0].at, Interval.M5)) == five


def test_a_day_is_compared_with_the_close_before_and_never_leaps() -> None:
    days = MARKET.candles(RELIANCE, Interval.D1, at("2026-01-01 00:00:00"), CLOSE)
    for one, other in pairwise(days):
        assert quoted(RELIANCE, other.at).previous_close == one.close
        assert abs(other.close / one.close - 1) < 0.1
        assert other.low <= other.open <= other.high
    assert {it.at.weekday() for it in days} == {0, 1, 2, 3, 4} | {
        it.at.weekday() for it in days if it.at.weekday() > 4
    }


def test_bands_hold_and_a_price_at_one_has_one_side_only() -> None:
    close = quoted(RELIANCE, OPEN).previous_close
    assert close is not None
    banded = replace(RELIANCE, lower_band=Price(close - 10_000), upper_band=Price(close + 10_000))
    market, sides = a_market(), set()
    for minute in range(0, 375, 3):
        quote = quoted(banded, OPEN + timedelta(minutes=minute), market)
        assert close - 10_000 <= quote.last <= close + 10_000
        for level in quote.bids + quote.asks:
            assert close - 10_000 <= level.price <= close + 10_000
        if quote.last >= close + 9_500 or quote.last <= close - 9_500:
            sides.add((bool(quote.bids), bool(quote.asks)))
    assert sides & {(True, False), (False, True)}


# Contracts


def test_a_share_costs_about_the_same_on_both_exchanges() -> None:
    assert quoted(SBIN, CLOSE).last == quoted(OTHER_SBIN, CLOSE).last


def test_a_future_stands_above_its_index_until_they_meet_at_expiry() -> None:
    for day, most in (("2026-11-16", 0.004), (f"{EXPIRY}", 0.00001)):
        when = at(f"{day} 12:00:00")
        basis = quoted(FUTURE, when).last / quoted(NIFTY, when).last - 1
        assert -0.00001 <= basis < most
    far = quoted(replace(FUTURE, expiry=EXPIRY + timedelta(days=60)), OPEN).last
    assert far > quoted(NIFTY, OPEN).last * 1.01


@given(instants, st.integers(-10, 10), st.sampled_from((4, 11, 39)))
@settings(max_examples=60)
def test_a_call_less_a_put_is_what_the_future_is_above_the_strike(when, steps, days) -> None:
    expiry = OPEN.date() + timedelta(days=days)
    strike = 26_200 + 100 * steps
    call, put = (an_option(strike, it, 200, expiry) for it in OptionType)
    market = a_market()
    one, other = quoted(call, when, market).last, quoted(replace(put, id=201), when, market).last
    future = quoted(replace(FUTURE, expiry=expiry), when).last
    life = (expiry - when.date()).days / YEAR
    worth = exp(-RATE * life) * (future - parse_price(strike))
    spread = 3 * 500 + abs(worth) * 0.0003
    if min(one, other) > 500:
        assert abs(one - other - worth) <= spread


def test_calls_rise_with_the_index_and_cost_less_the_higher_the_strike() -> None:
    strikes = range(25_000, 27_600, 100)
    market = a_market()
    calls = [quoted(an_option(it, OptionType.CE, it), OPEN, market).last for it in strikes]
    puts = [quoted(an_option(it, OptionType.PE, -it), OPEN, market).last for it in strikes]
    assert calls == sorted(calls, reverse=True)
    assert puts == sorted(puts)


def test_a_far_strike_is_wide_and_thin() -> None:
    near = quoted(an_option(26_300, OptionType.CE, 300), OPEN)
    far = quoted(an_option(27_000, OptionType.CE, 301), OPEN)
    assert near.bid is not None
    assert near.ask is not None
    assert far.ask is not None
    assert far.last >= 500
    apart = (far.ask - (far.bid or 0)) / far.ask
    assert apart > 3 * (near.ask - near.bid) / near.ask
    assert far.asks[0].quantity < near.asks[0].quantity
    assert (far.volume or 0) < (near.volume or 0)


def test_no_premium_is_below_one_tick_and_nobody_bids_there() -> None:
    worthless = quoted(FAR_CALL, at(f"{EXPIRY} 15:00:00"))
    assert worthless.last == 500
    assert worthless.bids == () or worthless.bids[0].price == 500


def test_a_contract_is_worth_its_difference_at_the_end_and_nothing_is_told_after() -> None:
    end = at(f"{EXPIRY} 15:39:59")
    call, put, index = (quoted(it, end).last for it in (CALL, PUT, NIFTY))
    assert abs((call - put) - (index - parse_price(26_000))) < parse_price(25)
    assert quoted(CALL, at(f"{EXPIRY} 21:00:00")).at == end
    assert MARKET.quote(CALL, at("2026-12-02 09:00:00")) is None
    assert MARKET.quote(CALL, at("2026-12-02 11:00:00")) is None
    assert (
        MARKET.candles(CALL, Interval.D1, at("2026-12-02 09:00:00"), at("2026-12-03 23:00:00"))
        == ()
    )


# The hours


def test_nothing_moves_while_the_market_is_closed() -> None:
    closed = quoted(RELIANCE, CLOSE)
    for later in ("2026-11-20 15:30:00", "2026-11-21 12:00:00", "2026-11-23 08:59:59"):
        after = quoted(RELIANCE, at(later))
        assert (after.last, after.at) == (closed.last, CLOSE)
        assert (after.high, after.volume) == (closed.high, closed.volume)
        assert after.bids == after.asks == ()
        assert not after.is_fresh(at(later), timedelta(seconds=0))


def test_the_pre_open_shows_the_last_close_and_an_empty_day() -> None:
    early = quoted(RELIANCE, at("2026-11-23 09:05:00"))
    close = quoted(RELIANCE, CLOSE).last
    assert (early.last, early.previous_close, early.volume) == (close, close, 0)
    assert early.open is None
    assert early.at == CLOSE


def test_derivatives_trade_on_after_the_shares() -> None:
    late = at("2026-11-20 15:37:12")
    assert quoted(FUTURE, late).at == late
    assert quoted(NIFTY, late).at == CLOSE
    assert quoted(CRUDE, at("2026-11-20 22:00:00")).at == at("2026-11-20 22:00:00")


def test_a_share_of_the_closing_auction_stands_still_until_its_one_price() -> None:
    before = quoted(AUCTIONED, at("2026-11-20 15:14:59"))
    during = quoted(AUCTIONED, at("2026-11-20 15:25:00"))
    after = quoted(AUCTIONED, at("2026-11-20 15:35:00"))
    assert (during.last, during.at, during.bids) == (before.last, before.at, ())
    assert after.at == at("2026-11-20 15:34:59")
    assert abs(after.last / before.last - 1) < 0.03
    assert (after.volume or 0) > (during.volume or 0)
    assert quoted(AUCTIONED, at("2026-11-23 11:00:00")).previous_close == after.last


def test_a_year_that_nobody_knows_is_closed() -> None:
    quote = MARKET.quote(RELIANCE, at("2027-01-05 11:00:00"))
    assert quote is not None
    assert quote.at < at("2027-01-01 00:00:00")
    assert MARKET.quote(RELIANCE, at("2027-06-05 11:00:00")) is None


def test_an_evening_moves_where_the_market_is_always_open() -> None:
    market = a_market(sessions=AlwaysOpen())
    when = at("2026-11-21 23:30:00")  # a Saturday
    moved = {quoted(RELIANCE, when + n * SECOND, market).last for n in range(120)}
    assert len(moved) > 5
    midnight = at("2026-11-22 00:00:00")
    assert (
        quoted(RELIANCE, midnight - SECOND, market).last
        == quoted(RELIANCE, midnight, market).previous_close
    )


def test_what_has_no_reference_has_no_price() -> None:
    assert MARKET.quote(an_instrument(9, "UNHEARD"), OPEN) is None
    assert MARKET.candles(an_instrument(9, "UNHEARD"), Interval.M1, OPEN, CLOSE) == ()


def test_what_is_reckoned_at_once_is_bounded() -> None:
    with pytest.raises(TooMuch, match="ask for less"):
        MARKET.candles(RELIANCE, Interval.M1, OPEN - timedelta(days=400), OPEN)
