"""Implied volatility and greeks: what the formulas promise, and what is refused."""

from __future__ import annotations

from math import exp

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bahi.kernel.errors import Invalid
from bahi.kernel.words import OptionType
from bahi.quotes.model.greeks import Greeks, Model, Terms, Unpriced, greeks_of, implied_volatility

CE, PE = OptionType.CE, OptionType.PE
pytestmark = pytest.mark.unit


@st.composite
def options(draw: st.DrawFn) -> Terms:
    """Draw an option as markets list them: near the money or far from it, to its last minutes."""
    underlying = draw(st.floats(1, 200_000))
    return Terms(
        model=draw(st.sampled_from(Model)),
        right=draw(st.sampled_from((CE, PE))),
        underlying=underlying,
        strike=underlying * draw(st.floats(0.4, 2.5)),
        life=draw(st.floats(1 / (365 * 24 * 60), 5)),
        rate=draw(st.floats(0, 0.2)),
    )


def other_right(it: Terms) -> Terms:
    """Return the put to a call, and the call to a put."""
    return Terms(
        model=it.model,
        right=PE if it.is_call else CE,
        underlying=it.underlying,
        strike=it.strike,
        life=it.life,
        rate=it.rate,
    )


@given(options(), st.floats(0.01, 3))
def test_the_implied_volatility_of_a_price_makes_that_price(it: Terms, volatility: float) -> None:
    price = it.price(volatility)
    lowest, highest = it.bounds
    assume(price - lowest > 1e-9 * it.underlying)
    assume(highest - price > 1e-9 * it.underlying)
    found = implied_volatility(it, price)
    assert it.price(found) == pytest.approx(price, abs=1e-9 * it.underlying, rel=1e-9)


@given(options(), st.floats(0.05, 1))
def test_a_call_less_a_put_is_the_forward_less_the_strike(it: Terms, volatility: float) -> None:
    call, put = (it, other_right(it)) if it.is_call else (other_right(it), it)
    discount = exp(-it.rate * it.life)
    held = it.underlying * (discount if it.model is Model.BLACK_76 else 1)
    parity = held - it.strike * discount
    found = call.price(volatility) - put.price(volatility)
    assert found == pytest.approx(parity, abs=1e-9 * it.underlying)


@given(options(), st.floats(0.05, 1))
def test_every_price_of_a_formula_lies_within_the_bounds(it: Terms, volatility: float) -> None:
    lowest, highest = it.bounds
    slack = 1e-9 * it.underlying
    assert lowest - slack <= it.price(volatility) <= highest + slack


@given(options(), st.floats(0.05, 1))
def test_greeks_have_their_signs(it: Terms, volatility: float) -> None:
    found = greeks_of(it, volatility)
    assert found.gamma >= 0
    assert found.vega >= 0
    assert 0 <= found.delta <= 1 if it.is_call else -1 <= found.delta <= 0


@given(options(), st.floats(allow_nan=True, allow_infinity=True))
def test_whatever_price_is_asked_of_there_is_a_volatility_or_a_sentence(
    it: Terms, price: float
) -> None:
    try:
        found = implied_volatility(it, price)
    except Unpriced as refused:
        assert str(refused)  # noqa: PT017 - either is good
    else:
        assert found > 0


def test_with_no_interest_a_forward_at_spot_makes_both_models_one() -> None:
    of_both = [
        Terms(model=model, right=CE, underlying=25_966.05, strike=26_000, life=28.5 / 365)
        for model in Model
    ]
    one, other = (implied_volatility(it, 435) for it in of_both)
    assert one == pytest.approx(other, rel=1e-9)


def test_a_worked_example() -> None:
    """By hand: at the money forward, a price is close to 0.4 times forward, volatility, root."""
    it = Terms(model=Model.BLACK_76, right=CE, underlying=100, strike=100, life=0.25)
    assert it.price(0.2) == pytest.approx(3.9878, abs=1e-4)
    assert implied_volatility(it, 3.9878) == pytest.approx(0.2, abs=1e-5)
    found = greeks_of(it, 0.2)
    assert found == Greeks(
        delta=pytest.approx(0.5199, abs=1e-4),
        gamma=pytest.approx(0.0398, abs=1e-4),
        theta=pytest.approx(-0.0218, abs=1e-4),
        vega=pytest.approx(0.1992, abs=1e-4),
        rho=pytest.approx(-0.25 * 3.9878 / 100, abs=1e-5),
    )


@pytest.mark.parametrize(
    ("price", "sentence"),
    [
        (100.0, "no more than the 100 that this option is worth at once"),
        (99.0, "its last trade is probably old"),
        (1_100.0, "more than any volatility makes"),
        (float("nan"), "volatility"),
    ],
)
def test_a_price_that_no_volatility_makes_is_refused_in_a_sentence(
    price: float, sentence: str
) -> None:
    it = Terms(model=Model.BLACK_76, right=CE, underlying=1_100, strike=1_000, life=0.1)
    with pytest.raises(Unpriced, match=sentence):
        implied_volatility(it, price)


def test_on_the_last_day_minutes_count_and_the_end_is_the_end() -> None:
    minute = 1 / (365 * 24 * 60)
    it = Terms(model=Model.BLACK_76, right=PE, underlying=24_990, strike=25_000, life=30 * minute)
    assert 0 < implied_volatility(it, 25) < 1
    with pytest.raises(Unpriced, match="has expired"):
        Terms(model=Model.BLACK_76, right=PE, underlying=24_990, strike=25_000, life=0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"underlying": 0.0},
        {"strike": -1.0},
        {"rate": 2.0},
        {"rate": float("nan")},
        {"underlying": float("inf")},
        {"life": float("nan")},
    ],
)
def test_what_no_formula_takes_is_refused(wrong: dict[str, float]) -> None:
    good = {"underlying": 100.0, "strike": 100.0, "life": 0.1, "rate": 0.0}
    with pytest.raises(Invalid):
        Terms(model=Model.BLACK_76, right=CE, **{**good, **wrong})
