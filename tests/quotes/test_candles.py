"""Candles: the same of the same ticks, in whatever order and however often they come."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.errors import Invalid
from bahi.kernel.money import Price
from bahi.quotes.model.candles import (
    Candle,
    DayOfCandles,
    Interval,
    Trade,
    begin_of,
    between,
    fold,
    parse_interval,
)
from tests.quotes.names import at

OPENS, ENDS = at("2026-11-20 09:15:00"), at("2026-11-20 15:30:00")
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@st.composite
def days_of_ticks(draw: st.DrawFn) -> list[Trade]:
    """Ticks of a day as an exchange makes them: the volume only grows."""
    steps = draw(
        st.lists(
            st.tuples(st.integers(0, 400), st.integers(1, 50), st.integers(0, 9)),
            min_size=1,
            max_size=60,
        )
    )
    found, second, volume = [], 0, 0
    for step, price, traded in steps:
        second, volume = min(second + step, 22_499), volume + traded
        found.append(Trade(OPENS + second * SECOND, Price(price * 500), volume))
    return found


def candles(ticks: list[Trade], interval: Interval = Interval.M1) -> tuple[Candle, ...]:
    day = DayOfCandles(OPENS, ENDS, from_the_open=True)
    for it in ticks:
        day.take(it)
    return day.candles(interval)


@given(days_of_ticks(), st.randoms())
def test_late_and_double_ticks_change_nothing(ticks, random) -> None:
    mixed = ticks + random.choices(ticks, k=len(ticks))
    random.shuffle(mixed)
    assert candles(mixed) == candles(ticks)


@given(days_of_ticks(), st.sampled_from([it for it in Interval if it is not Interval.M1]))
def test_longer_candles_are_the_fold_of_the_shorter(ticks, interval) -> None:
    whole = candles(ticks, interval)
    assert tuple(fold(candles(ticks), OPENS, interval)) == whole
    for it in whole:
        mine = [t for t in ticks if begin_of(t.at, OPENS, interval) == it.at]
        prices = [t.price for t in sorted(mine, key=lambda t: (t.at, t.volume, t.price))]
        assert (it.open, it.close) == (prices[0], prices[-1])
        assert (it.high, it.low) == (max(prices), min(prices))
    assert sum(it.volume or 0 for it in whole) == ticks[-1].volume
    if interval in {Interval.M3, Interval.M5}:
        of_fifteen = tuple(fold(whole, OPENS, Interval.M15))
        assert of_fifteen == candles(ticks, Interval.M15)


def test_candles_are_laid_from_the_open() -> None:
    assert begin_of(at("2026-11-20 10:20:30"), OPENS, Interval.H1) == at("2026-11-20 10:15:00")
    assert begin_of(at("2026-11-20 10:14:59"), OPENS, Interval.H1) == OPENS
    assert begin_of(at("2026-11-20 09:08:00"), OPENS, Interval.M5) == OPENS
    assert begin_of(at("2026-11-20 15:29:59"), OPENS, Interval.D1) == OPENS


def test_what_comes_with_the_bell_belongs_to_the_last_minute() -> None:
    (only,) = candles([Trade(ENDS, Price(500), 5)])
    assert only.at == ENDS - MINUTE


def test_volume_is_unknown_rather_than_invented() -> None:
    day = DayOfCandles(OPENS, ENDS)
    day.take(Trade(OPENS + 30 * MINUTE, Price(500), 1_000))
    day.take(Trade(OPENS + 30 * MINUTE + SECOND, Price(500), 1_004))
    day.take(Trade(OPENS + 33 * MINUTE, Price(500), 1_010))
    assert [it.volume for it in day.candles()] == [4, 6]
    silent = DayOfCandles(OPENS, ENDS)
    silent.take(Trade(OPENS, Price(500)))
    assert [it.volume for it in silent.candles()] == [None]


def test_intervals_are_read_as_people_write_them() -> None:
    assert [parse_interval(it) for it in ("1m", "1H", "d", "1d", "D")] == [
        Interval.M1, Interval.H1, Interval.D1, Interval.D1, Interval.D1,
    ]  # fmt: skip
    with pytest.raises(Invalid, match="interval: '7m' is not known; there are 1m, 3m"):
        parse_interval("7m")


def test_a_while_includes_both_its_ends() -> None:
    of = candles([Trade(OPENS + n * MINUTE, Price(500), n) for n in range(5)])
    assert between(of, OPENS + MINUTE, OPENS + 3 * MINUTE) == of[1:4]
