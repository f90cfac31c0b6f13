"""Ways round the rules that were found by trying: none of them leads anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bahi.kernel.actor import Actor
from bahi.kernel.errors import BahiError, Conflict, Forbidden, Invalid
from bahi.kernel.money import Money, Price
from bahi.kernel.ports import Ticket
from bahi.kernel.words import (
    EventSource,
    OrderStatus,
    OrderType,
    Product,
    Role,
    Segment,
    Side,
    TriggerType,
)
from bahi.orders.model.changing import ModifyOrder
from bahi.orders.model.forever import Forever, Trigger
from bahi.orders.model.guard import Guard
from bahi.orders.model.wishes import Seen
from bahi.orders.repository import forever as triggers
from bahi.orders.service.aiming import close_position, place_smart
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.firing import watch
from bahi.orders.service.forever import PlaceForever, change_forever, place_forever
from bahi.orders.service.ingesting import Word, ingest
from bahi.orders.service.modifying import Denied, modify_order
from bahi.orders.service.placing import place_order
from bahi.orders.service.several import place_sliced
from bahi.orders.service.waiting import approve_order, lapse
from bahi.portfolio.service.books import page_of, positions_of
from bahi.risk.model.limits import Limits
from bahi.risk.model.rate import Window
from bahi.risk.model.verdict import Reference
from bahi.risk.service import switching
from tests.orders.balance import orders_of
from tests.orders.brokers import REFUSED, SILENT, UNREACHED
from tests.orders.desks import ACTOR, away, crossing, limit
from tests.orders.stand import Stand, Story

Stage = Callable[[Story], None]
RUPEE = 10_000
EXECUTED, OPEN, REJECTED = OrderStatus.EXECUTED, OrderStatus.OPEN, OrderStatus.REJECTED


async def _hear(stand: Stand) -> None:
    for update in await stand.broker.order_book():
        word = Word(update, EventSource.WEBSOCKET)
        await stand.desk.store.write(
            ingest, stand.desk.account_id, word, stand.desk.terms, stand.clock()
        )


async def _buy(stand: Stand, quantity: int = 10, product: Product = Product.INTRADAY) -> None:
    order = await place_order(stand.desk, limit(stand.desk, Side.BUY, quantity, product=product))
    stand.broker.fill(stand.broker.orders[order.broker_order_id or ""], quantity)
    await _hear(stand)


async def _orders(stand: Stand) -> list[tuple[OrderStatus, Side, int]]:
    found = await stand.desk.store.read(orders_of, stand.desk.account_id, fresh=True)
    return [(it.status, it.side, it.quantity) for it in found]


def _mine(stand: Stand) -> switching.Whom:
    return switching.Whom(scope=switching.Scope.ACCOUNT, account_id=stand.desk.account_id)


async def _hold(stand: Stand, limits: Limits, whom: switching.Whom | None = None) -> None:
    stand.clock.advance(timedelta(microseconds=1))
    await switching.hold(
        [stand.desk.store], ACTOR, (whom or _mine(stand), limits), stand.clock(), at_once="a test"
    )


async def _kill(stand: Stand, whom: switching.Whom | None = None) -> None:
    await switching.engage([stand.desk.store], ACTOR, whom or _mine(stand), "stop", stand.clock())


def _priced(stand: Stand, factor: float, *, age: timedelta = timedelta()) -> Stand:
    look = stand.desk.look

    def looks(segment: Segment, symbol: str) -> Seen:
        seen = look(segment, symbol)
        assert seen.price is not None
        price = Price(int(seen.price * factor) // 1000 * 1000)
        return replace(seen, reference=Reference(price, stand.clock() - age, "test"))

    return stand._replace(desk=replace(stand.desk, look=looks))


def _above(stand: Stand, factor: float) -> Trigger:
    seen = stand.desk.look(Segment.NSE_EQ, "SBIN")
    assert seen.price is not None
    at = Price(int(seen.price * factor) // 1000 * 1000)
    return Trigger(kind=TriggerType.LTP_ABOVE, above=at)


# Quantities


@pytest.mark.parametrize("sums_first", [True, False])
def test_fills_by_name_after_a_sum_come_to_what_the_broker_says(
    at_a_stand: Stage, sums_first: bool
) -> None:
    async def story(stand: Stand) -> None:
        order = await place_order(stand.desk, limit(stand.desk, Side.BUY, 9))
        theirs = stand.broker.orders[order.broker_order_id or ""]
        stand.broker.by_fill = not sums_first
        stand.broker.fill(theirs, 2)
        await _hear(stand)
        stand.broker.by_fill = False
        stand.broker.fill(theirs, 3)
        await _hear(stand)
        stand.broker.by_fill = True
        stand.broker.fill(theirs, 4)
        await _hear(stand)
        await _hear(stand)
        known = await stand.known(order)
        assert (known.filled, known.status) == (9, EXECUTED)
        assert known.traded_value == sum(it.price * it.quantity for it in theirs.fills)
        await stand.balanced()

    at_a_stand(story)


@pytest.mark.parametrize("quantity", [0, -5, -25])
def test_slices_of_nothing_are_refused(at_a_stand: Stage, quantity: int) -> None:
    async def story(stand: Stand) -> None:
        with pytest.raises(Invalid, match="is not above zero"):
            await place_sliced(stand.desk, limit(stand.desk, Side.BUY, quantity), 10)
        assert not stand.broker.orders

    at_a_stand(story)


def test_closing_sells_what_is_held_whatever_else_works(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        await _buy(stand)
        await place_order(
            stand.desk, limit(stand.desk, Side.BUY, 5, price=away(stand.desk, Side.BUY))
        )
        aim = await close_position(stand.desk, Segment.NSE_EQ, "SBIN", Product.INTRADAY)
        assert aim.order is not None
        assert (aim.order.side, aim.order.quantity) == (Side.SELL, 10)

    at_a_stand(story)


def test_what_works_the_other_way_is_no_reason_to_ask_for_more(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        await _buy(stand)
        await place_order(
            stand.desk, limit(stand.desk, Side.SELL, 10, price=away(stand.desk, Side.SELL))
        )
        more = await place_smart(stand.desk, limit(stand.desk, Side.BUY, 0), 30)
        assert more.order is not None
        assert more.order.quantity == 20

    at_a_stand(story)


# Switches, approvals, limits


def test_a_forever_order_is_its_strategy_s_and_waits_for_its_person(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        wild = replace(limit(stand.desk, Side.BUY, 10), strategy="A")
        (of_a,) = await place_forever(
            stand.desk, PlaceForever(order=wild, trigger=_above(stand, 1.05))
        )
        held = replace(stand.desk, needs_approval=lambda _: True)
        (unseen,) = await place_forever(
            held, PlaceForever(order=limit(stand.desk), trigger=_above(stand, 1.05))
        )
        await _kill(stand, switching.Whom(scope=switching.Scope.STRATEGY, strategy=" a "))
        there = _priced(stand, 1.06)
        assert await watch(there.desk, of_a)
        assert await watch(there.desk, unseen)
        assert [it[0] for it in await _orders(stand)] == [REJECTED, OrderStatus.PENDING]
        assert not stand.broker.calls

    at_a_stand(story)


def test_a_forever_order_fires_as_it_stands_and_with_all_that_it_was_given(
    at_a_stand: Stage,
) -> None:
    async def story(stand: Stand) -> None:
        stop = Price(crossing(stand.desk, Side.BUY) * 9 // 10 // 1000 * 1000)
        wish = replace(limit(stand.desk, Side.BUY, 10), guard=Guard(stop=stop))
        (old,) = await place_forever(
            stand.desk, PlaceForever(order=wish, trigger=_above(stand, 1.05))
        )
        smaller = replace(wish, quantity=1)
        await change_forever(stand.desk, old.id, smaller, _above(stand, 1.5))
        there = _priced(stand, 1.06)
        await watch(there.desk, old)
        assert not stand.broker.orders
        new = await stand.desk.store.read(triggers.find, old.id, fresh=True)
        assert isinstance(new, Forever)
        await watch(_priced(stand, 1.55).desk, new)
        found = await stand.desk.store.read(orders_of, stand.desk.account_id, fresh=True)
        assert [(it.quantity, it.co_stop_loss, it.is_kept) for it in found] == [(1, stop, True)]

    at_a_stand(story)


def test_an_old_price_fires_nothing_and_judges_nothing(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        (waits,) = await place_forever(
            stand.desk, PlaceForever(order=limit(stand.desk), trigger=_above(stand, 1.05))
        )
        old = _priced(stand, 1.06, age=timedelta(hours=3))
        assert not await watch(old.desk, waits)
        market = replace(limit(stand.desk), order_type=OrderType.MARKET, price=None)
        with pytest.raises(Conflict, match="no fresh price of SBIN"):
            await place_order(old.desk, market)
        assert not stand.broker.calls

    at_a_stand(story)


def test_a_trigger_waits_on_where_its_order_is_refused_for_the_rate_alone(
    at_a_stand: Stage,
) -> None:
    async def story(stand: Stand) -> None:
        (waits,) = await place_forever(
            stand.desk, PlaceForever(order=limit(stand.desk), trigger=_above(stand, 1.05))
        )
        await _hold(stand, Limits(rates=(Window(5, 1),)))
        for _ in range(4):
            await place_order(stand.desk, limit(stand.desk, Side.BUY, 1))
        there = _priced(stand, 1.06)
        assert not await watch(there.desk, waits)
        stand.clock.advance(timedelta(seconds=2))
        assert await watch(_priced(stand, 1.06).desk, waits)
        assert len(stand.broker.orders) == 5
        with pytest.raises(Invalid, match="the house's own"):
            await place_order(stand.desk, limit(stand.desk, name="~mine"))

    at_a_stand(story)


def test_a_change_of_price_is_judged_and_fewer_pieces_are_not(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        order = await place_order(
            stand.desk, limit(stand.desk, Side.BUY, 10, price=away(stand.desk, Side.BUY))
        )
        await _kill(stand)
        nearer = crossing(stand.desk, Side.BUY)
        with pytest.raises(Denied, match="Entries are stopped"):
            await modify_order(stand.desk, ModifyOrder(order_id=order.id, quantity=1, price=nearer))
        fewer = await modify_order(stand.desk, ModifyOrder(order_id=order.id, quantity=4))
        assert fewer.quantity == 4

    at_a_stand(story)


def test_what_a_person_let_go_out_is_not_made_something_else(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        held = replace(stand.desk, needs_approval=lambda _: True)
        waiting = await place_order(held, limit(stand.desk, Side.BUY, 5))
        with pytest.raises(Denied, match="would not have seen the change"):
            await modify_order(held, ModifyOrder(order_id=waiting.id, quantity=1000))
        sent = await approve_order(stand.desk, waiting.id)
        with pytest.raises(Denied, match="would not have seen the change"):
            await modify_order(held, ModifyOrder(order_id=sent.id, quantity=1000))
        assert [it[2] for it in await _orders(stand)] == [5]

    at_a_stand(story)


def test_an_exit_is_one_beside_an_entry_that_rests_on_its_side(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        await _buy(stand)
        short = limit(stand.desk, Side.SELL, 100, price=away(stand.desk, Side.SELL))
        assert not (await place_order(stand.desk, short)).is_exit
        await _kill(stand)
        out = await place_order(stand.desk, limit(stand.desk, Side.SELL, 10))
        assert (out.status, out.is_exit) == (OPEN, True)

    at_a_stand(story)


def test_a_seller_s_limit_is_no_bound_of_what_is_sold(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        await _hold(stand, Limits(order_value=Money(10_000 * RUPEE)))
        cheap = await place_order(stand.desk, limit(stand.desk, Side.SELL, 100, price=Price(RUPEE)))
        assert cheap.error_code == "ORDER_VALUE"
        fired = replace(
            limit(stand.desk, Side.BUY, 100),
            order_type=OrderType.STOP_LOSS_MARKET,
            price=None,
            trigger_price=Price(RUPEE),
        )
        assert (await place_order(stand.desk, fired)).error_code == "ORDER_VALUE"

    at_a_stand(story)


def test_nobody_lifts_an_admin_s_limit_or_switch(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        page = await stand.desk.store.read(page_of, stand.desk.account_id, fresh=True)
        trader = Actor(name="trader", user_id=page.user_id, role=Role.TRADER)
        everyone = switching.Whom(scope=switching.Scope.STRATEGY, strategy="A")
        his = replace(everyone, user_id=page.user_id)
        await _hold(stand, Limits(order_value=Money(1_000 * RUPEE)), everyone)
        stand.clock.advance(timedelta(seconds=1))
        wide = Limits(order_value=Money(10**7 * RUPEE))
        await switching.hold([stand.desk.store], trader, (his, wide), stand.clock())
        wild = replace(limit(stand.desk, Side.BUY, 10), strategy="A")
        assert (await place_order(stand.desk, wild)).error_code == "ORDER_VALUE"
        await _kill(stand)
        with pytest.raises(Forbidden, match="engaged the switch"):
            await switching.release(
                [stand.desk.store], trader, _mine(stand), "let me", stand.clock()
            )

    at_a_stand(story)


def test_a_strategy_s_loss_stops_the_strategy_and_not_the_account(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        await _buy(stand)
        sold = await place_order(
            stand.desk, limit(stand.desk, Side.SELL, 10, price=away(stand.desk, Side.BUY))
        )
        stand.broker.fill(stand.broker.orders[sold.broker_order_id or ""], 10)
        await _hear(stand)
        await _hold(stand, Limits(daily_loss=Money(10**6 * RUPEE)))
        of_a = switching.Whom(scope=switching.Scope.STRATEGY, strategy="A")
        await _hold(stand, Limits(daily_loss=Money(1)), of_a)
        stand.clock.advance(timedelta(seconds=6))
        await stand.desk.freshen()
        a, b = [
            await place_order(stand.desk, replace(limit(stand.desk), strategy=name))
            for name in ("A", "B")
        ]
        assert (a.error_code, b.status) == ("DAILY_LOSS", OPEN)

    at_a_stand(story)


# Time


def test_a_time_that_has_passed_is_refused_and_a_day_that_is_over_lapses(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        past = replace(limit(stand.desk), send_at=stand.clock() - timedelta(seconds=1))
        with pytest.raises(Invalid, match="that time has passed"):
            await place_order(stand.desk, past)
        naive = replace(limit(stand.desk), send_at=stand.clock().replace(tzinfo=None))
        with pytest.raises(Invalid, match="no time zone"):
            await place_order(stand.desk, naive)
        soon = stand.clock() + timedelta(minutes=10)
        waiting = await place_order(stand.desk, replace(limit(stand.desk), send_at=soon))
        stand.clock.advance(timedelta(days=4))
        mine = stand.desk.account_id
        assert await stand.desk.store.write(lapse, mine, waiting.id, stand.clock())
        assert (await stand.known(waiting)).status is OrderStatus.EXPIRED
        assert not stand.broker.calls

    at_a_stand(story)


def test_an_order_that_is_approved_early_still_waits_for_its_time(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        held = replace(stand.desk, needs_approval=lambda _: True)
        later = stand.clock() + timedelta(hours=1)
        waiting = await place_order(held, replace(limit(stand.desk), send_at=later))
        approved = await approve_order(stand.desk, waiting.id)
        assert (approved.status, approved.waits_for) == (OrderStatus.PENDING, "time")
        with pytest.raises(Conflict, match="waits for time, not for approval"):
            await approve_order(stand.desk, waiting.id)
        assert not stand.broker.calls

    at_a_stand(story)


def test_the_same_name_after_the_close_is_the_order_and_no_refusal(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        stand.broker.next.append(SILENT)
        first = await place_order(stand.desk, limit(stand.desk, name="once"))
        look = stand.desk.look

        def closed(segment: Segment, symbol: str) -> Seen:
            return replace(look(segment, symbol), is_open=False)

        shut = replace(stand.desk, look=closed)
        assert (await place_order(shut, limit(stand.desk, name="once"))).id == first.id

    at_a_stand(story)


# Strangers and silence


def test_what_others_place_and_change_at_the_broker_blocks_its_margin(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        ticket = Ticket(
            tag="",
            segment="NSE_EQ",
            symbol="SBIN",
            side="BUY",
            order_type="LIMIT",
            product="INTRADAY",
            validity="DAY",
            quantity=100,
            price=away(stand.desk, Side.BUY),
        )
        theirs = stand.broker.accept(ticket)
        await _hear(stand)
        page = await stand.desk.store.read(page_of, stand.desk.account_id, fresh=True)
        assert page.margin_used > 0
        theirs.ticket = replace(ticket, quantity=1000)
        stand.clock.advance(timedelta(seconds=1))
        theirs.at = stand.clock()
        await _hear(stand)
        grown = await stand.desk.store.read(page_of, stand.desk.account_id, fresh=True)
        assert grown.margin_used == 10 * page.margin_used
        await stand.balanced()

    at_a_stand(story)


def test_a_stranger_s_word_keeps_nobody_else_from_being_settled(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        stand.broker.next.append(SILENT)
        order = await place_order(stand.desk, limit(stand.desk))
        odd = next(iter(stand.broker.orders.values())).ticket
        stand.broker.accept(replace(odd, tag="", product="NRML"))
        stand.clock.advance(timedelta(minutes=1))
        await stand.sweep.round()
        assert (await stand.known(order)).status is OPEN

    at_a_stand(story)


def test_the_book_of_another_day_says_nothing_of_an_order(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        stand.broker.next.append(SILENT)
        order = await place_order(stand.desk, limit(stand.desk))
        stand.broker.orders.clear()
        stand.clock.advance(timedelta(days=1))
        for _ in range(4):
            await stand.sweep.round()
            stand.clock.advance(timedelta(seconds=30))
        assert (await stand.known(order)).status is OrderStatus.UNKNOWN
        assert await stand.alert(f"order_unknown:{order.id}")

    at_a_stand(story)


def test_a_cancel_that_never_left_leaves_the_change_that_is_awaited(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        order = await place_order(
            stand.desk, limit(stand.desk, Side.BUY, 10, price=away(stand.desk, Side.BUY))
        )
        page = await stand.desk.store.read(page_of, stand.desk.account_id, fresh=True)
        stand.broker.next.extend([SILENT, UNREACHED])
        await modify_order(stand.desk, ModifyOrder(order_id=order.id, quantity=1000))
        with pytest.raises(BahiError):
            await cancel_order(stand.desk, order.id)
        await _hear(stand)
        after = await stand.desk.store.read(page_of, stand.desk.account_id, fresh=True)
        assert after.margin_used == 100 * page.margin_used
        await stand.balanced()

    at_a_stand(story)


def test_a_refused_slice_is_said_with_what_went_before_it(at_a_stand: Stage) -> None:
    async def story(stand: Stand) -> None:
        stand.broker.next.extend(["well", REFUSED])
        sliced = await place_sliced(stand.desk, limit(stand.desk, Side.BUY, 30), 10)
        assert [it.status for it in sliced.slices] == [OPEN, REJECTED]
        held = await stand.desk.store.read(positions_of, stand.desk.account_id, fresh=True)
        assert held == []

    at_a_stand(story)
