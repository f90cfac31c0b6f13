"""The day's end over days that pass: by the clock, after downtime, and where a close is missing."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.accounts.service.accounts import list_accounts
from bahi.bootstrap import House
from bahi.bootstrap.margins import margin_for
from bahi.bootstrap.masters import load_shipped
from bahi.bootstrap.pages import opening_of
from bahi.bootstrap.reconciling import How, reconcile_one
from bahi.bootstrap.settling import TOPIC, DayEnd, end_day
from bahi.bootstrap.trading import driver_of
from bahi.bootstrap.verifying import verify_house
from bahi.calendar.model import read_document
from bahi.calendar.service import import_days
from bahi.db.tx import Row, Tx
from bahi.exchange.model.settling import Settlement
from bahi.exchange.repository.standing import publish
from bahi.jobs import service as jobs
from bahi.jobs.model import Later, Terms
from bahi.jobs.model import Retry as Tries
from bahi.jobs.service import JobContext
from bahi.kernel.clock import StoppedClock, parse_ist
from bahi.kernel.money import Price, down_to_tick, parse_money, parse_price
from bahi.kernel.words import OrderStatus, OrderType, Product, Segment, Side
from bahi.notify.service import find_open
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.archiving import archive_orders
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import place_order
from bahi.portfolio.model.adjustment import Brought
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.money import Entry
from bahi.portfolio.model.official import Official
from bahi.portfolio.model.position import Key, Position
from bahi.portfolio.model.terms import Terms as Costs
from bahi.portfolio.repository.position import of_account
from bahi.portfolio.service.beginning import BroughtForward, bring_forward
from bahi.portfolio.service.books import page_of
from bahi.portfolio.service.official import enter_official
from bahi.portfolio.tables import holdings, ledger_entries
from bahi.risk.model.limits import NO_LIMITS
from bahi.risk.service.switching import open_account
from tests.living import live_in, stopped
from tests.orders.desks import ACTOR
from tests.test_reconciling import at_once

MONDAY = "2036-11-24 10:00:00"
TUESDAY = date(2036, 11, 25)
SHARES = Key(Segment.NSE_EQ, "SBIN", Product.CNC)
YEARS = json.dumps(
    [
        entry
        for year in (2036, 2037)
        for entry in (
            {"date": str(year), "segments": "all", "kind": "year"},
            {
                "date": f"{year}-01-26",
                "segments": "all",
                "kind": "full_day",
                "description": "Republic Day",
            },
        )
    ]
)


@dataclass
class Days:
    """A paper account in a house whose days pass when told to."""

    house: House
    desk: Desk
    clock: StoppedClock

    async def at(self, when: str) -> None:
        """Let it become a time in India, with all that the driver does then."""
        self.clock.set(parse_ist(when))
        await (await driver_of(self.house)).round()
        self.desk = await self.house.desk(ACTOR, self.desk.account_id)

    async def ends(self) -> DayEnd:
        return await end_day(self.house, ACTOR)

    async def buys(self, key: Key, quantity: int) -> None:
        wish = PlaceOrder(
            segment=key.segment,
            symbol=key.symbol,
            side=Side.BUY,
            quantity=quantity,
            product=key.product,
            order_type=OrderType.LIMIT,
            price=_reaching(self.desk, key),
        )
        before = (await self.position(key)).net
        order = await place_order(self.desk, wish)
        assert order.status in {OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.EXECUTED}, order
        for _ in range(60):
            if (await self.position(key)).net == before + quantity:
                return
            self.clock.advance(timedelta(seconds=1))
            await (await driver_of(self.house)).round()
        raise AssertionError(f"{quantity} {key.symbol} were not to be had.")

    def in_the_money(self, root: str) -> tuple[Key, int]:
        """Return the deepest call of a root that ends tomorrow, and its lot."""
        find = self.house.floor.market.instrument
        symbols = (f"{root}25NOV36{strike}CE" for strike in range(1, 60_000))
        listed = (found for it in symbols if (found := find(Segment.NSE_FNO, it)))
        it = next(listed)
        return Key(it.segment, it.symbol, Product.MARGIN), it.lot_size

    async def position(self, key: Key) -> Position:
        every = await self.desk.store.read(of_account, self.desk.account_id, fresh=True)
        return next((it for it in every if it.key == key), Position(key=key))

    async def held(self) -> list[Row]:
        def rows(tx: Tx) -> list[Row]:
            it = holdings.c
            return [tuple(row) for row in tx.rows(sa.select(it.symbol, it.dp_qty, it.t1_qty))]

        return await self.desk.store.read(rows, fresh=True)

    async def lines(self, *kinds: Entry) -> list[Row]:
        def rows(tx: Tx) -> list[Row]:
            it = ledger_entries.c
            clause = sa.select(it.entry_date, it.kind, it.credit - it.debit)
            clause = clause.where(it.kind.in_([str(kind) for kind in kinds]))
            return [tuple(row) for row in tx.rows(clause.order_by(it.entry_date, it.id))]

        return await self.desk.store.read(rows, fresh=True)

    async def page(self) -> Book:
        return await self.desk.store.read(page_of, self.desk.account_id, fresh=True)

    async def is_right(self) -> None:
        """Whatever can be checked finds nothing: facts, trail, and the exchange's journal."""
        assert [it async for it in verify_house(self.house, lambda *_: None)] == []
        how = How(pause=at_once)
        found = await reconcile_one(self.house, ACTOR, self.desk.account_id, how)
        assert (found.breaks, found.unread) == ((), ())

    async def alert(self) -> str | None:
        found = await self.house.stores["main"].read(find_open, TOPIC, fresh=True)
        return None if found is None else found.message


