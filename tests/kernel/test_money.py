"""Money is exact: what goes in as 0.0025 comes out as 0.0025."""

from __future__ import annotations

import sqlite3
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.db.dialects import SQL
from bahi.kernel.errors import Invalid
from bahi.kernel.money import (
    LARGEST,
    Money,
    Price,
    checked,
    down_to_tick,
    grouped,
    nearest_tick,
    parse_money,
    parse_price,
    plain,
    times,
    total,
    up_to_tick,
)

amounts = st.integers(-LARGEST, LARGEST).map(Money)
prices = st.integers(-(10**12), 10**12).map(Price)
ticks = st.integers(1, 10**7).map(Price)


@pytest.mark.parametrize(
    ("given_rupees", "amount"),
    [
        ("2950.50", 29_505_000),
        ("0.0025", 25),
        ("-12", -120_000),
        ("-0.00", 0),
        ("007.5", 75_000),
        ("1,00,00,000.00", 100_000_000_000),
        ("-12,34,567.8025", -12_345_678_025),
        ("922337203685477.5807", LARGEST),
        (12, 120_000),
        (-3, -30_000),
        (0.1, 1_000),
        (2950.5, 29_505_000),
        (-0.0025, -25),
        (-0.0, 0),
        (1e3, 10_000_000),
        (Decimal("1E+2"), 1_000_000),
        (Decimal("1.50000"), 15_000),
        (Decimal("0E+999999"), 0),
    ],
)
def test_rupees_go_in_exactly(given_rupees, amount):
    assert parse_money(given_rupees) == amount
    assert parse_price(given_rupees) == amount


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            " 1",
            "1 ",
            "1\n",
            "+1",
            "-",
            ".",
            ".5",
            "5.",
            "1.2.3",
            "--1",
            "1-",
            "abc",
            "₹5",
        ),
        *("1_000", "1e3", "1E+2", "0x10", "nan", "NaN", "inf", "-Infinity", "1.23456", "1.50000"),
        *("\u0967\u0968", "\uff11", "1\u066b5", "1\u00a0000", "\u00b2", "1\u2044\u0032"),
        *("1,000,000", "100,000", "10,00", "1,00,00", ",100", "1,,000", "1,000,", "0,100", "1,0.5"),
    ],
)
def test_text_that_is_not_plain_rupees_is_refused(text):
    with pytest.raises(Invalid, match=r"^limit: .* such as 2950\.50"):
        parse_money(text, "limit")


@pytest.mark.parametrize(
    "value",
    [
        *(True, False, None, b"1", [1], 1j),
        *(float("nan"), float("inf"), float("-inf"), 0.00001, 0.1 + 0.2, 1.23456, 5e-324),
        *(Decimal("NaN"), Decimal("sNaN"), Decimal("-Infinity"), Decimal("0.00001")),
        *(Decimal("1E-999999"), Decimal("1." + "0" * 40 + "1")),
    ],
)
def test_what_is_not_an_exact_amount_is_refused(value):
    with pytest.raises(Invalid, match=r"^price: "):
        parse_price(value)


@pytest.mark.parametrize(
    "value",
    [
        *("922337203685477.5808", "9" * 16, "-922337203685477.5808", "1" + "0" * 5000),
        *(2**63, -(2**63), pytest.param(10**5000, id="an int too long to print"), 1e16, 1e300),
        *(Decimal("1E+15"), Decimal("-1E+999999"), Decimal("922337203685477.5808")),
    ],
)
def test_what_63_bits_cannot_hold_is_refused(value):
    with pytest.raises(
        Invalid, match=r"does not fit; amounts go up to 92,23,37,20,36,85,477\.5807"
    ):
        parse_money(value)


def test_an_error_repeats_only_the_beginning_of_a_long_value():
    with pytest.raises(Invalid) as refusal:
        parse_money("x" * 10_000)
    assert len(str(refusal.value)) < 200


@given(amounts)
def test_what_is_written_is_read_back(amount):
    assert parse_money(plain(amount)) == amount
    assert parse_money(grouped(amount)) == amount
    assert parse_money(Decimal(plain(amount))) == amount


@given(amounts)
def test_grouping_only_adds_commas(amount):
    assert grouped(amount).replace(",", "") == plain(amount)


