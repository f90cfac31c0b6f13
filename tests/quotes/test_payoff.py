"""What a strategy makes at its end: exact at every kink, at every break-even, and without a bound.

A break-even lies where the profit is nothing: between two ten-thousandths it changes its sign.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.errors import Invalid
from bahi.kernel.money import SCALE, Price
from bahi.kernel.words import OptionType
from bahi.quotes.model.payoff import Leg, before_its_end, payoff_of, profit_of

CALL, PUT = OptionType.CE, OptionType.PE
QUANTITIES = st.integers(-300, 300).filter(bool)
PRICES = st.integers(0, 50_000 * SCALE).map(Price)
STRIKES = st.integers(1, 1_000).map(lambda it: Price(it * 50 * SCALE))
OPTIONS = st.builds(
    Leg, quantity=QUANTITIES, price=PRICES, right=st.sampled_from(OptionType), strike=STRIKES
)
FUTURES = st.builds(Leg, quantity=QUANTITIES, price=PRICES)
LEGS = st.lists(OPTIONS | FUTURES, min_size=1, max_size=8)


def rupees(amount: float) -> Price:
    return Price(round(amount * SCALE))


def option(quantity: int, right: OptionType, strike: float, price: float) -> Leg:
    return Leg(quantity=quantity, right=right, strike=rupees(strike), price=rupees(price))


def test_an_iron_condor_is_what_the_books_say() -> None:
    legs = [
        option(75, PUT, 23_000, 40),
        option(-75, PUT, 23_500, 110),
        option(-75, CALL, 24_500, 120),
        option(75, CALL, 25_000, 45),
    ]
    found = payoff_of(legs)
    credit = 110 + 120 - 40 - 45
    assert found.greatest_profit == rupees(75 * credit)
    assert found.greatest_loss == rupees(75 * (credit - 500))
    assert found.break_evens == (rupees(23_500 - credit), rupees(24_500 + credit))
    assert not found.is_unbounded
    assert [it.price for it in found.points[1:-1]] == [
        rupees(it) for it in (23_000, 23_500, 24_500, 25_000)
    ]


def test_a_sold_call_loses_without_a_bound_and_a_sold_put_does_not() -> None:
    call, put = payoff_of([option(-75, CALL, 24_000, 100)]), payoff_of([option(-75, PUT, 100, 10)])
    assert (call.greatest_profit, call.greatest_loss) == (rupees(7_500), None)
    assert call.break_evens == (rupees(24_100),)
    assert (put.greatest_profit, put.greatest_loss) == (rupees(750), rupees(-75 * 90))


def test_a_future_breaks_even_where_it_was_bought() -> None:
    found = payoff_of([Leg(quantity=75, price=rupees(24_000.05))])
    assert found.break_evens == (rupees(24_000.05),)
    assert found.greatest_profit is None
    assert found.greatest_loss == rupees(-75 * 24_000.05)


def test_a_stretch_that_makes_nothing_is_told_by_its_ends() -> None:
    legs = [option(1, CALL, 100, 0), option(-1, CALL, 110, 0)]
    assert payoff_of(legs).break_evens == (0, rupees(100))


@given(st.one_of(OPTIONS, FUTURES), st.tuples(PRICES, PRICES, PRICES))
def test_one_leg_bends_to_one_side_only(leg: Leg, at: tuple[Price, Price, Price]) -> None:
    low, middle, high = sorted(at)
    straight = leg.profit(low) * (high - middle) + leg.profit(high) * (middle - low)
    bend = straight - leg.profit(middle) * (high - low)
    assert bend * leg.quantity >= 0
    assert leg.strike is not None or bend == 0


@given(LEGS, PRICES)
def test_together_they_make_what_each_makes(legs: list[Leg], price: Price) -> None:
    found = payoff_of(legs, price, Price(price + 1))
    assert found.points[0] == (price, sum(profit_of([it], price) for it in legs))


@given(LEGS)
def test_a_break_even_is_where_the_sign_turns(legs: list[Leg]) -> None:
    for at in payoff_of(legs).break_evens:
        below, above = Price(floor(at)), Price(ceil(at))
        here, there = profit_of(legs, below), profit_of(legs, above)
        if below == above:
            assert here == 0
        else:
            assert here * there < 0
            assert here + (there - here) * (at - below) == 0


@given(LEGS)
def test_it_has_no_bound_just_where_calls_and_futures_do_not_even_out(legs: list[Leg]) -> None:
    found = payoff_of(legs)
    net = sum(it.quantity for it in legs if it.right is not PUT)
    assert found.is_unbounded is (net != 0)
    assert (found.greatest_profit is None) is (net > 0)
    assert (found.greatest_loss is None) is (net < 0)


@given(LEGS, PRICES)
def test_nothing_makes_more_than_the_greatest(legs: list[Leg], price: Price) -> None:
    found, made = payoff_of(legs), profit_of(legs, price)
    assert found.greatest_profit is None or made <= found.greatest_profit
    assert found.greatest_loss is None or made >= found.greatest_loss


@given(LEGS, st.fractions(0, 1))
def test_between_two_points_it_is_straight(legs: list[Leg], part: Fraction) -> None:
    points = payoff_of(legs).points
    for (a, made), (b, then) in pairwise(points):
        at = Price(int(a + (b - a) * part))
        assert made + Fraction((then - made) * (at - a), b - a) == profit_of(legs, at)


def test_before_its_end_an_option_is_worth_more_and_then_what_it_pays() -> None:
    leg = Leg(quantity=75, price=rupees(100), right=CALL, strike=rupees(24_000), volatility=0.15)
    at = [rupees(it) for it in (22_000, 24_000, 26_000)]
    early, late = before_its_end([leg], at, 30 / 365), before_its_end([leg], at, 0)
    assert late == [leg.profit(it) for it in at]
    assert all(a is not None and b is not None and a > b for a, b in zip(early, late, strict=True))


def test_what_has_no_volatility_is_not_known_before_its_end() -> None:
    legs = [option(75, CALL, 24_000, 100), Leg(quantity=1, price=rupees(5))]
    assert before_its_end(legs, [rupees(24_000)], 0.1) == [None]


@pytest.mark.parametrize(
    "wrong",
    [
        {"quantity": 0, "price": Price(1)},
        {"quantity": 1, "price": Price(1), "right": CALL},
        {"quantity": 1, "price": Price(1), "strike": Price(5)},
        {"quantity": 1, "price": Price(1), "right": PUT, "strike": Price(0)},
    ],
)
def test_what_is_no_leg_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        Leg(**wrong)  # type: ignore[arg-type]


def test_a_payoff_is_of_something_and_drawn_upwards() -> None:
    with pytest.raises(Invalid, match="legs"):
        payoff_of([])
    with pytest.raises(Invalid, match="drawn"):
        payoff_of([Leg(quantity=1, price=Price(9))], Price(8), Price(8))
