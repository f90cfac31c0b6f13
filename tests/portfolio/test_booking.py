"""A trade in the book: its charges, its ledger, its margin; and the end of its day."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import parse_money, parse_price
from bahi.kernel.words import InstrumentType, Product, Segment, Side
from bahi.portfolio.model.charges import FIRST
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.money import Entry
from bahi.portfolio.model.position import Key
from bahi.portfolio.service.books import booked_of, open_book
from bahi.portfolio.service.closing import Closing, deliver_all, settle_all
from bahi.portfolio.service.notes import Day, Settled, settle_day
from bahi.portfolio.tables import ledger_entries, trades
from tests.portfolio.books import (
    ACCOUNT,
    ACTOR,
    FREE,
    HELD,
    KITE,
    MONDAY,
    NOON,
    Desk,
    at_a_desk,
    opening,
)

NIFTY = Key(Segment.NSE_FNO, "NIFTY28NOV3626000CE", Product.MARGIN)
CALL = Contract(True, parse_price("26000"), InstrumentType.OPTIDX, 75)


def ledger(tx: Tx) -> list[Row]:
    it = ledger_entries.c
    clause = sa.select(it.kind, it.credit - it.debit, it.balance).where(it.account_id == ACCOUNT)
    return [tuple(row) for row in tx.rows(clause.order_by(it.id))]


def charged(tx: Tx) -> list[Row]:
    it = trades.c
    clause = sa.select(it.brokerage, it.stt, it.stamp_duty, it.total_charges, it.net_amount)
    return [tuple(row) for row in tx.rows(clause.order_by(it.id))]


def test_a_trade_is_two_lines_of_the_ledger_its_value_and_its_charges(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(100, "800", key=HELD)
        cost = parse_money("94.9925")  # the first of the worked examples
        value = parse_money("80000")
        assert await desk.cash() == -value - cost
        lines = await desk.store.read(ledger, fresh=True)
        assert [it[:2] for it in lines[1:]] == [
            (Entry.TRADE, -value),
            (Entry.CHARGES, -cost),
        ]
        ((*_, total, net),) = await desk.store.read(charged, fresh=True)
        assert (total, net) == (cost, -value - cost)

    at_a_desk(home, story)


def test_the_fills_of_one_order_pay_its_brokerage_once(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        for quantity in (10, 60, 30):
            await desk.buys(quantity, "800", order=5)
        await desk.buys(100, "800", order=6)
        rows = await desk.store.read(charged, fresh=True)
        rupees = [parse_money(it) for it in ("2.4", "14.4", "3.2", "20")]  # 0.03 %, up to 20
        assert [it[0] for it in rows] == rupees
        assert sum(it[3] for it in rows[:3]) == rows[3][3]
        await desk.page()

    at_a_desk(home, story)


def test_without_rates_a_trade_costs_nothing(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await desk.buys(10, "800")
        await desk.sells(10, "810")
        assert await desk.cash() == parse_money("100")

    at_a_desk(home, story)


def test_a_written_option_blocks_a_margin_by_the_class_of_what_it_is_on(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        await desk.sells(75, "120", key=NIFTY, contract=CALL)
        page = await desk.page()
        assert page.margin_used == parse_money("253500")  # 13 % of 75 times 26,000
        last = CALL._replace(expiry=MONDAY)
        await desk.sells(75, "120", key=NIFTY, contract=last, order=2)
        page = await desk.page()
        assert page.margin_used == parse_money("585000")  # 15 % of 150 times 26,000, on expiry day
        await desk.buys(150, "100", key=NIFTY, contract=last, order=3)
        assert (await desk.page()).margin_used == 0

    at_a_desk(home, story)


def test_the_day_is_settled_to_its_contract_note_once(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(101, "803.05", key=HELD)  # 81,108.05: STT 81.1081 (rounded), stamp 12.1662
        settled = await desk.store.write(_settle, desk)
        assert settled.rounding == parse_money("0.1081") + parse_money("0.1662")
        assert settled.depository == 0
        again = await desk.store.write(_settle, desk)
        assert again == (0, 0)
        # One is sold on the same day: it was never delivered, and is taxed as intraday is. STT is
        # 80.305 on the hundred and 0.2008 on the one: 81, where the fills paid 81.1081 and 0.8031.
        # Stamp is 12.0458 and 0.0241: 12, where the fill paid 12.1662.
        await desk.sells(1, "803.05", key=HELD, order=2)
        late = await desk.store.write(_settle, desk)
        assert late.rounding == parse_money("0.9112") - parse_money("0.1081")
        await desk.page()

    at_a_desk(home, story)


def test_a_sale_from_the_demat_account_pays_the_depository_once_for_both_exchanges(
    home: dict[str, str],
) -> None:
    on_bse = HELD._replace(segment=Segment.BSE_EQ)

    async def story(desk: Desk) -> None:
        await desk.buys(100, "800", key=HELD)
        await desk.buys(100, "800", key=on_bse, order=2)
        assert (await desk.store.write(_settle, desk)).depository == 0
        desk.clock.advance(timedelta(days=1))
        await desk.sells(10, "800", key=HELD, order=3)
        await desk.sells(10, "800", key=HELD, order=4)
        await desk.sells(10, "800", key=on_bse, order=5)
        settled = await desk.store.write(_settle, desk)
        assert settled.depository == -parse_money("15.34")
        assert (await desk.store.write(_settle, desk)).depository == 0
        await desk.page()

    at_a_desk(home, story)


def _settle(tx: Tx, desk: Desk) -> Settled:
    now = desk.clock()
    isins = {(it, "SBIN"): "INE062A01020" for it in (Segment.NSE_EQ, Segment.BSE_EQ)}
    day = Day(ACCOUNT, exchange_day(now), isins)
    return settle_day(tx, ACTOR, day, KITE, now)


def test_any_order_of_fills_leaves_the_same_money(home: dict[str, str]) -> None:
    many = [(Side.BUY, 10, "800.05"), (Side.SELL, 4, "801.15"), (Side.BUY, 7, "799.95")]

    async def story(desk: Desk) -> None:
        ends = set()
        for turn in range(3):
            before = (await desk.page()).cash
            key = Key(Segment.NSE_EQ, f"S{turn}", Product.CNC)
            for side, quantity, rupees in many[turn:] + many[:turn]:
                order = 10 * turn + (1 if side is Side.BUY else 2)
                await desk.deals(side, quantity, rupees, key=key, order=order)
            ends.add((await desk.page()).cash - before)
        assert len(ends) == 1

    at_a_desk(home, story)


def test_fills_that_come_late_leave_the_position_that_all_of_them_make(
    home: dict[str, str],
) -> None:
    hours = [0, 26, 2, 25, 27, 1, 49, 26, 3, 50]  # of three days, told in this order

    async def story(desk: Desk) -> None:
        for number, hour in enumerate(hours):
            side = Side.SELL if number % 3 == 1 else Side.BUY
            at = NOON + timedelta(hours=hour)
            await desk.deals(side, number + 1, f"80{number}", at=at, order=number + 1)
            await desk.page()  # the position is what its facts make, whatever came late
        position = await desk.position()
        assert position.day == exchange_day(NOON + timedelta(hours=50))
        assert position.eve is not None

    at_a_desk(home, story)


def test_what_an_order_comes_to_may_be_handed_on_instead_of_looked_up(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        earlier = (await desk.store.read(booked_of, 5, fresh=True)).earlier
        assert earlier == FIRST
        for quantity in (10, 60, 30):
            booked = await desk.buys(quantity, "800", order=5, earlier=earlier)
            assert booked.earlier is not None
            earlier = booked.earlier
            assert (await desk.store.read(booked_of, 5, fresh=True)).earlier == earlier
        rows = await desk.store.read(charged, fresh=True)
        assert sum(it[0] for it in rows) == parse_money("20")

    at_a_desk(home, story)


def test_the_end_of_the_day_goes_through_every_account(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.store.write(open_book, opening(8), desk.clock(), account=8)
        await desk.buys(101, "803.05", key=HELD)
        closing = Closing(day=MONDAY, terms_of=lambda account_id: KITE, isins={})
        assert await settle_all(desk.store, ACTOR, closing, desk.clock) == (2, 1)
        assert await settle_all(desk.store, ACTOR, closing, desk.clock) == (2, 0)
        assert await deliver_all(desk.store, {Segment.NSE_EQ: MONDAY}, desk.clock) == 1
        await desk.page()

    at_a_desk(home, story)
