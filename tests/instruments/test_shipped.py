"""The small master of our own: always of today, exact, and named as the real ones name things."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.brokers import masters
from bahi.instruments.model.shipped import reference_prices, shipped, tick_of_share
from bahi.kernel import symbols
from bahi.kernel.listings import Listing
from bahi.kernel.money import Price, parse_price
from bahi.kernel.words import BrokerSlug, InstrumentType, Segment

DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))


@given(day=DAYS)
def test_on_any_day_every_contract_is_still_to_end_and_named_by_its_terms(day: date) -> None:
    listings = list(shipped(day))
    assert len({(it.segment, it.symbol) for it in listings}) == len(listings)
    for it in listings:
        assert it.expiry is None or it.expiry >= day
        if it.expiry is not None:
            said = symbols.parse(it.symbol)
            assert said is not None
            assert (said.root, said.expiry, said.strike) == (it.root, it.expiry, it.strike)
            assert it.lot_size is not None
            assert it.expiry.weekday() < 5


def test_there_are_about_eighty_names_and_a_chain_to_trade() -> None:
    listings = list(shipped(date(2026, 11, 20)))
    cash = [it for it in listings if it.expiry is None]
    assert 75 <= len(cash) <= 90
    assert {it.symbol for it in cash} >= {"RELIANCE", "M&M", "BAJAJ-AUTO", "NIFTY", "SENSEX"}
    chain = Counter(it.root for it in listings if it.strike is not None)
    assert chain["NIFTY"] == 2 * 2 * 41
    kinds = {it.instrument_type for it in listings}
    assert kinds >= {InstrumentType.FUTIDX, InstrumentType.FUTSTK, InstrumentType.FUTCOM}
    (usdinr, _next) = [it for it in listings if it.root == "USDINR"]
    assert usdinr.tick_size == parse_price("0.0025")


def test_a_holiday_moves_an_expiry_to_the_trading_day_before() -> None:
    moved = list(shipped(date(2026, 11, 20), _shift))
    nifty = {it.expiry for it in moved if it.root == "NIFTY" and it.strike}
    assert date(2026, 11, 23) in nifty  # Tuesday 24 November 2026 is Guru Nanak Jayanti
    assert date(2026, 11, 24) not in nifty


def _shift(_segment: Segment, day: date) -> date:
    return date(2026, 11, 23) if day == date(2026, 11, 24) else day


def test_every_name_has_a_price_where_the_market_begins() -> None:
    prices = reference_prices()
    for it in shipped(date(2026, 11, 20)):
        name = it.root or it.symbol
        assert prices[name] > 0, name
        if it.segment is Segment.NSE_EQ:
            is_fund = it.isin.startswith("INF")
            assert it.tick_size == (Price(100) if is_fund else tick_of_share(prices[name]))
            assert prices[name] % it.tick_size == 0


@pytest.mark.parametrize(
    ("price", "tick"),
    [("249.99", "0.01"), ("250", "0.05"), ("1000", "0.05"), ("1001", "0.10"), ("25000", "5")],
)
def test_a_share_ticks_by_its_price(price: str, tick: str) -> None:
    assert tick_of_share(parse_price(price)) == parse_price(tick)


def test_it_says_what_the_real_master_says(shared_data: Path) -> None:
    with (shared_data / "instruments/upstox/complete_2026-08.json.gz").open("rb") as file:
        lines = masters()[BrokerSlug.UPSTOX].listings(file)
        real = {
            (it.segment, it.symbol): it
            for it in lines
            if isinstance(it, Listing) and it.segment in (Segment.NSE_EQ, Segment.NSE_FNO)
        }
    ours = [it for it in shipped(date(2026, 8, 17)) if it.segment is Segment.NSE_EQ]
    for it in ours:
        theirs = real[it.segment, it.symbol]
        assert (it.isin, it.exchange_token) == (theirs.isin, theirs.exchange_token)
        assert it.tick_size == theirs.tick_size, it.symbol
    futures = [
        it
        for it in shipped(date(2026, 8, 17))
        if it.segment is Segment.NSE_FNO and it.strike is None
    ]
    assert futures
    for it in futures:
        assert it.lot_size == real[it.segment, it.symbol].lot_size, it.symbol
