"""A book to write in: an account's page in a real store, and trades with good defaults."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from bahi.bootstrap import House
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import the_house
from bahi.kernel.clock import StoppedClock, exchange_day
from bahi.kernel.money import Money, parse_money, parse_price
from bahi.kernel.words import AccountMode, Product, Segment, Side
from bahi.portfolio.model.book import Book, Opening
from bahi.portfolio.model.finding import differences
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.position import Key, Position, fold_all
from bahi.portfolio.model.rates import EveryPlan
from bahi.portfolio.model.shipped import shipped
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.model.trade import Trade
from bahi.portfolio.repository.book import read as read_book
from bahi.portfolio.repository.book import sums
from bahi.portfolio.repository.position import facts_of, of_account
from bahi.portfolio.repository.position import find as find_position
from bahi.portfolio.service.books import Booked, book_trade, lock_book, open_book, save_book
from tests.living import live_in, stopped

ACTOR = the_house("test")
NOON = datetime(2036, 11, 24, 6, 30, tzinfo=UTC)
"""Noon of a Monday in India, later than any id that a real clock has minted."""
MONDAY = date(2036, 11, 24)
ACCOUNT = 7
CRORE = parse_money("10000000")
PLANS = EveryPlan(shipped())
KITE = Terms(plan="kite", rates=PLANS.of("kite"))
FREE = Terms(plan="none")

SBIN = Key(Segment.NSE_EQ, "SBIN", Product.INTRADAY)
HELD = Key(Segment.NSE_EQ, "SBIN", Product.CNC)
SHARE = Contract(is_option=False)


def a_trade(
    tx: Tx,
    side: Side,
    quantity: int,
    rupees: str,
    *,
    key: Key = SBIN,
    order: int = 1,
    at: datetime = NOON,
    **more: Any,
) -> Trade:
    """Return a trade that is not booked yet."""
    trade_id, price = tx.new_id(), parse_price(rupees)
    fields: dict[str, Any] = {"contract": SHARE, "instrument_id": None} | more
    return Trade(
        id=trade_id,
        account_id=ACCOUNT,
        order_id=order,
        name=f"{order}/{trade_id}",
        told_as=str(trade_id),
        key=key,
        side=side,
        order_type="LIMIT",
        quantity=quantity,
        price=price,
        value=Money(price * quantity),
        at=at,
        **fields,
    )


def book(
    tx: Tx, side: Side, quantity: int, rupees: str, now: datetime, terms: Terms, more: Any
) -> Booked:
    """Book a trade as the fill of an order does: lock, write, save."""
    before = lock_book(tx, ACCOUNT)
    page = before.on(exchange_day(now))
    trade = a_trade(tx, side, quantity, rupees, **{"at": now} | more)
    booked = book_trade(tx, page, trade, terms, now)
    save_book(tx, before, booked.book, now)
    return booked


@dataclass
class Desk:
    """A page in a store of either kind, and a clock."""

    house: House
    store: Store
    clock: StoppedClock
    terms: Terms = KITE

    async def buys(self, quantity: int, rupees: str, **more: Any) -> Booked:
        """Book a purchase."""
        return await self.deals(Side.BUY, quantity, rupees, **more)

    async def sells(self, quantity: int, rupees: str, **more: Any) -> Booked:
        """Book a sale."""
        return await self.deals(Side.SELL, quantity, rupees, **more)

    async def deals(self, side: Side, quantity: int, rupees: str, **more: Any) -> Booked:
        """Book a trade."""
        return await self.store.write(
            book, side, quantity, rupees, self.clock(), self.terms, more, account=ACCOUNT
        )

    async def page(self) -> Book:
        """Return the page as it is, once it was proven to balance."""
        page = await self.store.read(read_book, ACCOUNT, fresh=True)
        assert page is not None
        assert (page.cash, page.margin_used) == await self.store.read(sums, ACCOUNT, fresh=True)
        for it in await self.store.read(of_account, ACCOUNT, fresh=True):
            facts = await self.store.read(facts_of, ACCOUNT, it.key, fresh=True)
            refolded = fold_all(it.key, facts, it.instrument_id)
            assert list(differences(it, refolded)) == []
        return page

    async def cash(self) -> int:
        """Return what the account has more or less than it began with."""
        return (await self.page()).cash - CRORE

    async def position(self, key: Key = SBIN) -> Position:
        """Return a position."""
        found = await self.store.read(find_position, ACCOUNT, key, fresh=True)
        return found or Position(key=key)


def opening(account_id: int = ACCOUNT) -> Opening:
    """Return with what the page begins."""
    return Opening(
        account_id=account_id,
        name=f"account {account_id}",
        user_id=1,
        copy_role=None,
        mode=AccountMode.PAPER,
        cash=CRORE,
    )


def at_a_desk(home: dict[str, str], story: Callable[[Desk], Awaitable[None]]) -> None:
    """Open a house with one page, and let the story happen."""
    clock = stopped(NOON)

    async def whole(house: House) -> None:
        store = house.stores["sandbox"]
        await store.write(open_book, opening(), clock(), account=ACCOUNT)
        await story(Desk(house, store, clock))

    live_in(home, whole, clock)
