"""A day at the exchange: what is kept and released, the one price of auctions, and the end."""

from __future__ import annotations

from datetime import timedelta

from bahi.kernel.words import AmoTime, OrderStatus, OrderType
from tests.calendars.known import at
from tests.exchange.floor import AUCTIONED, NIFTY, SBIN, Floor, rupees, trade

CANCELLED, EXECUTED, EXPIRED = OrderStatus.CANCELLED, OrderStatus.EXECUTED, OrderStatus.EXPIRED
BOOK = {"bids": {"799.95": 100}, "asks": {"800.05": 100}}


def test_an_order_of_the_day_expires_at_the_close_and_its_client_is_told(
    home: dict[str, str],
) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        resting = await floor.place(SBIN, "BUY", 10, "790", product="CNC")
        floor.clock.set(at("2026-11-25 15:29"))
        assert await floor.exchange.drive() == 0
        floor.clock.set(at("2026-11-25 18:00"))
        assert await floor.exchange.drive() == 1
        (ended,) = await floor.told()
        assert (ended.id, ended.status) == (resting.order.id, EXPIRED)
        assert ended.completed_at == at("2026-11-25 15:30")
        assert await floor.exchange.drive() == 0

    trade(home, story)


def test_what_is_placed_after_hours_is_kept_and_released_when_it_was_asked_for(
    home: dict[str, str],
) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        closed = await floor.place(SBIN, "BUY", 10, "801")
        assert closed.order.reject_code == "MARKET_CLOSED"
        kept = {
            when: await floor.place(SBIN, "BUY", 10, "801", product="CNC", amo=when)
            for when in AmoTime
        }
        market = await floor.place(SBIN, "BUY", 5, product="CNC", amo=AmoTime.OPEN)
        assert {it.order.due_at for it in kept.values()} == {
            at(f"2026-11-26 {hour}") for hour in ("09:00", "09:15", "09:45", "10:15")
        }
        floor.clock.set(at("2026-11-26 08:59"))
        assert await floor.exchange.drive() == 0
        floor.clock.set(at("2026-11-26 09:00"))
        assert await floor.exchange.drive() == 1  # into the pre-open, where nothing trades yet
        waiting = await floor.now(kept[AmoTime.PRE_OPEN])
        assert (waiting.is_amo, waiting.auction, waiting.filled) == (False, "OPENING", 0)
        floor.clock.set(at("2026-11-26 09:15"))
        floor.tell(SBIN, "800", **BOOK, open=rupees("800.50"))
        await floor.exchange.drive()
        assert (await floor.now(kept[AmoTime.PRE_OPEN])).average_price == rupees("800.50")
        assert (await floor.now(kept[AmoTime.OPEN])).average_price == rupees("800.05")
        assert (await floor.now(market)).status is EXECUTED
        assert (await floor.now(kept[AmoTime.OPEN_30])).is_amo
        in_hours = await floor.place(SBIN, "BUY", 10, "801", amo=AmoTime.OPEN)
        assert in_hours.order.reject_code == "AMO"
        gone = await floor.exchange.cancel(floor.client, kept[AmoTime.OPEN_60].order.id)
        assert gone.order.status is CANCELLED
        floor.clock.set(at("2026-11-26 11:00"))
        floor.tell(SBIN, "800", **BOOK)
        assert await floor.exchange.drive() == 1
        assert (await floor.now(kept[AmoTime.OPEN_30])).status is EXECUTED

    trade(home, story, when=at("2026-11-25 19:00"))


def test_the_pre_open_takes_no_stops_and_matches_at_the_opening_price(
    home: dict[str, str],
) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", at=at("2026-11-24 15:29"))
        stop = await floor.place(
            SBIN, "SELL", 5, "790", trigger="791", order_type=OrderType.STOP_LOSS
        )
        assert stop.order.reject_code == "ORDER_TYPE"
        ioc = await floor.place(SBIN, "BUY", 5, "810", validity="IOC")
        assert ioc.order.reject_code == "IOC"
        high = await floor.place(SBIN, "BUY", 50, "810")
        low = await floor.place(SBIN, "BUY", 50, "799")
        market = await floor.place(SBIN, "BUY", 80)
        floor.clock.set(at("2026-11-25 09:15") + timedelta(seconds=2))
        floor.tell(SBIN, "802", {"801.95": 100}, {"802.05": 100}, open=rupees("801"))
        assert await floor.exchange.drive() == 3
        assert (await floor.now(market)).average_price == rupees("801")
        part = await floor.now(high)  # MARKET went first; the rest of this one goes on at 802.05
        assert part.filled_value == 20 * rupees("801") + 30 * rupees("802.05")
        assert ((await floor.now(low)).filled, (await floor.now(low)).auction) == (0, None)

    trade(home, story, when=at("2026-11-25 09:05"))


