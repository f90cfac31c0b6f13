"""What an account brings with it, and a paper account that begins anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bahi.db.tx import Tx
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict, Forbidden, Invalid
from bahi.kernel.money import parse_money
from bahi.kernel.words import AccountMode
from bahi.portfolio.model.adjustment import Brought
from bahi.portfolio.model.lots import Term
from bahi.portfolio.service.beginning import BroughtForward, bring_forward, reset_paper
from bahi.portfolio.service.books import lock_book, open_book, save_book
from bahi.portfolio.service.reports import Period, closed_lots
from bahi.portfolio.service.verifying import verify
from tests.portfolio.books import (
    ACCOUNT,
    ACTOR,
    FREE,
    HELD,
    MONDAY,
    NOON,
    SHARE,
    Desk,
    at_a_desk,
    opening,
)


def _with_an_order(tx: Tx) -> None:
    page = lock_book(tx, ACCOUNT)
    save_book(tx, page, replace(page, open_orders=1), NOON)


OLD = Brought(date(2034, 1, 2), 10, parse_money("4000"))
YOUNG = Brought(date(2036, 10, 1), 5, parse_money("3500"))


def forward(*lots: Brought) -> BroughtForward:
    return BroughtForward(
        account_id=ACCOUNT, key=HELD, contract=SHARE, lots=lots, reason="from the old desk"
    )


def test_lots_that_are_brought_forward_keep_their_age_and_cost_no_money(
    home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        desk.terms = FREE
        await desk.store.write(bring_forward, ACTOR, forward(OLD, YOUNG), FREE, desk.clock())
        position = await desk.position(HELD)
        assert (position.net, position.open_cost) == (15, parse_money("7500"))
        assert await desk.cash() == 0
        desk.clock.advance(timedelta(days=1))
        await desk.sells(12, "800", key=HELD)
        over = Period(MONDAY, exchange_day(desk.clock()))
        closed = [it.match for it in await closed_lots(desk.store, ACCOUNT, over)]
        assert [(it.term, it.quantity, it.bought) for it in closed] == [
            (Term.LONG_TERM, 10, parse_money("4000")),
            (Term.SHORT_TERM, 2, parse_money("1400")),
        ]
        assert [it async for it in verify(desk.store)] == []

    at_a_desk(home, story)


@pytest.mark.parametrize(
    "lots", [(), (OLD._replace(quantity=0),), (OLD._replace(day=date(2037, 1, 1)),)]
)
def test_lots_that_cannot_be_are_refused(
    sqlite_home: dict[str, str], lots: tuple[Brought, ...]
) -> None:
    async def story(desk: Desk) -> None:
        with pytest.raises(Invalid):
            await desk.store.write(bring_forward, ACTOR, forward(*lots), FREE, desk.clock())

    at_a_desk(sqlite_home, story)


def test_a_paper_account_begins_anew_and_its_facts_stay(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(10, "800")
        await desk.buys(10, "800", key=HELD, order=2)
        capital = parse_money("500000")
        await desk.store.write(reset_paper, ACTOR, ACCOUNT, capital, desk.clock())
        page = await desk.page()
        assert (page.cash, page.margin_used, page.available) == (capital, 0, capital)
        assert (await desk.position()).net == (await desk.position(HELD)).net == 0
        assert [it async for it in verify(desk.store)] == []

    at_a_desk(home, story)


def test_a_live_account_never_begins_anew_nor_one_with_working_orders(
    sqlite_home: dict[str, str],
) -> None:
    async def story(desk: Desk) -> None:
        live = replace(opening(8), mode=AccountMode.LIVE)
        await desk.store.write(open_book, live, desk.clock(), account=8)
        with pytest.raises(Forbidden):
            await desk.store.write(reset_paper, ACTOR, 8, live.cash, desk.clock())
        await desk.store.write(_with_an_order)
        with pytest.raises(Conflict, match="cancel"):
            await desk.store.write(reset_paper, ACTOR, ACCOUNT, live.cash, desk.clock())

    at_a_desk(sqlite_home, story)
