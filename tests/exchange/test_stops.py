"""Stops: they wait for the last price, become a limit or a protected market, and end at 15:15."""

from __future__ import annotations

from datetime import date

import pytest

from bahi.brokers.paper.adapter import update_of
from bahi.kernel.words import InstrumentType, OptionType, OrderStatus, OrderType, Segment
from tests.calendars.known import at
from tests.exchange.floor import (
    AUCTIONED,
    FUTURE,
    LISTED,
    SBIN,
    Floor,
    an_instrument,
    rupees,
    trade,
)

CALL = an_instrument(
    11,
    "NIFTY01DEC2624000CE",
    root="NIFTY",
    segment=Segment.NSE_FNO,
    kind=InstrumentType.OPTIDX,
    expiry=date(2026, 12, 1),
    strike=rupees(24_000),
    option_type=OptionType.CE,
    lot_size=75,
)
STOP, STOP_MARKET = OrderType.STOP_LOSS, OrderType.STOP_LOSS_MARKET


def test_a_stop_waits_for_its_trigger_and_is_a_limit_then(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", {"799.95": 100}, {"800.05": 100})
        stop = await floor.place(SBIN, "SELL", 30, "794", trigger="795", order_type=STOP)
        assert stop.order.trigger_pending
        assert update_of(stop).trigger_pending
        floor.later()
        floor.tell(SBIN, "795.05", {"795": 100}, {"795.10": 100})
        assert await floor.exchange.drive() == 0
        floor.later()
        floor.tell(SBIN, "795", {"794.50": 20}, {"795.10": 100})
        assert await floor.exchange.drive() == 1
        fired = await floor.now(stop)
        assert fired.is_triggered
        assert (fired.status, fired.filled) == (OrderStatus.PARTIAL, 20)
        assert fired.average_price == rupees("794.50")
        assert [it.id for it in await floor.told()] == [fired.id]

    trade(home, story)


def test_a_stop_market_is_protected_once_it_fires(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", {"799.95": 100}, {"800.05": 100})
        stop = await floor.place(SBIN, "BUY", 30, trigger="805", order_type=STOP_MARKET)
        floor.later()
        floor.tell(SBIN, "806", {"805": 5}, {"806": 10, "840": 100})
        assert await floor.exchange.drive() == 1
        fired = await floor.now(stop)
        assert (fired.filled, fired.price) == (10, rupees("830.15"))
        assert update_of((await floor.exchange.book(floor.client))[0]).asked.order_type == STOP

    trade(home, story)


@pytest.mark.parametrize(
    ("side", "price", "trigger", "said"),
    [
        ("BUY", "802", "799", "has to be above the last price"),
        ("SELL", "802", "803", "has to be below the last price"),
        ("BUY", "801", "802", "cannot be below its trigger"),
        ("SELL", "799", "798", "cannot be above its trigger"),
        ("BUY", "801", None, "needs a trigger price"),
    ],
)
def test_a_stop_on_the_wrong_side_is_refused(
    home: dict[str, str], side: str, price: str, trigger: str | None, said: str
) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(SBIN, "800", {"799.95": 100}, {"800.05": 100})
        stop = await floor.place(SBIN, side, 30, price, trigger=trigger, order_type=STOP)
        assert (stop.order.status, stop.order.reject_code) == (OrderStatus.REJECTED, "TRIGGER")
        assert said in (stop.order.reject_message or "")

    trade(home, story)


def test_options_take_no_stop_market(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(CALL, "100", {"99.95": 750}, {"100.05": 750})
        stop = await floor.place(CALL, "SELL", 75, trigger="90", order_type=STOP_MARKET)
        assert (stop.order.status, stop.order.reject_code) == (OrderStatus.REJECTED, "SLM")

    trade(home, story, listed=(*LISTED, CALL))


def test_stops_end_when_the_closing_auction_begins(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        for it in (AUCTIONED, SBIN):
            floor.tell(it, "800", {"799.95": 100}, {"800.05": 100})
        stops = [
            await floor.place(it, "SELL", 30, "794", trigger="795", order_type=STOP)
            for it in (AUCTIONED, SBIN)
        ]
        limit = await floor.place(AUCTIONED, "BUY", 30, "790", product="CNC")
        floor.clock.set(at("2026-11-25 15:15"))
        floor.tell(SBIN, "800", {"799.95": 100}, {"800.05": 100})
        assert await floor.exchange.drive() == 1
        purged, stays = [await floor.now(it) for it in stops]
        assert (purged.status, purged.reject_code) == (OrderStatus.CANCELLED, "STOP_PURGED")
        assert purged.updated_at == at("2026-11-25 15:15")
        assert stays.trigger_pending
        assert (await floor.now(limit)).status is OrderStatus.OPEN  # it carries over
        again = await floor.place(AUCTIONED, "SELL", 30, "794", trigger="795", order_type=STOP)
        assert again.order.reject_code == "ORDER_TYPE"

    trade(home, story, when=at("2026-11-25 15:10"))


def test_a_stop_limit_is_held_to_the_price_protection_once_it_fires(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        floor.tell(FUTURE, "24000", {"23999": 750}, {"24001": 750})
        stop = await floor.place(FUTURE, "BUY", 75, "24900", trigger="24100", order_type=STOP)
        assert stop.order.trigger_pending  # 24900 is more than 2 % away, and nobody minds yet
        floor.later(40)
        floor.tell(FUTURE, "24110", {"24109": 750}, {"24111": 750})
        assert await floor.exchange.drive() == 1
        fired = await floor.now(stop)
        assert (fired.status, fired.reject_code) == (OrderStatus.REJECTED, "PRICE_PROTECTION")
        assert "circuit limit" in (fired.reject_message or "")

    trade(home, story)
