"""Cover and bracket orders: exits that are as large as what is open, and go when nothing is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bahi.kernel.errors import Invalid
from bahi.kernel.money import Price
from bahi.kernel.words import EventSource, LegType, OrderStatus, OrderType, Product, Side
from bahi.orders.model.guard import Guard
from bahi.orders.model.guarding import PAUSES, Terms, steps
from bahi.orders.model.order import Order
from bahi.orders.repository import guarded
from bahi.orders.service.aiming import place_smart
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.guarding import keep_guarded
from bahi.orders.service.ingesting import Word, ingest
from bahi.orders.service.placing import place_order
from bahi.portfolio.service.books import positions_of
from bahi.risk.service import switching
from tests.orders.brokers import REFUSED, SILENT
from tests.orders.desks import ACTOR, NOON, crossing, limit
from tests.orders.stand import Stand, Story

Stage = Callable[[Story], None]
RUPEE = 10_000


def _prices(stand: Stand) -> tuple[Price, Price, Price]:
    """Return an entry with a stop 2 % below and a target 2 % above it."""
    entry = crossing(stand.desk, Side.BUY)
    tick = 1000
    return (
        entry,
        Price(entry * 98 // 100 // tick * tick),
        Price(entry * 102 // 100 // tick * tick),
    )


async def _bracket(stand: Stand, quantity: int = 10, trailing: Price | None = None) -> Order:
    entry, stop, target = _prices(stand)
    guard = Guard(stop=stop, target=target, trailing=trailing)
    return await place_order(
        stand.desk, replace(limit(stand.desk, Side.BUY, quantity, price=entry), guard=guard)
    )


async def _hear(stand: Stand) -> None:
    for update in await stand.broker.order_book():
        word = Word(update, EventSource.WEBSOCKET)
        await stand.desk.store.write(
            ingest, stand.desk.account_id, word, stand.desk.terms, stand.clock()
        )


async def _fill(stand: Stand, order: Order, quantity: int) -> None:
    known = await stand.known(order)
    stand.broker.fill(stand.broker.orders[known.broker_order_id or ""], quantity)
    await _hear(stand)


async def _kept(stand: Stand) -> None:
    """Let the keeper look until there is nothing more to do."""
    for _ in range(10):
        if not await keep_guarded(stand.desk):
            return
    raise AssertionError("the keeper does not come to rest")


async def _legs(stand: Stand, entry: Order) -> dict[LegType | None, Order]:
    found = await stand.desk.store.read(guarded.legs, entry.id, fresh=True)
    return {it.leg_type: it for it in found if it.is_active}


async def _net(stand: Stand) -> int:
    held = await stand.desk.store.read(positions_of, stand.desk.account_id, fresh=True)
    return sum(it.net for it in held)


def test_exits_are_as_large_as_what_is_filled_and_one_takes_the_other_back(
    at_a_stand: Stage,
) -> None:
    async def story(stand: Stand) -> None:
        entry = await _bracket(stand)
        await _kept(stand)
        assert await _legs(stand, entry) == {}
        await _fill(stand, entry, 4)
        await _kept(stand)
        legs = await _legs(stand, entry)
        assert {kind: it.quantity for kind, it in legs.items()} == {
            LegType.SL: 4,
            LegType.TARGET: 4,
        }
        assert all(it.is_exit and it.parent_order_id == entry.id for it in legs.values())
        assert legs[LegType.SL].order_type is OrderType.STOP_LOSS_MARKET
        await _fill(stand, entry, 6)
        await _kept(stand)
        assert {it.quantity for it in (await _legs(stand, entry)).values()} == {10}
        await _fill(stand, legs[LegType.TARGET], 7)
        await _kept(stand)
        assert (await _legs(stand, entry))[LegType.SL].remaining == 3
        await _fill(stand, legs[LegType.TARGET], 3)
        await _kept(stand)
        assert await _legs(stand, entry) == {}
        assert await _net(stand) == 0
        assert not (await stand.known(entry)).is_kept
        await stand.balanced()

    at_a_stand(story)


def test_a_cover_order_has_a_stop_alone_and_exits_pass_every_switch(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        price, stop, _ = _prices(stand)
        wish = replace(limit(stand.desk, Side.BUY, 10, price=price), guard=Guard(stop=stop))
        entry = await place_order(stand.desk, wish)
        assert entry.co_stop_loss == stop
        await _fill(stand, entry, 10)
        whom = switching.Whom(scope=switching.Scope.GLOBAL)
        await switching.engage([stand.desk.store], ACTOR, whom, "stop", stand.clock())
        await _kept(stand)
        legs = await _legs(stand, entry)
        assert [(kind, it.quantity) for kind, it in legs.items()] == [(LegType.SL, 10)]
        await stand.balanced()

    at_a_stand(story)


def test_an_entry_that_is_taken_back_leaves_no_exit_and_a_part_of_it_its_own(
    at_a_stand: Stage,
) -> None:
    async def story(stand: Stand) -> None:
        none, part = await _bracket(stand), await _bracket(stand)
        await _fill(stand, part, 3)
        for it in (none, part):
            await cancel_order(stand.desk, it.id)
        await _kept(stand)
        assert await _legs(stand, none) == {}
        assert not (await stand.known(none)).is_kept
        assert {it.quantity for it in (await _legs(stand, part)).values()} == {3}
        await stand.balanced()

    at_a_stand(story)


def test_an_exit_nobody_answers_for_is_not_placed_twice(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        entry = await _bracket(stand)
        await _fill(stand, entry, 10)
        stand.broker.next.extend([SILENT, SILENT])
        await keep_guarded(stand.desk)
        for _ in range(3):
            await keep_guarded(stand.desk)
        assert len(stand.broker.orders) == 3
        await _hear(stand)
        await _kept(stand)
        assert len(stand.broker.orders) == 3
        await stand.balanced()

    at_a_stand(story)


def test_an_exit_that_is_refused_is_tried_again_and_then_told_of(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        price, stop, _ = _prices(stand)
        wish = replace(limit(stand.desk, Side.BUY, 10, price=price), guard=Guard(stop=stop))
        entry = await place_order(stand.desk, wish)
        await _fill(stand, entry, 10)
        for tries, pause in enumerate((*PAUSES, PAUSES[0]), 1):
            stand.broker.next.append(REFUSED)
            await _kept(stand)
            await _kept(stand)  # nothing more, as long as it pauses
            found = await stand.desk.store.read(guarded.legs, entry.id, fresh=True)
            assert [it.status for it in found] == [OrderStatus.REJECTED] * tries
            stand.broker.next.clear()
            stand.clock.advance(pause + timedelta(seconds=1))
        await _kept(stand)
        assert len(await stand.desk.store.read(guarded.legs, entry.id, fresh=True)) == 4
        assert await stand.alert(f"order_unprotected:{entry.id}")

    at_a_stand(story)


def test_an_exit_that_a_person_took_back_stays_back_and_the_position_is_told_of(
    at_a_stand: Stage,
) -> None:
    async def story(stand: Stand) -> None:
        entry = await _bracket(stand)
        await _fill(stand, entry, 10)
        await _kept(stand)
        stop = (await _legs(stand, entry))[LegType.SL]
        await cancel_order(stand.desk, stop.id)
        await _kept(stand)
        assert list(await _legs(stand, entry)) == [LegType.TARGET]
        assert await stand.alert(f"order_unprotected:{entry.id}")

    at_a_stand(story)


def test_what_was_sold_elsewhere_is_not_sold_again(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        entry = await _bracket(stand)
        await _fill(stand, entry, 10)
        sold = await place_order(stand.desk, limit(stand.desk, Side.SELL, 10))
        await _fill(stand, sold, 10)
        assert await _net(stand) == 0
        await _kept(stand)
        assert await _legs(stand, entry) == {}
        assert not (await stand.known(entry)).is_kept

    at_a_stand(story)


def test_a_stop_follows_the_price_by_its_step_and_never_back(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        entry = await _bracket(stand, trailing=Price(5 * RUPEE))
        await _fill(stand, entry, 10)
        await _kept(stand)
        entry = await stand.known(entry)
        legs = list((await _legs(stand, entry)).values())
        assert entry.average_price is not None
        opened, tick = entry.average_price, Price(1000)

        def moved_at(last: int) -> list[Price | None]:
            found = steps(entry, legs, 10, Terms(tick, is_option=False, last=Price(last), now=NOON))
            return [getattr(it, "trigger_price", None) for it in found]

        assert moved_at(opened + 5 * RUPEE - 1) == []
        assert entry.bo_stop_loss is not None
        assert moved_at(opened + 12 * RUPEE) == [entry.bo_stop_loss + 10 * RUPEE]
        legs = [
            replace(it, trigger_price=Price(entry.bo_stop_loss + 10 * RUPEE))
            if it.leg_type is LegType.SL
            else it
            for it in legs
        ]
        assert moved_at(opened + 7 * RUPEE) == []
        assert moved_at(opened - 50 * RUPEE) == []

    at_a_stand(story)


def test_a_guard_on_the_wrong_side_is_refused(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        price, stop, target = _prices(stand)
        buy = limit(stand.desk, Side.BUY, 10, price=price)
        for guard, words in (
            (Guard(stop=target), "stop: .* is not below the entry"),
            (Guard(stop=stop, target=stop), "target: .* is not above the entry"),
            (Guard(stop=Price(0)), "stop: 0.00 is not above zero"),
            (Guard(stop=Price(stop + 1)), "stop: .* is not on the tick"),
        ):
            with pytest.raises(Invalid, match=words):
                await place_order(stand.desk, replace(buy, guard=guard))
        delivery = replace(buy, product=Product.CNC, guard=Guard(stop=stop))
        with pytest.raises(Invalid, match="product: CNC is not guarded"):
            await place_order(stand.desk, delivery)

    at_a_stand(story)


def test_a_target_takes_no_notice_of_the_exits_of_a_guarded_position(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        entry = await _bracket(stand)
        await _fill(stand, entry, 10)
        await _kept(stand)
        wish = limit(stand.desk, Side.BUY, 0)
        assert (await place_smart(stand.desk, wish, 10)).order is None
        more = await place_smart(stand.desk, wish, 25)
        assert more.order is not None
        assert (more.order.side, more.order.quantity) == (Side.BUY, 15)

    at_a_stand(story)


def test_what_fills_after_the_other_exit_was_taken_back_has_its_stop_again(
    at_a_stand: Stage,
) -> None:
    async def story(stand: Stand) -> None:
        entry = await _bracket(stand)
        await _fill(stand, entry, 5)
        await _kept(stand)
        await _fill(stand, (await _legs(stand, entry))[LegType.TARGET], 5)
        await _kept(stand)
        assert await _legs(stand, entry) == {}
        await _fill(stand, entry, 5)
        await _kept(stand)
        legs = await _legs(stand, entry)
        assert {kind: it.remaining for kind, it in legs.items()} == {
            LegType.SL: 5,
            LegType.TARGET: 5,
        }
        await stand.balanced()

    at_a_stand(story)


def test_the_exits_of_two_guarded_orders_never_come_to_more_than_is_held(
    at_a_stand: Stage,
) -> None:
    async def story(stand: Stand) -> None:
        older, younger = await _bracket(stand), await _bracket(stand)
        for it in (older, younger):
            await _fill(stand, it, 10)
        await _kept(stand)
        sold = await place_order(stand.desk, limit(stand.desk, Side.SELL, 12))
        await _fill(stand, sold, 12)
        await _kept(stand)
        assert await _legs(stand, older) == {}
        assert {it.remaining for it in (await _legs(stand, younger)).values()} == {8}
        await stand.balanced()

    at_a_stand(story)


def test_a_fill_that_is_told_after_the_entry_was_taken_back_is_guarded_too(
    at_a_stand: Stage,
) -> None:
    async def story(stand: Stand) -> None:
        entry = await _bracket(stand)
        await cancel_order(stand.desk, entry.id)
        await _kept(stand)
        assert not (await stand.known(entry)).is_kept
        await _fill(stand, entry, 4)
        await _kept(stand)
        assert {it.quantity for it in (await _legs(stand, entry)).values()} == {4}

    at_a_stand(story)


def test_an_exit_that_its_broker_changes_no_more_is_placed_anew(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        entry = await _bracket(stand)
        await _fill(stand, entry, 10)
        await _kept(stand)
        legs = await _legs(stand, entry)
        await _fill(stand, legs[LegType.TARGET], 4)
        stand.broker.next.append(REFUSED)
        await _kept(stand)
        again = await _legs(stand, entry)
        assert again[LegType.SL].id != legs[LegType.SL].id
        assert again[LegType.SL].remaining == 6
        await stand.balanced()

    at_a_stand(story)
