"""The exchange and a book, wired as a house wires them: what it does by itself is adopted."""

from __future__ import annotations

from bahi.bootstrap import House
from bahi.bootstrap.trading import driver_of
from bahi.kernel.clock import StoppedClock
from bahi.kernel.words import OrderStatus, Product, Segment, Side
from bahi.orders.service.placing import place_order
from bahi.portfolio.model.position import Key
from bahi.portfolio.repository.position import find
from tests.calendars.known import at
from tests.living import live_in
from tests.orders.desks import limit, paper_desk


def test_the_book_adopts_what_the_exchange_squares_off(home: dict[str, str]) -> None:
    clock = StoppedClock(at("2026-11-25 12:00"))

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        bought = await place_order(desk, limit(desk, Side.BUY, 10))
        assert bought.status is OrderStatus.EXECUTED
        driver = await driver_of(house)
        for hour in ("15:20", "15:35"):  # it is in the closing auction, and has its price then
            clock.set(at(f"2026-11-25 {hour}"))
            assert await house.floor.exchange.drive() == 1
            assert await driver.tell() == 1
        key = Key(Segment.NSE_EQ, "SBIN", Product.INTRADAY)
        position = await desk.store.read(find, desk.account_id, key, fresh=True)
        assert position is not None
        assert (position.net, position.margin, position.sell_quantity) == (0, 0, 10)

    live_in(home | {"BAHI_MARKET": "simulated"}, story, clock)
