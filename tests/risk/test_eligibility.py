"""Bans and surveillance by dated lists, and limits that are held to the mean price."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from bahi.bootstrap import House
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Forbidden, Invalid
from bahi.kernel.money import Price
from bahi.kernel.words import OrderStatus, OrderType, Product, Role, Segment, Side
from bahi.orders.model.order import Order
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import place_order
from bahi.risk.model.eligibility import DatedList, ListName, in_force, kept_off, read_csv
from bahi.risk.service.eligibility import enter_list, load_list
from tests.living import MORNING, live_in, stopped
from tests.orders.desks import ACTOR, NOON, OPEN, limit, paper_desk
from tests.quotes.names import FUTURE, SBIN

DAY = date(2036, 11, 24)
PUBLISHED = "Securities in Ban For Trade Date 24-NOV-2036:\n1,SBIN\n2,M&M\n"


@pytest.fixture
def furnished_at() -> datetime:
    """Have these houses furnished on the morning of their day."""
    return MORNING


def a_list(name: ListName, *symbols: str, since: date = DAY) -> DatedList:
    return DatedList(name=name, since=since, source="NSE", symbols=frozenset(symbols))


def test_a_list_is_read_as_exchanges_publish_it() -> None:
    assert read_csv(PUBLISHED) == {"SBIN", "M&M"}
    assert read_csv('Sr. No.,SYMBOL,Stage\n1,"sbin",II\n2,TCS,I\n') == {"SBIN", "TCS"}
    assert read_csv("Securities in Ban For Trade Date 24-NOV-2036:\nNIL\n") == frozenset()
    assert read_csv("") == frozenset()
    with pytest.raises(Invalid, match="line 2: 'STATE BANK' is no symbol"):
        read_csv("symbol\nState Bank\n")
    with pytest.raises(Invalid, match="No symbol was found"):
        read_csv("something\nelse\n")


def test_of_each_list_the_newest_that_has_begun_holds() -> None:
    old = a_list(ListName.FNO_BAN, "SBIN", since=date(2036, 11, 20))
    newer = replace(a_list(ListName.FNO_BAN), id=7)
    coming = a_list(ListName.FNO_BAN, "TCS", since=date(2036, 11, 25))
    assert in_force([coming, newer, old], DAY) == {ListName.FNO_BAN: newer}
    assert in_force([coming, old], date(2036, 11, 19)) == {}
    again = replace(a_list(ListName.FNO_BAN, "TCS"), id=8)
    assert in_force([again, newer], DAY) == {ListName.FNO_BAN: again}


def test_the_series_of_a_share_keeps_it_from_being_traded_for_the_day() -> None:
    (why,) = kept_off(replace(SBIN, series="BE"), {})
    assert Product.INTRADAY in why.products
    assert Product.CNC not in why.products
    assert "series BE" in why.why
    assert kept_off(SBIN, {}) == ()
    nifty = {ListName.FNO_BAN: a_list(ListName.FNO_BAN, "NIFTY", "SBIN")}
    assert len(kept_off(FUTURE, nifty)) == 1
    assert kept_off(SBIN, nifty) == ()  # shares of what is banned trade on


Story = Callable[[House, Desk], Awaitable[None]]


def _at_noon(home: dict[str, str], story: Story) -> None:
    async def whole(house: House) -> None:
        await story(house, await paper_desk(house))

    live_in(home | OPEN, whole, stopped(NOON))


async def _enters(house: House, *lists: DatedList) -> None:
    for it in lists:
        await house.stores["main"].write(enter_list, ACTOR, it, house.clock())
    await house.revisions.look()
    await house.floor.renew()


def _future(desk: Desk, house: House) -> Instrument:
    day = exchange_day(house.clock())
    names = (f"SBIN{day + timedelta(days=n):%d%b%y}FUT".upper() for n in range(40))
    found = (house.floor.market.instrument(Segment.NSE_FNO, it) for it in names)
    return next(it for it in found if it is not None)


def _wish(desk: Desk, it: Instrument, side: Side, percent: int) -> PlaceOrder:
    last = desk.look(it.segment, it.symbol).price
    assert last is not None
    tick = it.tick_size or Price(1)
    return PlaceOrder(
        segment=it.segment,
        symbol=it.symbol,
        side=side,
        quantity=it.lot_size,
        product=Product.MARGIN,
        order_type=OrderType.LIMIT,
        price=Price(last * percent // 100 // tick * tick),
    )


def _said(order: Order) -> tuple[OrderStatus, str | None]:
    return order.status, order.error_code


def test_what_is_banned_is_entered_no_more_and_exited_still(home: dict[str, str]) -> None:
    async def story(house: House, desk: Desk) -> None:
        future = _future(desk, house)
        bought = await place_order(desk, _wish(desk, future, Side.BUY, 101))
        assert bought.filled == future.lot_size
        ban = replace(a_list(ListName.FNO_BAN), symbols=frozenset())
        loaded = await house.stores["main"].write(load_list, ACTOR, ban, PUBLISHED, house.clock())
        assert loaded.symbols == {"SBIN", "M&M"}
        await _enters(house)
        more = await place_order(desk, _wish(desk, future, Side.BUY, 101))
        assert _said(more) == (OrderStatus.REJECTED, "ELIGIBILITY")
        assert "it is in the F&O ban; what is open may only be closed (NSE, 2036-11-24)" in str(
            more.error_message
        )
        assert (await place_order(desk, limit(desk))).filled == 10
        sold = await place_order(desk, _wish(desk, future, Side.SELL, 99))
        assert sold.filled == future.lot_size
        await _enters(house, a_list(ListName.FNO_BAN))
        assert (await place_order(desk, _wish(desk, future, Side.BUY, 101))).filled

    _at_noon(home, story)


def test_shares_under_surveillance_are_for_delivery_alone(home: dict[str, str]) -> None:
    async def story(house: House, desk: Desk) -> None:
        tomorrow = a_list(ListName.NOT_INTRADAY, "SBIN", since=DAY + timedelta(days=1))
        await _enters(house, tomorrow)
        assert (await place_order(desk, limit(desk))).filled == 10
        await _enters(house, a_list(ListName.ASM, "SBIN"))
        assert _said(await place_order(desk, limit(desk)))[1] == "ELIGIBILITY"
        assert (await place_order(desk, replace(limit(desk), product=Product.CNC))).filled == 10
        trader = Actor(name="asha", user_id=7, role=Role.TRADER)
        with pytest.raises(Forbidden):
            await house.stores["main"].write(enter_list, trader, tomorrow, house.clock())

    _at_noon(home, story)


def test_a_limit_beyond_the_price_protection_is_refused_before_the_wire(
    home: dict[str, str],
) -> None:
    async def story(house: House, desk: Desk) -> None:
        future = _future(desk, house)
        wish = _wish(desk, future, Side.BUY, 108)
        far = await place_order(desk, wish)
        assert _said(far) == (OrderStatus.REJECTED, "PRICE_BAND")
        assert far.broker_order_id is None
        assert "out of the circuit limit: it is taken from" in str(far.error_message)
        stop = replace(
            _wish(desk, future, Side.BUY, 108),
            order_type=OrderType.STOP_LOSS,
            trigger_price=_wish(desk, future, Side.BUY, 107).price,
        )
        assert (await place_order(desk, stop)).trigger_pending  # it is looked at when it fires
        market = replace(wish, order_type=OrderType.MARKET, price=None)
        assert (await place_order(desk, market)).filled

    _at_noon(home, story)
