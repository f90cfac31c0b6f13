"""OpenAlgo's words and ours: every map is total, and what nobody knows is refused by name."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bahi.api.openalgo import words
from bahi.instruments.model.instrument import EXCHANGES
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.words import (
    AccountMode,
    OrderStatus,
    OrderType,
    Product,
    Segment,
    Side,
)

pytestmark = pytest.mark.unit

NINE_FIFTEEN = datetime(2026, 1, 5, 3, 45, 7, tzinfo=UTC)


def test_every_word_of_theirs_is_one_of_ours_and_back() -> None:
    assert {words.segment_of(it) for it in EXCHANGES} == set(Segment)
    assert all(words.exchange_of(words.segment_of(it)) == it for it in EXCHANGES)
    assert {words.order_type_of(it) for it in words.PRICE_TYPES} == set(OrderType)
    assert all(words.pricetype_of(words.order_type_of(it)) == it for it in words.PRICE_TYPES)
    assert {words.side_of(it) for it in ("BUY", "sell")} == set(Side)
    assert {words.product_word(it) for it in Product} == {"CNC", "MIS", "NRML", "MTF", "CO", "BO"}
    assert {words.mode_of(it) for it in AccountMode} == {"live", "analyze"}


def test_a_status_is_one_of_the_five_that_clients_know() -> None:
    known = {"open", "trigger pending", "complete", "rejected", "cancelled"}
    said = {
        words.status_of(it, waits_for_trigger=waits)
        for it in OrderStatus
        for waits in (True, False)
    }
    assert said == known
    assert words.status_of(OrderStatus.CANCELLED, waits_for_trigger=True) == "cancelled"


@pytest.mark.parametrize(
    ("product", "exchange", "meant"),
    [
        ("MIS", "NSE", Product.INTRADAY),
        ("mis", "NFO", Product.INTRADAY),
        ("CNC", "BSE", Product.CNC),
        ("NRML", "NFO", Product.MARGIN),
        ("NRML", "MCX", Product.MARGIN),
    ],
)
def test_a_product_is_read_by_its_exchange(product: str, exchange: str, meant: Product) -> None:
    found = words.product_of(product, words.segment_of(exchange))
    assert found is meant
    assert words.product_word(found) == product.upper()


@pytest.mark.parametrize(
    ("product", "exchange", "said"),
    [
        ("CNC", "NFO", "product: CNC is for shares; NFO takes MIS or NRML."),
        ("NRML", "NSE", "product: NRML is for derivatives; NSE takes MIS or CNC."),
        ("BO", "NSE", "product: 'BO' is not known here; it is one of MIS, CNC."),
    ],
)
def test_a_product_that_does_not_exist_there_is_refused(
    product: str, exchange: str, said: str
) -> None:
    with pytest.raises(Invalid) as refused:
        words.product_of(product, words.segment_of(exchange))
    assert str(refused.value) == said


def test_a_word_that_nobody_knows_names_its_field_and_the_words() -> None:
    with pytest.raises(Invalid, match=r"^orders.1.pricetype: 'STOP' is not known here; it is one of"
                       r" MARKET, LIMIT, SL, SL-M\.$"):  # fmt: skip
        words.order_type_of("STOP", "orders.1.pricetype")
    with pytest.raises(Invalid, match=r"^exchange: "):
        words.segment_of("NYSE")


def test_a_price_of_nothing_is_none_and_one_below_it_is_refused() -> None:
    assert words.price_of(Decimal(0)) is None
    assert words.price_of(None) is None
    assert words.price_of(Decimal("80.05")) == 800_500
    for wrong in ("-1", "NaN", "1E+400", "0.00001"):
        with pytest.raises(Invalid, match=r"^price: "):
            words.price_of(Decimal(wrong))


@pytest.mark.parametrize("said", ["", "x", "-1", "1" * 30, "٣"])
def test_what_is_no_id_is_nobodys(said: str) -> None:
    with pytest.raises(NotFound):
        words.id_of(said)


def test_times_are_told_as_at_the_exchange() -> None:
    assert words.stamp_of(NINE_FIFTEEN) == "05-Jan-2026 09:15:07"
    assert words.clock_of(NINE_FIFTEEN) == "09:15:07"
    assert words.written(NINE_FIFTEEN) == "2026-01-05 09:15:07"
    assert words.written(None) == ""


def test_amounts_are_told_exactly() -> None:
    assert words.rupees(800_525) == Decimal("80.0525")
    assert words.rupees(-5) == Decimal("-0.0005")
