"""The rules of names, passwords, waits and one-time codes, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.identity.model import (
    WITH_A_USER,
    WITH_AN_ADDRESS,
    Patience,
    check_password,
    could_be_a_key,
    could_be_a_username,
    parse_email,
    parse_label,
    parse_username,
)
from bahi.identity.service.keys import new_key
from bahi.identity.service.sign_in import WRONG_STEP, matching_step
from bahi.kernel.errors import Invalid
from bahi.kernel.totp import STEP_S, code_of, new_secret, step_at

NOON = datetime(2036, 11, 24, 12, tzinfo=UTC)
SECRET = new_secret()

patiences = st.sampled_from([WITH_A_USER, WITH_AN_ADDRESS])


@given(patiences, st.integers(0, 10_000))
def test_each_failure_waits_as_long_as_the_one_before_or_longer(
    patience: Patience, failures: int
) -> None:
    wait, next_wait = patience.wait_after(failures), patience.wait_after(failures + 1)
    assert timedelta(0) <= wait <= next_wait <= patience.longest_wait
    assert (wait == timedelta(0)) == (failures <= patience.free)


@given(patiences, st.integers(1, 10_000))
def test_a_wait_doubles_until_it_is_the_longest(patience: Patience, beyond: int) -> None:
    wait = patience.wait_after(patience.free + beyond)
    following = patience.wait_after(patience.free + beyond + 1)
    assert following in {2 * wait, patience.longest_wait}
    assert patience.wait_after(patience.free + 1) == patience.first_wait


@given(patiences, st.integers(1, 60))
def test_guesses_in_a_day_stay_few(patience: Patience, failures: int) -> None:
    """Somebody who guesses whenever they may does so ever more seldom."""
    waited = sum((patience.wait_after(n) for n in range(failures)), timedelta(0))
    bound = patience.free + 8 + waited / patience.longest_wait
    assert failures <= bound + 1


def test_a_name_has_one_spelling() -> None:
    assert parse_username("  Vijay.K ") == "vijay.k"
    for bad in ("ab", "-vijay", "vij ay", "विजय", "v" * 81, "vijay\0", ""):
        with pytest.raises(Invalid):
            parse_username(bad)
        assert not could_be_a_username(bad)


@given(st.text(max_size=120))
def test_a_name_is_refused_or_is_text_on_every_database(said: str) -> None:
    try:
        name = parse_username(said)
    except Invalid:
        return
    assert name.isascii()
    assert name.isprintable()
    assert could_be_a_username(name)


@given(st.text(max_size=120))
def test_an_address_is_refused_or_is_text_on_every_database(said: str) -> None:
    try:
        email = parse_email(said)
    except Invalid:
        return
    assert email is None or (email.isprintable() and parse_email(email) == email)


def test_an_address_to_write_to_may_be_missing() -> None:
    assert parse_email(None) is parse_email("  ") is None
    assert parse_email(" Vijay@Example.ORG ") == "vijay@example.org"
    for bad in ("vijay", "@example.org", "vijay@", "v\0@example.org", "\ud800@example.org"):
        with pytest.raises(Invalid, match="email"):
            parse_email(bad)


@pytest.mark.parametrize(
    "password", ["short-9", "vijay1234x", "aaaabbbbaaaabbbb", "VIJAYvijay", "x" * 30]
)
def test_a_password_that_is_guessed_at_once_is_refused_and_not_quoted(password: str) -> None:
    with pytest.raises(Invalid) as refusal:
        check_password(password, "vijay")
    assert password not in str(refusal.value)


def test_a_good_password_is_taken() -> None:
    check_password("korall-Fisch-77", "vijay")


def test_a_label_is_short_and_printable() -> None:
    assert parse_label("  my   key ") == "my key"
    for bad in ("", " ", "a\0b", "x" * 101):
        with pytest.raises(Invalid):
            parse_label(bad)


def test_only_what_has_the_form_of_a_key_could_be_one() -> None:
    key = new_key()
    assert could_be_a_key(key)
    assert len(key) == 64
    for other in (key[:-1], key + "0", key.upper() if key.upper() != key else "G" * 64, "", "\n"):
        assert not could_be_a_key(other)
    assert not could_be_a_key(key + "\n")


@given(st.integers(-3, 3), st.integers(0, STEP_S - 1))
def test_a_code_fits_its_own_half_minute_and_the_two_beside_it(steps: int, seconds: int) -> None:
    made_at = NOON + timedelta(seconds=seconds)
    code = code_of(SECRET, step_at(made_at))
    looked_at = NOON + timedelta(seconds=steps * STEP_S)
    found = matching_step(SECRET, code, looked_at)
    right = step_at(NOON)
    others = [code_of(SECRET, right + steps + n) == code for n in (-1, 0, 1) if steps + n != 0]
    if abs(steps) <= 1:
        assert found == right or any(others)
    elif not any(others):
        assert found == WRONG_STEP


@pytest.mark.parametrize(
    "code", ["", "12345", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "\ud800", "0" * 4000]
)
def test_a_code_of_another_form_is_wrong_and_nothing_worse(code: str) -> None:
    assert matching_step(SECRET, code, NOON) == WRONG_STEP


def test_a_code_may_be_typed_in_groups() -> None:
    code = code_of(SECRET, step_at(NOON))
    assert matching_step(SECRET, f" {code[:3]} {code[3:]} ", NOON) != WRONG_STEP