def test_the_closing_auction_is_one_price_for_all_that_reaches_it(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(AUCTIONED, "800", **BOOK, volume=1_000_000)
        carried = await floor.place(AUCTIONED, "BUY", 10, "799", product="CNC")
        floor.clock.set(at("2026-11-25 15:20"))
        far = await floor.place(AUCTIONED, "BUY", 10, "830", product="CNC")
        assert far.order.reject_code == "COLLAR"
        iceberg = await floor.place(
            AUCTIONED, "BUY", 10, "800", product="CNC", disclosed_quantity=5
        )
        assert iceberg.order.reject_code == "DISCLOSED"
        buys = await floor.place(AUCTIONED, "BUY", 10, product="CNC")
        short = await floor.place(AUCTIONED, "SELL", 10, "801", product="CNC")
        assert (buys.order.filled, short.order.filled) == (0, 0)
        floor.clock.set(at("2026-11-25 15:32"))
        late = await floor.place(AUCTIONED, "BUY", 10, "800", product="CNC")
        assert late.order.reject_code == "MARKET_CLOSED"
        floor.clock.set(at("2026-11-25 15:35"))
        floor.tell(AUCTIONED, "798.50", at=floor.clock() - timedelta(seconds=1), volume=1_000_015)
        assert await floor.exchange.drive() == 3
        assert (await floor.now(buys)).average_price == rupees("798.50")
        assert ((await floor.now(carried)).filled, (await floor.now(carried)).status) == (
            5,
            EXPIRED,
        )
        assert (await floor.now(short)).status is EXPIRED

    trade(home, story, when=at("2026-11-25 15:14"))


def test_after_the_close_shares_trade_at_the_close(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", at=at("2026-11-25 15:29"), volume=1_000_000)
        other = await floor.place(SBIN, "BUY", 10, "801", product="CNC")
        assert other.order.reject_code == "PRICE"
        bought = await floor.place(SBIN, "BUY", 1_500, "800", product="CNC")
        assert (bought.order.filled, bought.order.average_price) == (1_000, rupees("800"))
        floor.clock.set(at("2026-11-25 16:00"))
        await floor.exchange.drive()
        assert (await floor.now(bought)).status is EXPIRED

    trade(home, story, when=at("2026-11-25 15:55"))


def test_an_index_is_only_looked_at_and_a_holiday_is_closed(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        index = await floor.place(NIFTY, "BUY", 1, "24000")
        assert index.order.reject_code == "NOT_TRADABLE"
        holiday = await floor.place(SBIN, "BUY", 1, "800")
        assert holiday.order.reject_code == "MARKET_CLOSED"
        kept = await floor.place(SBIN, "BUY", 1, "800", amo=AmoTime.OPEN)
        assert kept.order.session_day == at("2026-11-25 09:15").date()

    trade(home, story, when=at("2026-11-24 12:00"))


def test_the_price_of_the_auction_is_waited_for_a_minute(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(AUCTIONED, "800", **BOOK)
        buys = [await floor.place(AUCTIONED, "BUY", 10, product="CNC") for _ in range(2)]
        floor.clock.set(at("2026-11-25 15:35"))
        assert await floor.exchange.drive() == 0
        floor.later(20)
        floor.tell(AUCTIONED, "801", at=at("2026-11-25 15:34"))
        assert await floor.exchange.drive() == 2
        assert [(await floor.now(it)).status for it in buys] == [EXECUTED, EXECUTED]
        floor.clock.set(at("2026-11-26 15:20"))
        unpriced = await floor.place(AUCTIONED, "BUY", 10, product="CNC")
        floor.clock.set(at("2026-11-26 15:36"))
        assert await floor.exchange.drive() == 1
        assert (await floor.now(unpriced)).status is EXPIRED

    trade(home, story, when=at("2026-11-25 15:20"))


def test_what_is_kept_can_be_changed_and_ioc_never_rests(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        kept = await floor.place(SBIN, "BUY", 10, "801", product="CNC", amo=AmoTime.OPEN_60)
        ioc = await floor.place(SBIN, "BUY", 10, "801", validity="IOC", amo=AmoTime.OPEN)
        assert ioc.order.reject_code == "IOC"
        floor.clock.set(at("2026-11-25 09:30"))
        changed = await floor.change(kept, price="790", quantity=20)
        assert (changed.order.is_amo, changed.order.due_at) == (True, kept.order.due_at)
        floor.clock.set(at("2026-11-25 10:15"))
        floor.tell(SBIN, "789", {"788.95": 50}, {"789.05": 50})
        await floor.exchange.drive()
        assert (await floor.now(kept)).average_price == rupees("789.05")
        floor.later(30)
        blind = await floor.place(SBIN, "BUY", 10, "801", product="CNC", validity="IOC")
        assert (blind.order.status, blind.order.filled) == (CANCELLED, 0)

    trade(home, story, when=at("2026-11-25 08:00"))
