"""What was made, by day, symbol, strategy, account and person; and by lots for the tax."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bahi.kernel.clock import exchange_day
from bahi.kernel.money import parse_money
from bahi.kernel.words import InstrumentType, Product, Segment
from bahi.portfolio.model.gains import summed
from bahi.portfolio.model.lots import Term
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key
from bahi.portfolio.repository import dealings
from bahi.portfolio.service.adjusting import convert, settle_expiry
from bahi.portfolio.service.notes import Day, settle_day
from bahi.portfolio.service.reports import (
    Period,
    closed_lots,
    gains,
    person_of,
    strategy_of,
    tax_of,
)
from tests.portfolio.books import ACCOUNT, ACTOR, FREE, HELD, KITE, MONDAY, SBIN, Desk, at_a_desk
from tests.portfolio.test_adjusting import CALL, OF_CALL, end, to

TUESDAY = MONDAY + timedelta(days=1)
DAYS = Period(MONDAY, TUESDAY)
INFY = SBIN._replace(symbol="INFY")


def test_profit_by_day_symbol_strategy_account_and_person(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(10, "800", order=1)
        await desk.sells(10, "810", order=2)  # 100 on Monday
        await desk.sells(5, "1500", key=INFY, order=3)
        desk.clock.advance(timedelta(days=1))
        await desk.buys(5, "1520", key=INFY, order=4)  # 100 lost on Tuesday
        for day in DAYS:
            await desk.store.write(settle_day, ACTOR, Day(ACCOUNT, day, {}), KITE, desk.clock())
        told: list[tuple[int, int]] = []
        found = await gains(desk.store, ACCOUNT, DAYS, lambda *it: told.append(it))
        assert told == [(1, 2), (2, 2)]

        days = summed(found, lambda it: it.day)
        assert [days[it].gross for it in DAYS] == [parse_money("100"), -parse_money("100")]
        assert days[MONDAY].turnover == parse_money("23600")  # 8,000, 8,100 and 7,500
        assert days[MONDAY].net_cash == parse_money("7600")
        assert sum(it.net for it in days.values()) == await desk.cash()

        symbols = summed(found, lambda it: it.key and it.key.symbol)
        assert symbols["SBIN"].gross == parse_money("100")
        assert symbols["INFY"].trades == 2
        assert symbols[None].gross == 0  # the rounding of notes, which is of no symbol
        by_strategy = summed(found, strategy_of({1: "trend", 2: "trend", 4: None}))
        assert by_strategy["trend"].gross == parse_money("100")
        by_person = summed(found, person_of({ACCOUNT: "Asha"}))
        assert by_person["Asha"].net == await desk.cash()

        (only,) = {it.day for it in await gains(desk.store, ACCOUNT, Period(TUESDAY, TUESDAY))}
        assert only == TUESDAY

    at_a_desk(home, story)


def test_what_is_only_bought_is_no_loss(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await desk.buys(10, "800", key=HELD)
        (total,) = summed(await gains(desk.store, ACCOUNT, DAYS), lambda it: it.day).values()
        assert (total.gross, total.net_cash) == (0, -parse_money("8000"))

    at_a_desk(home, story)


def test_the_tax_report_of_a_person_over_their_accounts(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await desk.buys(10, "800")
        await desk.store.write(convert, ACTOR, to(Product.CNC, 4), FREE, desk.clock())
        await desk.sells(6, "805", order=2)  # the same day: 30
        await desk.buys(750, "20", key=CALL, contract=OF_CALL, order=3)
        await desk.store.write(
            settle_expiry, ACTOR, end(CALL, OF_CALL, "830"), FREE, desk.clock()
        )  # 7,500
        desk.clock.advance(timedelta(days=366))
        await desk.sells(4, "790", key=HELD, order=4)  # a year and a day later: 40 lost
        over = Period(MONDAY, exchange_day(desk.clock()))
        tax = await tax_of(desk.store, {"Asha": [ACCOUNT], "Bharat": []}, over)
        assert tax["Bharat"] == {}
        asha = tax["Asha"]
        assert {term: it.gain for term, it in asha.items()} == {
            Term.SPECULATIVE: parse_money("30"),
            Term.BUSINESS: parse_money("7500"),
            Term.LONG_TERM: -parse_money("40"),
        }
        assert asha[Term.LONG_TERM].turnover == parse_money("40")
        late = Period(MONDAY + timedelta(days=2), over.last)
        (last,) = await closed_lots(desk.store, ACCOUNT, late)
        assert (last.match.term, last.match.opened) == (Term.LONG_TERM, MONDAY)

    at_a_desk(home, story)


def test_the_turnover_of_derivatives_is_the_sum_of_gains_and_losses(home: dict[str, str]) -> None:
    key = Key(Segment.NSE_FNO, "NIFTY25NOV36FUT", Product.MARGIN)
    future = Contract(False, None, InstrumentType.FUTIDX, 75)

    async def story(desk: Desk) -> None:
        desk.terms = FREE
        more: dict[str, Any] = {"key": key, "contract": future}
        await desk.buys(75, "26000", order=1, **more)
        await desk.sells(75, "26010", order=2, **more)  # 750
        await desk.sells(75, "26010", order=3, **more)
        await desk.buys(75, "26030", order=4, **more)  # 1,500 lost
        tax = await tax_of(desk.store, {"Asha": [ACCOUNT]}, DAYS)
        business = tax["Asha"][Term.BUSINESS]
        assert (business.gain, business.turnover) == (-parse_money("750"), parse_money("2250"))

    at_a_desk(home, story)


def test_a_report_reads_its_facts_in_pages(home: dict[str, str], monkeypatch: Any) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        for number in range(9):
            await desk.buys(1, "800", order=number)
        monkeypatch.setattr(dealings, "PAGE", 2)
        found = await gains(desk.store, ACCOUNT, DAYS)
        assert sum(it.trades for it in found) == 9

    at_a_desk(home, story)
