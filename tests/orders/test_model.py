"""The rules of orders and positions, without a database: whatever is told, however often."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict
from bahi.kernel.money import Money, Price
from bahi.kernel.ports import Fill, Update
from bahi.kernel.words import OrderStatus, OrderType, Product, Segment, Side
from bahi.orders.model.hearing import Told, heard, to_book
from bahi.orders.model.order import ENDS, MOVES, NOT_FOUND, REJECTED, UNKNOWN, Order
from bahi.orders.model.wishes import Seen
from bahi.portfolio.model.position import Fact, Key, fold, fold_all, fold_in, is_exit
from bahi.risk.model.verdict import Reference
from tests.quotes.names import an_instrument

BEGUN = datetime(2036, 11, 24, 6, 30, tzinfo=UTC)
KEY = Key(Segment.NSE_EQ, "SBIN", Product.INTRADAY)


def an_order(quantity: int = 100, status: OrderStatus = OrderStatus.TRANSIT) -> Order:
    """Return an order on its way."""
    return Order(
        id=77,
        account_id=1,
        segment=Segment.NSE_EQ,
        symbol="SBIN",
        side=Side.BUY,
        product=Product.INTRADAY,
        order_type=OrderType.LIMIT,
        quantity=quantity,
        price=Price(8_000_000),
        status=status,
        actor="test",
        placed_at=BEGUN,
        updated_at=BEGUN,
    )


def listening(order: Order, updates: list[Update]) -> Order:
    """Return the order after updates, each heard with what is booked by then."""
    names: set[str] = set()
    cumulative = False
    for update in updates:
        booked = to_book(order, update, Told(names, cumulative), BEGUN)
        order = heard(order, update, booked, BEGUN)
        names |= {it.name for it in booked}
        cumulative = cumulative or any(it.is_cumulative for it in booked)
    return order


def the_book(order: Order) -> tuple[object, ...]:
    """Return what is true of an order, and not when we heard of it."""
    return (order.status, order.filled, order.traded_value, order.quantity, order.price)


@st.composite
def told(draw: st.DrawFn, *, by_fill: bool) -> list[Update]:
    """Draw what a broker truthfully says of one order in the course of its life."""
    sizes = draw(st.lists(st.integers(1, 40), max_size=5))
    rest = draw(st.integers(0, 30))
    quantity, price = sum(sizes) + rest or 1, draw(st.integers(1, 10**9))
    at = BEGUN
    fills: list[Fill] = []
    said = [_update(quantity, OrderStatus.OPEN, fills, at, price, by_fill=by_fill)]
    for number, size in enumerate(sizes):
        at += timedelta(seconds=1)
        fills.append(Fill(trade_id=f"T{number}", quantity=size, price=Price(price), at=at))
        done = sum(it.quantity for it in fills) == quantity
        status = OrderStatus.EXECUTED if done else OrderStatus.PARTIAL
        said.append(_update(quantity, status, fills, at, price, by_fill=by_fill))
    if sum(sizes) < quantity:
        end = draw(st.sampled_from([None, OrderStatus.CANCELLED, OrderStatus.EXPIRED]))
        if end is not None:
            at += timedelta(seconds=1)
            said.append(_update(quantity, end, fills, at, price, by_fill=by_fill))
    return said


def _update(
    quantity: int,
    status: OrderStatus,
    fills: list[Fill],
    at: datetime,
    price: int,
    *,
    by_fill: bool,
) -> Update:
    return Update(
        broker_order_id="B1",
        broker_status=str(status),
        status=status,
        quantity=quantity,
        filled_quantity=sum(it.quantity for it in fills),
        average_price=Price(price) if fills else None,
        price=Price(price),
        at=at,
        fills=tuple(fills) if by_fill else None,
    )


@pytest.mark.parametrize("by_fill", [True, False])
@given(data=st.data())
def test_updates_in_any_order_and_number_make_one_book(by_fill: bool, data: st.DataObject) -> None:
    said = data.draw(told(by_fill=by_fill))
    straight = listening(an_order(said[0].quantity), said)
    twice = data.draw(st.permutations([*said, *data.draw(st.lists(st.sampled_from(said)))]))
    assert the_book(listening(an_order(said[0].quantity), twice)) == the_book(straight)
    assert straight.filled == said[-1].filled_quantity
    assert straight.status is said[-1].status


def test_a_fill_is_booked_even_after_the_order_was_cancelled() -> None:
    fill = Fill(trade_id="T1", quantity=40, price=Price(100), at=BEGUN)
    cancelled = _update(100, OrderStatus.CANCELLED, [], BEGUN, 100, by_fill=True)
    late = _update(100, OrderStatus.PARTIAL, [fill], BEGUN, 100, by_fill=True)
    order = listening(an_order(), [cancelled, late])
    assert (order.status, order.filled, order.remaining) == (OrderStatus.CANCELLED, 40, 0)


def test_an_end_that_we_concluded_yields_to_evidence() -> None:
    order = an_order().lost(BEGUN).not_found(BEGUN)
    assert (order.status, order.error_code) == (REJECTED, NOT_FOUND)
    fill = Fill(trade_id="T1", quantity=100, price=Price(100), at=BEGUN)
    order = listening(order, [_update(100, OrderStatus.EXECUTED, [fill], BEGUN, 100, by_fill=True)])
    assert (order.status, order.filled, order.error_code) == (OrderStatus.EXECUTED, 100, None)


def test_a_word_that_nobody_knows_keeps_the_state() -> None:
    odd = replace(_update(100, OrderStatus.OPEN, [], BEGUN, 100, by_fill=True), status=None)
    order = listening(an_order(status=UNKNOWN), [replace(odd, broker_status="ODD")])
    assert (order.status, order.broker_status) == (UNKNOWN, "ODD")


@pytest.mark.parametrize("status", sorted(ENDS))
def test_what_has_ended_never_works_again(status: OrderStatus) -> None:
    assert not MOVES[status] - ENDS
    with pytest.raises(Conflict, match="cannot become OPEN"):
        an_order(status=status).moved(OrderStatus.OPEN, BEGUN)


FACTS = st.lists(
    st.builds(
        lambda at, side, quantity, price: (at, side, quantity, Money(price * quantity)),
        st.integers(0, 3 * 86_400),
        st.sampled_from(Side),
        st.integers(1, 1_000),
        st.integers(1, 10**8),
    ),
    max_size=12,
)


@given(FACTS)
def test_a_position_is_the_sum_of_its_trades_and_loses_nothing(
    drawn: list[tuple[int, Side, int, Money]],
) -> None:
    facts = [
        Fact(BEGUN + timedelta(seconds=at), number, side, quantity, value)
        for number, (at, side, quantity, value) in enumerate(drawn)
    ]
    position = fold_all(KEY, facts)
    paid = sum(it.value if it.side is Side.BUY else -it.value for it in facts)
    held = position.open_cost if position.net >= 0 else -position.open_cost
    assert position.net == sum(it.signed for it in facts)
    assert position.realized == held - paid  # what came in less what went out, and what is held
    assert position.net or not position.open_cost


@given(FACTS, st.randoms(use_true_random=False))
def test_facts_fold_to_one_position_whatever_order_they_come_in(
    drawn: list[tuple[int, Side, int, Money]], random: object
) -> None:
    facts = [
        Fact(BEGUN + timedelta(seconds=at), number, side, quantity, value)
        for number, (at, side, quantity, value) in enumerate(drawn)
    ]
    shuffled = list(facts)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    whole = fold_all(KEY, facts)
    assert fold_all(KEY, shuffled) == whole
    if facts:
        *earlier, last = sorted(facts, key=lambda it: (it.at, it.id))
        assert fold(fold_all(KEY, earlier), last) == whole


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3 * 86_400),
            st.sampled_from(Side),
            st.integers(1, 9),
            st.integers(1, 10**6).map(Money),
        ),
        min_size=1,
        max_size=12,
    ),
    st.data(),
)
def test_a_late_fact_begins_anew_on_the_eve_of_its_day_and_comes_to_the_same(
    drawn: list[tuple[int, Side, int, Money]], data: st.DataObject
) -> None:
    facts = [
        Fact(BEGUN + timedelta(seconds=at), number, side, quantity, value)
        for number, (at, side, quantity, value) in enumerate(drawn)
    ]
    late = data.draw(st.sampled_from(facts))
    others = [it for it in facts if it is not late]
    known = fold_all(KEY, others)
    eve = known.on_the_eve_of(late)
    day = exchange_day(late.at)
    assert (eve is not None) == (known.day == day)
    if eve is not None:
        of_the_day = [it for it in others if exchange_day(it.at) == day]
        again, whole = fold_in(eve, [*of_the_day, late]), fold_all(KEY, facts)
        assert (again, again.eve) == (whole, whole.eve)


@pytest.mark.parametrize(
    ("side", "quantity", "net", "working", "exits"),
    [
        (Side.SELL, 10, 10, 0, True),
        (Side.SELL, 11, 10, 0, False),
        (Side.SELL, 5, 10, 5, True),
        (Side.SELL, 6, 10, 5, False),
        (Side.BUY, 10, 10, 0, False),
        (Side.BUY, 10, -10, 0, True),
        (Side.SELL, 1, 0, 0, False),
    ],
)
def test_an_exit_never_takes_a_position_past_nothing(
    side: Side, quantity: int, net: int, working: int, *, exits: bool
) -> None:
    assert is_exit(side, quantity, net, working) is exits


@pytest.mark.parametrize(
    ("is_open", "age", "counts"),
    [
        (True, timedelta(seconds=60), True),
        (True, timedelta(seconds=61), False),
        (False, timedelta(days=3), True),  # the last price of a closed market is its price
        (None, timedelta(seconds=61), False),  # nobody knows: it may have moved since
        (None, timedelta(seconds=60), True),
    ],
)
def test_an_old_price_counts_only_where_the_market_is_known_to_be_closed(
    is_open: bool | None, age: timedelta, counts: bool
) -> None:
    now = datetime(2036, 11, 24, 6, 30, tzinfo=UTC)
    reference = Reference(Price(8_000_000), now - age, "test")
    seen = Seen(instrument=an_instrument(1, "SBIN"), is_open=is_open, reference=reference)
    assert (seen.price_at(now) is not None) is counts
