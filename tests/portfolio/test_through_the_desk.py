"""Orders on the paper exchange that are charged, to the day's end and through every check."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from bahi.bootstrap import House
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import exchange_day
from bahi.kernel.words import OrderStatus, Product, Segment, Side
from bahi.orders.service.placing import place_order
from bahi.portfolio.model.charges import Dealt, charges
from bahi.portfolio.model.rates import Deal, Kind
from bahi.portfolio.service.notes import Day, settle_day
from bahi.portfolio.service.rates import LiveRates, furnish_rates
from bahi.portfolio.service.reports import Period, gains
from bahi.portfolio.service.verifying import verify
from bahi.portfolio.tables import trades
from tests.living import live_in, stopped
from tests.orders.desks import OPEN, limit, paper_desk
from tests.portfolio.books import ACTOR, NOON


def charged(tx: Tx) -> list[Row]:
    it = trades.c
    clause = sa.select(it.order_id, sa.func.sum(it.brokerage), sa.func.sum(it.total_charges))
    return [tuple(row) for row in tx.rows(clause.group_by(it.order_id).order_by(it.order_id))]


def test_an_order_is_charged_once_however_it_fills_and_all_balances(home: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        main = house.stores["main"]
        await furnish_rates(main, clock())
        desk = await paper_desk(house)
        terms = await LiveRates(main, house.revisions).terms("paper")
        desk = replace(desk, terms=terms)
        placed = [
            await place_order(desk, limit(desk, side, quantity, product=product))
            for side, quantity, product in (
                (Side.BUY, 700, Product.INTRADAY),
                (Side.SELL, 700, Product.INTRADAY),
                (Side.BUY, 30, Product.CNC),
            )
        ]
        assert placed[0].status in {OrderStatus.EXECUTED, OrderStatus.PARTIAL}
        rows = {row[0]: row[1:] for row in await desk.store.read(charged, fresh=True)}
        for order in placed:
            deal = Deal(
                exchange_day(clock()), Segment.NSE_EQ, Kind.EQUITY, order.product, order.side
            )
            whole = charges(terms.rates, deal, Dealt(order.filled, 0, order.traded_value))
            brokerage, total = rows[order.id]
            assert brokerage == whole.brokerage
            assert abs(total - whole.total) <= 50  # each fill's taxes to the ten-thousandth
        day = exchange_day(clock())
        of = Day(desk.account_id, day, {})
        await desk.store.write(settle_day, ACTOR, of, terms, clock())
        found = await gains(desk.store, desk.account_id, Period(day, day))
        assert sum(it.charges for it in found) > 0
        assert [it async for it in verify(desk.store)] == []

    live_in(home | OPEN, story, clock)
