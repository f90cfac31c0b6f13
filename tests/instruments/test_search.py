"""Finding instruments by what people type, on the real master and on a small made-up one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.instruments.model.instrument import Entry, segment_of
from bahi.instruments.model.search import MOST, Search
from bahi.kernel.words import Segment
from tests.brokers import masters
from tests.instruments.queries import (
    FIRST,
    QUERIES,
    SMALL_QUERIES,
    TODAY,
    Query,
    entries_of,
    small_master,
)

SMALL = small_master()
SEARCH = Search(SMALL)
ODD_TEXTS = (
    "", " ", "\0", "nifty\0", "\N{ROCKET}", "\N{DEVANAGARI LETTER NA}", ".*", "[a-z]+(", "%", "_",
    "'; --", "\n", "&", "-", "and", "NIFTY" * 2_000, "9" * 10_000, "a b " * 3_000, "31 feb 99 ce",
    "0ce", "ce pe fut", "dec dec dec", "next", "next week", "2026-99-99", "1e9", "..", "1.23456 ce",
    "\N{LATIN SMALL LIGATURE FI}nnifty", "\N{LATIN SMALL LETTER SHARP S}", "\N{SUPERSCRIPT TWO}ce",
    "\N{ARABIC-INDIC DIGIT TWO}6000 ce", "nifty\N{DEVANAGARI DIGIT TWO}",
    ":", "::", "NSE:", ":NIFTY", "-EQ", "NSE:-EQ", "NSE:-INDEX-EQ", "A:B:C", "NYSE:IBM", "k", "0k",
)  # fmt: skip
WORDS = (
    "nifty", "bank", "26000", "25.5", "ce", "put", "dec", "28", "2026", "fut", "next", "week",
    "26k", "straddle", "nse:nifty", "nifty-index", "bnf",
    "nse", "bse", "index", "monthly", "reliance", "relaince", "m&m", "28oct", "strike",
)  # fmt: skip
TEXTS = (
    st.text(max_size=40)
    | st.text(alphabet="NIFTY BANK26DECFU0.&-", max_size=30)
    | st.lists(st.sampled_from(WORDS), max_size=7).map(" ".join)
)


@pytest.fixture(scope="module")
def real(shared_data: Path) -> Search:
    """Search the master of a real day."""
    return Search([*entries_of(masters.real(shared_data, masters.UPSTOX_JSON).listings)])


def found_first(search: Search, query: Query) -> list[tuple[str, str]]:
    return [(it.symbol, it.segment) for it in search.find(query.text, today=TODAY)[:FIRST]]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.text)
def test_what_people_type_is_found_on_the_real_master(real: Search, query: Query):
    assert (query.symbol, segment_of(query.exchange)) in found_first(real, query)


@pytest.mark.parametrize("query", SMALL_QUERIES, ids=lambda query: query.text)
def test_what_people_type_is_found_on_a_small_master(query: Query):
    assert (query.symbol, segment_of(query.exchange)) in found_first(SEARCH, query)


def test_there_are_sixty_queries_and_more():
    assert len({query.text for query in QUERIES}) >= 60


def test_every_real_instrument_is_found_by_its_own_symbol(real: Search, shared_data: Path):
    listings = masters.real(shared_data, masters.UPSTOX_JSON).listings
    for entry in [*entries_of(listings)][::37]:
        found = real.find(entry.symbol, today=TODAY)
        assert found[0].symbol == entry.symbol
        assert (entry.symbol, entry.segment) in [(it.symbol, it.segment) for it in found]


@pytest.mark.parametrize("entry", SMALL, ids=lambda entry: f"{entry.segment}:{entry.symbol}")
def test_every_instrument_is_found_by_its_own_symbol_and_by_each_beginning_of_it(entry: Entry):
    first = SEARCH.find(entry.symbol, today=TODAY, segments=[Segment(entry.segment)])[0]
    assert first == entry
    for length in range(3, len(entry.symbol)):
        begun = entry.symbol[:length]
        found = SEARCH.find(begun.lower(), today=TODAY, limit=MOST)
        assert any(it.symbol.startswith(begun) for it in found)


@pytest.mark.parametrize("entry", SMALL, ids=lambda entry: f"{entry.segment}:{entry.symbol}")
def test_every_piece_of_four_letters_is_found(entry: Entry):
    for first in range(len(entry.symbol) - 3):
        assert SEARCH.find(entry.symbol[first : first + 4], today=TODAY)


@pytest.mark.parametrize("text", ODD_TEXTS, ids=range(len(ODD_TEXTS)))
def test_no_text_is_an_error(text: str):
    assert len(SEARCH.find(text, today=TODAY)) <= 20


@given(TEXTS, st.sets(st.sampled_from(Segment)) | st.none(), st.integers(-3, 200))
def test_answers_are_bounded_within_their_segments_different_and_the_same_each_time(
    text: str, segments: set[Segment] | None, limit: int
):
    found = SEARCH.find(text, today=TODAY, segments=segments, limit=limit)
    assert len(found) <= max(0, min(limit, MOST))
    assert segments is None or {it.segment for it in found} <= segments
    assert len({it.id for it in found}) == len(found)
    assert found == SEARCH.find(text, today=TODAY, segments=segments, limit=limit)


@pytest.mark.parametrize("entry", SMALL, ids=lambda entry: f"{entry.segment}:{entry.symbol}")
def test_naming_all_segments_changes_nothing(entry: Entry):
    for length in range(1, len(entry.symbol) + 1):
        begun = entry.symbol[:length]
        everywhere = SEARCH.find(begun, today=TODAY, segments=list(Segment))
        assert SEARCH.find(begun, today=TODAY) == everywhere


def test_a_name_that_begins_like_a_contract_is_found_beside_it():
    named = SMALL[0]._replace(id=900, symbol="NIFTY25BEES", name="Nifty 25 Bees")
    search = Search([*SMALL, named])
    found = search.find("nifty25", today=TODAY)
    assert found[0] == named
    assert found[1].symbol == "NIFTY25AUG26FUT"
    assert search.find("nifty25a", today=TODAY)[0].symbol == "NIFTY25AUG26FUT"


def test_what_is_asked_for_later_is_the_beginning_of_what_more_would_be():
    for query in SMALL_QUERIES:
        more = SEARCH.find(query.text, today=TODAY, limit=MOST)
        assert SEARCH.find(query.text, today=TODAY, limit=3) == more[:3]


def test_entries_may_come_in_any_order():
    turned = Search(SMALL[::-1])
    for query in SMALL_QUERIES:
        assert turned.find(query.text, today=TODAY) == SEARCH.find(query.text, today=TODAY)


def test_shares_and_indices_come_before_contracts_and_nse_before_bse():
    found = SEARCH.find("reliance", today=TODAY)
    assert [(it.symbol, it.segment) for it in found[:4]] == [
        ("RELIANCE", "NSE_EQ"),
        ("RELIANCE", "BSE_EQ"),
        ("RELIANCE-T0", "NSE_EQ"),
        ("RELIANCE25AUG26FUT", "NSE_FNO"),
    ]


def test_the_main_series_comes_before_others():
    assert [it.symbol for it in SEARCH.find("relia", today=TODAY, segments=[Segment.NSE_EQ])] == [
        "RELIANCE",
        "RELIABLE-SM",
        "RELIANCE-T0",
    ]


def test_nearer_days_come_first_and_ended_ones_last():
    found = SEARCH.find("nifty fut", today=date(2026, 9, 1))
    assert [it.symbol for it in found[:3]] == [
        "NIFTY29SEP26FUT",
        "NIFTY29DEC26FUT",
        "NIFTY25AUG26FUT",
    ]


def test_a_month_means_its_own_day_before_its_weeks():
    found = SEARCH.find("nifty aug 26000 ce", today=TODAY)
    assert [it.symbol for it in found] == ["NIFTY25AUG2626000CE", "NIFTY18AUG2626000CE"]


def test_a_strike_that_is_not_listed_finds_the_nearest():
    found = SEARCH.find("nifty 25aug 25910 pe", today=TODAY)
    assert [it.strike for it in found[:3]] == [259_000_000, 259_500_000, 258_500_000]


def test_a_number_beside_a_month_that_is_no_day_is_a_strike():
    found = SEARCH.find("m&m aug 30 ce", today=TODAY)
    assert found[0].symbol == "M&M25AUG2630CE"


def test_a_master_without_entries_finds_nothing():
    empty = Search([])
    assert [empty.find(text, today=TODAY) for text in ("nifty", "26000ce", "nifty fut x")] == [
        []
    ] * 3


def test_what_was_prepared_finds_the_same():
    ready = Search(SMALL)
    ready.prepare()
    for query in SMALL_QUERIES:
        assert ready.find(query.text, today=TODAY) == SEARCH.find(query.text, today=TODAY)


def pieces() -> Iterator[tuple[str, Entry]]:
    for entry in SMALL:
        if entry.expiry is not None:
            yield entry.symbol[len(entry.root or "") - 2 : -1], entry


def test_a_piece_over_root_day_and_strike_finds_the_contract():
    for piece, entry in pieces():
        assert entry in SEARCH.find(piece, today=TODAY, limit=MOST)
