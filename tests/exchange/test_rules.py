"""The rules by themselves: what is refused, and what no meeting with the market may ever do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.calendar.model import Phase
from bahi.exchange.model.matching import Depth, meet, refreshed
from bahi.exchange.model.order import OPEN, WORKING, PaperOrder
from bahi.exchange.model.protecting import execution_range, protected
from bahi.exchange.model.refusing import refusal
from bahi.exchange.model.rules import QueueModel, Rules
from bahi.exchange.model.settling import worth
from bahi.exchange.model.situation import Situation
from bahi.exchange.model.trading_day import Timetable
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.errors import Invalid
from bahi.kernel.money import Price
from bahi.kernel.ports import Level
from bahi.kernel.symbols import Contract
from bahi.kernel.words import (
    BrokerSlug,
    InstrumentType,
    OptionType,
    OrderType,
    Product,
    Segment,
    Side,
    Validity,
)
from bahi.quotes.model.quote import Quote
from tests.calendars.known import DAYS
from tests.exchange.floor import FUTURE, NOON, SBIN, an_instrument, levels, rupees

GOLD = an_instrument(51, "GOLD04DEC26FUT", segment=Segment.MCX_COMM, kind=InstrumentType.FUTCOM)
FROZEN = an_instrument(52, "FROZEN", freeze_qty=100, lot_size=10)
OPTION = an_instrument(
    53,
    "NIFTY01DEC2624000PE",
    segment=Segment.NSE_FNO,
    kind=InstrumentType.OPTIDX,
    strike=rupees(24_000),
    option_type=OptionType.PE,
)


def an_order(**facts: Any) -> PaperOrder:
    given: dict[str, Any] = {
        "id": 1,
        "client_id": 1,
        "tag": None,
        "segment": Segment.NSE_EQ,
        "symbol": "SBIN",
        "instrument_id": 3,
        "side": Side.BUY,
        "product": Product.CNC,
        "order_type": OrderType.LIMIT,
        "validity": Validity.DAY,
        "quantity": 10,
        "price": rupees(100),
        "status": OPEN,
        "priority": 1,
        "placed_at": NOON,
        "updated_at": NOON,
    }
    return PaperOrder(**(given | facts))


def a_situation(it: Instrument = SBIN, last: str = "100", **facts: Any) -> Situation:
    quote = Quote(instrument_id=it.id, last=rupees(last), at=NOON, received_at=NOON, source="test")
    given: dict[str, Any] = {
        "instrument": it,
        "now": NOON,
        "phase": Phase.OPEN,
        "day": Timetable(DAYS, Rules()).day_of(it, NOON),
        "next_day": None,
        "quote": quote,
        "known": quote,
        "reference": quote.last,
        "rules": Rules(),
    }
    return Situation(**(given | facts))


@pytest.mark.parametrize(
    ("it", "order", "code"),
    [
        (SBIN, {"quantity": 0}, "LOT"),
        (FROZEN, {"quantity": 15}, "LOT"),
        (FROZEN, {"quantity": 110}, "FREEZE"),
        (SBIN, {"price": rupees("100.01")}, "TICK"),
        (SBIN, {"price": None}, "PRICE"),
        (replace(SBIN, upper_band=rupees(99)), {}, "BAND"),
        (SBIN, {"quantity": 100, "disclosed": 9}, "DISCLOSED"),
        (SBIN, {"quantity": 100, "disclosed": 101}, "DISCLOSED"),
        (SBIN, {"quantity": 100, "disclosed": 10}, None),
        (FUTURE, {"quantity": 750, "disclosed": 75}, "DISCLOSED"),
        (GOLD, {"quantity": 100, "disclosed": 24}, "DISCLOSED"),
        (GOLD, {"validity": Validity.IOC}, "IOC"),
        (SBIN, {"validity": Validity.IOC}, None),
        (OPTION, {"price": rupees(140)}, None),
        (OPTION, {"price": rupees("140.05")}, "PRICE_PROTECTION"),
        (FUTURE, {"quantity": 75, "price": rupees("102.05")}, "PRICE_PROTECTION"),
        (FUTURE, {"quantity": 75, "price": rupees("102")}, None),
        (SBIN, {"price": rupees(500)}, None),
    ],
)
def test_a_real_exchange_would_refuse_it(
    it: Instrument, order: dict[str, Any], code: str | None
) -> None:
    said = refusal(an_order(**({"segment": it.segment} | order)), a_situation(it))
    assert (said[0] if said else None) == code


@pytest.mark.parametrize(
    ("last", "low", "high"), [("50", "30", "70"), ("50.05", "30.05", "70.05"), ("5", "0", "25")]
)
def test_options_may_go_forty_percent_and_cheap_ones_twenty_rupees(
    last: str, low: str, high: str
) -> None:
    found = execution_range(a_situation(OPTION, last))
    assert found == (rupees(low), rupees(high))


def test_a_market_order_goes_no_further_than_band_and_price_protection() -> None:
    assert protected(Side.BUY, a_situation(SBIN)) == rupees(103)
    assert protected(Side.SELL, a_situation(SBIN)) == rupees(97)
    banded = replace(SBIN, upper_band=rupees(101), lower_band=rupees(99))
    assert protected(Side.BUY, a_situation(banded)) == rupees(101)
    assert protected(Side.SELL, a_situation(banded)) == rupees(99)
    assert protected(Side.BUY, a_situation(FUTURE)) == rupees(102)
    assert protected(Side.BUY, a_situation(SBIN, quote=None)) is None


def test_what_an_option_is_worth_when_it_expires() -> None:
    day = date(2026, 12, 1)
    call = Contract("NIFTY", day, rupees(24_000), OptionType.CE)
    assert worth(call, rupees(24_100)) == rupees(100)
    assert worth(call._replace(right=OptionType.PE), rupees(24_100)) == 0
    assert worth(Contract("NIFTY", day), rupees(24_100)) == rupees(24_100)


def test_what_the_wire_takes_is_drawn_once_for_each_order() -> None:
    rules = Rules(latency_ms=(50, 300))
    taken = [rules.latency_s(str(it)) for it in range(200)]
    assert taken == [rules.latency_s(str(it)) for it in range(200)]
    assert 0.05 <= min(taken) < 0.1 < 0.25 < max(taken) <= 0.3
    assert Rules().latency_s("any") == 0


@pytest.mark.parametrize(
    "wrong",
    [{"latency_ms": (3, 2)}, {"protection": 0}, {"profile": BrokerSlug.OPENALGO}],
)
def test_rules_that_no_market_has_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        Rules(**wrong)


PRICES = st.integers(min_value=95, max_value=105)
SIZES = st.integers(min_value=1, max_value=50)
ORDERS = st.lists(
    st.tuples(st.sampled_from(Side), PRICES, SIZES, st.booleans(), st.booleans()), max_size=12
)
SIDES = st.dictionaries(PRICES, SIZES, max_size=4)


def _depth(bids: dict[int, int], asks: dict[int, int]) -> Depth:
    """Make a book of what was drawn: bids below, asks above."""
    middle = 100
    below = {str(at): many for at, many in sorted(bids.items(), reverse=True) if at < middle}
    above = {str(at): many for at, many in sorted(asks.items()) if at >= middle}
    return Depth(NOON, levels(below), levels(above), 0)


@given(ORDERS, SIDES, SIDES, st.sampled_from(QueueModel))
def test_no_meeting_takes_what_is_not_there(
    drawn: list[tuple[Side, int, int, bool, bool]],
    bids: dict[int, int],
    asks: dict[int, int],
    queue: QueueModel,
) -> None:
    depth = _depth(bids, asks)
    orders = [
        an_order(
            id=number,
            priority=number,
            side=side,
            price=rupees(price),
            quantity=size,
            validity=Validity.IOC if ioc else Validity.DAY,
        )
        for number, (side, price, size, ioc, _) in enumerate(drawn, 1)
    ]
    entering = frozenset(number for number, it in enumerate(drawn, 1) if it[4])
    meeting = meet(orders, depth, a_situation(rules=Rules(queue=queue)), entering)

    def waits(some: tuple[Level, ...]) -> int:
        return sum(it.quantity for it in some)

    for side in Side:
        taken = sum(
            fill.quantity
            for order in orders
            if order.side is side
            for fill in meeting.fills.get(order.id, ())
        )
        assert taken == waits(depth.against(side)) - waits(meeting.depth.against(side))
    for order in orders:
        after, fills = meeting.now(order), meeting.fills.get(order.id, [])
        assert after.filled == sum(it.quantity for it in fills) <= order.quantity
        assert after.filled_value == sum(it.price * it.quantity for it in fills)
        price = order.price or 0
        assert all(
            it.price <= price if order.side is Side.BUY else it.price >= price for it in fills
        )
        if order.id in entering and order.validity is Validity.IOC:
            assert after.status not in WORKING
        if order.id in entering and after.status in WORKING:  # nobody it could have had is left
            rest = meeting.depth.against(order.side)
            assert not any(
                it.price <= price if order.side is Side.BUY else it.price >= price for it in rest
            )
        if order.id not in entering and queue is QueueModel.THROUGH:
            assert {it.price for it in fills} <= {order.price}


def test_an_older_quote_never_replaces_a_newer_one() -> None:
    depth = Depth(NOON, (), (Level(Price(1_000_000), 5),), 10)
    quote = a_situation().known
    assert quote is not None
    assert refreshed(depth, quote) == (depth, 0)
