"""A broker's books against ours, from the reading to the alert, through the house's own rooms."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

import pytest
import sqlalchemy as sa

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import get_account
from bahi.bootstrap import House
from bahi.bootstrap.reconciling import How, Outcome, reconcile_all, reconcile_one, teller_of
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import StoppedClock
from bahi.kernel.errors import Invalid, NotFound, Silent
from bahi.kernel.money import parse_money, parse_price
from bahi.kernel.ports import HeldShare, OpenPosition, Purse, Teller, ToldTrade
from bahi.kernel.words import Product, Segment, Side
from bahi.notify.service import find_open
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import place_order
from bahi.portfolio.model.adjustment import Brought
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.service.beginning import BroughtForward, bring_forward, reset_paper
from bahi.portfolio.service.reconciling import open_breaks, settle_break
from bahi.portfolio.tables import (
    books,
    fund_snapshots,
    holding_snapshots,
    position_snapshots,
    reconciliation_breaks,
)
from tests.living import live_in, stopped
from tests.orders.desks import ACTOR, NOON, OPEN, limit, paper_desk

HELD = Key(Segment.NSE_EQ, "SBIN", Product.CNC)
T = TypeVar("T")
CRORE = parse_money("10000000")
FREE = Terms(plan="none")


async def at_once(_seconds: float) -> None:
    """Wait for nothing: no test waits."""


NOW = How(pause=at_once)


@dataclass
class Told:
    """A broker whose answers a test writes; None is silence."""

    open: tuple[OpenPosition, ...] | None = ()
    held: tuple[HeldShare, ...] | None = ()
    purse: Purse | None = None
    traded: tuple[ToldTrade, ...] | None = None

    async def positions(self) -> tuple[OpenPosition, ...]:
        return _said(self.open)

    async def holdings(self) -> tuple[HeldShare, ...]:
        return _said(self.held)

    async def funds(self) -> Purse:
        return _said(self.purse)

    async def trade_book(self) -> tuple[ToldTrade, ...]:
        return _said(self.traded)


def _said(it: T | None) -> T:
    if it is None:
        raise Silent
    return it


@dataclass
class Place:
    """A desk with what its broker tells."""

    house: House
    desk: Desk
    clock: StoppedClock

    async def reconciled(self, teller: Teller | None = None, how: How = NOW) -> Outcome:
        return await reconcile_one(self.house, ACTOR, self.desk.account_id, how, teller)

    async def is_told(self, topic: str = "reconcile") -> bool:
        name = f"{topic}:{self.desk.account_id}"
        return await self.house.stores["main"].read(find_open, name, fresh=True) is not None

    async def written(self, table: sa.Table, *names: str) -> list[Row]:
        def rows(tx: Tx) -> list[Row]:
            clause = sa.select(*(table.c[it] for it in names))
            return [tuple(row) for row in tx.rows(clause)]

        return await self.desk.store.read(rows, fresh=True)


def at_a_place(home: dict[str, str], story: Callable[[Place], Awaitable[None]]) -> None:
    clock = stopped(NOON)

    async def whole(house: House) -> None:
        await story(Place(house, await paper_desk(house), clock))

    live_in(home | OPEN, whole, clock)


def share(quantity: int, product: Product = Product.INTRADAY) -> OpenPosition:
    return OpenPosition(segment=Segment.NSE_EQ, symbol="SBIN", product=product, quantity=quantity)


def test_the_paper_exchange_agrees_day_after_day(home: dict[str, str]) -> None:
    async def story(place: Place) -> None:
        desk = place.desk
        await place_order(desk, limit(desk, Side.BUY, 30, product=Product.CNC))
        await place_order(desk, limit(desk, Side.BUY, 10))
        await place_order(desk, limit(desk, Side.SELL, 4))
        place.clock.advance(timedelta(days=1))
        await place_order(desk, limit(desk, Side.SELL, 12, product=Product.CNC))
        teller = teller_of(place.house, await _account(place))
        (held,) = await teller.holdings()
        assert (held.quantity, held.delivered, held.coming) == (30, None, None)
        assert held.average_price is not None
        told = {it.product: it.quantity for it in await teller.positions()}
        assert told == {Product.CNC: -12, Product.INTRADAY: 6}
        assert await teller.funds() == Purse()
        assert [it.side for it in await teller.trade_book()] == ["SELL"]
        assert await place.reconciled() == (desk.account_id, (), 0, 0, ())
        assert not await place.is_told()
        assert sorted(await place.written(position_snapshots, "net_qty")) == [(-12,), (6,)]
        assert await place.written(holding_snapshots, "total_qty", "dp_qty") == [(30, None)]
        assert await place.written(fund_snapshots, "available_balance") == []  # nobody told
        ((positions_at, funds_at),) = await place.written(
            books, "last_positions_at", "last_funds_at"
        )
        assert positions_at is not None
        assert funds_at is None

    at_a_place(home, story)


def test_what_no_exchange_can_know_is_no_break(home: dict[str, str]) -> None:
    async def story(place: Place) -> None:
        desk = place.desk
        await place_order(desk, limit(desk, Side.BUY, 30, product=Product.CNC))
        brought = BroughtForward(
            account_id=desk.account_id,
            key=HELD,
            contract=Contract(is_option=False),
            lots=(Brought(NOON.date() - timedelta(days=400), 5, parse_money("2000")),),
            reason="held before",
        )
        await desk.store.write(bring_forward, ACTOR, brought, FREE, place.clock())
        assert (await place.reconciled()).breaks == ()
        await desk.store.write(reset_paper, ACTOR, desk.account_id, CRORE, place.clock())
        assert (await place.reconciled()).breaks == ()
        place.clock.advance(timedelta(days=1))
        assert (await place.reconciled()).breaks == ()

    at_a_place(home, story)


def test_a_break_raises_one_alert_which_ends_with_it(home: dict[str, str]) -> None:
    async def story(place: Place) -> None:
        await place_order(place.desk, limit(place.desk, Side.BUY, 10))
        for quantity in (12, 13):
            found = await place.reconciled(Told((share(quantity),)))
            assert len(found.breaks) == 1
            place.clock.advance(timedelta(minutes=15))
        assert await place.is_told()
        assert (await place.reconciled(Told((share(10),)))).settled == 1
        assert not await place.is_told()

    at_a_place(home, story)


def test_silence_is_neither_zero_nor_flat_and_settles_nothing(home: dict[str, str]) -> None:
    async def story(place: Place) -> None:
        await place_order(place.desk, limit(place.desk, Side.BUY, 10))
        await place.reconciled(Told((share(12),)))
        place.clock.advance(timedelta(minutes=15))
        found = await place.reconciled(Told(None, None))
        assert (found.breaks, found.settled, len(found.unread)) == ((), 0, 4)
        assert await place.is_told()
        assert await place.is_told("reconcile_unread")
        assert await place.written(reconciliation_breaks, "status") == [("explained",)]
        assert await place.written(position_snapshots, "net_qty") == [(12,)]
        place.clock.advance(timedelta(minutes=15))
        purse = Purse(available=parse_money("10"))
        traded = await teller_of(place.house, await _account(place)).trade_book()
        found = await place.reconciled(Told((share(10),), purse=purse, traded=traded))
        assert found.settled == 1
        assert "10.00" in found.breaks[0]
        assert not await place.is_told("reconcile_unread")
        assert await place.written(fund_snapshots, "available_balance") == [(parse_money("10"),)]

    at_a_place(home, story)


def test_a_trade_that_one_book_lacks_is_named_until_both_have_it(home: dict[str, str]) -> None:
    async def story(place: Place) -> None:
        await place_order(place.desk, limit(place.desk, Side.BUY, 10))
        teller = teller_of(place.house, await _account(place))
        theirs = await teller.trade_book()
        fill = replace(theirs[0].fill, trade_id="4711", quantity=3)
        stranger = replace(theirs[0], fill=fill)
        said = Told((share(10),), traded=(*theirs, stranger))
        (sentence,) = (await place.reconciled(said)).breaks
        assert sentence == (
            "The broker has trade 4711, BUY 3 SBIN (NSE_EQ), and our book has it not."
        )
        said.traded = theirs[1:]
        place.clock.advance(timedelta(minutes=15))
        found = await place.reconciled(said)
        assert (len(found.breaks), found.settled) == (1, 1)
        assert "Our book has trade" in found.breaks[0]
        place.clock.advance(timedelta(days=1))  # that day's trades are told no more
        said.traded = ()
        assert (await place.reconciled(said)).settled == 0
        assert await place.is_told()
        (kept,) = await place.desk.store.read(open_breaks, place.desk.account_id, fresh=True)
        settling = (ACTOR, kept.id)
        with pytest.raises(Invalid, match="why"):
            await place.desk.store.write(settle_break, *settling, " ", place.clock())
        await place.desk.store.write(settle_break, *settling, "the broker said so", place.clock())
        with pytest.raises(NotFound):
            await place.desk.store.write(settle_break, *settling, "again", place.clock())
        await place.reconciled(said)
        assert not await place.is_told()

    at_a_place(home, story)


def test_a_dry_run_shows_and_writes_nothing(home: dict[str, str]) -> None:
    async def story(place: Place) -> None:
        told = Told((share(10),))
        found = await place.reconciled(told, How(dry_run=True, pause=at_once))
        assert len(found.breaks) == 1
        assert await place.written(reconciliation_breaks, "status") == []
        assert await place.written(position_snapshots, "net_qty") == []
        assert not await place.is_told()

    at_a_place(home, story)


def test_a_fill_that_is_under_way_is_no_break(home: dict[str, str]) -> None:
    async def story(place: Place) -> None:
        told = Told((share(10),))

        async def meanwhile(_seconds: float) -> None:
            if told.open == (share(10),):
                await place_order(
                    place.desk, limit(place.desk, Side.BUY, 10, price=parse_price("9999"))
                )

        with_news = How(pause=meanwhile)
        place.clock.advance(timedelta(seconds=1))
        found = await place.reconciled(told, with_news)
        assert found.breaks == ()
        assert await place.written(reconciliation_breaks, "status") == []

    at_a_place(home, story)


def test_all_accounts_are_gone_through_and_a_live_one_says_why_not(home: dict[str, str]) -> None:
    async def story(place: Place) -> None:
        found = await reconcile_all(place.house, ACTOR, NOW)
        assert [it.account_id for it in found] == [place.desk.account_id]

    at_a_place(home, story)


async def _account(place: Place) -> Account:
    account_id = place.desk.account_id
    return await place.house.stores["main"].read(get_account, ACTOR, account_id, fresh=True)