def _reaching(desk: Desk, key: Key) -> Price:
    seen = desk.look(key.segment, key.symbol)
    assert seen.price is not None
    return down_to_tick(Price(seen.price * 102 // 100), seen.instrument.tick_size or Price(500))


def days_pass(home: dict[str, str], story: Callable[[Days], Awaitable[None]]) -> None:
    clock = stopped(parse_ist(MONDAY))

    async def whole(house: House) -> None:
        main = house.stores["main"]
        await house.furnish()
        await main.write(import_days, ACTOR, read_document(YEARS), clock())
        await house.revisions.look()
        await load_shipped(house, ACTOR)
        await house.revisions.look()
        (account, *_) = await main.read(list_accounts, ACTOR, fresh=True)
        begins = (opening_of(account), NO_LIMITS, clock())
        await house.stores["sandbox"].write(open_account, *begins, account=account.id)
        await story(Days(house, await house.desk(ACTOR, account.id), clock))

    live_in(home | {"BAHI_MARKET": "simulated"}, whole, clock)


async def buys_on_monday(days: Days) -> tuple[Key, Key, int]:
    """Buy shares for delivery, and a future on them and a call on an index that end tomorrow."""
    await days.at(MONDAY)
    future = days.house.floor.market.instrument(Segment.NSE_FNO, "SBIN25NOV36FUT")
    assert future is not None
    on_share, lot = Key(future.segment, future.symbol, Product.MARGIN), future.lot_size
    on_index, of_index = days.in_the_money("NIFTY")
    await days.buys(SHARES, 20)
    await days.buys(on_share, lot)
    await days.buys(on_index, of_index)
    return on_share, on_index, lot


def test_three_days_end_one_after_the_other(home: dict[str, str]) -> None:
    async def story(days: Days) -> None:
        on_share, on_index, lot = await buys_on_monday(days)
        await days.at("2036-11-24 16:20:00")
        ended = await days.ends()
        assert ended.owing == 1
        assert await days.held() == [("SBIN", 0, 20)]
        assert [it[:2] for it in await days.lines(Entry.NOTE)] == [("2036-11-24", "NOTE")]
        await days.is_right()

        before = (await days.position(on_share)).margin
        await days.at("2036-11-25 07:40:00")
        morning = await days.ends()
        assert (morning.delivered, morning.remargined) == (1, 1)
        assert (await days.position(on_share)).margin == -(-before * 3 // 2)  # it ends today
        assert await days.held() == [("SBIN", 20, 0)]
        await days.at("2036-11-25 14:00:00")
        assert (await days.ends()).expired == (0, ())  # they trade still
        assert (await days.position(on_index)).net > 0

        await days.at("2036-11-25 16:20:00")
        assert (await days.ends()).expired == (2, ())
        for key in (on_share, on_index):
            ended_one = await days.position(key)
            assert (ended_one.net, ended_one.margin) == (0, 0)
        assert (await days.position(SHARES)).net == 20 + lot
        assert await days.held() == [("SBIN", 20, lot)]
        paid = await days.lines(Entry.EXPIRY, Entry.EXERCISE)
        assert {it[0] for it in paid} == {"2036-11-25"}
        await days.is_right()

        await days.at("2036-11-26 07:40:00")
        await days.ends()
        assert await days.held() == [("SBIN", 20 + lot, 0)]
        before = await days.page()
        await days.ends()
        assert await days.page() == before
        await days.is_right()

    days_pass(home, story)


def test_a_house_that_was_away_catches_up_to_the_same_books(home: dict[str, str]) -> None:
    async def story(days: Days) -> None:
        on_share, on_index, lot = await buys_on_monday(days)
        await days.at("2036-11-27 16:20:00")
        assert (await days.ends()).expired == (2, ())
        assert await days.held() == [("SBIN", 20 + lot, 0)]
        assert [it[0] for it in await days.lines(Entry.NOTE)] == ["2036-11-24"]
        paid = await days.lines(Entry.EXPIRY, Entry.EXERCISE)
        assert {it[0] for it in paid} == {"2036-11-25"}
        ended = await days.position(on_index)
        assert ended.day == TUESDAY  # it counts from its own close
        assert ended.net == (await days.position(on_share)).net == 0
        assert (await days.page()).realized_today == 0
        await days.is_right()
        before = await days.page()
        await days.ends()
        assert await days.page() == before

    days_pass(home, story)


async def job(days: Days, job_type: str, **payload: Any) -> dict[str, Any] | None:
    """Ask for a job, claim it as a worker would, and do it."""
    main, now = days.house.stores["main"], days.clock()

    def ask(tx: Tx) -> None:
        jobs.enqueue(tx, ACTOR.name, job_type, payload, now)

    await main.write(ask)
    terms = Terms("test", 3600, {job_type: Tries()})
    (claimed,) = await main.write(jobs.claim, terms, now, 1)
    context = JobContext(claimed, main, days.clock)
    try:
        result = await days.house.handlers[job_type](context)
    except Later:
        await main.write(jobs.postpone, claimed, now, "later", now)
        raise
    await main.write(jobs.complete, claimed, result, now)
    return result


def test_a_close_that_is_missing_settles_nothing_and_is_asked_for_again(
    home: dict[str, str],
) -> None:
    unknown = Key(Segment.NSE_FNO, "UNHEARD25NOV36100CE", Product.MARGIN)

    async def story(days: Days) -> None:
        account_id, store = days.desk.account_id, days.desk.store
        brought = BroughtForward(
            account_id=account_id,
            key=unknown,
            contract=Contract(is_option=True, strike=parse_price("100")),
            lots=(Brought(date(2036, 11, 20), 50, parse_money("500")),),
            reason="brought from elsewhere",
        )
        await store.write(bring_forward, ACTOR, brought, Costs(plan="none"), days.clock())
        await days.at("2036-11-25 16:20:00")
        with pytest.raises(Later) as postponed:
            await job(days, "day_end")
        assert postponed.value.run_at == parse_ist("2036-11-25 16:35:00")
        assert (await days.position(unknown)).net == 50
        assert "UNHEARD25NOV36100CE" in (await days.alert() or "")

        said = Settlement(
            segment=unknown.segment,
            symbol=unknown.symbol,
            expires_on=TUESDAY,
            price=parse_price("12.5"),
            underlying_price=parse_price("112.5"),
            underlying="UNHEARD",
            source="told late",
            published_at=days.clock(),
        )
        await days.at("2036-11-26 07:40:00")
        await store.write(publish, [said])
        before = (await days.page()).cash
        assert (await days.ends()).expired == (1, ())
        gained = await days.lines(Entry.EXPIRY)
        assert gained == [("2036-11-25", "EXPIRY", parse_money("625"))]
        tax = sum(it[2] for it in await days.lines(Entry.EXERCISE))
        assert (await days.page()).cash == before + parse_money("625") + tax
        assert await days.alert() is None

    days_pass(home, story)


def test_the_jobs_come_round_and_remember_through_which_day(home: dict[str, str]) -> None:
    async def story(days: Days) -> None:
        await buys_on_monday(days)
        await days.at("2036-11-24 16:20:00")
        done = await job(days, "day_end")
        assert done is not None
        assert (done["through"], done["owing"]) == ("2036-11-24", 1)
        again = await job(days, "day_end")
        assert again is not None
        assert (again["through"], again["owing"]) == ("2036-11-24", 0)
        found = {"accounts": 1, "breaks": {}, "settled": 0, "adopted": 0, "unread": {}}
        assert await job(days, "reconcile") == found  # one market has hours in the evening
        await days.at("2036-11-25 05:00:00")
        assert await job(days, "reconcile") == {"accounts": 0, "closed": True}
        assert await job(days, "reconcile", always=True) == found
        alone = await job(days, "reconcile", account_id=str(days.desk.account_id), dry_run=True)
        assert alone == found
        assert await job(days, "edis_expire") == {"ended": 0}

    days_pass(home, story)


def test_old_trades_leave_by_the_clock_once_their_orders_have(home: dict[str, str]) -> None:
    async def story(days: Days) -> None:
        await days.at(MONDAY)
        await days.buys(SHARES, 20)
        days.clock.advance(timedelta(days=400))
        seen = await job(days, "trades_archive", dry_run=True)
        assert seen is not None
        assert (seen["sandbox"] > 0, seen["dry_run"]) == (True, True)
        waits = await job(days, "trades_archive")
        assert waits is not None
        assert waits["sandbox"] == 0  # their orders are here still
        now, archive = days.clock(), days.house.stores["archive"]
        assert await archive_orders(days.desk.store, archive, now, now) == 1
        done = await job(days, "trades_archive")
        assert done is not None
        assert done["sandbox"] == seen["sandbox"]
        assert (await days.position(SHARES)).net == 20
        await days.is_right()

    days_pass(home, story)


def test_orders_are_told_what_they_would_need_before_they_are_placed(home: dict[str, str]) -> None:
    async def story(days: Days) -> None:
        await days.at(MONDAY)
        on_index, lot = days.in_the_money("NIFTY")
        market = {"order_type": OrderType.MARKET, "product": Product.MARGIN, "quantity": lot}
        buy = PlaceOrder(segment=on_index.segment, symbol=on_index.symbol, side=Side.BUY, **market)
        write = replace(buy, side=Side.SELL)
        account = days.desk.account_id
        (needs,) = (await margin_for(days.house, ACTOR, account, [buy])).each
        assert needs.total == needs.premium > 0
        (blocks,) = (await margin_for(days.house, ACTOR, account, [write])).each
        assert blocks.total == blocks.span > needs.total
        await days.buys(on_index, lot)
        found = await margin_for(days.house, ACTOR, account, [write])
        assert (found.total, found.fits) == (0, True)
        await days.is_right()

    days_pass(home, story)


def test_shares_held_as_mtf_go_through_their_days(home: dict[str, str]) -> None:
    funded = SHARES._replace(product=Product.MTF)

    async def story(days: Days) -> None:
        await days.at(MONDAY)
        await days.buys(funded, 20)
        bought = await days.position(funded)
        assert 4 * bought.margin - bought.open_cost in range(4)  # a quarter, rounded up
        await days.at("2036-11-24 16:20:00")
        assert (await days.ends()).interest == 0
        await days.is_right()
        await days.at("2036-11-25 07:40:00")
        morning = await days.ends()
        assert (morning.delivered, morning.interest > 0) == (1, True)
        assert [it[0] for it in await days.lines(Entry.FEE)] == ["2036-11-25"]
        await days.is_right()
        await days.at("2036-11-25 10:00:00")
        sell = PlaceOrder(
            segment=funded.segment,
            symbol=funded.symbol,
            side=Side.SELL,
            quantity=21,
            product=Product.MTF,
            order_type=OrderType.LIMIT,
            price=_reaching(days.desk, funded),
        )
        refused = await place_order(days.desk, sell)
        assert (refused.status, refused.error_code) == (OrderStatus.REJECTED, "NOT_ALLOWED")
        before = await days.page()
        await days.at("2036-12-02 07:40:00")
        await days.ends()  # of a week that the house was away
        fees = await days.lines(Entry.FEE)
        assert [it[0] for it in fees] == [
            "2036-11-25", "2036-11-26", "2036-11-27", "2036-11-28", "2036-11-29", "2036-11-30",
            "2036-12-01", "2036-12-02",
        ]  # fmt: skip
        assert len({it[2] for it in fees}) == 1
        assert (await days.page()).cash - before.cash == sum(it[2] for it in fees[1:])
        await days.at("2037-01-20 07:40:00")
        await days.ends()
        assert len(await days.lines(Entry.FEE)) == 6 + 31 + 20  # each day of the three months
        await days.is_right()

    days_pass(home, story)


def brought(days: Days, key: Key, strike: str) -> tuple[Any, ...]:
    """Return what brings 1,000 of an option from elsewhere, at 50 paise each."""
    forward = BroughtForward(
        account_id=days.desk.account_id,
        key=key,
        contract=Contract(is_option=True, strike=parse_price(strike)),
        lots=(Brought(date(2036, 11, 20), 1000, parse_money("500")),),
        reason="brought from elsewhere",
    )
    return bring_forward, ACTOR, forward, Costs(plan="none"), days.clock()


def test_a_currency_option_waits_for_its_reference_rate(home: dict[str, str]) -> None:
    option = Key(Segment.NSE_CURRENCY, "USDINR25NOV3680CE", Product.MARGIN)

    async def story(days: Days) -> None:
        await days.at(MONDAY)
        await days.desk.store.write(*brought(days, option, "80"))
        await days.at("2036-11-25 23:58:00")
        assert (await days.ends()).expired.settled == 0
        assert "the reference rate of USDINR of 2036-11-25" in (await days.alert() or "")
        rate = Official(option.segment, "USDINR", TUESDAY, parse_price("80.4025"), "FBIL")
        await days.house.stores["main"].write(enter_official, ACTOR, rate, days.clock())
        assert (await days.ends()).expired == (1, ())
        assert [it[2] for it in await days.lines(Entry.EXPIRY)] == [parse_money("402.5")]
        assert await days.alert() is None
        await days.is_right()

    days_pass(home, story)


def test_an_option_on_goods_becomes_the_next_future_of_the_made_up_market(
    home: dict[str, str],
) -> None:
    option = Key(Segment.MCX_COMM, "CRUDEOIL25NOV36100CE", Product.MARGIN)
    future = Key(Segment.MCX_COMM, "CRUDEOIL19DEC36FUT", Product.MARGIN)

    async def story(days: Days) -> None:
        await days.at(MONDAY)
        await days.desk.store.write(*brought(days, option, "100"))
        await days.at("2036-11-25 20:00:00")
        assert (await days.ends()).expired == (0, ())  # it trades in the evening
        await days.at("2036-11-25 23:58:00")
        assert (await days.ends()).expired == (1, ())
        opened = await days.position(future)
        assert opened.net == 1000
        gained = sum(it[2] for it in await days.lines(Entry.EXPIRY))
        assert opened.open_cost - gained == parse_money(
            "100000"
        )  # together they come to its strike
        await days.is_right()

    days_pass(home, story)
