"""What is open asks for more as its end comes near, and the books stay what their facts make."""

from __future__ import annotations

from datetime import date, timedelta

from bahi.kernel.clock import exchange_day
from bahi.kernel.money import Money, parse_money, parse_price
from bahi.kernel.words import InstrumentType, Product, Segment
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.ends import Ends
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.service.remargining import remargin
from bahi.portfolio.service.verifying import verify
from tests.portfolio.books import ACCOUNT, ACTOR, PLANS, Desk, at_a_desk

EXPIRY = date(2036, 11, 25)
FUTURE = Key(Segment.NSE_FNO, "SBIN25NOV36FUT", Product.MARGIN)
CALL, HIGHER = (Key(Segment.NSE_FNO, f"SBIN25NOV36{it}CE", Product.MARGIN) for it in (800, 820))
CONTRACTS = {
    FUTURE: Contract(False, None, InstrumentType.FUTSTK, 800, EXPIRY, FUTURE.symbol),
    **{
        key: Contract(True, parse_price(strike), InstrumentType.OPTSTK, 800, EXPIRY, key.symbol)
        for key, strike in ((CALL, "800"), (HIGHER, "820"))
    },
}
DAYS = {Segment.NSE_FNO: tuple(date(2036, 11, it) for it in (24, 25, 26, 27, 28))}


def terms(close: str) -> Terms:
    """Return Zerodha's terms with a close of SBIN."""
    ends = Ends(days=DAYS, close=lambda _segment, _root: parse_price(close))
    return Terms(plan="kite", rates=PLANS.of("kite"), ends=ends)


async def next_day(desk: Desk, by: Terms) -> Book:
    """Let the last day begin, and block what it asks for; asked again, nothing is written."""
    if exchange_day(desk.clock()) != EXPIRY:
        desk.clock.advance(timedelta(days=1))
    asked = (CONTRACTS, by)
    page = await desk.store.write(remargin, ACTOR, ACCOUNT, asked, desk.clock(), account=ACCOUNT)
    again = await desk.store.write(remargin, ACTOR, ACCOUNT, asked, desk.clock(), account=ACCOUNT)
    assert page == again == await desk.page()
    assert [it async for it in verify(desk.store)] == []
    return page


def test_a_future_asks_for_half_as_much_again_on_its_last_day(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = terms("812")
        bought = await desk.buys(800, "800", key=FUTURE, contract=CONTRACTS[FUTURE])
        assert bought.book.margin_used == parse_money("140800")  # 22 % of 6.4 lakh
        page = await next_day(desk, desk.terms)
        assert page.margin_used == parse_money("211200")
        await desk.sells(800, "810", key=FUTURE, contract=CONTRACTS[FUTURE], order=2)
        assert (await desk.page()).margin_used == 0

    at_a_desk(home, story)


def test_a_bought_call_is_asked_by_the_close_of_the_day_before(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = terms("790")
        bought = await desk.buys(800, "5", key=CALL, contract=CONTRACTS[CALL])
        assert bought.book.margin_used == 0  # out of the money, and paid for
        assert (await next_day(desk, terms("799.95"))).margin_used == 0
        page = await next_day(desk, terms("800.05"))
        assert page.margin_used == parse_money("320000")  # half of 6.4 lakh
        assert (await next_day(desk, terms("790"))).margin_used == 0

    at_a_desk(home, story)


def test_what_options_give_each_other_follows_what_each_asks_for(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = terms("790")
        await desk.sells(800, "20", key=CALL, contract=CONTRACTS[CALL])
        await desk.buys(800, "12", key=HIGHER, contract=CONTRACTS[HIGHER], order=2)
        spread = Money(800 * parse_money("20"))
        assert (await desk.page()).margin_used == spread
        page = await next_day(desk, desk.terms)
        assert page.margin_used == spread  # it can lose no more on its last day
        assert (await desk.position(CALL)).margin == parse_money("211200")

    at_a_desk(home, story)
