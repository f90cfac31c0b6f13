"""What is blocked: by class of contract, by day, by plan, and never for anything else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.money import Money, Price, parse_money, parse_price
from bahi.kernel.words import InstrumentType, Product, Segment, Side
from bahi.portfolio.model.ends import NO_ENDS, Ends
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


# -- the last days of what ends in shares: 800 shares of SBIN at a strike of 800 are 6.4 lakh

DAYS = tuple(date(2026, 11, it) for it in (17, 18, 19, 20, 23, 24))
"""The trading days from the 17th on; a contract of Tuesday the 24th is at E-4 on the 18th."""
CLOSES = {"SBIN": parse_price("812"), "OUT": parse_price("790")}
ENDS = Ends(days={Segment.NSE_FNO: DAYS}, close=lambda _segment, root: CLOSES.get(root))
STRIKE = parse_price("800")


def stock_option(root: str = "SBIN", right: str = "CE") -> Contract:
    expiry = date(2026, 11, 24)
    symbol = f"{root}24NOV26800{right}"
    return Contract(True, STRIKE, InstrumentType.OPTSTK, 800, expiry, symbol)


def bought(contract: Contract, day: int, product: Product = NRML, plan: str = "paper") -> Money:
    """What 800 bought at 20 ask for beside their premium of 16,000."""
    rates = EveryPlan(shipped()).of(plan)
    footing = Footing(rates, Segment.NSE_FNO, date(2026, 11, day), ENDS)
    order = for_order(contract, product, Side.BUY, 800, parse_price("20"), footing)
    held = for_position(contract, product, 800, parse_money("16000"), footing)
    assert order == parse_money("16000") + held
    return held


@pytest.mark.parametrize(
    ("day", "plan", "rupees"),
    [
        (17, "paper", "0"),  # E-5
        (18, "paper", "12800"),  # E-4: 2 % of 6.4 lakh
        (19, "paper", "32000"),  # E-3: 5 %
        (20, "paper", "57600"),  # E-2: 9 %
        (23, "paper", "89600"),  # E-1: 14 %, over the weekend
        (24, "paper", "320000"),  # E: half
        (24, "kite", "320000"),
        (24, "dhan", "89600"),  # who asks for no more than the exchange
    ],
)
def test_an_option_on_a_share_in_the_money_asks_for_more_from_four_days_before(
    day: int, plan: str, rupees: str
) -> None:
    assert bought(stock_option(), day, plan=plan) == parse_money(rupees)


def test_what_is_out_of_the_money_or_of_the_day_or_on_an_index_asks_for_its_premium_only() -> None:
    assert bought(stock_option("OUT"), 23) == 0  # 790 is below the strike
    assert bought(stock_option("SBIN", "PE"), 23) == 0  # 812 is above it
    assert bought(stock_option("OUT", "PE"), 23) > 0
    assert bought(stock_option(), 23, MIS) == 0  # it is closed today
    assert bought(stock_option()._replace(type=InstrumentType.OPTIDX), 23) == 0


def test_where_nobody_knows_the_close_it_counts_as_in_the_money() -> None:
    assert bought(stock_option("UNHEARD"), 23) == parse_money("89600")


def test_a_future_and_a_written_option_on_a_share_ask_for_more_on_their_last_day() -> None:
    future = Contract(False, None, InstrumentType.FUTSTK, 800, date(2026, 11, 24))

    def asked(day: int, plan: str = "kite", rates: Rates | None = None) -> list[Money]:
        by = rates or EveryPlan(shipped()).of(plan)
        at = Footing(by, Segment.NSE_FNO, date(2026, 11, day), ENDS)
        return [
            for_order(future, NRML, Side.BUY, 800, STRIKE, at),
            for_order(stock_option(), NRML, Side.SELL, 800, parse_price("20"), at),
        ]

    assert asked(23) == [parse_money("140800")] * 2  # 22 % of 6.4 lakh
    assert asked(24) == [parse_money("211200")] * 2  # 1.5 times 22 % is 33 %: below a half
    # elsewhere the future asks for no more, and the written option for 2 % more
    assert asked(24, "dhan") == [parse_money("140800"), parse_money("153600")]
    nrml = Rate(
        charge=Charge.MARGIN,
        basis=Basis.CONTRACT,
        plan="kite",
        condition="stock",
        rate=percent("40"),
        valid_from=date(2026, 1, 1),
    )
    dear = EveryPlan([*shipped(), nrml]).of("kite")
    assert asked(24, rates=dear) == [parse_money("320000")] * 2  # 1.5 times 40 %: half is lower


def test_an_index_asks_on_its_last_day_for_two_percent_more_of_what_is_written_only() -> None:
    last = by(Segment.NSE_FNO, EveryPlan(shipped()).of("kite"))
    future = NIFTY._replace(expiry=TODAY)
    price = parse_price("24000")
    assert for_order(future, NRML, Side.SELL, 75, price, last) == parse_money("234000")
    written = for_order(CALL, NRML, Side.SELL, 75, parse_price("120"), last)
    assert written == parse_money("270000")


def test_nothing_is_near_its_end_where_the_days_are_not_known() -> None:
    assert NO_ENDS.left(Segment.NSE_FNO, TODAY, TODAY) is None
    assert ENDS.left(Segment.NSE_FNO, date(2026, 12, 29), date(2026, 11, 20)) is None
