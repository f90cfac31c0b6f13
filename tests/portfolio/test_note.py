"""The taxes of a contract note: on the day's net, at the day's average, to the rupee."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.money import Money, parse_money
from bahi.kernel.words import Segment
from bahi.portfolio.model.note import Taxes, Traded, on_the_note
from bahi.portfolio.model.rates import EveryPlan, Rates
from bahi.portfolio.model.shipped import shipped
from tests.portfolio.worked import TODAY

RATES = EveryPlan(shipped()).of("kite")
NONE = Taxes(Money(0), Money(0))


def share(bought: int, paid: str, sold: int, got: str) -> Traded:
    return Traded(Segment.NSE_EQ, "SBIN", bought, parse_money(paid), sold, parse_money(got))


def test_what_is_bought_and_sold_on_a_day_is_not_delivered_whatever_its_product() -> None:
    # 500 bought at 100 and 200 at 110, 500 sold at 105: the average of all 1,200 is 103.75.
    # Within the day: 500 at 103.75, 0.025 % of 51,875 is 12.96875.
    # Delivered: 200 at 103.75, 0.1 % of 20,750 is 20.75. Together 33.71875: 34.
    # Stamp: bought at 102.857 on average; 0.003 % of 51,428.57 and 0.015 % of 20,571.43 is 4.6286.
    found = on_the_note(RATES, TODAY, [share(700, "72000", 500, "52500")], NONE)
    assert found == (parse_money("34"), parse_money("5"))


def test_what_is_sold_from_before_is_delivered_and_pays_no_stamp() -> None:
    found = on_the_note(RATES, TODAY, [share(0, "0", 100, "80000")], NONE)
    assert found == (parse_money("80"), 0)


def test_a_note_rounds_once_for_all_that_is_on_it() -> None:
    beside = Taxes(parse_money("0.3"), parse_money("0.2"))
    shares = [share(1, "300", 0, "0"), share(1, "300", 0, "0")]  # 0.3 of STT and 0.045 each
    assert on_the_note(RATES, TODAY, shares, beside) == (parse_money("1"), 0)
    assert on_the_note(Rates(()), TODAY, shares, NONE) == NONE


amounts = st.tuples(st.integers(1, 1_000), st.integers(1, 10**7))


@given(amounts, amounts)
def test_a_note_never_takes_more_than_delivery_of_everything_would(
    one: tuple[int, int], two: tuple[int, int]
) -> None:
    (bought, low), (sold, high) = one, two
    paid, got = Money(bought * low), Money(sold * high)
    traded = Traded(Segment.NSE_EQ, "SBIN", bought, paid, sold, got)
    found = on_the_note(RATES, TODAY, [traded], NONE)
    assert 0 <= found.stt <= (paid + got) // 1000 + 10_000
    assert 0 <= found.stamp_duty <= paid * 15 // 100_000 + 10_000
