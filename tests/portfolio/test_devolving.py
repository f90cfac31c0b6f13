"""Options on goods: what is in the money becomes a position in the future that they are on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bahi.kernel.actor import Actor
from bahi.kernel.errors import Conflict, Forbidden, Invalid
from bahi.kernel.money import Money, parse_money, parse_price
from bahi.kernel.words import InstrumentType, OptionType, Product, Segment
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.official import Official
from bahi.portfolio.model.position import Key
from bahi.portfolio.service.adjusting import Expiry, settle_expiry
from bahi.portfolio.service.official import enter_official, official_price
from bahi.portfolio.service.verifying import verify
from tests.portfolio.books import ACCOUNT, ACTOR, FREE, KITE, MONDAY, Desk, at_a_desk

FUTURE = Key(Segment.MCX_COMM, "CRUDEOIL19DEC36FUT", Product.MARGIN)
IT = Contract(False, None, InstrumentType.FUTCOM, 100, None, FUTURE.symbol)


def option(right: OptionType) -> tuple[Key, Contract]:
    symbol = f"CRUDEOIL24NOV365000{right}"
    contract = Contract(True, parse_price("5000"), InstrumentType.OPTFUT, 100, MONDAY, symbol)
    return Key(Segment.MCX_COMM, symbol, Product.MARGIN), contract


def ends(right: OptionType, close: str) -> Expiry:
    key, contract = option(right)
    return Expiry(
        account_id=ACCOUNT,
        key=key,
        contract=contract,
        option=right,
        close=parse_price(close),
        reason=f"{key.symbol} ended",
        delivers=FUTURE,
        into=IT,
    )


@pytest.mark.parametrize(
    ("right", "held", "close", "net", "worth"),
    [
        (OptionType.CE, 100, "5200", 100, "200"),  # long, from the strike of 5,000
        (OptionType.PE, 100, "4900", -100, "100"),
        (OptionType.CE, -100, "5200", -100, "-200"),
        (OptionType.PE, -100, "4900", 100, "-100"),
        (OptionType.CE, 100, "4999.95", 0, "0"),
    ],
)
def test_what_is_in_the_money_becomes_the_future_at_its_price(
    sqlite_home: dict[str, str], right: OptionType, held: int, close: str, net: int, worth: str
) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        key, contract = option(right)
        deal = desk.buys if held > 0 else desk.sells
        await deal(abs(held), "150", key=key, contract=contract)
        paid = await desk.cash()
        done = await desk.store.write(settle_expiry, ACTOR, ends(right, close), FREE, desk.clock())
        assert len(done.made) == 1 + bool(net)
        future = await desk.position(FUTURE)
        assert (future.net, future.open_cost) == (net, parse_price(close) * abs(net))
        assert await desk.cash() - paid == parse_money(worth) * 100
        assert (await desk.position(key)).net == 0
        again = await desk.store.write(settle_expiry, ACTOR, ends(right, close), FREE, desk.clock())
        assert again.made == ()
        assert [it async for it in verify(desk.store)] == []

    at_a_desk(sqlite_home, story)


def test_it_closes_a_future_that_is_open_the_other_way_and_pays_what_that_made(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        key, contract = option(OptionType.CE)
        await desk.buys(100, "150", key=key, contract=contract)
        await desk.sells(100, "5250", key=FUTURE, contract=IT, order=2)
        before = await desk.cash()
        end = ends(OptionType.CE, "5200")
        await desk.store.write(settle_expiry, ACTOR, end, KITE, desk.clock())
        # 200 each of the option, and 50 each of the future that was sold at 5,250
        assert await desk.cash() - before == parse_money("25000")
        page = await desk.page()
        assert (page.margin_used, (await desk.position(FUTURE)).net) == (0, 0)
        assert [it async for it in verify(desk.store)] == []

    at_a_desk(home, story)


RATE = Official(Segment.NSE_CURRENCY, "USDINR", MONDAY, parse_price("88.4025"), "FBIL")


def test_a_published_price_is_entered_once(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        main, now = desk.house.stores["main"], desk.clock()

        async def enter(it: Official, actor: Actor = ACTOR) -> None:
            await main.write(enter_official, actor, it, now)

        for _ in range(2):
            await enter(RATE)
        found = await main.read(official_price, *RATE[:3], fresh=True)
        assert found == parse_price("88.4025")
        assert await main.read(official_price, Segment.MCX_COMM, *RATE[1:3], fresh=True) is None
        with pytest.raises(Conflict, match=r"is 88\.4025 already"):
            await enter(RATE._replace(price=parse_price("88.5")))
        for wrong in ({"price": Money(0)}, {"day": MONDAY + timedelta(days=1)}, {"source": ""}):
            with pytest.raises(Invalid):
                await enter(RATE._replace(**wrong))
        with pytest.raises(Forbidden):
            await enter(RATE, Actor(name="somebody"))

    at_a_desk(home, story)
