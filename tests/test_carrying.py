"""What the exchange does by itself reaches the books; what a person converts reaches both."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from bahi.bootstrap.attending import Attendant
from bahi.bootstrap.carrying import convert_position, see_through
from bahi.bootstrap.trading import driver_of
from bahi.exchange.service import Conversion, PaperExchange
from bahi.kernel.errors import Conflict, Invalid
from bahi.kernel.money import parse_money
from bahi.kernel.words import OrderStatus, OrderType, Product, Segment, Side
from bahi.notify.model import Alert
from bahi.notify.service import list_alerts
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.placing import place_order
from bahi.portfolio.model.converting import Stage, Wished
from bahi.portfolio.model.money import Entry
from bahi.portfolio.model.position import Key
from bahi.portfolio.service.converting import ask, conversions_under_way
from tests.living import MORNING
from tests.orders.desks import ACTOR
from tests.test_settling import MONDAY, Days, days_pass

FUND = "NIFTYBEES"
"""In no closing auction: it trades to half past three, and is squared off before."""
TODAYS = Key(Segment.NSE_EQ, FUND, Product.INTRADAY)
HELD = TODAYS._replace(product=Product.CNC)
FEE = parse_money("59")


@pytest.fixture
def furnished_at() -> datetime:
    """Have these houses furnished on the morning of their day."""
    return MORNING


async def _alerts(days: Days) -> list[Alert]:
    return await list_alerts(days.desk.store, ACTOR, only_open=True)


def _without_memory(days: Days) -> None:
    """Have an exchange that does not know what prices were while nobody ran it."""
    floor, market = days.house.floor, days.house.floor.market
    floor.exchange = PaperExchange(days.desk.store, market, days.clock, days=market.days)


async def _sells(days: Days, key: Key, quantity: int) -> None:
    wish = PlaceOrder(
        segment=key.segment,
        symbol=key.symbol,
        side=Side.SELL,
        quantity=quantity,
        product=key.product,
        order_type=OrderType.MARKET,
    )
    order = await place_order(days.desk, wish)
    assert order.status is OrderStatus.EXECUTED, order


def test_squaring_off_costs_its_fee_once(home: dict[str, str]) -> None:
    async def story(days: Days) -> None:
        await days.at(MONDAY)
        await days.buys(TODAYS, 20)
        await days.at("2036-11-24 15:20:00")
        for _ in range(3):
            await (await driver_of(days.house)).round()
        assert (await days.position(TODAYS)).net == 0
        assert await days.lines(Entry.FEE) == [("2036-11-24", "FEE", -FEE)]
        driver = await driver_of(days.house)
        for seen in await days.house.floor.exchange.book(days.desk.account_id):
            assert await driver._hand(seen)  # as after a death before it was noted that it was told
        assert await days.lines(Entry.FEE) == [("2036-11-24", "FEE", -FEE)]
        await days.is_right()

    days_pass(home, story)


def test_shares_that_could_not_be_squared_off_are_carried_as_delivery(
    home: dict[str, str],
) -> None:
    async def story(days: Days) -> None:
        _without_memory(days)
        await days.at(MONDAY)
        await days.buys(TODAYS, 20)
        _without_memory(days)
        await days.at("2036-11-25 07:40:00")
        await days.at("2036-11-25 07:40:01")
        carried = await days.position(HELD)
        assert ((await days.position(TODAYS)).net, carried.net) == (0, 20)
        (told,) = await _alerts(days)
        assert "20 NIFTYBEES (MIS) were not squared off: they are carried as CNC" in told.message
        assert await days.lines(Entry.FEE) == []
        before = await days.page()
        driver = await driver_of(days.house)
        for seen in await days.house.floor.exchange.book(days.desk.account_id):
            assert await driver._hand(seen)
        await driver.round()
        assert await days.page() == before
        assert (await days.position(HELD)) == carried
        await days.is_right()

    days_pass(home, story)


def test_what_was_sold_short_cannot_be_carried_and_is_told_of(home: dict[str, str]) -> None:
    async def story(days: Days) -> None:
        _without_memory(days)
        await days.at(MONDAY)
        await _sells(days, TODAYS, 20)
        _without_memory(days)
        await days.at("2036-11-25 07:40:00")
        await days.at("2036-11-25 07:40:01")
        assert (await days.position(TODAYS)).net == -20
        (told,) = await _alerts(days)
        assert "go to auction" in told.message
        await days.at("2036-11-25 10:00:00")
        await days.buys(TODAYS, 20)  # which closes it, and opens nothing
        await days.at("2036-11-25 15:20:00")
        assert (await days.position(TODAYS)).net == 0
        await days.is_right()

    days_pass(home, story)


def test_a_conversion_is_made_at_the_exchange_and_in_the_book(home: dict[str, str]) -> None:
    async def story(days: Days) -> None:
        await days.at(MONDAY)
        await days.buys(TODAYS, 20)
        account = days.desk.account_id
        to = Product.CNC
        done = await convert_position(days.house, ACTOR, account, TODAYS, to=to, quantity=15)
        assert done.stage is Stage.MADE
        assert ((await days.position(TODAYS)).net, (await days.position(HELD)).net) == (5, 15)
        with pytest.raises(Conflict, match="There are 5 NIFTYBEES"):
            await convert_position(days.house, ACTOR, account, TODAYS, to=to, quantity=6)
        to = Product.MARGIN
        with pytest.raises(Invalid, match="MIS cannot become NRML"):
            await convert_position(days.house, ACTOR, account, TODAYS, to=to, quantity=1)
        await days.at("2036-11-24 15:20:00")  # what is left is squared off, and no more
        assert ((await days.position(TODAYS)).net, (await days.position(HELD)).net) == (0, 15)
        await days.is_right()

    days_pass(home, story)


def _wish(days: Days, moves: int) -> Wished:
    return Wished(
        account_id=days.desk.account_id,
        key=TODAYS,
        to=Product.CNC,
        moves=moves,
        day=days.clock().date(),
    )


@pytest.mark.parametrize("dies_after", ["the wish", "the exchange"])
def test_a_conversion_that_broke_off_is_made_by_the_driver(
    home: dict[str, str], dies_after: str
) -> None:
    async def story(days: Days) -> None:
        await days.at(MONDAY)
        await days.buys(TODAYS, 20)
        wish = await days.desk.store.write(ask, ACTOR, _wish(days, 20), days.clock())
        if dies_after == "the exchange":
            floor, alive = days.house.floor, days.house.floor.exchange
            floor.exchange = DiesAfter(days.desk.store, floor.market, days.clock)
            with pytest.raises(Killed):
                await see_through(days.house, days.desk.store, wish)
            floor.exchange = alive
        assert (await days.position(TODAYS)).net == 20
        assert await Attendant(days.house).round() == 1
        assert ((await days.position(TODAYS)).net, (await days.position(HELD)).net) == (0, 20)
        assert await days.desk.store.read(conversions_under_way, 10, fresh=True) == []
        assert (await see_through(days.house, days.desk.store, wish)).stage is Stage.MADE
        await days.is_right()

    days_pass(home, story)


def test_a_conversion_that_several_see_through_at_once_is_made_once(home: dict[str, str]) -> None:
    async def story(days: Days) -> None:
        await days.at(MONDAY)
        await days.buys(TODAYS, 20)
        store = days.desk.store
        wish = await store.write(ask, ACTOR, _wish(days, 12), days.clock())
        done = await asyncio.gather(*(see_through(days.house, store, wish) for _ in range(5)))
        assert {it.stage for it in done} == {Stage.MADE}
        assert ((await days.position(TODAYS)).net, (await days.position(HELD)).net) == (8, 12)
        await days.is_right()

    days_pass(home, story)


class Killed(Exception):
    """The process ended here."""


class DiesAfter(PaperExchange):
    """An exchange that converts, and whose client is killed before it hears of it."""

    async def convert(self, conversion: Conversion) -> bool:
        await super().convert(conversion)
        raise Killed


def test_what_the_book_cannot_make_is_taken_back_from_the_exchange(home: dict[str, str]) -> None:
    async def story(days: Days) -> None:
        await days.at(MONDAY)
        await days.buys(TODAYS, 20)
        store = days.desk.store
        wish = await store.write(ask, ACTOR, _wish(days, 20), days.clock())
        await _sells(days, TODAYS, 5)  # and now it is too much
        done = await see_through(days.house, store, wish)
        assert done.stage is Stage.REFUSED
        assert ((await days.position(TODAYS)).net, (await days.position(HELD)).net) == (15, 0)
        await days.at("2036-11-24 15:20:00")
        assert (await days.position(TODAYS)).net == 0
        await days.is_right()

    days_pass(home, story)
