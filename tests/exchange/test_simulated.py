"""The exchange on the simulated market: prices that move, go far, stall and lock."""

from __future__ import annotations

from datetime import datetime, timedelta

from bahi.exchange.model.order import PlacedBy
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.words import OptionType, OrderStatus, OrderType
from bahi.quotes.model.quote import Quote
from bahi.quotes.model.troubles import Troubles
from tests.calendars.known import at
from tests.exchange.floor import AUCTIONED, SBIN, Floor, rupees, trade
from tests.quotes.names import EVERYTHING, a_market, an_option

NEAR = an_option(26_000, OptionType.CE, 111)
FAR = an_option(29_500, OptionType.CE, 112)
LISTED = (*EVERYTHING, NEAR, FAR)


def _on(floor: Floor, **troubles: float) -> None:
    """Have the floor's prices come from the simulated market."""
    market = a_market(troubles=Troubles(**troubles))

    def quote(it: Instrument) -> Quote | None:
        return market.quote(it, floor.clock())

    floor.market.quote = quote  # type: ignore[method-assign]


def _price(floor: Floor, it: Instrument) -> Quote:
    quote = floor.market.quote(it)
    assert quote is not None
    return quote


def test_what_rests_is_filled_at_its_price_once_the_market_went_through(
    home: dict[str, str],
) -> None:
    async def story(floor: Floor) -> None:
        _on(floor)
        quote = _price(floor, SBIN)
        assert quote.bid is not None
        mark = f"{(quote.bid - 10 * 500) / 10_000:.2f}"
        resting = await floor.place(SBIN, "BUY", 10, mark)
        assert resting.order.status is OrderStatus.OPEN
        for _ in range(2_000):
            floor.later(2)
            ask = _price(floor, SBIN).ask
            moved = await floor.exchange.drive()
            assert (moved == 1) == (ask is not None and ask < rupees(mark))
            if moved:
                break
        now = await floor.now(resting)
        assert (now.status, now.average_price) == (OrderStatus.EXECUTED, rupees(mark))

    trade(home, story)


def test_far_strikes_are_wide_and_thin(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        _on(floor)
        near, far = _price(floor, NEAR), _price(floor, FAR)
        assert near.bid
        assert near.ask
        assert far.ask
        assert (near.ask - near.bid) * 20 < near.ask
        assert far.bid is None or (far.ask - far.bid) * 20 > far.ask
        bought = [await floor.place(it, "BUY", 75 * 24, product="MARGIN") for it in (NEAR, FAR)]
        assert [it.order.status for it in bought] == [OrderStatus.EXECUTED, OrderStatus.PARTIAL]

    trade(home, story, listed=LISTED)


def test_a_stalled_feed_and_a_locked_name_fill_nothing(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        _on(floor, stalled=1.0)
        market = await floor.place(SBIN, "BUY", 10)
        assert market.order.reject_code == "NO_PRICE"
        limit = await floor.place(SBIN, "BUY", 10, "1200")
        assert (limit.order.filled, await floor.exchange.drive()) == (0, 0)
        _on(floor, locked=1.0)
        quote = _price(floor, SBIN)
        side = "SELL" if not quote.bids else "BUY"
        locked = await floor.place(SBIN, side, 10)
        assert (locked.order.status, locked.order.filled) == (OrderStatus.OPEN, 0)

    trade(home, story)


def test_freak_ticks_fire_stops_and_fill_no_limits(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        _on(floor)
        last = _price(floor, SBIN).last
        low, lower = (f"{last * part // 100 // 500 * 500 / 10_000:.2f}" for part in (95, 94))
        stop = await floor.place(
            SBIN, "SELL", 10, lower, trigger=low, order_type=OrderType.STOP_LOSS
        )
        limit = await floor.place(SBIN, "BUY", 10, low)
        _on(floor, freak=1.0)
        for _ in range(100):
            floor.later()
            await floor.exchange.drive()
        assert (await floor.now(stop)).is_triggered
        assert (await floor.now(limit)).filled == 0

    trade(home, story)


def test_a_day_without_anybody_comes_out_as_if_somebody_had_been_there(
    home: dict[str, str],
) -> None:
    market = a_market()

    def past(it: Instrument, when: datetime) -> Quote | None:
        return market.quote(it, when)

    async def story(floor: Floor) -> None:
        _on(floor)
        held = await floor.place(SBIN, "BUY", 10)
        auction = await floor.place(AUCTIONED, "SELL", 10)
        assert held.order.filled == auction.order.filled == 10
        floor.clock.set(at("2026-11-26 08:30"))
        await floor.exchange.drive()
        squared = {it.symbol: it for it in await floor.told() if it.placed_by is PlacedBy.EXCHANGE}
        there = market.quote(SBIN, at("2026-11-25 15:20"))
        assert there is not None
        assert squared["SBIN"].average_price == there.bid
        closed = market.quote(AUCTIONED, at("2026-11-25 15:35"))
        assert closed is not None
        assert squared["HDFCBANK"].average_price == closed.last
        assert squared["HDFCBANK"].completed_at == at("2026-11-25 15:20") + timedelta(minutes=15)

    trade(home, story, past=past)


def test_the_mean_is_of_what_was_reckoned_of_the_half_minute_before(home: dict[str, str]) -> None:
    market = a_market()
    future = next(it for it in EVERYTHING if it.symbol == "NIFTY01DEC26FUT")

    def past(it: Instrument, when: datetime) -> Quote | None:
        return market.quote(it, when)

    async def story(floor: Floor) -> None:
        _on(floor)
        for _ in range(2):
            last = _price(floor, future).last
            near, far = (last * part // 1_000 // 500 * 500 for part in (1_015, 1_025))
            taken, refused = [
                await floor.place(future, "BUY", 75, f"{at / 10_000:.2f}", product="MARGIN")
                for at in (near, far)
            ]
            assert taken.order.status is OrderStatus.EXECUTED
            assert refused.order.reject_code == "PRICE_PROTECTION"
            floor.later(7)

    trade(home, story, past=past, listed=LISTED)
