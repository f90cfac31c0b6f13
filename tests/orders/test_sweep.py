"""Silence is settled from the broker's book, and never answered by sending again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from bahi.kernel.errors import Conflict, Forbidden, Invalid
from bahi.kernel.ports import Ticket
from bahi.kernel.words import EventSource, OrderStatus, Segment
from bahi.notify.service import find_open
from bahi.orders.model.order import NOT_FOUND, UNSEEN
from bahi.orders.repository.order import find_by_broker_id
from bahi.orders.service import sweeping
from bahi.orders.service.concluding import conclude_order
from bahi.orders.service.ingesting import Word, ingest, let_go
from bahi.orders.service.placing import place_order
from bahi.orders.service.sweeping import LOOK_BACK_EVERY, Sweep, unsettled_orders
from tests.orders.brokers import LOST, REFUSED, SILENT, UNREACHED
from tests.orders.desks import limit
from tests.orders.stand import LONG_AFTER, Stand, Story


def test_an_order_that_never_arrived_ends_after_two_good_readings(
    at_a_stand: Callable[[Story], None],
) -> None:
    async def story(stand: Stand) -> None:
        stand.broker.next.append(LOST)
        order = await place_order(stand.desk, limit(stand.desk))
        assert order.status is OrderStatus.TRANSIT
        assert order.margin > 0
        assert await stand.sweep.round() == 0
        assert (await stand.known(order)).status is OrderStatus.TRANSIT

        stand.clock.advance(LONG_AFTER)
        assert await stand.sweep.round() == 0
        unknown = await stand.known(order)
        assert unknown.status is OrderStatus.UNKNOWN
        assert unknown.margin == order.margin
        assert await stand.alert(f"order_unknown:{order.id}")
        (waiting,) = await unsettled_orders(stand.desk.store, stand.clock())
        assert waiting.age == LONG_AFTER
        await stand.balanced()

        stand.broker.next.extend([LOST, REFUSED, UNREACHED])  # failed readings say nothing
        for _ in range(3):
            assert await stand.sweep.round() == 0
        assert (await stand.known(order)).status is OrderStatus.UNKNOWN

        assert await stand.sweep.round() == 1
        ended = await stand.known(order)
        assert (ended.status, ended.error_code) == (OrderStatus.REJECTED, NOT_FOUND)
        assert ended.end_is_inferred
        assert ended.margin == 0
        assert not await stand.alert(f"order_unknown:{order.id}")
        assert stand.broker.calls == {order.tag: 1}
        assert await stand.sweep.round() == 0
        await stand.balanced()

    at_a_stand(story)


def test_many_that_wait_are_settled_some_at_a_time_and_told_of(
    at_a_stand: Callable[[Story], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sweeping, "AT_ONCE", 4)

    async def story(stand: Stand) -> None:
        for _ in range(10):
            stand.broker.next.append(SILENT)
            await place_order(stand.desk, limit(stand.desk))
        stand.clock.advance(LONG_AFTER)
        with caplog.at_level("INFO", "bahi.orders"):
            assert [await stand.sweep.round() for _ in range(4)] == [4, 4, 2, 0]
        told = [it.getMessage() for it in caplog.records if "wait" in it.getMessage()]
        assert told == [
            "4 orders were settled from their brokers' books, 6 wait",
            "4 orders were settled from their brokers' books, 2 wait",
        ]
        await stand.balanced()

    at_a_stand(story)


def test_an_order_that_arrived_unanswered_is_found_by_its_tag_with_its_fills(
    at_a_stand: Callable[[Story], None],
) -> None:
    async def story(stand: Stand) -> None:
        stand.broker.next.extend([SILENT, SILENT])
        one = await place_order(stand.desk, limit(stand.desk))
        two = await place_order(stand.desk, limit(stand.desk))
        first, second = stand.broker.orders.values()
        stand.broker.fill(first, 4)
        stand.broker.fill(second, 10)
        stand.clock.advance(LONG_AFTER)
        assert await stand.sweep.round() == 2
        assert stand.broker.readings == 1  # one reading served both
        assert ((await stand.known(one)).status, (await stand.known(one)).filled) == ("PARTIAL", 4)
        assert (await stand.known(two)).status is OrderStatus.EXECUTED
        assert stand.broker.calls == {one.tag: 1, two.tag: 1}
        await stand.balanced()

    at_a_stand(story)


def test_evidence_that_comes_later_outdoes_an_end_that_was_inferred(
    at_a_stand: Callable[[Story], None],
) -> None:
    async def story(stand: Stand) -> None:
        stand.broker.next.append(LOST)
        order = await place_order(stand.desk, limit(stand.desk))
        stand.clock.advance(LONG_AFTER)
        await stand.sweep.round()
        await stand.sweep.round()
        assert (await stand.known(order)).error_code == NOT_FOUND

        asked = Ticket(
            tag=order.tag,
            segment=order.segment,
            symbol=order.symbol,
            side=order.side,
            order_type=order.order_type,
            product=order.product,
            validity=order.validity,
            quantity=order.quantity,
            price=order.price,
        )
        late = stand.broker.accept(asked)
        stand.broker.fill(late, 3)
        desk = stand.desk
        for update in reversed(stand.broker.news):
            word = Word(update, EventSource.POSTBACK)
            await desk.store.write(ingest, desk.account_id, word, desk.terms, desk.clock())
        known = await stand.known(order)
        assert (known.status, known.filled, known.error_code) == ("PARTIAL", 3, None)
        await stand.balanced()

    at_a_stand(story)


def test_what_others_placed_is_adopted_with_what_the_catalogue_knows_of_it(
    at_a_stand: Callable[[Story], None],
) -> None:
    async def story(stand: Stand) -> None:
        stand.broker.next.append(SILENT)
        await place_order(stand.desk, limit(stand.desk))
        (ours,) = stand.broker.orders.values()
        theirs = stand.broker.accept(replace(ours.ticket, tag="by hand", quantity=7))
        stand.broker.fill(theirs, 7)
        nameless = stand.broker.accept(replace(ours.ticket, tag="odd"))
        stand.broker.hidden.add(nameless.id)
        stand.clock.advance(LONG_AFTER)
        await stand.sweep.round()
        desk = stand.desk
        known = await desk.store.read(find_by_broker_id, desk.account_id, theirs.id, fresh=True)
        assert known is not None
        assert known.is_external
        listed = desk.look(Segment.NSE_EQ, "SBIN").instrument
        assert (known.instrument_id, known.filled) == (listed.id, 7)
        topic = f"not_ours:{desk.account_id}:{nameless.id}"
        assert await stand.alert(topic)
        await stand.balanced()

        stand.broker.next.append(SILENT)
        await place_order(stand.desk, limit(stand.desk))
        stand.clock.advance(LONG_AFTER)
        await stand.sweep.round()
        alert = await desk.store.read(find_open, topic, fresh=True)
        assert alert is not None
        assert alert.times == 1

    at_a_stand(story)


def test_the_book_of_the_day_mends_what_the_stream_lost(
    at_a_stand: Callable[[Story], None],
) -> None:
    async def story(stand: Stand) -> None:
        order = await place_order(stand.desk, limit(stand.desk))
        stand.broker.fill(stand.broker.working[0], 10)  # and nobody tells us
        stand.broker.next.append(SILENT)
        await place_order(stand.desk, limit(stand.desk))
        stand.clock.advance(LONG_AFTER)
        await stand.sweep.round()
        assert (await stand.known(order)).status is OrderStatus.EXECUTED
        await stand.balanced()

    at_a_stand(story)


def test_a_word_that_nobody_knows_keeps_the_state_and_is_told(
    at_a_stand: Callable[[Story], None],
) -> None:
    async def story(stand: Stand) -> None:
        order = await place_order(stand.desk, limit(stand.desk))
        said = replace(
            stand.broker.working[0].told(),
            status=None,
            broker_status="AMO REQ RECEIVED",
            at=stand.clock() + timedelta(seconds=1),
        )
        desk = stand.desk
        word = Word(said, EventSource.WEBSOCKET)
        await desk.store.write(ingest, desk.account_id, word, desk.terms, desk.clock())
        known = await stand.known(order)
        assert (known.status, known.broker_status) == (OrderStatus.OPEN, "AMO REQ RECEIVED")
        assert await stand.alert(f"order_word:{order.id}")

    at_a_stand(story)


def test_what_its_broker_tells_no_more_of_after_its_day_has_expired_until_it_is_told_of(
    at_a_stand: Callable[[Story], None],
) -> None:
    async def story(stand: Stand) -> None:
        left = await place_order(stand.desk, limit(stand.desk))
        kept = await place_order(stand.desk, limit(stand.desk))
        one, two = stand.broker.orders.values()
        stand.broker.fill(one, 4)
        await stand.hear(one)
        await stand.sweep.round()
        assert stand.broker.readings == 0  # of today: nothing is looked for
        amo = replace(kept, is_amo=True)  # of which the day is to come
        assert not amo.is_of_a_day_before(kept.placed_at + timedelta(days=4))
        assert amo.is_of_a_day_before(kept.placed_at + timedelta(days=9))

        stand.broker.orders.pop(one.id)
        stand.clock.advance(timedelta(days=1))
        stand.broker.next.append(LOST)  # a failed reading says nothing
        for _ in range(2):
            await stand.sweep.round()
            assert (await stand.known(left)).status is OrderStatus.PARTIAL
            stand.clock.advance(LOOK_BACK_EVERY)
        assert not await stand.alert(f"order_unknown:{left.id}")
        await stand.sweep.round()
        ended = await stand.known(left)
        assert (ended.status, ended.error_code, ended.filled, ended.margin) == (
            OrderStatus.EXPIRED, UNSEEN, 4, 0,
        )  # fmt: skip
        assert await stand.alert(f"order_unknown:{left.id}")
        assert (await stand.known(kept)).status is OrderStatus.OPEN
        assert stand.broker.readings == 3
        await stand.balanced()

        stand.broker.fill(one, 2)  # it had filled further, unheard, and its stream says so late
        stand.broker.end(one, OrderStatus.CANCELLED)
        told = await stand.hear(one)
        assert (told.status, told.filled, told.error_code) == (OrderStatus.CANCELLED, 6, None)
        assert not await stand.alert(f"order_unknown:{left.id}")
        stand.broker.end(two, OrderStatus.EXPIRED)
        stand.clock.advance(LOOK_BACK_EVERY)
        await stand.sweep.round()
        assert (await stand.known(kept)).status is OrderStatus.EXPIRED
        await stand.balanced()

    at_a_stand(story)


def test_a_book_that_is_empty_at_night_says_nothing_before_the_market_opens_again(
    at_a_stand: Callable[[Story], None],
) -> None:
    async def story(stand: Stand) -> None:
        order = await place_order(stand.desk, limit(stand.desk))
        opens = stand.clock() + timedelta(hours=22)
        grounds = replace(stand.grounds, has_reopened=lambda *asked: asked[2] >= opens)
        sweep = Sweep(grounds)
        (placed,) = stand.broker.orders.values()
        stand.broker.orders.clear()  # it begins its new book
        stand.clock.advance(timedelta(hours=12, minutes=5))  # five past midnight in India
        for _ in range(3):
            assert await sweep.round() == 0
            stand.clock.advance(LOOK_BACK_EVERY)
        assert stand.broker.readings == 0
        assert (await stand.known(order)).status is OrderStatus.OPEN

        stand.broker.orders[placed.id] = placed  # and tells of yesterday once more
        stand.broker.fill(placed, 10)
        stand.clock.advance(opens - stand.clock())
        await sweep.round()
        assert (await stand.known(order)).status is OrderStatus.EXECUTED
        await stand.balanced()

    at_a_stand(story)


def test_an_order_that_was_told_of_since_its_book_was_read_is_not_let_go(
    at_a_stand: Callable[[Story], None],
) -> None:
    async def story(stand: Stand) -> None:
        await place_order(stand.desk, limit(stand.desk))
        (placed,) = stand.broker.orders.values()
        stand.broker.fill(placed, 4)
        read = await stand.hear(placed)
        stand.broker.fill(placed, 3)
        told = await stand.hear(placed)
        assert (read.status, told.status) == (OrderStatus.PARTIAL, OrderStatus.PARTIAL)
        desk = stand.desk
        kept = await desk.store.write(let_go, read, desk.clock(), account=desk.account_id)
        assert (kept.status, kept.filled) == (OrderStatus.PARTIAL, 7)
        assert not await stand.alert(f"order_unknown:{read.id}")
        ended = await desk.store.write(let_go, told, desk.clock(), account=desk.account_id)
        assert (ended.status, ended.filled) == (OrderStatus.EXPIRED, 7)
        await stand.balanced()

    at_a_stand(story)


def test_a_person_concludes_what_no_book_can_tell_of_any_more(
    at_a_stand: Callable[[Story], None],
) -> None:
    async def story(stand: Stand) -> None:
        stand.broker.next.append(LOST)
        order = await place_order(stand.desk, limit(stand.desk))
        stand.clock.advance(LONG_AFTER)
        await stand.sweep.round()
        with pytest.raises(Conflict, match="is of today"):
            await conclude_order(stand.desk, order.id, "it is not there")
        stand.clock.advance(timedelta(days=1))
        for _ in range(3):
            assert await stand.sweep.round() == 0
        key = replace(stand.desk, actor=replace(stand.desk.actor, key_id=1))
        with pytest.raises(Forbidden, match="never by a key"):
            await conclude_order(key, order.id, "it is not there")
        with pytest.raises(Invalid, match="say why"):
            await conclude_order(stand.desk, order.id, " ")
        ended = await conclude_order(stand.desk, order.id, "the broker's desk says so")
        assert (ended.status, ended.error_code, ended.margin) == (
            OrderStatus.REJECTED, NOT_FOUND, 0,
        )  # fmt: skip
        assert not await stand.alert(f"order_unknown:{order.id}")
        with pytest.raises(Conflict, match="only an UNKNOWN one"):
            await conclude_order(stand.desk, order.id, "again")
        await stand.balanced()

    at_a_stand(story)
