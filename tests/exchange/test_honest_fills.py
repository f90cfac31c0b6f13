"""What keeps the exchange honest: queues, protection, locked names, stale prices, limits."""

from __future__ import annotations

import asyncio
from typing import Any

from bahi.exchange.model.rules import QueueModel
from bahi.exchange.service import Rules, rules_of
from bahi.kernel.errors import NotFound
from bahi.kernel.words import OrderStatus, OrderType
from bahi.quotes.model.troubles import Troubles
from bahi.settings.model.declared import DECLARED
from tests.calendars.known import at
from tests.exchange.floor import FUTURE, SBIN, Floor, an_instrument, rupees, trade

STOP = OrderType.STOP_LOSS
EXECUTED, OPEN, PARTIAL = OrderStatus.EXECUTED, OrderStatus.OPEN, OrderStatus.PARTIAL
BOOK = {"bids": {"799.95": 100}, "asks": {"800.05": 100}}


def test_a_limit_that_rests_is_filled_at_its_price_when_the_market_goes_through_it(
    home: dict[str, str],
) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        resting = await floor.place(SBIN, "BUY", 50, "799.95")
        floor.later()
        floor.tell(SBIN, "799.95", {"799.90": 100}, {"799.95": 100}, volume=10_000)
        assert await floor.exchange.drive() == 0  # touched
        floor.later()
        floor.tell(SBIN, "799.95", {"799.85": 100}, {"799.90": 30, "799.95": 100})
        assert await floor.exchange.drive() == 1  # through
        now = await floor.now(resting)
        assert (now.filled, now.average_price) == (30, rupees("799.95"))
        assert await floor.exchange.drive() == 0  # what was taken is not there again

    trade(home, story)


def test_in_the_queue_it_waits_for_what_came_before_it(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK, volume=1_000)
        resting = await floor.place(SBIN, "BUY", 50, "799.95")
        assert resting.order.queue_ahead == 100
        for volume, filled in ((1_060, 0), (1_130, 30), (1_200, 50)):
            floor.later()
            floor.tell(SBIN, "799.95", {"799.95": 90}, {"800": 100}, volume=volume)
            await floor.exchange.drive()
            assert (await floor.now(resting)).filled == filled

    trade(home, story, queue=QueueModel.QUEUE)


