"""What the exchange does by itself: it closes intraday positions, settles contracts, catches up."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta

import pytest

from bahi.brokers.paper.adapter import update_of
from bahi.exchange.model.order import PaperOrder, PlacedBy
from bahi.exchange.service import Conversion
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import StoppedClock
from bahi.kernel.errors import Rejected
from bahi.kernel.words import (
    AmoTime,
    BrokerSlug,
    InstrumentType,
    OptionType,
    OrderStatus,
    Product,
    Segment,
    Side,
)
from bahi.quotes.model.quote import Quote
from tests.calendars.known import at
from tests.exchange.floor import (
    AUCTIONED,
    FUTURE,
    LISTED,
    NIFTY,
    NOON,
    SBIN,
    Floor,
    Market,
    an_instrument,
    rupees,
    trade,
)

DAY = date(2026, 12, 1)
BOOK = {"bids": {"799.95": 100}, "asks": {"800.05": 100}}
CALL, PUT = (
    an_instrument(
        number,
        f"NIFTY01DEC2624000{right}",
        root="NIFTY",
        segment=Segment.NSE_FNO,
        kind=InstrumentType.OPTIDX,
        expiry=DAY,
        strike=rupees(24_000),
        option_type=right,
        lot_size=75,
    )
    for number, right in ((21, OptionType.CE), (22, OptionType.PE))
)


async def _by_the_exchange(floor: Floor) -> list[PaperOrder]:
    book = await floor.exchange.book(floor.client)
    return [it.order for it in book if it.order.placed_by is PlacedBy.EXCHANGE]


def test_an_intraday_position_is_closed_at_the_brokers_hour_and_the_fee_is_told(
    home: dict[str, str],
) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        await floor.place(SBIN, "BUY", 60, "800.05")
        resting = await floor.place(SBIN, "BUY", 10, "790")
        delivery = await floor.place(SBIN, "BUY", 5, "790", product="CNC")
        floor.clock.set(at("2026-11-25 15:19"))
        assert await floor.exchange.drive() == 0
        floor.clock.set(at("2026-11-25 15:20"))
        floor.tell(SBIN, "805", {"804.95": 200}, {"805.05": 200})
        await floor.told()
        assert await floor.exchange.drive() == 2
        assert (await floor.now(resting)).reject_code == "SQUARE_OFF"
        assert (await floor.now(delivery)).status is OrderStatus.OPEN
        (squared,) = await _by_the_exchange(floor)
        assert (squared.side, squared.filled, squared.fee) == (Side.SELL, 60, 590_000)
        told = {it.order.id: it for it in await floor.exchange.untold()}
        update = update_of(told[squared.id])
        assert "59.00 rupees with GST" in update.reason
        assert update.asked is not None
        assert (update.filled_quantity, update.asked.product) == (60, "INTRADAY")
        assert sum(it.quantity for it in update.fills or ()) == 60
        assert await floor.begun().drive() == 0  # whoever comes later finds it done
        late = await floor.place(SBIN, "BUY", 10, "805.05")
        assert late.order.reject_code == "INTRADAY"

    trade(home, story)


def test_a_position_that_cannot_be_closed_is_carried_and_its_client_told(
    home: dict[str, str],
) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        await floor.place(SBIN, "BUY", 60, "800.05")
        floor.clock.set(at("2026-11-25 15:20"))
        floor.tell(SBIN, "760", {}, {"760": 500})  # locked: nobody buys
        assert await floor.exchange.drive() == 1
        (squared,) = await _by_the_exchange(floor)
        assert (squared.status, squared.filled) == (OrderStatus.OPEN, 0)
        out = await floor.place(SBIN, "SELL", 60, "760")  # the exchange works on all of it
        assert out.order.reject_code == "INTRADAY"
        floor.clock.set(at("2026-11-25 15:30"))
        await floor.exchange.drive()
        (squared,) = await _by_the_exchange(floor)
        assert (squared.status, "is carried" in (squared.remark or "")) == (
            OrderStatus.EXPIRED,
            True,
        )
        floor.clock.set(at("2026-11-26 15:21"))
        floor.tell(SBIN, "800", **BOOK)
        await floor.begun().drive()
        assert len(await _by_the_exchange(floor)) == 1

    trade(home, story)


def test_each_profile_has_its_own_hour_and_fee(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(FUTURE, "24000", {"23999": 750}, {"24001": 750})
        await floor.place(FUTURE, "SELL", 75, "23999")
        floor.clock.set(at("2026-11-25 15:20"))
        floor.tell(FUTURE, "24000", {"23999": 750}, {"24001": 750})
        assert await floor.exchange.drive() == 1  # Kite would wait until 15:25
        (squared,) = await _by_the_exchange(floor)
        assert (squared.side, squared.filled, squared.fee) == (Side.BUY, 75, 236_000)

    trade(home, story, profile=BrokerSlug.DHAN)


def test_a_name_in_the_closing_auction_is_closed_at_its_price(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(AUCTIONED, "800", **BOOK)
        await floor.place(AUCTIONED, "BUY", 60, "800.05")
        floor.clock.set(at("2026-11-25 15:20"))
        await floor.exchange.drive()
        floor.clock.set(at("2026-11-25 15:36"))
        floor.tell(AUCTIONED, "803", at=at("2026-11-25 15:34"))
        await floor.exchange.drive()
        (squared,) = await _by_the_exchange(floor)
        assert (squared.filled, squared.average_price) == (60, rupees("803"))

    trade(home, story)


@pytest.mark.parametrize("remembers", [True, False])
def test_what_nobody_ran_for_happens_once_and_in_order(
    home: dict[str, str], remembers: bool
) -> None:
    def past(it: Instrument, when: datetime) -> Quote | None:
        market.clock.set(when)
        return market.tell(it, "790", {"789.95": 500}, {"790.05": 500})

    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        await floor.place(SBIN, "BUY", 60, "800.05")
        intraday = await floor.place(SBIN, "BUY", 10, "780")
        delivery = await floor.place(SBIN, "BUY", 10, "780", product="CNC")
        await floor.told()
        floor.clock.set(at("2026-11-27 08:00"))
        await floor.begun().drive()
        ended = {it.id: it for it in await floor.told()}
        assert ended[intraday.order.id].completed_at == at("2026-11-25 15:20")
        assert ended[delivery.order.id].completed_at == at("2026-11-25 15:30")
        (squared,) = [it for it in ended.values() if it.placed_by is PlacedBy.EXCHANGE]
        if remembers:
            assert (squared.filled, squared.average_price) == (60, rupees("789.95"))
            assert squared.completed_at == at("2026-11-25 15:20")
        else:
            assert (squared.status, squared.reject_code) == (OrderStatus.REJECTED, "CARRIED")
        assert await floor.begun().drive() == 0

    market = Market(StoppedClock(NOON), LISTED)  # another's memory of what prices were
    trade(home, story, past=past if remembers else None)


def test_contracts_are_settled_at_the_official_close_of_what_they_are_on(
    home: dict[str, str],
) -> None:
    async def story(floor: Floor) -> None:
        for it in (FUTURE, CALL, PUT):
            floor.tell(it, "100", {"99.95": 750}, {"100.05": 750})
            await floor.place(it, "BUY", 75, "100.05", product="MARGIN")
        resting = await floor.place(PUT, "BUY", 75, "90", product="MARGIN")
        floor.clock.set(at("2026-12-01 15:40"))
        await floor.exchange.drive()
        assert (await floor.now(resting)).status is OrderStatus.EXPIRED
        assert await floor.exchange.settlements(DAY) == []  # its close is not known yet
        floor.clock.set(at("2026-12-01 15:42"))
        floor.tell(NIFTY, "24123.45", at=at("2026-12-01 15:29"))
        assert await floor.exchange.drive() == 3
        assert await floor.begun().drive() == 0
        found = {it.symbol: it for it in await floor.exchange.settlements(DAY)}
        assert {name: it.price for name, it in found.items()} == {
            FUTURE.symbol: rupees("24123.45"),
            CALL.symbol: rupees("123.45"),
            PUT.symbol: 0,
        }
        assert found[CALL.symbol].underlying_price == rupees("24123.45")

    trade(home, story, when=at("2026-12-01 12:00"), listed=(*LISTED, CALL, PUT))


def test_a_large_position_is_closed_in_orders_that_the_exchange_takes(
    home: dict[str, str],
) -> None:
    frozen = an_instrument(31, "FROZEN", freeze_qty=40)

    async def story(floor: Floor) -> None:
        floor.tell(frozen, "800", {"799.95": 300}, {"800.05": 300})
        for _ in range(3):
            await floor.place(frozen, "SELL", 40, "799.95")
        floor.later(1)
        floor.clock.set(at("2026-11-25 15:20") + timedelta(seconds=1))
        floor.tell(frozen, "800", {"799.95": 300}, {"800.05": 300})
        assert await floor.exchange.drive() == 3
        assert [it.filled for it in await _by_the_exchange(floor)] == [40, 40, 40]

    trade(home, story, listed=(*LISTED, frozen))


def test_what_was_converted_is_left_alone(home: dict[str, str]) -> None:
    def conversion(moves: int, tag: str = "c1") -> Conversion:
        of, to = Product.INTRADAY, Product.CNC
        return Conversion(
            Floor.client, tag, SBIN.segment, SBIN.symbol, of, to, moves, date(2026, 11, 25)
        )

    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        await floor.place(SBIN, "BUY", 60, "800.05")
        with pytest.raises(Rejected, match="60 SBIN INTRADAY open"):
            await floor.exchange.convert(conversion(61))
        assert await floor.exchange.convert(conversion(45))
        assert not await floor.exchange.convert(conversion(45))
        floor.clock.set(at("2026-11-25 15:20"))
        floor.tell(SBIN, "805", {"804.95": 200}, {"805.05": 200})
        await floor.exchange.drive()
        (squared,) = await _by_the_exchange(floor)
        assert squared.filled == 15

    trade(home, story)


def test_however_many_drive_at_once_each_thing_is_done_once(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", **BOOK)
        for client in range(1, 6):
            await floor.place(SBIN, "BUY", 10, "800.05", client=client)
            await floor.place(SBIN, "BUY", 10, "790", client=client)
        floor.clock.set(at("2026-11-25 15:20"))
        floor.tell(SBIN, "805", {"804.95": 200}, {"805.05": 200})
        moved = await asyncio.gather(*(floor.begun().drive() for _ in range(6)))
        assert sum(moved) == 10
        told = await floor.told()
        squared = [it for it in told if it.placed_by is PlacedBy.EXCHANGE]
        assert sorted((it.client_id, it.filled) for it in squared) == [
            (client, 10) for client in range(1, 6)
        ]
        assert sum(await asyncio.gather(*(floor.begun().drive() for _ in range(3)))) == 0

    trade(home, story)


def test_what_was_kept_is_released_and_opened_though_nobody_ran(home: dict[str, str]) -> None:
    def past(it: Instrument, when: datetime) -> Quote | None:
        market.clock.set(when)
        return market.tell(it, "800", BOOK["bids"], BOOK["asks"], open=rupees("801"))

    async def story(floor: Floor) -> None:
        kept = [
            await floor.place(SBIN, "BUY", 10, price, product=product, amo=when)
            for price, product, when in (
                ("802", "CNC", AmoTime.PRE_OPEN),
                (None, "INTRADAY", AmoTime.OPEN_30),
                ("700", "CNC", AmoTime.OPEN),
            )
        ]
        floor.clock.set(at("2026-11-27 07:00"))
        await floor.exchange.drive()
        opened, market_order, rested = [await floor.now(it) for it in kept]
        assert (opened.average_price, opened.completed_at) == (
            rupees("801"),
            at("2026-11-26 09:15"),
        )
        assert (market_order.average_price, market_order.completed_at) == (
            rupees("800.05"),
            at("2026-11-26 09:45"),
        )
        assert (rested.status, rested.completed_at) == (
            OrderStatus.EXPIRED,
            at("2026-11-26 15:30"),
        )
        (squared,) = await _by_the_exchange(floor)
        assert (squared.filled, squared.completed_at) == (10, at("2026-11-26 15:20"))
        assert await floor.begun().drive() == 0

    market = Market(StoppedClock(NOON), LISTED)
    trade(home, story, when=at("2026-11-25 19:00"), past=past)
