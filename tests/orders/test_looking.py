"""Orders to look at: no page misses one or shows it twice, and the past is as it was recorded."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bahi.kernel.errors import BahiError, Invalid
from bahi.kernel.words import EventSource, EventType, OrderStatus, Side
from bahi.orders.model.changing import ModifyOrder
from bahi.orders.model.order import Order
from bahi.orders.service import looking
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.ingesting import Word, ingest
from bahi.orders.service.looking import Place, Wanted
from bahi.orders.service.modifying import modify_order
from bahi.orders.service.placing import place_order
from tests.orders.balance import orders_of
from tests.orders.desks import away, limit
from tests.orders.stand import Stand, Story

Stage = Callable[[Story], None]


async def _all_pages(stand: Stand, wanted: Wanted, size: int) -> list[Order]:
    found: list[Order] = []
    behind: Place | None = None
    while True:
        page = await stand.desk.store.read(
            looking.page_of, stand.desk.account_id, wanted, behind, size, fresh=True
        )
        found += page.orders
        behind = page.next
        if behind is None:
            return found


def test_pages_hold_every_order_once_the_newest_first(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        for turn in range(9):
            wish = replace(limit(stand.desk), strategy="even" if turn % 2 == 0 else "odd")
            await place_order(stand.desk, wish)
            if turn % 3 == 0:
                stand.clock.advance(timedelta(seconds=1))  # else several share an instant
        kept = await stand.desk.store.read(orders_of, stand.desk.account_id, fresh=True)
        newest = sorted(kept, key=lambda it: (it.placed_at, it.id), reverse=True)
        for size in (1, 2, 4, 50):
            assert await _all_pages(stand, Wanted(), size) == newest
        even = await _all_pages(stand, Wanted(strategy="even"), 2)
        assert even == [it for it in newest if it.strategy == "even"]
        assert await _all_pages(stand, Wanted(statuses=[OrderStatus.EXECUTED]), 2) == []
        since = newest[3].placed_at
        late = await _all_pages(stand, Wanted(since=since), 2)
        assert late == [it for it in newest if it.placed_at >= since]
        with pytest.raises(Invalid, match="limit: 0 is not 1 to 500"):
            await _all_pages(stand, Wanted(), 0)

    at_a_stand(story)


def test_an_order_is_shown_with_its_whole_life(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        order = await place_order(stand.desk, limit(stand.desk, price=away(stand.desk, Side.BUY)))
        await modify_order(stand.desk, ModifyOrder(order_id=order.id, quantity=20))
        await cancel_order(stand.desk, order.id)
        mine = stand.desk.account_id
        life = await stand.desk.store.read(looking.timeline_of, mine, order.id, fresh=True)
        assert life is not None
        assert life.order.status is OrderStatus.CANCELLED
        assert [it.sequence for it in life.events] == list(range(1, life.order.version + 1))
        kinds = [it.kind for it in life.events]
        assert (kinds[0], kinds[1], kinds[-1]) == (
            EventType.PLACED,
            EventType.OPEN,
            EventType.CANCELLED,
        )
        assert life.events[1].source is EventSource.REST_API
        assert [(it["kind"], it["old"], it["new"], it["status"]) for it in life.changes] == [
            ("QUANTITY", 10, 20, "SUCCESS")
        ]
        other = await stand.desk.store.read(looking.timeline_of, mine + 1, order.id, fresh=True)
        assert other is None

    at_a_stand(story)


def test_as_of_any_instant_is_what_was_recorded_then(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        chance = random.Random(20361124)
        copies = []
        for _ in range(25):
            stand.clock.advance(timedelta(milliseconds=chance.randint(1, 900)))
            await _something(stand, chance)
            kept = await stand.desk.store.read(orders_of, stand.desk.account_id, fresh=True)
            copies.append((stand.clock(), kept))
        mine = stand.desk.account_id
        for at, kept in copies:
            assert await stand.desk.store.read(looking.as_of, mine, at, fresh=True) == kept
        before = copies[0][0] - timedelta(seconds=1)
        assert await stand.desk.store.read(looking.as_of, mine, before, fresh=True) == []

    at_a_stand(story)


async def _something(stand: Stand, chance: random.Random) -> None:
    working = stand.broker.working
    kept = await stand.desk.store.read(orders_of, stand.desk.account_id, fresh=True)
    ours = [it.id for it in kept if it.is_active]
    try:
        match chance.choice(["place", "fill", "cancel", "modify"]):
            case "fill" if working:
                order = chance.choice(working)
                stand.broker.fill(order, min(3, order.ticket.quantity - order.filled))
                word = Word(order.told(), EventSource.WEBSOCKET)
                await stand.desk.store.write(
                    ingest, stand.desk.account_id, word, stand.desk.terms, stand.clock()
                )
            case "cancel" if ours:
                await cancel_order(stand.desk, chance.choice(ours))
            case "modify" if ours:
                wish = ModifyOrder(order_id=chance.choice(ours), quantity=chance.randint(5, 30))
                await modify_order(stand.desk, wish)
            case _:
                await place_order(stand.desk, limit(stand.desk, quantity=chance.randint(1, 20)))
    except BahiError:
        pass  # it could not be asked of this one: that is no matter here
