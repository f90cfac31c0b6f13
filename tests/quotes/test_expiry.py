"""How a simulated day ends: what expires meets its index, and an auction stays near its share."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import parse_ist
from bahi.kernel.money import Price, parse_price
from bahi.kernel.words import InstrumentType, OptionType, Segment
from bahi.quotes.model.candles import Interval, fold
from bahi.quotes.model.hours import AlwaysOpen
from bahi.quotes.model.simulated import SimulatedMarket
from bahi.quotes.model.troubles import Troubles
from tests.quotes.names import (
    AUCTIONED,
    CALL,
    EXPIRY,
    FUTURE,
    NIFTY,
    PUT,
    USDINR,
    a_market,
    an_instrument,
    an_option,
)
from tests.quotes.test_simulated import SECOND, quoted

TICK = 500
MARKET = a_market()
DAY = f"{EXPIRY}"
CLOSED, ENDED = parse_ist(f"{DAY} 15:30:00"), parse_ist(f"{DAY} 15:39:59")
EXPIRING = (FUTURE, CALL, PUT)

seeds = st.integers(0, 5_000)
strikes = st.integers(-60, 60).map(lambda step: 26_000 + 50 * step)


def intrinsic(strike: Price, right: OptionType | None, underlying: int, tick: int = TICK) -> int:
    """Say what an option is worth that ends now; nothing costs less than a tick."""
    return max(tick, underlying - strike if right is OptionType.CE else strike - underlying)


# What expires


@given(seeds, strikes)
@settings(max_examples=40)
def test_what_expires_ends_at_the_official_close_of_its_index(seed: int, strike: int) -> None:
    market = a_market(seed)
    close = quoted(NIFTY, ENDED, market).last
    assert quoted(FUTURE, ENDED, market).last == close
    for right in OptionType:
        option = an_option(strike, right, 200 + (right is OptionType.PE))
        assert quoted(option, ENDED, market).last == intrinsic(parse_price(strike), right, close)


@pytest.mark.parametrize("it", EXPIRING, ids=lambda it: it.symbol)
def test_what_expires_stands_still_once_its_index_has_closed(it: Instrument) -> None:
    told = {quoted(it, CLOSED + n * 7 * SECOND).last for n in range(85)}
    assert told == {quoted(it, ENDED).last}
    assert quoted(it, ENDED).asks
    later = replace(it, id=900, expiry=EXPIRY + timedelta(days=7))
    assert len({quoted(later, CLOSED + n * 7 * SECOND).last for n in range(85)}) > 10


@given(seeds, st.integers(-1_800, 599))
@settings(max_examples=60)
def test_nothing_leaps_on_the_way_to_the_end(seed: int, second: int) -> None:
    market, when = a_market(seed), CLOSED + second * SECOND
    index = quoted(NIFTY, when, market).last
    for it in EXPIRING:
        one, other = (quoted(it, at, market).last for at in (when, when + SECOND))
        assert abs(other - one) < index * 0.0006
    assert abs(quoted(FUTURE, when, market).last - index) <= TICK


@given(seeds, st.integers(-60, 0), st.sampled_from(OptionType))
@settings(max_examples=60)
def test_the_time_value_melts_until_nothing_is_left(
    seed: int, minutes: int, right: OptionType
) -> None:
    market, when = a_market(seed), CLOSED + timedelta(minutes=minutes) - SECOND
    index = quoted(NIFTY, when, market).last
    strike = round(index / 500_000) * 50
    option = an_option(strike, right, 300)
    rest = quoted(option, when, market).last - intrinsic(parse_price(strike), right, index)
    assert -TICK <= rest <= index * 0.0004 * (-minutes) ** 0.5


def test_an_option_on_a_currency_ends_at_its_future() -> None:
    end = parse_ist("2026-11-26 16:59:59")
    future = quoted(USDINR, end).last
    for right in OptionType:
        for strike in ("88", "88.5", "89"):
            option = replace(
                USDINR, id=400, kind=InstrumentType.OPTCUR, strike=parse_price(strike),
                symbol=f"USDINR26NOV26{strike}{right}", option_type=right,
            )  # fmt: skip
            worth = intrinsic(parse_price(strike), right, future, tick=25)
            assert quoted(option, end, a_market()).last == worth


@pytest.mark.parametrize("it", EXPIRING, ids=lambda it: it.symbol)
def test_the_last_day_is_what_its_minutes_and_seconds_come_to(it: Instrument) -> None:
    first, last = parse_ist(f"{DAY} 00:00:00"), parse_ist(f"{DAY} 23:59:59")
    minutes = MARKET.candles(it, Interval.M1, first, last)
    (day,) = MARKET.candles(it, Interval.D1, first, last)
    assert tuple(fold(minutes, minutes[0].at, Interval.D1)) == (day,)
    assert day.close == quoted(it, ENDED).last
    for minute in minutes[-14:-8]:
        lasts = [quoted(it, minute.at + n * SECOND).last for n in range(60)]
        assert (minute.open, minute.close) == (lasts[0], lasts[-1])
        assert (minute.high, minute.low) == (max(lasts), min(lasts))


def test_what_expires_in_an_evening_that_is_always_open_ends_at_midnight() -> None:
    market = a_market(sessions=AlwaysOpen())
    end = parse_ist(f"{DAY} 23:59:59")
    close = quoted(NIFTY, end, market).last
    assert quoted(FUTURE, end, market).last == close
    assert quoted(CALL, end, market).last == intrinsic(parse_price(26_000), OptionType.CE, close)


def test_what_expires_where_its_name_is_locked_ends_there() -> None:
    market = a_market(troubles=Troubles(locked=1.0))
    assert quoted(FUTURE, ENDED, market).last == quoted(NIFTY, ENDED, market).last


# The closing auction


def auction_of(market: SimulatedMarket, day: date) -> tuple[int, int]:
    before = quoted(AUCTIONED, parse_ist(f"{day} 15:14:59"), market)
    after = quoted(AUCTIONED, parse_ist(f"{day} 15:35:00"), market)
    assert after.at == parse_ist(f"{day} 15:34:59")
    return before.last, after.last


@given(seeds, st.integers(0, 14))
@settings(max_examples=60)
def test_an_auction_stays_near_where_its_share_stood(seed: int, week: int) -> None:
    before, after = auction_of(a_market(seed), date(2026, 8, 5) + timedelta(weeks=week))
    assert abs(after - before) <= before * 0.002 + TICK


def test_an_auction_moves_a_little_both_ways() -> None:
    found = [auction_of(a_market(seed), date(2026, 8, 5)) for seed in range(20)]
    assert {(after > before) - (after < before) for before, after in found} >= {-1, 1}


def test_a_future_of_an_auctioned_share_ends_at_the_price_of_its_auction() -> None:
    future = an_instrument(
        500, f"HDFCBANK{EXPIRY:%d%b%y}FUT".upper(), root="HDFCBANK", segment=Segment.NSE_FNO,
        kind=InstrumentType.FUTSTK, expiry=EXPIRY, lot_size=550,
    )  # fmt: skip
    for seed in range(10):
        market = a_market(seed)
        assert quoted(future, ENDED, market).last == quoted(AUCTIONED, ENDED, market).last
        path = [quoted(future, CLOSED + n * 60 * SECOND, market).last for n in range(-20, 9)]
        assert all(abs(other / one - 1) < 0.006 for one, other in pairwise(path))
