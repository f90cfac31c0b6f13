"""What a trade costs: worked examples, and what holds for the fills of any order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.errors import Invalid
from bahi.kernel.money import Money, parse_money, parse_price, plain
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.charges import (
    FIRST,
    Charges,
    Dealt,
    Earlier,
    charges,
    of_the_day,
    on_exercise,
    to_the_rupee,
)
from bahi.portfolio.model.rates import Basis, Charge, Deal, EveryPlan, Kind, Rate, Rates, kind_of
from bahi.portfolio.model.shipped import percent, shipped
from tests.portfolio.worked import EXAMPLES, LAST_OF_OLD_STT, TODAY, Worked

PLANS = EveryPlan(shipped())


def deal_of(it: Worked) -> Deal:
    kind = kind_of(it.segment, is_option=it.is_option)
    return Deal(it.day, it.segment, kind, it.product, it.side, it.conditions)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda it: it.says)
def test_a_worked_example(example: Worked) -> None:
    value = Money(parse_price(example.price) * example.quantity)
    dealt = Dealt(example.quantity, example.lot, value)
    found = charges(PLANS.of(example.plan), deal_of(example), dealt)
    assert found == example.expected
    assert plain(found.total) == plain(parse_money(example.total))


def test_there_are_thirty_examples_over_all_that_can_differ() -> None:
    assert len(EXAMPLES) >= 30
    assert {it.plan for it in EXAMPLES} == {"kite", "dhan", "upstox", "breeze/prime", "paper"}
    assert {it.side for it in EXAMPLES} == set(Side)
    assert {it.segment for it in EXAMPLES} >= set(Segment) - {
        Segment.NSE_INDEX,
        Segment.BSE_INDEX,
        Segment.MCX_INDEX,
        Segment.BSE_CURRENCY,
    }


def test_an_exercised_option_is_taxed_by_what_it_is_worth_then() -> None:
    rates = PLANS.of("kite")
    deal = Deal(TODAY, Segment.NSE_FNO, Kind.OPTION, Product.MARGIN, Side.SELL)
    worth = parse_money("15000")  # 75 times 200 of intrinsic value
    assert on_exercise(rates, deal, worth) == parse_money("22.5")  # 0.15 %
    old = deal._replace(day=LAST_OF_OLD_STT)
    assert on_exercise(rates, old, worth) == parse_money("18.75")  # 0.125 %


@pytest.mark.parametrize(
    ("plan", "rupees"),
    [
        ("kite", "15.34"),  # 13 and 18 % of it, 2.34
        ("dhan", "14.75"),  # 12.50 and 2.25
        ("breeze/prime", "23.6"),  # 20 and 3.60
        ("upstox", "0"),  # not found anywhere
    ],
)
def test_the_depository_takes_its_fee_once_for_a_security_and_a_day(plan: str, rupees: str) -> None:
    deal = Deal(TODAY, Segment.NSE_EQ, Kind.EQUITY, Product.CNC, Side.SELL)
    assert of_the_day(PLANS.of(plan), deal) == parse_money(rupees)


@pytest.mark.parametrize(
    ("exact", "rounded"), [("0.4999", "0"), ("0.5", "1"), ("13.5", "14"), ("900.25", "900")]
)
def test_a_note_rounds_a_tax_to_the_rupee(exact: str, rounded: str) -> None:
    assert to_the_rupee(parse_money(exact)) == parse_money(rounded)


fills = st.lists(
    st.tuples(st.integers(1, 5_000), st.integers(1, 50_000_000)), min_size=1, max_size=5
)


def charged(rates: Rates, deal: Deal, many: Any, lot: int = 0) -> tuple[Charges, list[Charges]]:
    """Charge fills one after the other; return the sums, and each."""
    earlier, each = FIRST, []
    for quantity, price in many:
        value = Money(quantity * price)
        found = charges(rates, deal, Dealt(quantity, lot, value), earlier)
        each.append(found)
        earlier = Earlier(
            earlier.quantity + quantity,
            Money(earlier.turnover + value),
            Money(earlier.brokerage + found.brokerage),
            Money(earlier.fees + found.fees),
            Money(earlier.ipft + found.ipft),
            Money(earlier.gst + found.gst),
        )
    return Charges(*(Money(sum(it)) for it in zip(*each, strict=True))), each


@given(
    many=fills,
    example=st.sampled_from(EXAMPLES),
)
def test_the_fills_of_an_order_cost_the_same_in_whatever_order_they_come(
    many: list[tuple[int, int]], example: Worked
) -> None:
    rates, deal = PLANS.of(example.plan), deal_of(example)
    sums = {charged(rates, deal, it, example.lot)[0] for it in permutations(many)}
    assert len(sums) == 1


@given(many=fills, example=st.sampled_from(EXAMPLES))
def test_an_order_pays_the_brokerage_of_one_order_and_no_fill_gets_any_back(
    many: list[tuple[int, int]], example: Worked
) -> None:
    rates, deal = PLANS.of(example.plan), deal_of(example)
    total, each = charged(rates, deal, many, example.lot)
    quantity = sum(quantity for quantity, _ in many)
    value = Money(sum(quantity * price for quantity, price in many))
    whole = charges(rates, deal, Dealt(quantity, example.lot, value))
    assert total.brokerage == whole.brokerage
    assert all(item >= 0 for it in each for item in it)


def a_rate(**changes: Any) -> Rate:
    fields: dict[str, Any] = {
        "charge": Charge.STT,
        "basis": Basis.TURNOVER,
        "rate": percent("1"),
        "valid_from": date(2020, 1, 1),
        "release": 1,
    }
    return Rate(**fields | changes)


FUTURE = Deal(TODAY, Segment.NSE_FNO, Kind.FUTURE, Product.MARGIN, Side.SELL, frozenset({"index"}))


@pytest.mark.parametrize(
    ("holds", "gives_way"),
    [
        (a_rate(kind=Kind.FUTURE), a_rate()),
        (a_rate(condition="index"), a_rate(kind=Kind.FUTURE, segment=Segment.NSE_FNO)),
        (a_rate(release=None), a_rate(condition="index", side=Side.SELL)),
        (a_rate(valid_from=date(2026, 1, 1)), a_rate()),
        (a_rate(rate=percent("2")), a_rate(rate=percent("1"))),
    ],
    ids=["says more", "has a condition", "is a person's", "is newer", "is dearer"],
)
def test_of_two_rates_that_fit_one_holds(holds: Rate, gives_way: Rate) -> None:
    for rates in ((holds, gives_way), (gives_way, holds)):
        assert Rates(rates).find(FUTURE, Charge.STT) == holds


@pytest.mark.parametrize(
    "other",
    [
        {"valid_until": date(2026, 11, 19)},
        {"valid_from": date(2026, 11, 21)},
        {"segment": Segment.BSE_FNO},
        {"kind": Kind.OPTION},
        {"product": Product.INTRADAY},
        {"side": Side.BUY},
        {"condition": "stock"},
        {"plan": "dhan"},
    ],
)
def test_a_rate_of_other_trades_does_not_hold(other: dict[str, Any]) -> None:
    assert Rates([replace(a_rate(), **other)], "kite").find(FUTURE, Charge.STT) is None


def test_without_rates_nothing_is_charged_and_a_plan_that_nobody_knows_is_refused() -> None:
    dealt = Dealt(75, 75, parse_money("1800000"))
    assert charges(Rates(()), FUTURE, dealt) == Charges()
    with pytest.raises(Invalid, match="kite"):
        PLANS.of("zerodha")
