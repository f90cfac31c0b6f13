"""Whose what is open is: what adds is its own, what takes takes from its own first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.money import Money
from bahi.portfolio.model.shares import Share, divided, shares_of

MOVES = st.lists(
    st.builds(Share, st.sampled_from(["alpha", "beta", None]), st.integers(-50, 50).filter(bool)),
    max_size=20,
)


def test_who_closes_closes_its_own_first_and_then_the_oldest() -> None:
    opened = [Share("alpha", 10), Share("beta", 20), Share("gamma", 5)]
    assert shares_of([*opened, Share("beta", -15)]) == [
        Share("alpha", 10),
        Share("beta", 5),
        Share("gamma", 5),
    ]
    assert shares_of([*opened, Share("beta", -25)]) == [Share("alpha", 5), Share("gamma", 5)]


def test_what_goes_past_nothing_is_of_who_sent_it() -> None:
    assert shares_of([Share("alpha", 10), Share("beta", -30)]) == [Share("beta", -20)]


@given(MOVES, MOVES)
def test_shares_are_the_position_all_one_way_and_may_be_begun_anywhere(
    before: list[Share], after: list[Share]
) -> None:
    found = shares_of([*before, *after])
    assert sum(it.quantity for it in found) == sum(it.quantity for it in [*before, *after])
    assert len({it.quantity > 0 for it in found}) <= 1
    assert shares_of(after, shares_of(before)) == found


@given(st.integers(-(10**9), 10**9).map(Money), MOVES)
def test_nothing_is_lost_in_dividing(amount: Money, moves: list[Share]) -> None:
    found = divided(amount, shares_of(moves))
    assert sum(found.values()) == amount
