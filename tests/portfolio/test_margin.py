"""What is blocked: by class of contract, by day, by plan, and never for anything else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.money import Money, Price, parse_money, parse_price
from bahi.kernel.words import InstrumentType, Product, Segment, Side
from bahi.portfolio.model.margin import Contract, Footing, for_order, for_position
from bahi.portfolio.model.rates import Basis, Charge, EveryPlan, Kind, Rate, Rates
from bahi.portfolio.model.shipped import percent, shipped

TODAY = date(2026, 11, 20)
RATES = EveryPlan(shipped()).of("paper")
SHARE = Contract(is_option=False)
NIFTY = Contract(False, None, InstrumentType.FUTIDX, 75)
STOCK = Contract(False, None, InstrumentType.FUTSTK, 750)
UNKNOWN = Contract(False)
CALL = Contract(True, parse_price("24000"), InstrumentType.OPTIDX, 75, TODAY)
CNC, MIS, NRML = Product.CNC, Product.INTRADAY, Product.MARGIN


def by(segment: Segment, rates: Rates = RATES, day: date = TODAY) -> Footing:
    return Footing(rates, segment, day)


@pytest.mark.parametrize(
    ("contract", "segment", "product", "side", "quantity", "price", "rupees"),
    [
        (SHARE, Segment.NSE_EQ, CNC, Side.BUY, 100, "800", "80000"),  # paid in full
        (SHARE, Segment.NSE_EQ, MIS, Side.BUY, 100, "800", "16000"),  # a fifth
        (SHARE, Segment.BSE_EQ, MIS, Side.SELL, 100, "800", "16000"),
        (NIFTY, Segment.NSE_FNO, NRML, Side.BUY, 75, "24000", "234000"),  # 13 % of 18 lakh
        (STOCK, Segment.NSE_FNO, NRML, Side.SELL, 750, "800", "132000"),  # 22 % of 6 lakh
        (UNKNOWN, Segment.NSE_FNO, NRML, Side.SELL, 750, "800", "132000"),  # the dearer of both
        (UNKNOWN, Segment.MCX_COMM, NRML, Side.BUY, 100, "12000", "180000"),  # 15 %
        (UNKNOWN, Segment.NSE_CURRENCY, NRML, Side.BUY, 1000, "88.50", "4425"),  # 5 %
        (CALL, Segment.NSE_FNO, NRML, Side.BUY, 75, "120", "9000"),  # the premium, in full
    ],
)
def test_an_order_blocks_by_what_it_is(
    contract: Contract,
    segment: Segment,
    product: Product,
    side: Side,
    quantity: int,
    price: str,
    rupees: str,
) -> None:
    found = for_order(contract, product, side, quantity, parse_price(price), by(segment))
    assert found == parse_money(rupees)


def test_a_written_option_blocks_a_share_of_its_strike_and_more_on_its_last_day() -> None:
    def written(day: date) -> Money:
        at = by(Segment.NSE_FNO, day=day)
        return for_order(CALL, NRML, Side.SELL, 75, parse_price("120"), at)

    assert written(date(2026, 11, 19)) == parse_money("234000")  # 13 % of 75 times 24,000
    assert written(TODAY) == parse_money("270000")  # and 2 % more
    held = for_position(CALL, NRML, -75, parse_money("9000"), by(Segment.NSE_FNO))
    assert held == parse_money("270000")
    assert for_position(CALL, NRML, 75, parse_money("9000"), by(Segment.NSE_FNO)) == 0


def test_leverage_is_a_rate_that_a_person_may_enter() -> None:
    mine = Rate(
        charge=Charge.MARGIN,
        basis=Basis.CONTRACT,
        plan="paper",
        kind=Kind.EQUITY,
        product=MIS,
        rate=percent("50"),
        valid_from=date(2026, 1, 1),
    )
    rates = EveryPlan([*shipped(), mine]).of("paper")
    at = by(Segment.NSE_EQ, rates)
    assert for_order(SHARE, MIS, Side.BUY, 100, parse_price("800"), at) == parse_money("40000")


def test_without_rates_it_is_the_floor() -> None:
    for at in (None, by(Segment.NSE_FNO, Rates(()))):
        found = for_order(NIFTY, NRML, Side.BUY, 75, parse_price("24000"), at)
        assert found == parse_money("360000")


places: Any = st.sampled_from([Segment.NSE_EQ, Segment.NSE_FNO, Segment.MCX_COMM])


@given(
    contract=st.sampled_from([SHARE, NIFTY, STOCK, CALL, UNKNOWN]),
    product=st.sampled_from([CNC, MIS, NRML]),
    quantity=st.integers(1, 10_000),
    price=st.integers(1, 10**9),
    segment=places,
)
def test_a_position_never_blocks_more_than_the_order_that_opened_it(
    contract: Contract, product: Product, quantity: int, price: int, segment: Segment
) -> None:
    for side in Side:
        signed = quantity if side is Side.BUY else -quantity
        order = for_order(contract, product, side, quantity, Price(price), by(segment))
        value = Money(price * quantity)
        assert 0 <= for_position(contract, product, signed, value, by(segment)) <= order
