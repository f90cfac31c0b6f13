"""Whatever is asked, told, lost, silent, late, twice, and wherever it dies: the book stays right.

A broker that misbehaves in every way it can is traded with by a machine that draws what happens
next, while somebody stops and releases the account, limits the day's loss, and prices come or fail.
After every step I1 to I7, I11 and I12 hold; in the end the book is the broker's journal.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bahi.bootstrap import House, build
from bahi.config import Settings
from bahi.kernel.clock import StoppedClock
from bahi.kernel.errors import BahiError
from bahi.kernel.ids import from_tag
from bahi.kernel.money import SCALE, Money, Price
from bahi.kernel.words import (
    AccountMode,
    EventSource,
    OrderStatus,
    OrderType,
    Product,
    Segment,
    Side,
)
from bahi.orders.model.changing import ModifyOrder
from bahi.orders.model.order import GRACE, NOT_FOUND, NOT_SENT, SEND_WITHIN, Order
from bahi.orders.model.wishes import PlaceOrder, Seen
from bahi.orders.service.aiming import place_smart
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.desk import Desk
from bahi.orders.service.ingesting import Word, ingest
from bahi.orders.service.modifying import modify_order
from bahi.orders.service.placing import Intent, place_order, record_intent, ticket_of
from bahi.orders.service.sweeping import Grounds, Sweep
from bahi.orders.service.waiting import approve_order
from bahi.portfolio.model.book import Book, Opening
from bahi.portfolio.repository.book import read as read_book
from bahi.portfolio.service.books import open_book
from bahi.risk.model.limits import Limits
from bahi.risk.service import switching
from bahi.risk.service.marking import mark
from tests.living import stopped
from tests.orders.balance import assert_balanced
from tests.orders.brokers import CANCELLED, FAULTS, REJECTED, WELL, MemoryBroker, Placed
from tests.orders.desks import ACTOR, NOON, OPEN
from tests.orders.stand import around_the_clock

T = TypeVar("T")
EXPIRED = OrderStatus.EXPIRED
PENDING = OrderStatus.PENDING
A_PRICE = Price(8_000_000)
PRICES = [Price(A_PRICE + 1_000 * step) for step in (-2, 0, 3)]
SIZES = st.integers(1, 40)
FAULT = st.sampled_from([WELL, WELL, *FAULTS])
PLACE = st.integers(0, 1_000)
SBIN = (Segment.NSE_EQ, "SBIN")
MOST_LOST = Money(5 * SCALE)
FAR = [Price(A_PRICE + 50_000 * sign) for sign in (-1, 1)]
DENIALS = {"KILL_SWITCH", "DAILY_LOSS", "STALE_PRICE"}
accounts = itertools.count(7_000)


class Ground:
    """A house, its loop and its market: what all machines of one test stand on."""

    def __init__(self, home: dict[str, str]) -> None:
        self.loop = asyncio.new_event_loop()
        self.clock: StoppedClock = stopped(NOON)
        self.house: House = build(Settings.from_environment(home | OPEN), clock=self.clock)
        self.do(self.house.floor.renew())
        self.market = self.house.floor.market

    @property
    def kind(self) -> str:
        return self.house.stores["sandbox"].kind

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def close(self) -> None:
        self.do(self.house.close())
        self.loop.close()


class TradingMachine(RuleBasedStateMachine):
    """One account at the adversarial broker."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self.ground, self.clock = ground, ground.clock
        self.store = ground.house.stores["sandbox"]
        self.account = next(accounts)
        self.hands = itertools.count(1)

    @initialize(by_fill=st.booleans(), is_limited=st.booleans())
    def begin(self, by_fill: bool, is_limited: bool) -> None:
        self.clock.set(NOON)  # each example begins at the same time, or it could not be told again
        self.broker = MemoryBroker(self.clock, by_fill=by_fill)
        opening = Opening(
            account_id=self.account,
            name=f"machine {self.account}",
            user_id=1,
            copy_role=None,
            mode=AccountMode.PAPER,
            cash=Money(1_00_00_000 * SCALE),
        )
        self._write(open_book, opening, self.clock())
        self.desk = Desk(
            actor=ACTOR,
            account_id=self.account,
            store=self.store,
            broker=self.broker,
            look=self.ground.market.look,
            terms=self.ground.house.floor.terms_of(self.account),
            clock=self.clock,
        )
        self.whom = switching.Whom(scope=switching.Scope.ACCOUNT, account_id=self.account)
        self.is_stopped = self.is_limited = self.was_latched = False
        self.before_the_stop: set[int] = set()
        if is_limited:
            self.limit_the_loss()
            self.value(A_PRICE)
        self._forget()

    def _forget(self) -> None:
        """Begin to sweep anew, as another process would."""
        self.sweep = Sweep(
            Grounds(
                store=self.store,
                broker_of=lambda _: self.broker,
                terms_of=self.ground.house.floor.terms_of,
                listed=self.ground.market.instrument,
                clock=self.clock,
                has_reopened=around_the_clock,
            )
        )

    def _write(self, fn: Callable[..., T], *args: Any) -> T:
        return self.ground.do(self.store.write(fn, *args, account=self.account))

    def _orders(self) -> list[Order]:
        return self.ground.do(self.store.read(assert_balanced, self.account, fresh=True))

    def _wish(self, side: Side, size: int, price: Price | None, name: str | None) -> PlaceOrder:
        return PlaceOrder(
            segment=Segment.NSE_EQ,
            symbol="SBIN",
            side=side,
            quantity=size,
            product=Product.INTRADAY,
            order_type=OrderType.MARKET if price is None else OrderType.LIMIT,
            price=price,
            client_order_id=name,
        )

    # What is asked here

    @rule(
        side=st.sampled_from(Side),
        size=SIZES,
        price=st.sampled_from([*PRICES, None]),
        name=st.sampled_from([None, None, "a", "b"]),
        fault=FAULT,
    )
    def place(
        self, side: Side, size: int, price: Price | None, name: str | None, fault: str
    ) -> None:
        taken = name is not None and any(it.client_order_id == name for it in self._orders())
        calls, page = self.broker.calls.total(), self._page()
        self.broker.next.append(fault)
        order = self.ground.do(place_order(self.desk, self._wish(side, size, price, name)))
        self.broker.next.clear()
        assert order.client_order_id == name
        is_denied = not taken and not order.is_exit and self._is_denied(page)
        assert self.broker.calls.total() - calls == (0 if taken or is_denied else 1)
        if not taken:
            allowed = DENIALS if is_denied else {None, NOT_SENT}
            assert order.error_code in allowed, order.error_message

    def _page(self) -> Book:
        page = self.ground.do(self.store.read(read_book, self.account, fresh=True))
        assert page is not None
        return page

    def _is_denied(self, page: Book) -> bool:
        """Say whether an entry has to be refused by what the page knows (I7, I11)."""
        if self.is_stopped:
            return True
        if not self.is_limited:
            return False
        if page.unrealized is None or page.marked_at is None:
            return True
        is_old = self.clock() - page.marked_at > timedelta(seconds=60)
        return is_old or page.latched_at is not None or _lost(page) >= MOST_LOST

    @rule(
        where=st.integers(-40, 40),
        name=st.sampled_from([None, None, "c"]),
        is_held=st.booleans(),
        faults=st.lists(FAULT, max_size=3),
    )
    def aim(self, where: int, name: str | None, is_held: bool, faults: list[str]) -> None:
        """Ask for a target, where the exchange takes less than that in one order."""

        def look(segment: Segment, symbol: str) -> Seen:
            seen = self.desk.look(segment, symbol)
            return replace(seen, instrument=replace(seen.instrument, freeze_qty=15))

        desk = replace(self.desk, look=look, needs_approval=lambda _: is_held)
        self.broker.next.extend(faults)
        aim = self.ground.do(place_smart(desk, self._wish(Side.BUY, 0, A_PRICE, name), where))
        self.broker.next.clear()
        assert aim.fault is None
        if name is None and aim.orders:  # of a name it may be an order that was changed since
            assert all(it.quantity <= 15 for it in aim.orders)
            asked = sum(it.quantity for it in aim.orders if it.status is not REJECTED)
            assert asked <= abs(where - aim.net) - aim.working, "more than was missing"

    @rule(size=SIZES, is_sent=st.booleans())
    def die_while_placing(self, size: int, is_sent: bool) -> None:
        """Die after the intent was committed, before or after it was sent."""
        wish = self._wish(Side.BUY, size, A_PRICE, None)
        intent = Intent(
            actor=ACTOR,
            account_id=self.account,
            wish=wish,
            seen=self.desk.look(wish.segment, wish.symbol),
            terms=self.desk.terms,
            now=self.clock(),
        )
        order, _ = self._write(record_intent, intent)
        if is_sent and order.status is OrderStatus.TRANSIT:
            self.ground.do(self.broker.place(ticket_of(order)))

    @rule(size=SIZES, side=st.sampled_from(Side))
    def ask_a_person(self, size: int, side: Side) -> None:
        desk = replace(self.desk, needs_approval=lambda _: True)
        self.ground.do(place_order(desk, self._wish(side, size, A_PRICE, None)))

    @rule(which=PLACE, fault=FAULT)
    def approve(self, which: int, fault: str) -> None:
        """Let one go that waits: it is judged as if it came now."""
        waiting = [it for it in self._orders() if it.status is PENDING]
        if not waiting:
            return
        calls, page = self.broker.calls.total(), self._page()
        self.broker.next.append(fault)
        order = self.ground.do(approve_order(self.desk, waiting[which % len(waiting)].id))
        self.broker.next.clear()
        is_denied = not order.is_exit and self._is_denied(page)
        assert self.broker.calls.total() - calls == (0 if is_denied else 1)
        assert order.error_code in (DENIALS if is_denied else {None, NOT_SENT})

    # Who stops it, and what prices say

    @precondition(lambda self: not self.is_stopped)
    @rule()
    def stop(self) -> None:
        self.before_the_stop = {it.id for it in self._orders()}
        engaged = switching.engage([self.store], ACTOR, self.whom, "stop", self.clock())
        assert self.ground.do(engaged) == 1
        self.is_stopped = True

    @precondition(lambda self: self.is_stopped)
    @rule()
    def let_trade(self) -> None:
        self.ground.do(switching.release([self.store], ACTOR, self.whom, "go on", self.clock()))
        self.is_stopped = False

    @precondition(lambda self: not self.is_limited)
    @rule()
    def limit_the_loss(self) -> None:
        limits = Limits(daily_loss=MOST_LOST)
        self.ground.do(switching.hold([self.store], ACTOR, (self.whom, limits), self.clock()))
        self.is_limited = True

    @rule(price=st.sampled_from([A_PRICE, *FAR, None]))
    def value(self, price: Price | None) -> None:
        """Value what is open; a price may be missing."""
        self._write(mark, self.account, {} if price is None else {SBIN: price}, self.clock())
        page = self._page()
        if self.is_limited and page.unrealized is not None and _lost(page) >= MOST_LOST:
            assert page.latched_at is not None, "a breach that was seen is no latch (I11)"

    @rule(which=PLACE, size=SIZES, price=st.sampled_from([*PRICES, None]), fault=FAULT)
    def modify(self, which: int, size: int, price: Price | None, fault: str) -> None:
        working = [it for it in self._orders() if it.is_active]
        if not working:
            return
        order = working[which % len(working)]
        theirs = self.broker.orders.get(order.broker_order_id or "")
        there = None if theirs is None else theirs.ticket.quantity
        is_limit = order.order_type is OrderType.LIMIT
        wish = ModifyOrder(order_id=order.id, quantity=size, price=price if is_limit else None)
        self.broker.next.append(fault)
        with suppress(BahiError):
            self.ground.do(modify_order(self.desk, wish))
        self.broker.next.clear()
        if self.is_stopped and theirs is not None and there is not None and not order.is_exit:
            assert theirs.ticket.quantity <= there, "a stopped account asks for more (I7)"

    @rule(which=PLACE, fault=FAULT)
    def cancel(self, which: int, fault: str) -> None:
        working = [it for it in self._orders() if it.is_active]
        if not working:
            return
        self.broker.next.append(fault)
        with suppress(BahiError):
            self.ground.do(cancel_order(self.desk, working[which % len(working)].id))
        self.broker.next.clear()

    # What happens there

    def _theirs(self, which: int) -> Placed:
        return list(self.broker.orders.values())[which % len(self.broker.orders)]

    @precondition(lambda self: self.broker.orders)
    @rule(which=PLACE, size=SIZES, is_heard=st.booleans())
    def fill(self, which: int, size: int, is_heard: bool) -> None:
        """Fill some of an order, even of one that was cancelled; it may be heard at once."""
        order = self._theirs(which)
        left = order.ticket.quantity - order.filled
        if left and order.status is not REJECTED:
            self.broker.fill(order, min(size, left))
            if is_heard:
                self._hear(Word(self.broker.news[-1], EventSource.WEBSOCKET))

    @precondition(lambda self: self.broker.working)
    @rule(which=PLACE, status=st.sampled_from([CANCELLED, REJECTED, EXPIRED]))
    def end(self, which: int, status: OrderStatus) -> None:
        """End an order without being asked; even one that was accepted is rejected after all."""
        working = self.broker.working
        self.broker.end(working[which % len(working)], status)

    @precondition(lambda self: self.broker.orders)
    @rule(which=PLACE, size=SIZES)
    def trade_elsewhere(self, which: int, size: int) -> None:
        ticket = replace(
            self._theirs(which).ticket, tag=f"by-hand-{next(self.hands)}", quantity=size
        )
        self.broker.accept(ticket)

    # What is told

    @precondition(lambda self: self.broker.news)
    @rule(which=PLACE, source=st.sampled_from([EventSource.WEBSOCKET, EventSource.POSTBACK]))
    def hear(self, which: int, source: EventSource) -> None:
        """Hear any one word, however old and however often."""
        update = self.broker.news[which % len(self.broker.news)]
        self._hear(Word(update, source))

    def _hear(self, word: Word) -> None:
        self._write(ingest, self.account, word, self.desk.terms, self.clock())

    @rule(faults=st.lists(FAULT, min_size=1, max_size=3), is_late=st.booleans())
    def sweep_some(self, faults: list[str], is_late: bool) -> None:
        """Sweep some rounds, whose readings may fail."""
        if is_late:
            self.clock.advance(SEND_WITHIN + GRACE)
        for fault in faults:
            self.broker.next.append(fault)
            self.ground.do(self.sweep.round())
            self.broker.next.clear()

    @rule(seconds=st.sampled_from([1, 6, 21]))
    def wait(self, seconds: int) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @rule()
    def die(self) -> None:
        self._forget()

    # What must hold

    @invariant()
    def the_book_is_right(self) -> None:
        if not hasattr(self, "desk"):
            return
        orders = self._orders()  # I4 and I5 are held in there
        ours = {it.tag: it for it in orders if not it.is_external}
        for tag, times in self.broker.calls.items():
            if not tag.startswith("cancel"):
                assert times == 1, "sent twice (I3)"
                assert tag in ours, "sent and not written (I1)"
        for theirs in self.broker.orders.values():
            mine = ours.get(theirs.ticket.tag)
            if mine is not None:
                assert mine.filled <= theirs.filled, "more than the broker ever filled (I6)"
        there = {it.ticket.tag for it in self.broker.orders.values()}
        for mine in orders:  # here an order arrives when it is sent, or never
            assert mine.error_code != NOT_FOUND or mine.tag not in there, "not looked up (I11)"
        names = [it.client_order_id for it in orders if it.client_order_id]
        assert len(names) == len(set(names)), "two orders of one name (I2)"
        if self.is_stopped:
            for mine in orders:
                is_new = mine.id not in self.before_the_stop and not mine.is_external
                if is_new and not mine.is_exit and mine.status is not PENDING:
                    assert mine.error_code == "KILL_SWITCH", "an entry went out (I7)"
        is_latched = self._page().latched_at is not None
        assert is_latched or not self.was_latched, "a latch was let go (I11)"
        self.was_latched = is_latched

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        for waiting in self._orders():
            if waiting.status is PENDING:
                self.ground.do(cancel_order(self.desk, waiting.id))
        for _ in range(3):
            self.clock.advance(SEND_WITHIN + GRACE)
            self.ground.do(self.sweep.round())
        self._agree(self._orders(), settled_only=True)
        news = [Word(it, EventSource.WEBSOCKET) for it in self.broker.news]
        Random(len(news)).shuffle(news)
        for word in news:
            self._hear(word)
        settled = self._orders()
        self._agree(settled)
        for word in reversed(news):
            self._hear(word)
        assert self._orders() == settled, "what was told twice changed the book (I6)"

    def _agree(self, orders: list[Order], *, settled_only: bool = False) -> None:
        """Hold our book against the broker's journal."""
        ours = {it.broker_order_id: it for it in orders if it.broker_order_id}
        assert not [it for it in orders if it.status in {"TRANSIT", "UNKNOWN"}]
        assert not [it for it in orders if it.asked_at is not None and not settled_only]
        for name, theirs in self.broker.orders.items():
            mine = ours.get(name)
            if settled_only:
                assert mine is not None or theirs.ticket.tag.startswith("by-hand")
                continue
            assert mine is not None
            assert (mine.status, mine.filled) == (theirs.status, theirs.filled)
            assert (mine.quantity, mine.price or None) == (
                theirs.ticket.quantity,
                theirs.ticket.price or None,
            )
            assert from_tag(mine.tag) == mine.id
            if self.broker.by_fill:
                assert mine.traded_value == sum(it.price * it.quantity for it in theirs.fills)
        for mine in orders:
            if mine.broker_order_id is None:
                assert mine.status is (REJECTED if mine.waits_for is None else mine.status)
                assert mine.error_code in {NOT_FOUND, NOT_SENT, None, *DENIALS}
                assert from_tag(mine.tag) not in {
                    from_tag(it.ticket.tag)
                    for it in self.broker.orders.values()
                    if not it.ticket.tag.startswith("by-hand")
                }


def _lost(page: Book) -> int:
    return -(page.realized_today + (page.unrealized or 0))


@pytest.mark.torture
def test_the_book_is_right_after_every_step(
    home: dict[str, str], rounds: Callable[[int], int]
) -> None:
    ground = Ground(home)
    examples = rounds(40 if ground.kind == "sqlite" else 15)
    try:
        run_state_machine_as_test(
            lambda: TradingMachine(ground),
            settings=hypothesis.settings(max_examples=examples, stateful_step_count=30),
        )
    finally:
        ground.close()