def test_a_touch_is_enough_for_who_asks_for_it(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        resting = await floor.place(SBIN, "BUY", 50, "799.95")
        floor.later()
        floor.tell(SBIN, "799.95", {"799.90": 100}, {"799.95": 100})
        assert await floor.exchange.drive() == 1
        assert (await floor.now(resting)).status is EXECUTED

    trade(home, story, queue=QueueModel.TOUCH)


def test_a_protected_market_stops_at_its_end_and_rests(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", {"799.95": 10}, {"800": 10, "823.95": 5, "824.05": 100})
        bought = await floor.place(SBIN, "BUY", 50)
        assert (bought.order.status, bought.order.filled) == (PARTIAL, 15)
        assert bought.order.price == rupees("824")
        floor.later(8)
        assert await floor.exchange.drive() == 0  # and may never fill

    trade(home, story)


def test_a_locked_name_has_one_side(home: dict[str, str]) -> None:
    locked = an_instrument(
        41, "LOCKED", lower_band=rupees("720"), upper_band=rupees("880"), tick_size=rupees("0.05")
    )

    async def story(floor: Floor) -> None:
        floor.tell(locked, "880", {"880": 1_000})
        bought = await floor.place(locked, "BUY", 50)
        assert (bought.order.status, bought.order.price) == (OPEN, rupees("880"))
        beyond = await floor.place(locked, "BUY", 50, "880.05")
        assert beyond.order.reject_code == "BAND"
        sold = await floor.place(locked, "SELL", 50)
        assert sold.order.status is EXECUTED

    trade(home, story, listed=(locked,))


def test_a_stale_price_fills_nothing_and_protects_no_market_order(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        floor.later(6)
        market = await floor.place(SBIN, "BUY", 10)
        assert market.order.reject_code == "NO_PRICE"
        limit = await floor.place(SBIN, "BUY", 10, "801")
        assert limit.order.status is OPEN
        assert await floor.exchange.drive() == 0

    trade(home, story)


def test_the_mean_of_half_a_minute_holds_limits_and_a_freak_moves_it_little(
    home: dict[str, str],
) -> None:
    async def story(floor: Floor) -> None:
        for _ in range(9):
            floor.tell(FUTURE, "24000", {"23999": 750}, {"24001": 750})
            taken = await floor.place(FUTURE, "BUY", 75, "23990", product="MARGIN")
            assert taken.order.status is OPEN
            floor.later(3)
        floor.tell(FUTURE, "27000", {"23999": 750}, {"24001": 750})  # a freak
        far = await floor.place(FUTURE, "BUY", 75, "24900", product="MARGIN")
        assert far.order.reject_code == "PRICE_PROTECTION"
        assert "circuit limit" in (far.order.reject_message or "")
        floor.later(3)
        floor.tell(FUTURE, "24000", {"23999": 750}, {"24001": 750, "24700": 750})
        market = await floor.place(FUTURE, "BUY", 1_500, product="MARGIN")
        assert market.order.filled == 1_500
        assert (market.order.price or 0) <= rupees("24760")

    trade(home, story, listed=(FUTURE,))


def test_so_many_orders_a_second(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        placed = [await floor.place(SBIN, "BUY", 1, "790") for _ in range(4)]
        assert [it.order.reject_code for it in placed] == [None, None, None, "RATE"]
        other = await floor.place(SBIN, "BUY", 1, "790", client=8)
        assert other.order.status is OPEN
        floor.later()
        again = await floor.place(SBIN, "BUY", 1, "790")
        assert again.order.status is OPEN

    trade(home, story, orders_per_second=3)


def test_a_market_without_a_calendar_is_open_as_far_as_its_venue_says(
    home: dict[str, str],
) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        bought = await floor.place(SBIN, "BUY", 10, "800.05")
        assert bought.order.status is EXECUTED
        rests = await floor.place(SBIN, "BUY", 10, "790")
        floor.market.is_trading = False
        closed = await floor.place(SBIN, "BUY", 10, "800.05")
        assert closed.order.reject_code == "MARKET_CLOSED"
        floor.clock.set(at("2026-11-26 00:00"))
        assert await floor.exchange.drive() == 1
        assert (await floor.now(rests)).status is OrderStatus.EXPIRED

    trade(home, story, days=None)


def test_any_feed_can_be_troubled_by_a_seed(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        stale = 0
        floor.tell(SBIN, "800", **BOOK)
        stop = await floor.place(SBIN, "SELL", 1, "755", trigger="760", order_type=STOP)
        assert stop.order.trigger_pending
        for _ in range(24):
            floor.later(30)
            floor.tell(SBIN, "800", **BOOK)
            taken = await floor.place(SBIN, "BUY", 1, "800.05", validity="IOC")
            stale += taken.order.filled == 0
            await floor.exchange.drive()
        assert 0 < stale < 24
        assert (await floor.now(stop)).is_triggered

    trade(home, story, troubles=Troubles(freak=0.5, stalled=0.3))


def test_the_rules_are_read_from_the_settings() -> None:
    known = {it.name: it.default for it in DECLARED}

    async def get(category: str, key: str) -> Any:
        if (name := f"{category}.{key}") not in known:
            raise NotFound(name)
        return known[name]

    async def story() -> None:
        assert await rules_of(get) == Rules(latency_ms=(50, 300))
        known["exchange.queue"] = "queue"
        known["exchange.latency_least_ms"] = 400
        known["exchange.troubles"] = {"freak": 0.5}
        assert await rules_of(get) == Rules(
            queue=QueueModel.QUEUE, latency_ms=(300, 400), troubles=Troubles(freak=0.5)
        )
        for wrong in ({"gaps": 1}, {"freak": "often"}, {"freak": 2}, [1]):
            known["exchange.troubles"] = wrong
            assert (await rules_of(get)).troubles == Troubles()

    asyncio.run(story())