@given(st.floats(allow_nan=False, min_value=-1e11, max_value=1e11))
def test_a_float_goes_in_if_and_only_if_its_shortest_form_has_four_decimals(value):
    exact = Decimal(repr(value))
    if exact == round(exact, 4):
        assert parse_money(value) == exact * 10_000
    else:
        with pytest.raises(Invalid):
            parse_money(value)


@given(st.integers(-(10**14), 10**14))
def test_a_float_of_four_decimals_is_never_refused(amount):
    assert parse_money(amount / 10_000) == amount


@pytest.mark.parametrize(
    ("amount", "text", "indian"),
    [
        (29_505_000, "2950.50", "2,950.50"),
        (25, "0.0025", "0.0025"),
        (-120_000, "-12.00", "-12.00"),
        (0, "0.00", "0.00"),
        (-5, "-0.0005", "-0.0005"),
        (1_230, "0.123", "0.123"),
        (9_999_999, "999.9999", "999.9999"),
        (1_000_000_000, "100000.00", "1,00,000.00"),
        (100_000_000_000, "10000000.00", "1,00,00,000.00"),
        (-12_345_678_025, "-1234567.8025", "-12,34,567.8025"),
    ],
)
def test_amounts_are_written_plainly_and_as_indians_read_them(amount, text, indian):
    assert plain(amount) == text
    assert grouped(amount) == indian


@given(st.lists(amounts, max_size=20))
def test_rules_write_an_amount_as_the_views_do(some):
    view = sqlite3.connect(":memory:")
    for amount in some:
        (text,) = view.execute(
            f"SELECT {SQL['sqlite'].rupees('x')} FROM (SELECT ? AS x)", (amount,)
        ).fetchone()
        assert text == plain(amount)
    view.close()


@given(prices, st.integers(-(10**9), 10**9))
def test_a_product_is_exact_or_refused(price, quantity):
    if abs(price * quantity) <= LARGEST:
        assert times(price, quantity) == price * quantity
    else:
        with pytest.raises(Invalid, match="price times quantity"):
            times(price, quantity)


@given(st.lists(amounts))
def test_a_total_is_exact_or_refused(some):
    if abs(sum(some)) <= LARGEST:
        assert total(some) == sum(some)
    else:
        with pytest.raises(Invalid, match="total"):
            total(some)


def test_a_reckoning_past_63_bits_is_never_passed_on():
    assert checked(LARGEST) == LARGEST
    assert checked(-LARGEST) == -LARGEST
    with pytest.raises(Invalid, match="brokerage"):
        checked(LARGEST + 1, "brokerage")


@given(prices, ticks)
def test_a_rounded_price_lies_on_the_tick_and_on_the_right_side(price, tick):
    up, down, near = up_to_tick(price, tick), down_to_tick(price, tick), nearest_tick(price, tick)
    assert up % tick == down % tick == near % tick == 0
    assert price - tick < down <= price <= up < price + tick
    assert near in {up, down}
    assert abs(near - price) * 2 <= tick


@given(prices, ticks)
def test_a_price_on_its_tick_stays(price, tick):
    on_tick = down_to_tick(price, tick)
    for rounded in (up_to_tick, down_to_tick, nearest_tick):
        assert rounded(on_tick, tick) == on_tick


@given(prices, ticks)
def test_rounding_a_short_mirrors_rounding_a_long(price, tick):
    assert nearest_tick(Price(-price), tick) == -nearest_tick(price, tick)
    assert up_to_tick(Price(-price), tick) == -down_to_tick(price, tick)


def test_from_the_middle_a_price_goes_away_from_zero():
    tick = parse_price("0.05")
    assert nearest_tick(parse_price("100.025"), tick) == parse_price("100.05")
    assert nearest_tick(parse_price("-100.025"), tick) == parse_price("-100.05")
    assert nearest_tick(parse_price("100.0249"), tick) == parse_price("100.00")


@pytest.mark.parametrize("tick", [0, -500])
@pytest.mark.parametrize("rounded", [up_to_tick, down_to_tick, nearest_tick])
def test_a_tick_of_nothing_is_refused(rounded, tick):
    with pytest.raises(Invalid, match="must be above zero"):
        rounded(Price(100), Price(tick))


def test_rounding_up_past_63_bits_is_refused():
    with pytest.raises(Invalid, match="does not fit"):
        up_to_tick(Price(LARGEST), Price(10**7))
