"""Option chains: which strike is at the money, what lies in and out of it, and what is missing."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.instruments.model.chain import Chain, Offset, expiries, nearest
from bahi.instruments.model.instrument import Entry
from bahi.kernel import symbols
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import SCALE, Price, parse_price
from bahi.kernel.words import InstrumentType, OptionType, Segment
from tests.brokers import masters
from tests.instruments.queries import TODAY, entries_of

WEEK, MONTH = date(2026, 8, 18), date(2026, 8, 25)
CE, PE = OptionType.CE, OptionType.PE


def an_option(strike: float, right: OptionType, expiry: date = WEEK, root: str = "NIFTY") -> Entry:
    price = parse_price(strike)
    return Entry(
        1, Segment.NSE_FNO.value, symbols.option(root, expiry, price, right), root, None, root,
        InstrumentType.OPTIDX.value, None, expiry.isoformat(), price, right.value, 65, 500,
        None, None, None, None, None, None,
    )  # fmt: skip


def a_chain(*strikes: float, expiry: date = WEEK) -> Chain:
    return Chain([an_option(strike, right, expiry) for strike in strikes for right in (CE, PE)])


def strike_at(chain: Chain, price: float, offset: str, right: OptionType) -> float:
    found = chain.by_offset(WEEK, parse_price(price), offset, right)
    assert found.strike is not None
    return found.strike / SCALE


LADDER = a_chain(24800, 24850, 24900, 24950, 25000, 25050, 25100)


@pytest.mark.parametrize(
    ("price", "money"),
    [
        (24950, 24950),
        (24974.95, 24950),
        (24975, 24950),  # of two that are equally near, the lower
        (24975.05, 25000),
        (24750, 24800),  # beyond the ends by a step
        (25150, 25100),
    ],
)
def test_at_the_money_is_the_nearest_strike_and_of_two_the_lower(price: float, money: float):
    assert strike_at(LADDER, price, "ATM", CE) == money
    assert strike_at(LADDER, price, "ATM", PE) == money
    assert LADDER.at_the_money(WEEK, parse_price(price)) == parse_price(money)


@pytest.mark.parametrize("price", [24749.95, 25150.05, 1, 99999])
def test_far_from_the_chain_nothing_is_at_the_money(price: float):
    with pytest.raises(NotFound, match="none is near the price"):
        LADDER.by_offset(WEEK, parse_price(price), "ATM", CE)
    with pytest.raises(NotFound, match="none is near the price"):
        LADDER.at_the_money(WEEK, parse_price(price))
    assert {it.call_label for it in LADDER.at(WEEK, parse_price(price))} == {None}


@pytest.mark.parametrize("price", [0, -5])
def test_a_price_that_cannot_be_is_refused(price: int):
    with pytest.raises(Invalid, match="cannot be"):
        LADDER.at(WEEK, Price(price * SCALE))
    with pytest.raises(Invalid, match="cannot be"):
        LADDER.by_offset(WEEK, Price(price * SCALE), "ATM", CE)


@pytest.mark.parametrize(
    ("offset", "right", "strike"),
    [
        ("ITM1", CE, 24900),
        ("ITM3", CE, 24800),
        ("OTM2", CE, 25050),
        ("ITM1", PE, 25000),
        ("otm3", PE, 24800),
    ],
)
def test_in_the_money_lies_below_for_a_call_and_above_for_a_put(
    offset: str, right: OptionType, strike: float
):
    assert strike_at(LADDER, 24960, offset, right) == strike


def test_strikes_are_counted_as_they_are_listed_however_far_apart():
    chain = a_chain(90, 100, 102.5, 105, 120, 200)
    assert strike_at(chain, 103, "OTM2", CE) == 120
    assert strike_at(chain, 103, "OTM3", CE) == 200
    assert strike_at(chain, 103, "ITM3", PE) == 200


def test_a_chain_shows_strikes_around_the_price_with_what_each_side_is():
    rungs = LADDER.at(WEEK, parse_price(24960), around=1)
    assert [(it.strike // SCALE, it.call_label, it.put_label) for it in rungs] == [
        (24900, "ITM1", "OTM1"),
        (24950, "ATM", "ATM"),
        (25000, "OTM1", "ITM1"),
    ]
    assert [it.call.symbol for it in rungs if it.call] == [
        "NIFTY18AUG2624900CE",
        "NIFTY18AUG2624950CE",
        "NIFTY18AUG2625000CE",
    ]


def test_a_chain_ends_where_its_strikes_end():
    assert len(LADDER.at(WEEK, parse_price(1), around=3)) == 4
    assert len(LADDER.at(WEEK, parse_price(24950), around=50)) == 7
    assert len(LADDER.at(WEEK, parse_price(24950), around=0)) == 1


def test_what_is_not_listed_on_one_side_is_none_and_is_not_counted_there():
    chain = Chain(
        [an_option(it, CE) for it in (100, 105, 110)] + [an_option(it, PE) for it in (100, 110)]
    )
    rungs = chain.at(WEEK, parse_price(100))
    assert [(it.call_label, it.put_label) for it in rungs] == [
        ("ATM", "ATM"),
        ("OTM1", None),
        ("OTM2", "ITM1"),
    ]
    assert rungs[1].put is None
    assert strike_at(chain, 100, "ITM1", PE) == 110


def test_a_chain_of_calls_alone_says_that_it_has_no_puts():
    chain = Chain([an_option(100, CE)])
    assert chain.at(WEEK, parse_price(100))[0][2:] == (None, "ATM", None)
    with pytest.raises(NotFound, match="NIFTY has no PE that ends on 18AUG26"):
        chain.by_offset(WEEK, parse_price(100), "ATM", PE)


def test_a_day_without_options_is_refused_with_the_nearest_that_have_some():
    days = [date(2026, month, 25) for month in (1, 3, 5, 7, 9)]
    chain = Chain([an_option(100, CE, day) for day in days])
    with pytest.raises(NotFound) as refused:
        chain.at(date(2026, 6, 1), parse_price(100))
    assert str(refused.value) == (
        "No option of NIFTY ends on 01JUN26; the nearest are 25MAR26, 25MAY26, 25JUL26."
    )
    with pytest.raises(NotFound, match="it has no options at all"):
        Chain([]).at(date(1999, 1, 1), parse_price(1))


@pytest.mark.parametrize("offset", ["ITM5", "OTM4"])
def test_a_strike_beyond_the_chain_is_refused_with_its_ends(offset: str):
    with pytest.raises(NotFound, match=f"{offset} lies beyond .* from 24800 to 25100, .* at 24950"):
        LADDER.by_offset(WEEK, parse_price(24950), offset, CE)


@pytest.mark.parametrize("offset", ["", "ITM", "ITM0", "OTM-1", "ATM1", "XTM2", "ITM1.5", "ITM٣"])
def test_an_offset_that_is_none_is_refused(offset: str):
    with pytest.raises(Invalid, match=r"offset: .* is none; write ATM, ITM1 or OTM1"):
        LADDER.by_offset(WEEK, parse_price(24950), offset, CE)


def test_strikes_on_either_side_are_none_or_more():
    with pytest.raises(Invalid, match="around: -1"):
        LADDER.at(WEEK, parse_price(24950), around=-1)


def test_a_chain_is_of_one_underlying():
    with pytest.raises(Invalid, match="one underlying in one segment"):
        Chain([an_option(100, CE), an_option(100, CE, root="BANKNIFTY")])


def test_expiries_come_nearest_first_each_once():
    entries = [an_option(100, right, day) for day in (MONTH, WEEK) for right in (CE, PE)]
    assert expiries(entries) == Chain(entries).expiries == [WEEK, MONTH]


@given(st.sets(st.integers(1, 500), min_size=1), st.integers(1, 5_000_000))
def test_no_strike_is_nearer_than_the_nearest(rupees: set[int], price: int):
    strikes = [Price(it * SCALE) for it in sorted(rupees)]
    found = strikes[nearest(strikes, Price(price))]
    assert found == min(strikes, key=lambda it: (abs(it - price), it))


@given(
    st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60)), st.integers(1, 70), st.integers(0, 9)
)
def test_each_label_leads_back_to_its_option(
    calls: set[int], puts: set[int], price: int, around: int
):
    chain = Chain([an_option(it, CE) for it in calls] + [an_option(it, PE) for it in puts])
    if not calls | puts:
        assert chain.expiries == []
        return
    at = Price(price * SCALE)
    rungs = chain.at(WEEK, at, around)
    assert all(one.strike < other.strike for one, other in pairwise(rungs))
    for rung in rungs:
        for entry, label, right in (
            (rung.call, rung.call_label, CE),
            (rung.put, rung.put_label, PE),
        ):
            assert label is None or entry is not None
            if label is not None:
                assert chain.by_offset(WEEK, at, label, right) is entry
                assert str(Offset.parse(label)) == label


def test_the_real_chain_of_nifty_stands_whole(shared_data: Path):
    listings = masters.real(shared_data, masters.UPSTOX_JSON).listings
    nifty = [*entries_of(it for it in listings if it.root == "NIFTY")]
    chain = Chain(nifty)
    assert chain.expiries[:2] == expiries(nifty)[:2] == [WEEK, MONTH]
    assert all(day >= TODAY for day in chain.expiries)
    rungs = chain.at(WEEK, parse_price("24631.30"))
    assert [it.call_label for it in rungs] == [
        *(f"ITM{it}" for it in range(10, 0, -1)),
        "ATM",
        *(f"OTM{it}" for it in range(1, 11)),
    ]
    assert rungs[10].strike == parse_price(24650)
    assert chain.by_offset(WEEK, parse_price("24631.30"), "OTM12", CE).symbol == (
        "NIFTY18AUG2625250CE"
    )
