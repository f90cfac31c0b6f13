"""Changing an order that rests: what may change, what it costs in the queue, what is refused."""

from __future__ import annotations

import pytest

from bahi.kernel.errors import NotFound, Rejected
from bahi.kernel.words import OrderStatus
from tests.exchange.floor import SBIN, Floor, rupees, trade

BOOK = {"bids": {"799.95": 100}, "asks": {"800.05": 100, "800.10": 50}}


def test_a_better_price_meets_the_market_at_once(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        resting = await floor.place(SBIN, "BUY", 120, "799.90")
        assert resting.order.status is OrderStatus.OPEN
        changed = await floor.change(resting, price="800.10")
        assert changed.order.status is OrderStatus.EXECUTED
        assert [(it.quantity, it.price) for it in changed.fills] == [
            (100, rupees("800.05")),
            (20, rupees("800.10")),
        ]
        assert await floor.told() == []

    trade(home, story)


def test_only_a_new_price_or_more_of_it_costs_its_place(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        first = await floor.place(SBIN, "BUY", 10, "799.90")
        second = await floor.place(SBIN, "BUY", 10, "799.90")
        less = await floor.change(first, quantity=8)
        assert less.order.priority == first.order.priority
        floor.later()
        floor.tell(SBIN, "799.85", {"799.80": 5}, {"799.85": 8})
        assert await floor.exchange.drive() == 1
        assert (await floor.now(first)).filled == 8
        more = await floor.change(second, quantity=20)
        assert more.order.priority > second.order.priority
        moved = await floor.change(second, price="799.95")
        assert moved.order.priority > more.order.priority
        assert moved.order.modifications == 2

    trade(home, story)


def test_nothing_falls_below_what_is_filled(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        part = await floor.place(SBIN, "BUY", 150, "800.05")
        assert part.order.filled == 100
        with pytest.raises(Rejected, match="100 are filled already"):
            await floor.change(part, quantity=90)
        done = await floor.change(part, quantity=100)
        assert (done.order.status, done.order.remaining) == (OrderStatus.EXECUTED, 0)
        with pytest.raises(Rejected, match="nothing left to change"):
            await floor.change(part, quantity=200)

    trade(home, story)


def test_a_refused_change_leaves_the_order_as_it_is(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        resting = await floor.place(SBIN, "BUY", 10, "799.90")
        with pytest.raises(Rejected, match="multiple of the tick"):
            await floor.change(resting, price="799.91")
        with pytest.raises(Rejected, match="needs a trigger"):
            await floor.change(resting, order_type="STOP_LOSS")
        assert await floor.now(resting) == resting.order
        with pytest.raises(NotFound):
            await floor.exchange.cancel(8, resting.order.id)

    trade(home, story)


def test_the_same_wish_again_changes_nothing(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        resting = await floor.place(SBIN, "BUY", 10, "799.90")
        once = await floor.change(resting, price="799.85")
        again = await floor.change(resting, price="799.85")
        assert again.order.version == once.order.version

    trade(home, story)


def test_types_and_validity_can_be_changed(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        resting = await floor.place(SBIN, "BUY", 200, "799.90")
        stop = await floor.change(
            resting, order_type="STOP_LOSS", price="801", trigger_price="800.50"
        )
        assert stop.order.trigger_pending
        ended = await floor.change(resting, order_type="LIMIT", validity="IOC", price="800.05")
        assert (ended.order.status, ended.order.filled) == (OrderStatus.CANCELLED, 100)
        market = await floor.change(
            await floor.place(SBIN, "BUY", 70, "799.90"), order_type="MARKET"
        )
        assert (market.order.filled, market.order.price) == (50, rupees("824.05"))
        assert market.order.status is OrderStatus.PARTIAL

    trade(home, story)


def test_an_order_changes_twenty_five_times(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        resting = await floor.place(SBIN, "BUY", 10, "799.90")
        for size in range(11, 36):
            await floor.change(resting, quantity=size)
        with pytest.raises(Rejected, match="25 times"):
            await floor.change(resting, quantity=36)

    trade(home, story)
