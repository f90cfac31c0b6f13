"""The brokers' instrument files in our words: exact, in one unit, each thing by one name."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from bahi.brokers import masters as all_masters
from bahi.kernel.listings import Listing
from bahi.kernel.money import parse_price
from bahi.kernel.words import BrokerSlug, InstrumentType, Segment
from tests.brokers import masters
from tests.brokers.masters import (
    BREEZE,
    DHAN,
    DHAN_DETAILED,
    KITE_MOCK,
    KITE_NFO,
    KITE_NSE,
    UPSTOX_CSV,
    UPSTOX_JSON,
    WHOSE,
    one,
    real,
)

MEMORY_MB = 40

COUNTS = {
    KITE_NFO: {"NSE_FNO": 32504},
    KITE_NSE: {"NSE_INDEX": 117, "NSE_EQ": 7813},
    KITE_MOCK: {"NSE_EQ": 55, "NSE_FNO": 25, "BSE_EQ": 19},
    UPSTOX_JSON: {
        "NSE_EQ": 9667, "BSE_EQ": 12822, "NSE_FNO": 35264, "BSE_FNO": 4258, "NSE_CURRENCY": 8764,
        "BSE_CURRENCY": 9226, "MCX_COMM": 16699, "NSE_INDEX": 139, "BSE_INDEX": 77,
    },
    UPSTOX_CSV: {
        "NSE_EQ": 8091, "BSE_EQ": 12373, "NSE_FNO": 31285, "BSE_FNO": 4311, "NSE_CURRENCY": 8992,
        "BSE_CURRENCY": 8942, "MCX_COMM": 13849, "NSE_INDEX": 124, "BSE_INDEX": 70,
    },
    DHAN: {
        "NSE_EQ": 8999, "BSE_EQ": 13248, "NSE_FNO": 101409, "BSE_FNO": 42397,
        "NSE_CURRENCY": 11428, "BSE_CURRENCY": 12733, "MCX_COMM": 37936, "NSE_INDEX": 119,
        "BSE_INDEX": 74,
    },
    DHAN_DETAILED: {"NSE_EQ": 9328, "NSE_INDEX": 119},
    BREEZE: {
        "NSE_EQ": 5530, "BSE_EQ": 12100, "NSE_FNO": 70950, "BSE_FNO": 4439, "MCX_COMM": 37408,
        "NSE_INDEX": 12, "BSE_INDEX": 1,
    },
}  # fmt: skip
SKIPPED = {
    KITE_NFO: {},
    KITE_NSE: {},
    KITE_MOCK: {},
    UPSTOX_JSON: {"NSE_COM": 28075, "GLOBAL_INDEX": 10, "GLOBAL_INDICATOR": 3},
    UPSTOX_CSV: {"NSE_COM": 7798, "NSE_EQ": 11},
    DHAN: {"NSE_COM": 44642, "NSE_EQ": 22, "NSE_FNO": 18, "NSE_CURRENCY": 1, "BSE_INDEX": 1},
    DHAN_DETAILED: {"NSE_EQ": 22},
    BREEZE: {"NSE_EQ": 138, "NSE_INDEX": 7, "BSE_EQ": 1256, "NSE_CURRENCY": 4},
}


def the(shared_data: Path, file: str, segment: Segment, symbol: str) -> Listing:
    found = [
        x for x in real(shared_data, file).listings if (x.segment, x.symbol) == (segment, symbol)
    ]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("file", COUNTS)
def test_every_line_of_a_real_file_is_a_listing_or_skipped_by_name(
    shared_data: Path, file: str
) -> None:
    told = real(shared_data, file)
    assert told.bad == []
    assert Counter(str(x.segment) for x in told.listings) == COUNTS[file]
    assert Counter(x.segment for x in told.skipped) == SKIPPED[file]
    assert all(x.reason and len(x.reason) <= 120 for x in told.skipped)


@pytest.mark.parametrize("file", COUNTS)
def test_a_symbol_stands_once_in_its_segment_of_a_real_file(shared_data: Path, file: str) -> None:
    listings = real(shared_data, file).listings
    assert len({(x.segment, x.symbol) for x in listings}) == len(listings)


@pytest.mark.parametrize("file", COUNTS)
def test_terms_stand_where_they_belong(shared_data: Path, file: str) -> None:
    for x in real(shared_data, file).listings:
        option = x.instrument_type.startswith("OPT")
        contract = option or x.instrument_type.startswith("FUT")
        assert (x.strike is not None, x.option_type is not None) == (option, option)
        assert (x.expiry is not None, bool(x.root)) == (contract, contract)
        if x.instrument_type is InstrumentType.INDEX:
            assert (x.lot_size, x.tick_size, x.exchange_token) == (None, None, "")


@pytest.mark.parametrize("file", [KITE_NFO, UPSTOX_JSON, UPSTOX_CSV, DHAN, BREEZE])
def test_an_option_on_nifty_has_a_tick_of_five_paise(shared_data: Path, file: str) -> None:
    ticks = {x.tick_size for x in real(shared_data, file).listings
             if x.root == "NIFTY" and x.strike}  # fmt: skip
    assert ticks == {parse_price("0.05")}


@pytest.mark.parametrize("file", [UPSTOX_JSON, UPSTOX_CSV, DHAN])
def test_usdinr_has_a_tick_of_a_quarter_paisa_whichever_unit_the_file_is_in(
    shared_data: Path, file: str
) -> None:
    ticks = {x.tick_size for x in real(shared_data, file).listings if x.root == "USDINR"}
    assert ticks == {parse_price("0.0025")}


@pytest.mark.parametrize("file", [UPSTOX_JSON, UPSTOX_CSV, DHAN, BREEZE])
def test_a_crudeoil_future_has_a_tick_of_a_rupee(shared_data: Path, file: str) -> None:
    futures = [x for x in real(shared_data, file).listings
               if x.root == "CRUDEOIL" and x.instrument_type is InstrumentType.FUTCOM]  # fmt: skip
    assert futures
    assert {x.tick_size for x in futures} == {parse_price("1")}


@pytest.mark.parametrize(
    ("file", "token"),
    [(KITE_NSE, "738561"), (UPSTOX_JSON, "NSE_EQ|INE002A01018"), (DHAN, "2885"),
     (UPSTOX_CSV, "NSE_EQ|INE002A01018"), (DHAN_DETAILED, "2885"), (BREEZE, "2885")],
)  # fmt: skip
def test_reliance_is_reliance_everywhere(shared_data: Path, file: str, token: str) -> None:
    reliance = the(shared_data, file, Segment.NSE_EQ, "RELIANCE")
    assert (reliance.security_id, reliance.exchange_token) == (token, "2885")
    assert reliance.tick_size in (parse_price("0.1"), None)


@pytest.mark.parametrize("file", [KITE_NSE, UPSTOX_JSON, UPSTOX_CSV, DHAN, DHAN_DETAILED, BREEZE])
@pytest.mark.parametrize(
    "symbol", ["NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50", "INDIAVIX"]
)
def test_the_indices_people_trade_have_one_name(shared_data: Path, file: str, symbol: str) -> None:
    the(shared_data, file, Segment.NSE_INDEX, symbol)


def test_kite_puts_the_exchange_token_into_its_own(shared_data: Path) -> None:
    for file in (KITE_NFO, KITE_NSE):
        for x in real(shared_data, file).listings:
            assert not x.exchange_token or int(x.security_id) >> 8 == int(x.exchange_token)
    told = masters.read(
        BrokerSlug.KITE,
        masters.kite("2885,738561,RELIANCE,RELIANCE INDUSTRIES,0.0,,0.0,0.1,1,EQ,NSE,NSE"),
    )
    assert "does not hold" in told.bad[0].reason


def test_a_lot_counts_what_the_price_is_for(shared_data: Path) -> None:
    expected = {"GOLD": 100, "GOLDM": 10, "ZINC": 5000, "CRUDEOIL": 100, "SILVER100": 10}
    for file in (UPSTOX_JSON, BREEZE):
        lots = {x.root: x.lot_size for x in real(shared_data, file).listings if x.root in expected}
        assert lots == expected
    lots = {x.root: x.lot_size for x in real(shared_data, UPSTOX_JSON).listings}
    assert (lots["USDINR"], lots["636GS2031"]) == (1000, 2000)
    # Dhan counts whole lots there, and does not say what is in one.
    counted = {(x.lot_size, x.broker_lot) for x in real(shared_data, DHAN).listings
               if x.segment in (Segment.MCX_COMM, Segment.NSE_CURRENCY)}  # fmt: skip
    assert counted == {(None, 1)}


def test_an_expiry_in_milliseconds_is_the_exchanges_day() -> None:
    told = masters.read(BrokerSlug.UPSTOX, masters.upstox())  # 23:59:59 in India, 18:29:59 UTC
    assert told.listings[1].expiry == date(2026, 12, 29)
    assert told.listings[1].symbol == "NIFTY29DEC2627000CE"
    assert told.listings[1].tick_size == parse_price("0.05")


def test_the_longest_options_go_out_to_2030(shared_data: Path) -> None:
    assert max(x.expiry for x in real(shared_data, DHAN).listings if x.expiry) == date(2030, 12, 31)


def test_closing_auction_names_are_told(shared_data: Path) -> None:
    told = real(shared_data, UPSTOX_JSON).listings
    assert sum(x.segment is Segment.NSE_EQ and bool(x.cas_eligible) for x in told) == 208
    assert all(x.cas_eligible is None for x in real(shared_data, DHAN).listings)


def test_dhans_many_contracts_are_real_but_for_those_that_test_the_exchange(
    shared_data: Path,
) -> None:
    tests = [x for x in real(shared_data, DHAN).skipped if "test" in x.reason]
    assert Counter(x.segment for x in tests) == {"NSE_EQ": 22, "NSE_FNO": 18, "NSE_CURRENCY": 1}


def test_dhan_says_rupees_in_paise_and_lots_with_a_point() -> None:
    told = masters.read(BrokerSlug.DHAN, masters.dhan())
    share, future, option = told.listings
    assert share.tick_size == parse_price("0.1")
    assert (future.strike, future.lot_size, future.tick_size) == (None, 65, parse_price("0.1"))
    assert (option.symbol, option.tick_size) == ("USDINR27MAR2682.25CE", parse_price("0.0025"))
    line = "NSE,D,1,FUTSTK,0,M&M-Feb2026-FUT,3750.0,X,2026-02-24 14:30:00,0,XX,5.0,M,FUT,,"
    assert one(BrokerSlug.DHAN, masters.dhan(line)).lot_size == 3750


def test_breeze_is_named_by_the_exchanges_code_and_ordered_by_its_own(shared_data: Path) -> None:
    told = masters.read(BrokerSlug.BREEZE, masters.breeze())
    future = next(x for x in told.listings if x.root == "PATANJALI")
    assert (future.symbol, future.broker_symbol) == ("PATANJALI29SEP26FUT", "RUCSOY")
    assert (future.tick_size, future.upper_band) == (parse_price("0.05"), parse_price("396.35"))
    roots = {x.root for x in real(shared_data, BREEZE).listings if x.instrument_type == "OPTIDX"}
    assert roots == {
        "NIFTY",
        "BANKNIFTY",
        "FINNIFTY",
        "MIDCPNIFTY",
        "NIFTYNXT50",
        "SENSEX",
        "BANKEX",
        "FOCIT",
    }


def test_a_t0_series_is_an_instrument_of_its_own() -> None:
    assert (
        one(
            BrokerSlug.KITE,
            masters.kite("1,0,X,X,0,,0,0.05,1,EQ,NSE,NSE".replace("1,0,X,", "257,1,SBIN-T0,")),
        ).symbol
        == "SBIN-T0"
    )
    line = "NSE,E,7,EQUITY,0,SBIN,1.0,SBI,,,,5.0000,NA,ES,T0,STATE BANK OF INDIA"
    assert one(BrokerSlug.DHAN, masters.dhan(line)).symbol == "SBIN-T0"


def test_a_share_has_its_symbol_before_other_papers_of_its_company(shared_data: Path) -> None:
    assert the(shared_data, UPSTOX_CSV, Segment.NSE_EQ, "ELECTCAST").isin == "INE086A01029"


def test_an_openalgo_hosts_ticks_are_read_in_the_unit_that_its_segment_shows() -> None:
    rupees = one(BrokerSlug.OPENALGO, masters.openalgo())
    assert (rupees.tick_size, rupees.symbol) == (parse_price("0.05"), "NIFTY25AUG2625000CE")
    entry = dict(masters.OPENALGO_ENTRIES[0]) | {"tick_size": 5, "token": "NSE_FO|71399"}
    alone = one(BrokerSlug.OPENALGO, masters.openalgo(entry))
    assert (alone.tick_size, alone.exchange_token) == (None, "71399")
    many = masters.read(
        BrokerSlug.OPENALGO,
        masters.openalgo(*(
            entry | {"strike": 25000 + n, "symbol": f"NIFTY25AUG26{25000 + n}CE"} for n in range(20)
        )),
    )  # fmt: skip
    assert {x.tick_size for x in many.listings} == {parse_price("0.05")}


@pytest.mark.parametrize("broker", masters.SMALL)
def test_a_file_may_come_packed(broker: BrokerSlug) -> None:
    if broker is not BrokerSlug.BREEZE:
        plain, packed = masters.SMALL[broker], masters.packed(masters.SMALL[broker])
        assert masters.read(broker, packed) == masters.read(broker, plain)
    assert masters.read(broker, masters.SMALL[broker]).bad == []


def test_every_broker_with_a_login_has_a_master() -> None:
    assert set(all_masters()) == set(BrokerSlug) - {BrokerSlug.ANGEL, BrokerSlug.PAPER}


READS = """
import resource, sys
from bahi.brokers import masters
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
with open(sys.argv[2], "rb") as file:
    count = sum(1 for line in masters()[sys.argv[1]].listings(file))
print(count, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.parametrize("file", [DHAN, UPSTOX_JSON, BREEZE])
def test_a_large_file_is_read_in_little_memory(shared_data: Path, file: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", READS, WHOSE[file], str(shared_data / "instruments" / file)],
        check=True,
        capture_output=True,
        text=True,
    )
    count, grown_mb = map(int, ran.stdout.split())
    assert count >= 100_000
    assert grown_mb < MEMORY_MB
