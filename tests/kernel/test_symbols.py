"""Canonical symbols are written in one way, and a contract's can be read back."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel import symbols
from bahi.kernel.errors import Invalid
from bahi.kernel.money import Price, parse_price
from bahi.kernel.words import OptionType, Segment

ROOTS = (
    "NIFTY", "BANKNIFTY", "NIFTYNXT50", "SENSEX50", "M&M", "BAJAJ-AUTO", "360ONE", "3MINDIA",
    "GVT&D", "USDINR", "718GS2037", "CRUDEOILM", "SILVER100", "MAR26", "JAN", "5JAN25",
)  # fmt: skip
roots = st.sampled_from(ROOTS) | st.from_regex(r"[A-Z0-9][A-Z0-9&-]{0,14}", fullmatch=True)
days = st.dates(date(2000, 1, 1), date(2099, 12, 31))
strikes = st.integers(1, 10**10).map(Price)


@given(root=roots, expiry=days)
def test_a_future_is_read_back(root: str, expiry: date) -> None:
    assert symbols.parse(symbols.future(root, expiry)) == symbols.Contract(root, expiry)


@given(root=roots, expiry=days, strike=strikes, right=st.sampled_from(OptionType))
def test_an_option_is_read_back(root: str, expiry: date, strike: Price, right: OptionType) -> None:
    symbol = symbols.option(root, expiry, strike, right)
    assert symbols.parse(symbol) == symbols.Contract(root, expiry, strike, right)


@given(root=roots, expiry=days, strike=strikes, right=st.sampled_from(OptionType))
def test_a_contract_is_told_in_words_and_nothing_else_is_touched(
    root: str, expiry: date, strike: Price, right: OptionType
) -> None:
    day = f"{expiry:%d %b %y}".upper()
    at = symbols.strike_text(strike)
    assert (
        symbols.spaced(symbols.option(root, expiry, strike, right)) == f"{root} {at} {right} {day}"
    )
    assert symbols.spaced(symbols.future(root, expiry)) == f"{root} FUT {day}"
    assert symbols.spaced(root) == root or symbols.parse(root)
    for symbol in (symbols.option(root, expiry, strike, right), symbols.future(root, expiry), root):
        assert symbols.unspaced(symbols.spaced(symbol)) == symbol


@given(st.text(max_size=40))
def test_any_text_is_a_contract_or_none(text: str) -> None:
    said = symbols.parse(text)
    assert said is None or symbols.contract(*said) == text


def test_symbols_are_those_that_openalgo_writes() -> None:
    assert symbols.future("NIFTY", date(2025, 10, 28)) == "NIFTY28OCT25FUT"
    strike = parse_price("26000")
    assert symbols.option("NIFTY", date(2025, 10, 28), strike, OptionType.CE) == (
        "NIFTY28OCT2526000CE"
    )
    strike = parse_price("82.25")
    assert symbols.option("USDINR", date(2025, 3, 28), strike, OptionType.CE) == (
        "USDINR28MAR2582.25CE"
    )


@pytest.mark.parametrize(
    ("symbol", "series", "segment", "expected"),
    [
        ("RELIANCE", "EQ", Segment.NSE_EQ, "RELIANCE"),
        ("RELIANCE", "", Segment.NSE_EQ, "RELIANCE"),
        ("RELIANCE", "T0", Segment.NSE_EQ, "RELIANCE-T0"),
        ("CENTRALBK", "BE", Segment.NSE_EQ, "CENTRALBK-BE"),
        ("BAJAJ-AUTO", "EQ", Segment.NSE_EQ, "BAJAJ-AUTO"),
        ("RELIANCE", "A", Segment.BSE_EQ, "RELIANCE"),
        ("12 MFLS3", "F", Segment.BSE_EQ, "12MFLS3"),
    ],
)
def test_every_series_but_eq_is_an_instrument_of_its_own(
    symbol: str, series: str, segment: Segment, expected: str
) -> None:
    assert symbols.equity(symbol, series, segment) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NIFTY 50", "NIFTY"),
        ("NIFTY", "NIFTY"),
        ("NIFTY BANK", "BANKNIFTY"),
        ("Nifty Bank", "BANKNIFTY"),
        ("NIFTY FIN SERVICE", "FINNIFTY"),
        ("NIFTY MID SELECT", "MIDCPNIFTY"),
        ("NIFTY NEXT 50", "NIFTYNXT50"),
        ("INDIA VIX", "INDIAVIX"),
        ("SENSEX", "SENSEX"),
        ("BANKEX", "BANKEX"),
        ("SNSX50", "SENSEX50"),
        ("Nifty IT", "NIFTYIT"),
        ("BHARATBOND-APR30", "BHARATBONDAPR30"),
    ],
)
def test_an_index_has_one_name_whoever_says_it(name: str, expected: str) -> None:
    assert symbols.index(name) == expected


@pytest.mark.parametrize(
    ("written", "expiry", "strike", "right", "root"),
    [
        ("NIFTY25SEP25150CE", date(2025, 9, 30), "25150", "CE", "NIFTY"),
        ("NIFTY25O0725000PE", date(2025, 10, 7), "25000", "PE", "NIFTY"),
        ("NIFTY2590925600PE", date(2025, 9, 9), "25600", "PE", "NIFTY"),
        ("NIFTY29DEC24000CE", date(2029, 12, 24), "24000", "CE", "NIFTY"),
        ("USDINR25O2489.8CE", date(2025, 10, 24), "89.8", "CE", "USDINR"),
        ("GBPINR25904FUT", date(2025, 9, 4), None, None, "GBPINR"),
        ("BAJAJ-AUTO25OCTFUT", date(2025, 10, 28), None, None, "BAJAJ-AUTO"),
        ("718GS203725AUG104CE", date(2025, 8, 28), "104", "CE", "718GS2037"),
        ("NIFTY25SEP25150CE", date(2025, 10, 28), "25150", "CE", None),
        ("NIFTY25SEP25150CE", date(2025, 9, 30), "25200", "CE", None),
        ("25SEPFUT", date(2025, 9, 30), None, None, None),
    ],
)
def test_the_root_is_what_stands_before_the_terms(
    written: str, expiry: date, strike: str | None, right: str | None, root: str | None
) -> None:
    price = parse_price(strike) if strike else None
    given_right = OptionType(right) if right else None
    assert symbols.root_of(written, expiry, price, given_right) == root


@pytest.mark.parametrize("symbol", ["", " ", "A B\n", "न", "X" * 60, "-"])
def test_what_cannot_be_a_symbol_is_refused(symbol: str) -> None:
    with pytest.raises(Invalid, match="symbol"):
        symbols.equity(symbol, "EQ")


@pytest.mark.parametrize(
    "symbol", ["NIFTY31FEB25FUT", "NIFTY28OCT25", "NIFTY28OCT250CE", "28OCT25FUT"]
)
def test_what_names_no_contract_is_none(symbol: str) -> None:
    assert symbols.parse(symbol) is None


def test_a_year_that_two_digits_cannot_say_is_refused() -> None:
    with pytest.raises(Invalid, match="2000 to 2099"):
        symbols.future("NIFTY", date(2100, 1, 1))
    with pytest.raises(Invalid, match="above zero"):
        symbols.option("NIFTY", date(2025, 1, 1), Price(0), OptionType.CE)
