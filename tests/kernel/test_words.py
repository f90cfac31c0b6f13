"""Every word has one spelling, and a word that nobody knows is refused by name."""

from __future__ import annotations

import inspect
import re
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel import words
from bahi.kernel.errors import Invalid
from bahi.kernel.names import shown
from bahi.kernel.words import (
    BrokerSlug,
    ConnectionStatus,
    OptionType,
    OrderStatus,
    OrderType,
    Product,
    Segment,
    Side,
    parse,
    parse_product,
)

VOCABULARIES = [
    kind
    for _, kind in inspect.getmembers(words, inspect.isclass)
    if issubclass(kind, StrEnum) and kind is not StrEnum
]
EVERY_WORD = [word for vocabulary in VOCABULARIES for word in vocabulary]


@given(st.sampled_from(EVERY_WORD), st.sampled_from([str.upper, str.lower, str.title]))
def test_every_word_is_read_back_in_any_case(word, spell):
    assert parse(type(word), f" {spell(word)} ") is word


@given(st.sampled_from(VOCABULARIES), st.text(max_size=12))
def test_any_text_is_a_word_or_is_refused(vocabulary, said):
    known = {word.upper() for word in vocabulary} | set(words.ALIASES.get(vocabulary, {}))
    if said.strip().upper() in known:
        assert parse(vocabulary, said) in vocabulary
    else:
        with pytest.raises(Invalid, match=re.escape(repr(said))):
            parse(vocabulary, said)


@pytest.mark.parametrize(
    ("vocabulary", "said", "meant"),
    [
        (OrderType, "SL", OrderType.STOP_LOSS),
        (OrderType, "SL-M", OrderType.STOP_LOSS_MARKET),
        (OrderType, "SLM", OrderType.STOP_LOSS_MARKET),
        (OrderType, "SL_M", OrderType.STOP_LOSS_MARKET),
        (Product, "MIS", Product.INTRADAY),
        (Product, "I", Product.INTRADAY),
        (Product, "NRML", Product.MARGIN),
        (OrderStatus, "PART_TRADED", OrderStatus.PARTIAL),
        (OrderStatus, "COMPLETE", OrderStatus.EXECUTED),
        (Segment, "NSE", Segment.NSE_EQ),
        (Segment, "NFO", Segment.NSE_FNO),
        (Segment, "CDS", Segment.NSE_CURRENCY),
        (Segment, "CDS_FUT", Segment.NSE_CURRENCY),
        (Segment, "BSE", Segment.BSE_EQ),
        (Segment, "BFO", Segment.BSE_FNO),
        (Segment, "BCD", Segment.BSE_CURRENCY),
        (Segment, "MCX", Segment.MCX_COMM),
        (OptionType, "CALL", OptionType.CE),
        (OptionType, "PUT", OptionType.PE),
        (ConnectionStatus, "disconnected", ConnectionStatus.DISCONNECTED),
        (BrokerSlug, "Zerodha", BrokerSlug.KITE),
        (BrokerSlug, "KITE", BrokerSlug.KITE),
        (BrokerSlug, "ICICI", BrokerSlug.BREEZE),
        (BrokerSlug, "icici direct", BrokerSlug.BREEZE),
    ],
)
def test_the_spellings_of_the_sources_are_taken(vocabulary, said, meant):
    assert parse(vocabulary, said) is meant


def test_no_spelling_of_others_hides_a_word_of_ours():
    for vocabulary, spellings in words.ALIASES.items():
        assert not {word.upper() for word in vocabulary} & set(spellings)
        assert all(isinstance(word, vocabulary) for word in spellings.values())
        assert all(said == said.upper() for said in spellings)


def test_an_unknown_word_is_refused_with_the_field_the_word_and_what_is_allowed():
    with pytest.raises(
        Invalid, match=r"action: 'HOLD' is not known here; it is one of BUY, SELL\."
    ):
        parse(Side, "HOLD", field="action")


def test_a_refusal_without_a_field_names_the_vocabulary():
    with pytest.raises(Invalid, match=r"^OptionType: '' is not known"):
        parse(OptionType, "")


@pytest.mark.parametrize("segment", Segment)
def test_delivery_is_cnc_in_equity_and_margin_elsewhere(segment):
    meant = Product.CNC if segment in (Segment.NSE_EQ, Segment.BSE_EQ) else Product.MARGIN
    assert parse_product("D", segment) is meant
    assert parse_product("d ", segment) is meant


def test_delivery_without_its_segment_is_refused():
    with pytest.raises(Invalid):
        parse(Product, "D")


@given(st.sampled_from(Product), st.sampled_from(Segment))
def test_what_people_are_shown_is_read_back_as_the_same_product(product, segment):
    assert parse_product(shown(product), segment) is product


def test_people_are_shown_the_names_they_know():
    assert [shown(p) for p in (Product.CNC, Product.INTRADAY, Product.MARGIN, Product.MTF)] == [
        "CNC",
        "MIS",
        "NRML",
        "MTF",
    ]
