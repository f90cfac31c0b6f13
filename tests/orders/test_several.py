"""Slices, baskets, targets, closings and orders that wait for a person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.accounts.service.accounts import list_accounts
from bahi.accounts.service.keys import issue_key
from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.identity.model import ApiKey
from bahi.identity.service.keys import PURPOSE, new_key
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Conflict, Forbidden, Invalid
from bahi.kernel.money import Money, Price
from bahi.kernel.words import (
    EventSource,
    KeyScope,
    OrderStatus,
    OrderType,
    Product,
    Role,
    Segment,
    Side,
)
from bahi.orders.model.changing import ModifyOrder
from bahi.orders.model.order import APPROVAL, APPROVED_WITHIN, TIME
from bahi.orders.model.slices import MOST_SLICES, slices_of
from bahi.orders.model.wishes import Seen
from bahi.orders.repository.order import due
from bahi.orders.service.aiming import close_all, close_position, place_smart
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.ingesting import Word, ingest
from bahi.orders.service.modifying import modify_order
from bahi.orders.service.placing import place_order
from bahi.orders.service.several import place_basket, place_sliced
from bahi.orders.service.waiting import approve_order, decline_order, lapse, release_order
from bahi.portfolio.repository.book import read as read_book
from bahi.portfolio.service.books import positions_of
from bahi.risk.model.limits import Limits
from bahi.risk.service import switching
from tests.living import live_in, stopped
from tests.orders.brokers import REFUSED
from tests.orders.desks import ACTOR, NOON, away, limit, paper_desk
from tests.orders.desks import OPEN as ALWAYS_OPEN
from tests.orders.stand import Stand, Story

Stage = Callable[[Story], None]
RUPEE = 10_000
EXECUTED, OPEN, REJECTED = OrderStatus.EXECUTED, OrderStatus.OPEN, OrderStatus.REJECTED


@given(st.integers(1, 10**7), st.integers(1, 10**5), st.sampled_from([1, 25, 75]))
def test_slices_are_whole_lots_within_the_size_and_make_the_whole(
    lots: int, size: int, lot: int
) -> None:
    quantity = lots * lot
    if size < lot or quantity > MOST_SLICES * (size // lot * lot):
        with pytest.raises(Invalid, match="split_size"):
            slices_of(quantity, size, lot)
        return
    parts = slices_of(quantity, size, lot)
    assert sum(parts) == quantity
    assert all(0 < it <= size and it % lot == 0 for it in parts)
    assert len(parts) <= MOST_SLICES
    assert len(set(parts[:-1])) <= 1


async def _net(stand: Stand) -> int:
    held = await stand.desk.store.read(positions_of, stand.desk.account_id, fresh=True)
    return sum(it.net for it in held)


async def _hold(stand: Stand, limits: Limits) -> None:
    whom = switching.Whom(scope=switching.Scope.ACCOUNT, account_id=stand.desk.account_id)
    await switching.hold([stand.desk.store], ACTOR, (whom, limits), stand.clock())


def test_a_split_order_is_its_slices_and_their_fills_are_its_fill(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        wish = limit(stand.desk, Side.BUY, 25, name="big")
        sliced = await place_sliced(stand.desk, wish, 10)
        assert [it.quantity for it in sliced.slices] == [10, 10, 5]
        assert [it.slice_index for it in sliced.slices] == [1, 2, 3]
        assert {it.slice_group_id for it in sliced.slices} == {"big"}
        for it in stand.broker.working[:2]:
            stand.broker.fill(it, 10)
        await stand.sweep.round()
        again = await place_sliced(stand.desk, wish, 10)
        assert [it.id for it in again.slices] == [it.id for it in sliced.slices]
        assert len(stand.broker.working) + 2 == 3
        await stand.balanced()

    at_a_stand(story)


def test_a_slice_that_fails_ends_it_and_what_went_through_is_said(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        stand.broker.next.extend([None, REFUSED])
        sliced = await place_sliced(stand.desk, limit(stand.desk, Side.BUY, 30), 10)
        assert [it.status for it in sliced.slices] == [OPEN, REJECTED]
        assert (sliced.whole.placed, sliced.whole.failed, sliced.whole.quantity) == (2, 1, 30)
        assert sliced.whole.status == "OPEN"
        await stand.balanced()

    at_a_stand(story)


def test_the_first_slice_is_judged_for_all_so_that_none_begins_in_vain(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        wish = limit(stand.desk, Side.BUY, 30)
        assert wish.price is not None
        await _hold(stand, Limits(order_value=Money(wish.price * 29)))
        refused = await place_sliced(stand.desk, wish, 10)
        assert [it.error_code for it in refused.slices] == ["ORDER_VALUE"]
        assert not stand.broker.calls
        fits = await place_sliced(stand.desk, limit(stand.desk, Side.BUY, 29), 10)
        assert [it.status for it in fits.slices] == [OPEN] * 3

    at_a_stand(story)


def test_a_basket_buys_first_and_answers_in_its_own_order(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        sell, buy = limit(stand.desk, Side.SELL, 5), limit(stand.desk, Side.BUY, 5)
        wrong = replace(buy, quantity=-1)
        answers = await place_basket(stand.desk, [sell, wrong, buy])
        first, second, third = answers
        assert first.order is not None
        assert third.order is not None
        assert third.order.id < first.order.id
        assert second.order is None
        assert isinstance(second.fault, Invalid)
        assert str(second.fault) == "quantity: -1 is not above zero."

    at_a_stand(story)


def test_a_target_asked_for_by_many_at_once_is_one_order(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        wish = limit(stand.desk, Side.BUY, 0, price=away(stand.desk, Side.BUY))
        aims = await asyncio.gather(*(place_smart(stand.desk, wish, 40) for _ in range(12)))
        placed = [it.order for it in aims if it.order is not None]
        assert [(it.side, it.quantity) for it in placed] == [(Side.BUY, 40)]
        stand.broker.fill(stand.broker.working[0], 40)
        await stand.sweep.round()
        await tell_all(stand)
        down = await place_smart(stand.desk, wish, 15)
        assert down.order is not None
        assert (down.order.side, down.order.quantity, down.order.is_exit) == (Side.SELL, 25, True)
        assert (await place_smart(stand.desk, wish, 15)).order is None

    at_a_stand(story)


async def tell_all(stand: Stand) -> None:
    """Have the book hear what the broker has, as a stream would tell it."""
    for update in await stand.broker.order_book():
        word = Word(update, EventSource.WEBSOCKET)
        await stand.desk.store.write(
            ingest, stand.desk.account_id, word, stand.desk.terms, stand.clock()
        )


def test_closing_takes_back_what_works_and_sells_what_is_held(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        await place_order(stand.desk, limit(stand.desk, Side.BUY, 10))
        stand.broker.fill(stand.broker.working[0], 10)
        await tell_all(stand)
        target = await place_order(
            stand.desk, limit(stand.desk, Side.SELL, 10, price=away(stand.desk, Side.SELL))
        )
        assert target.is_exit
        aim = await close_position(stand.desk, Segment.NSE_EQ, "SBIN", Product.INTRADAY)
        assert aim.order is not None
        assert (aim.order.side, aim.order.quantity) == (Side.SELL, 10)
        assert aim.order.order_type is OrderType.MARKET
        assert aim.order.is_exit
        assert (await stand.known(target)).status is OrderStatus.CANCELLED
        stand.broker.fill(stand.broker.working[0], 10)
        await tell_all(stand)
        assert await close_all(stand.desk) == []
        assert await _net(stand) == 0
        await stand.balanced()

    at_a_stand(story)


def _freezing_at(stand: Stand, most: int) -> Stand:
    """Have the exchange take no more than so many of anything in one order."""

    def look(segment: Segment, symbol: str) -> Seen:
        seen = stand.desk.look(segment, symbol)
        return replace(seen, instrument=replace(seen.instrument, freeze_qty=most))

    return stand._replace(desk=replace(stand.desk, look=look))


async def _fill_all(stand: Stand) -> None:
    for it in stand.broker.working:
        stand.broker.fill(it, it.ticket.quantity - it.filled)
    await tell_all(stand)


def test_what_the_exchange_takes_in_no_one_order_is_brought_and_closed_in_slices(
    at_a_stand: Stage,
) -> None:
    async def story(plain: Stand) -> None:
        stand = _freezing_at(plain, 10)
        wish = limit(stand.desk, Side.BUY, 0, name="all in")
        aim = await place_smart(stand.desk, wish, 25)
        assert [it.quantity for it in aim.orders] == [10, 10, 5]
        assert [it.slice_index for it in aim.orders] == [1, 2, 3]
        assert {it.slice_total_quantity for it in aim.orders} == {25}
        assert len({it.slice_group_id for it in aim.orders}) == 1
        again = await place_smart(stand.desk, wish, 25)
        assert [it.id for it in again.orders] == [it.id for it in aim.orders]
        await _fill_all(stand)
        out = await close_position(stand.desk, Segment.NSE_EQ, "SBIN", Product.INTRADAY)
        assert [(it.side, it.quantity) for it in out.orders] == [
            (Side.SELL, 10), (Side.SELL, 10), (Side.SELL, 5),
        ]  # fmt: skip
        assert all(it.is_exit for it in out.orders)
        await _fill_all(stand)
        assert await _net(stand) == 0
        after = await place_smart(stand.desk, wish, 25)
        assert [it.id for it in after.orders] == [it.id for it in aim.orders]
        assert not stand.broker.working
        await stand.balanced()

    at_a_stand(story)


def test_slices_are_counted_by_what_was_asked_also_where_the_first_was_changed_since(
    at_a_stand: Stage,
) -> None:
    async def story(plain: Stand) -> None:
        stand = _freezing_at(plain, 10)
        wish = limit(stand.desk, Side.BUY, 0, name="all in")
        aim = await place_smart(stand.desk, wish, 25)
        await modify_order(stand.desk, ModifyOrder(order_id=aim.orders[0].id, quantity=1))
        again = await place_smart(stand.desk, wish, 25)
        assert again.fault is None
        assert [it.id for it in again.orders] == [it.id for it in aim.orders]
        await stand.balanced()

    at_a_stand(story)


def test_a_slice_whose_name_is_taken_by_another_order_is_said_to_be_missing(
    at_a_stand: Stage,
) -> None:
    async def story(plain: Stand) -> None:
        stand = _freezing_at(plain, 10)
        await place_order(stand.desk, limit(stand.desk, Side.SELL, 1, name="all in/2"))
        aim = await place_smart(stand.desk, limit(stand.desk, Side.BUY, 0, name="all in"), 25)
        assert [it.quantity for it in aim.orders] == [10]
        assert isinstance(aim.fault, Conflict)
        assert "is no slice of it" in str(aim.fault)
        sliced = await place_sliced(stand.desk, limit(stand.desk, Side.BUY, 25, name="all in"), 10)
        assert [it.quantity for it in sliced.slices] == [10]
        assert isinstance(sliced.fault, Conflict)
        await stand.balanced()

    at_a_stand(story)


def test_slices_of_a_target_that_were_cut_off_are_placed_when_it_is_asked_for_again(
    at_a_stand: Stage,
) -> None:
    async def story(plain: Stand) -> None:
        stand = _freezing_at(plain, 10)
        wish = limit(stand.desk, Side.BUY, 0, name="all in")
        stand.broker.next.extend([None, REFUSED])
        cut = await place_smart(stand.desk, wish, 25)
        assert [it.status for it in cut.orders] == [OPEN, REJECTED]
        again = await place_smart(stand.desk, wish, 25)
        assert [it.id for it in again.orders] == [it.id for it in cut.orders]
        fresh = await place_smart(stand.desk, replace(wish, client_order_id=None), 25)
        assert [it.quantity for it in fresh.orders] == [10, 5]
        assert sum(it.ticket.quantity for it in stand.broker.working) == 25
        await stand.balanced()

    at_a_stand(story)


def _held(stand: Stand) -> Stand:
    return stand._replace(desk=replace(stand.desk, needs_approval=lambda it: it == "new"))


def test_a_slice_that_waited_is_judged_for_itself_beside_the_others(at_a_stand: Stage) -> None:
    async def story(plain: Stand) -> None:
        stand = _held(_freezing_at(plain, 10))
        wish = replace(limit(stand.desk, Side.BUY, 0), strategy="new")
        assert wish.price is not None
        await _hold(stand, Limits(position_value=Money(wish.price * 30)))
        aim = await place_smart(stand.desk, wish, 25)
        assert [it.status for it in aim.orders] == [OrderStatus.PENDING] * 3
        sent = [await approve_order(stand.desk, it.id) for it in aim.orders]
        assert [(it.status, it.error_message) for it in sent] == [(OPEN, None)] * 3
        await stand.balanced()

    at_a_stand(story)


def test_the_first_slice_of_an_exit_is_an_exit_still_when_it_is_changed(at_a_stand: Stage) -> None:
    async def story(plain: Stand) -> None:
        stand = _freezing_at(plain, 10)
        await place_smart(stand.desk, limit(stand.desk, Side.BUY, 0), 25)
        await _fill_all(stand)
        high = away(stand.desk, Side.SELL)
        out = await place_smart(stand.desk, limit(stand.desk, Side.SELL, 0, price=high), 0)
        assert [it.is_exit for it in out.orders] == [True] * 3
        whom = switching.Whom(scope=switching.Scope.GLOBAL)
        await switching.engage([stand.desk.store], ACTOR, whom, "stop", stand.clock())
        for it in out.orders:
            lower = Price(high - 100 * RUPEE // 100)
            changed = await modify_order(stand.desk, ModifyOrder(order_id=it.id, price=lower))
            assert (changed.price, changed.is_exit, changed.margin) == (lower, True, 0)
        await stand.balanced()

    at_a_stand(story)


def test_an_order_waits_for_a_person_and_is_judged_anew(at_a_stand: Stage) -> None:
    async def story(plain: Stand) -> None:
        stand = _held(plain)
        wish = replace(limit(stand.desk, Side.BUY, 10), strategy="new")
        waiting = await place_order(stand.desk, wish)
        assert (waiting.status, waiting.waits_for) == (OrderStatus.PENDING, APPROVAL)
        assert not stand.broker.calls
        await stand.balanced()
        key = Actor(name="key", key_id=7, role=Role.ADMIN)
        with pytest.raises(Forbidden, match="never by a key"):
            await approve_order(replace(stand.desk, actor=key), waiting.id)
        sent = await approve_order(stand.desk, waiting.id)
        assert (sent.status, sent.approved_by) == (OPEN, ACTOR.name)
        await stand.balanced()
        with pytest.raises(Conflict, match="it does not wait any more"):
            await approve_order(stand.desk, waiting.id)

        second = await place_order(stand.desk, wish)
        whom = switching.Whom(scope=switching.Scope.GLOBAL)
        await switching.engage([stand.desk.store], ACTOR, whom, "stop", stand.clock())
        denied = await approve_order(stand.desk, second.id)
        assert (denied.status, denied.error_code) == (REJECTED, "KILL_SWITCH")
        assert sum(stand.broker.calls.values()) == 1
        await stand.balanced()

    at_a_stand(story)


def test_what_nobody_approves_lapses_and_what_is_declined_ends(at_a_stand: Stage) -> None:
    async def story(plain: Stand) -> None:
        stand = _held(plain)
        wish = replace(limit(stand.desk, Side.BUY, 10), strategy="new")
        one, two, three = [await place_order(stand.desk, wish) for _ in range(3)]
        declined = await decline_order(stand.desk, one.id, "not before the policy meeting")
        assert (declined.status, declined.error_code) == (OrderStatus.CANCELLED, "DECLINED")
        assert "not before the policy meeting" in (declined.error_message or "")
        assert (await cancel_order(stand.desk, two.id)).status is OrderStatus.CANCELLED
        stand.clock.advance(APPROVED_WITHIN)
        with pytest.raises(Conflict, match="waited too long"):
            await approve_order(stand.desk, three.id)
        (left,) = await stand.desk.store.read(due, stand.clock(), 10, fresh=True)
        assert left.id == three.id
        lapsed = [
            await stand.desk.store.write(lapse, stand.desk.account_id, three.id, stand.clock())
            for _ in range(2)
        ]
        assert lapsed == [True, False]
        assert (await stand.known(three)).status is OrderStatus.EXPIRED
        book = await stand.desk.store.read(read_book, stand.desk.account_id, fresh=True)
        assert book is not None
        assert (book.margin_used, book.open_orders) == (0, 0)
        await stand.balanced()

    at_a_stand(story)


def test_an_exit_waits_for_nobody(at_a_stand: Stage) -> None:
    async def story(plain: Stand) -> None:
        stand = _held(plain)
        await place_order(stand.desk, limit(stand.desk, Side.BUY, 10))
        stand.broker.fill(stand.broker.working[0], 10)
        await tell_all(stand)
        out = await place_order(
            stand.desk, replace(limit(stand.desk, Side.SELL, 10), strategy="new")
        )
        assert (out.status, out.is_exit) == (OPEN, True)

    at_a_stand(story)


def test_an_order_for_a_later_time_is_sent_then_and_not_before(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        later = stand.clock() + timedelta(minutes=20)
        waiting = await place_order(
            stand.desk, replace(limit(stand.desk, Side.BUY, 10), send_at=later)
        )
        assert (waiting.status, waiting.waits_for) == (OrderStatus.PENDING, TIME)
        assert await stand.desk.store.read(due, stand.clock(), 10, fresh=True) == []
        stand.clock.set(later)
        (found,) = await stand.desk.store.read(due, stand.clock(), 10, fresh=True)
        assert (await release_order(stand.desk, found.id)).status is OPEN
        await stand.balanced()

    at_a_stand(story)


def test_a_key_that_was_issued_so_has_a_person_let_its_entries_go_out(
    home: dict[str, str],
) -> None:
    async def story(house: House) -> None:
        await paper_desk(house)
        (account, *_) = await house.stores["main"].read(list_accounts, ACTOR, fresh=True)
        secret = new_key()
        digest = house.vault.digest(secret, PURPOSE)

        def issue(tx: Tx) -> ApiKey:
            return issue_key(
                tx, ACTOR, digest, house.clock(), user_id=account.user_id, name="robot",
                scope=KeyScope.PAPER, needs_approval=True,
            )  # fmt: skip

        key = await house.stores["main"].write(issue)
        assert key.needs_approval
        holder = await house.keys.holder(secret)
        robot = Actor(
            name=holder.username,
            user_id=holder.user_id,
            role=holder.role,
            scope=holder.scope,
            key_id=holder.key_id,
            needs_approval=holder.needs_approval,
        )
        desk = await house.desk(robot, account.id)
        waiting = await place_order(desk, limit(desk, Side.BUY, 5))
        assert (waiting.status, waiting.waits_for, waiting.key_id) == (
            OrderStatus.PENDING,
            APPROVAL,
            key.id,
        )
        person = await house.desk(ACTOR, account.id)
        assert (await approve_order(person, waiting.id)).status is EXECUTED

    live_in(home | ALWAYS_OPEN, story, stopped(NOON))
