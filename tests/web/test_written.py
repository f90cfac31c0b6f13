"""How figures stand on pages: exact, grouped as an Indian reads them; unknown is never nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.money import parse_money
from bahi.web import written

pytestmark = pytest.mark.unit
AMOUNTS = st.integers(-(10**15), 10**15)


@pytest.mark.parametrize(
    ("amount", "money", "signed"),
    [
        (100_000_000_000, "1,00,00,000.00", "+1,00,00,000.00"),
        (-6_421_000, "\u2212642.10", "\u2212642.10"),
        (0, "0.00", "0.00"),
        (49, "0.00", "0.00"),
        (50, "0.01", "+0.01"),
        (-49, "0.00", "0.00"),
        (None, "—", "—"),
    ],
)
def test_amounts_are_grouped_rounded_to_the_paisa_and_signed(
    amount: int | None, money: str, signed: str
) -> None:
    assert written.money(amount) == money
    assert written.signed(amount) == signed


@given(AMOUNTS)
def test_what_is_written_is_within_half_a_paisa_of_what_is_meant(amount: int) -> None:
    read = parse_money(written.money(amount).replace("\u2212", "-"))
    assert abs(read - amount) <= 50
    sign = written.signed(amount)[0]
    assert (sign == "+") == (read > 0)
    assert (sign == "\u2212") == (read < 0)
    assert written.mood(amount) == ("gain" if read > 0 else "loss" if read < 0 else "")


@given(st.integers(-(10**12), 10**12))
def test_counts_read_back_as_themselves(number: int) -> None:
    assert int(written.whole(number).replace(",", "").replace("\u2212", "-")) == number


@given(st.integers(0, 10**12))
def test_a_length_of_time_is_never_empty_and_never_negative(microseconds: int) -> None:
    said = written.took(microseconds)
    assert said
    assert "-" not in said


def test_an_instant_is_the_exchanges_and_has_its_date() -> None:
    at = datetime(2026, 11, 22, 3, 45, 3, 120_000, tzinfo=UTC)
    assert written.when(at) == "22 Nov 09:15:03"
    assert written.exactly(at) == "2026-11-22 09:15:03.120000 IST"
    assert written.machine(at).startswith("2026-11-22T09:15:03.120000+05:30")
    assert written.when(None) == "—"


def test_a_countdown_stops_at_nothing() -> None:
    assert written.countdown(timedelta(hours=4, minutes=12, seconds=9)) == "04:12:09"
    assert written.countdown(timedelta(seconds=-1)) == "00:00:00"


def test_numbers_below_nothing_in_our_own_sentences_have_their_sign() -> None:
    said = "INFY -50 (Paper) of 2026-11-22, order x-5"
    assert written.below(said) == "INFY \u221250 (Paper) of 2026-11-22, order x-5"


@given(st.text())
def test_a_sentence_is_never_altered_but_for_that_sign(said: str) -> None:
    assert written.below(said).replace(written.MINUS, "-") == said.replace(written.MINUS, "-")
