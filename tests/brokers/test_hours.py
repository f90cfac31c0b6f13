"""When tokens die: by the hour, by the broker's word, by whichever comes first."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.brokers.breeze import parse as breeze
from bahi.brokers.dhan import parse as dhan
from bahi.brokers.kite import parse as kite
from bahi.brokers.upstox import parse as upstox
from bahi.brokers.wire import next_ist
from bahi.kernel.clock import IST, from_micros
from bahi.kernel.ports import LoginFailed

INSTANTS = st.integers(946_684_800_000_000, 4_102_444_800_000_000).map(from_micros)
HOURS = st.sampled_from([upstox.DIES_AT, kite.DIES_AT, breeze.MIDNIGHT])
A_DAY = timedelta(days=1)


def ist(day: int, hour: int, minute: int = 0, second: int = 0, micro: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, second, micro, tzinfo=IST)


@given(now=INSTANTS, hour=HOURS)
def test_a_token_dies_at_its_hour_and_within_a_day(now: datetime, hour: time) -> None:
    dies = next_ist(now, hour)
    assert dies.astimezone(IST).timetz().replace(tzinfo=None) == hour
    assert timedelta(0) < dies - now <= A_DAY
    assert dies.tzinfo is UTC


@given(now=INSTANTS, later=st.timedeltas(timedelta(0), A_DAY), hour=HOURS)
def test_a_later_token_never_dies_earlier(now: datetime, later: timedelta, hour: time) -> None:
    assert next_ist(now, hour) <= next_ist(now + later, hour)


@pytest.mark.parametrize(
    ("made", "dies"),
    [
        (ist(20, 2, 30), ist(20, 3, 30)),
        (ist(20, 3, 29, 59, 999_999), ist(20, 3, 30)),
        (ist(20, 3, 30), ist(21, 3, 30)),
        (ist(20, 3, 30, 0, 1), ist(21, 3, 30)),
        (ist(20, 20), ist(21, 3, 30)),
        (ist(20, 23, 59, 59), ist(21, 3, 30)),
        (ist(20, 0), ist(20, 3, 30)),
    ],
)
def test_an_upstox_token_dies_at_half_past_three(made: datetime, dies: datetime) -> None:
    assert next_ist(made, upstox.DIES_AT) == dies


@pytest.mark.parametrize(
    ("made", "dies"),
    [(ist(20, 8, 30), ist(21, 6)), (ist(20, 5, 59), ist(20, 6)), (ist(20, 6), ist(21, 6))],
)
def test_a_kite_token_dies_at_six(made: datetime, dies: datetime) -> None:
    assert next_ist(made, kite.DIES_AT) == dies


@given(now=INSTANTS)
def test_a_breeze_session_dies_by_the_rule_that_is_chosen(now: datetime) -> None:
    midnight, day = breeze.expiry(now, breeze.Dies.MIDNIGHT), breeze.expiry(now, breeze.Dies.DAY)
    assert day == now + A_DAY
    assert midnight.astimezone(IST).time() == time(0)
    assert breeze.expiry(now, breeze.Dies.EARLIER) == min(midnight, day)


@given(now=INSTANTS)
def test_dhans_word_is_indian_time(now: datetime) -> None:
    naive = now.astimezone(IST).replace(tzinfo=None)
    assert dhan.expiry(naive.isoformat()) == now


@pytest.mark.parametrize("said", ["", "soon", None, 12, "2026-13-01T00:00:00", "0001-01-01T00:00"])
def test_a_word_that_is_no_time_is_none(said: object) -> None:
    assert dhan.expiry(said) is None


def test_dhan_lives_a_day_where_it_does_not_say() -> None:
    now = ist(20, 8).astimezone(UTC)
    assert dhan.grant({"accessToken": "t"}, "", now).expires_at == now + A_DAY


def test_a_token_that_is_dead_on_arrival_is_refused() -> None:
    with pytest.raises(LoginFailed, match="clock"):
        dhan.grant({"accessToken": "t", "expiryTime": "2025-09-23T12:37:23"}, "", ist(20, 8))
