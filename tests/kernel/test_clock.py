"""Instants are exact, and days belong to the exchange."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.clock import (
    IST,
    Deadline,
    StoppedClock,
    SystemClock,
    boot_seconds,
    exchange_day,
    from_micros,
    in_utc,
    ist_text,
    parse_ist,
    to_micros,
    unix_ms,
)
from bahi.kernel.errors import Invalid

zones = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
NAIVE = datetime(2026, 11, 20, 9, 15)  # noqa: DTZ001 - the fault that is to be refused


def years(first: int, last: int) -> dict[str, datetime]:
    """Bounds as hypothesis wants them: without a zone."""
    return {"min_value": NAIVE.replace(year=first), "max_value": NAIVE.replace(year=last)}


instants = st.datetimes(**years(1900, 2999), timezones=zones)


@given(instants)
def test_an_instant_survives_storage_to_the_microsecond(instant):
    stored = to_micros(instant)
    assert type(stored) is int
    assert from_micros(stored) == instant
    assert from_micros(stored).tzinfo is UTC


@given(st.integers(-(10**15), 10**16))
def test_microseconds_survive_being_an_instant(micros):
    assert to_micros(from_micros(micros)) == micros


def test_a_known_instant_has_known_microseconds():
    opening = datetime(2026, 11, 20, 9, 15, 0, 1, tzinfo=IST)
    assert to_micros(opening) == 1_795_146_300_000_001


@pytest.mark.parametrize("micros", [10**18, -(10**18), 10**30])
def test_microseconds_beyond_the_calendar_are_refused(micros):
    with pytest.raises(Invalid, match="outside the years 1 to 9999"):
        from_micros(micros)


@pytest.mark.parametrize("use", [in_utc, to_micros, exchange_day, ist_text, StoppedClock])
def test_an_instant_without_a_zone_is_refused(use):
    with pytest.raises(Invalid, match="does not say its zone"):
        use(NAIVE)


@pytest.mark.parametrize(
    ("utc", "day"),
    [
        ("2026-11-19T18:29:59.999999+00:00", date(2026, 11, 19)),
        ("2026-11-19T18:30:00+00:00", date(2026, 11, 20)),
        ("2026-11-20T03:45:00+00:00", date(2026, 11, 20)),
        ("2026-12-31T18:30:00+00:00", date(2027, 1, 1)),
        ("2026-11-19T23:00:00-05:00", date(2026, 11, 20)),
    ],
)
def test_the_exchange_day_turns_at_its_own_midnight(utc, day):
    assert exchange_day(datetime.fromisoformat(utc)) == day


@given(st.datetimes(**years(1946, 2100)))
def test_the_fixed_offset_is_that_of_asia_kolkata(naive):
    try:
        kolkata = ZoneInfo("Asia/Kolkata")
    except ZoneInfoNotFoundError:
        pytest.skip("this machine carries no zone files")
    assert naive.replace(tzinfo=IST) == naive.replace(tzinfo=kolkata)


@given(instants)
def test_exchange_time_is_read_back_to_the_second(instant):
    assert parse_ist(ist_text(instant)) == in_utc(instant).replace(microsecond=0)


def test_exchange_time_is_written_as_people_read_it():
    assert ist_text(datetime(2026, 11, 20, 3, 45, 0, 999_999, tzinfo=UTC)) == "2026-11-20 09:15:00"
    assert parse_ist("2026-11-20 09:15:00") == datetime(2026, 11, 20, 3, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        *("", "2026-11-20", "2026-1-2 09:15:00", "2026-11-20T09:15:00", "2026-11-20 09:15"),
        *("2026-11-20 09:15:00.5", "2026-11-20 09:15:00Z", " 2026-11-20 09:15:00"),
        *("2026-02-30 09:15:00", "2026-11-20 24:00:00", "0001-01-01 00:00:00"),
        "\u0968\u0966\u0968\u096c-11-20 09:15:00",
    ],
)
def test_any_other_form_of_exchange_time_is_refused(text):
    with pytest.raises(Invalid, match=r"^as_of: .* as 2026-11-20 09:15:00\.$"):
        parse_ist(text, "as_of")


def test_the_machines_clock_tells_utc():
    before = unix_ms()
    now = SystemClock()()
    assert now.tzinfo is UTC
    assert before <= to_micros(now) // 1000 <= unix_ms()


def test_a_stopped_clock_moves_only_when_told():
    clock = StoppedClock(datetime(2026, 11, 20, 9, 15, tzinfo=IST))
    assert clock() == clock() == datetime(2026, 11, 20, 3, 45, tzinfo=UTC)
    assert clock().tzinfo is UTC
    assert clock.advance(timedelta(seconds=5)) == clock()
    assert ist_text(clock()) == "2026-11-20 09:15:05"
    clock.set(datetime(2026, 11, 20, 3, 45, tzinfo=UTC))
    assert ist_text(clock()) == "2026-11-20 09:15:00"


def test_a_deadline_passes_at_its_end_and_not_before():
    now = [100.0]
    deadline = Deadline(5, now=lambda: now[0])
    assert (deadline.passed(), deadline.left_s()) == (False, 5)
    now[0] = 104.5
    assert (deadline.passed(), deadline.left_s()) == (False, 0.5)
    now[0] = 105.0
    assert (deadline.passed(), deadline.left_s()) == (True, 0)
    now[0] = 999.0
    assert (deadline.passed(), deadline.left_s()) == (True, 0)


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="no clock here counts suspension")
def test_the_boot_clock_is_the_one_that_counts_suspension():
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    now = boot_seconds()
    assert before <= now <= time.clock_gettime(time.CLOCK_BOOTTIME)
