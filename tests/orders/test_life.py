"""An order's life as a line: its ticks are in order, and what lies between them is the whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.clock import to_micros
from bahi.kernel.words import (
    EventSource,
    EventType,
    OrderStatus,
    OrderType,
    Product,
    Segment,
    Side,
)
from bahi.orders.model.changing import ModifyOrder
from bahi.orders.model.life import Life, Mark, life_of
from bahi.orders.model.order import Order
from bahi.orders.repository.listing import Event
from bahi.orders.service import looking
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.modifying import modify_order
from bahi.orders.service.placing import place_order
from tests.orders.brokers import LOST, SILENT
from tests.orders.desks import NOON, away, limit
from tests.orders.stand import LONG_AFTER, Stand, Story

Stage = Callable[[Story], None]
MICROSECOND = timedelta(microseconds=1)

AN_ORDER = Order(
    id=1,
    account_id=1,
    segment=Segment.NSE_EQ,
    symbol="SBIN",
    side=Side.BUY,
    product=Product.CNC,
    order_type=OrderType.LIMIT,
    quantity=100,
    status=OrderStatus.OPEN,
    actor="test",
    placed_at=NOON,
    updated_at=NOON,
)

MICROS = st.integers(-5_000_000, 5_000_000)
"""How far clocks are apart: they are set back, too."""
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "status": st.sampled_from([str(it) for it in OrderStatus]),
        "filled": st.integers(0, 100),
        "traded_value": st.integers(0, 10**9),
        "quantity": st.integers(1, 200),
        "price": st.none() | st.integers(1, 10**7),
        "cancel_asked": st.sampled_from([0, 1]),
        "asked_quantity": st.none() | st.integers(1, 200),
        "intent_at": MICROS.map(lambda it: to_micros(NOON) + it),
        "sent_at": MICROS.map(lambda it: to_micros(NOON) + it),
        "acked_at": MICROS.map(lambda it: to_micros(NOON) + it),
        "error_message": st.text(max_size=20),
    },
)


def an_event(sequence: int, at: datetime, kind: EventType, changes: dict[str, Any]) -> Event:
    return Event(sequence, kind, EventSource.REST_API, at, at, changes)


LIVES = st.lists(st.tuples(MICROS, st.sampled_from(EventType), CHANGES), max_size=12)


@given(LIVES, st.randoms())
def test_ticks_are_in_order_and_their_distances_add_up_to_the_whole(
    drawn: list[tuple[int, EventType, dict[str, Any]]], chance: Any
) -> None:
    events = [
        an_event(place, NOON + timedelta(microseconds=off), kind, changes)
        for place, (off, kind, changes) in enumerate(drawn, 1)
    ]
    life = life_of(AN_ORDER, events)
    for before, after in pairwise(life.ticks):
        assert before.at <= after.at
        assert before.sequence <= after.sequence
        assert after.after_us == (after.at - before.at) // MICROSECOND
    if life.ticks:
        assert life.ticks[0].after_us == 0
        assert life.whole_us == (life.ticks[-1].at - life.ticks[0].at) // MICROSECOND
    for it in life.unknown:
        assert it.until is None or it.since <= it.until
        assert it.us(NOON) >= 0
    chance.shuffle(events)
    assert life_of(AN_ORDER, events) == life


async def _life(stand: Stand, order: Order) -> Life:
    mine = stand.desk.account_id
    found = await stand.desk.store.read(looking.timeline_of, mine, order.id, fresh=True)
    assert found is not None
    return life_of(found.order, found.events)


def _marks(life: Life) -> list[Mark]:
    return [it.mark for it in life.ticks]


def test_a_life_is_drawn_from_intent_to_end_with_every_fill_and_change(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        wish = limit(stand.desk, price=away(stand.desk, Side.BUY))
        order = await place_order(stand.desk, wish)
        stand.clock.advance(timedelta(microseconds=1_234_567))
        await modify_order(stand.desk, ModifyOrder(order_id=order.id, quantity=20))
        for many in (3, 4):
            stand.clock.advance(timedelta(seconds=1))
            (working,) = stand.broker.working
            stand.broker.fill(working, many)
            await stand.hear(working)
        await cancel_order(stand.desk, order.id)
        life = await _life(stand, order)
        marks = _marks(life)
        assert marks[:4] == [Mark.INTENT, Mark.RISK, Mark.WIRE, Mark.ACKNOWLEDGED]
        assert marks.count(Mark.FILL) == 2
        assert marks[-1] is Mark.END
        assert life.unknown == ()
        (change,) = [it for it in life.ticks if it.mark is Mark.CHANGE]
        assert change.words == "Changed: quantity 10 to 20."
        fills = [it.words for it in life.ticks if it.mark is Mark.FILL]
        assert fills[0].startswith("3 at ")
        assert fills[0].endswith("; 3 of 20 filled.")
        assert fills[1].endswith("; 7 of 20 filled.")
        assert life.between(Mark.INTENT, Mark.END) == life.whole_us == 3_234_567

    at_a_stand(story)


def test_where_nobody_answers_the_line_says_what_is_done_about_it(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        stand.broker.next.append(SILENT)
        order = await place_order(stand.desk, limit(stand.desk))
        stand.broker.next.append(LOST)
        stand.clock.advance(LONG_AFTER)
        await stand.sweep.round()
        (open_one,) = (await _life(stand, order)).unknown
        assert open_one.until is None
        assert order.tag in open_one.words
        assert "never sent again" in open_one.words
        later = stand.clock.advance(timedelta(seconds=2))
        assert open_one.us(later) == 2_000_000
        assert await stand.sweep.round() == 1
        life = await _life(stand, order)
        (over,) = life.unknown
        assert over.until is not None
        assert over.words == "The broker's book was read, and told what became of it."
        assert _marks(life)[:4] == [Mark.INTENT, Mark.RISK, Mark.UNKNOWN, Mark.ACKNOWLEDGED]

    at_a_stand(story)


def test_what_is_refused_never_leaves_the_house(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        order = await place_order(stand.desk, replace(limit(stand.desk), quantity=1_000_000))
        assert order.status is OrderStatus.REJECTED
        life = await _life(stand, order)
        assert _marks(life) == [Mark.INTENT, Mark.RISK, Mark.END]
        assert order.error_message is not None
        assert order.error_message in life.ticks[1].words

    at_a_stand(story)
