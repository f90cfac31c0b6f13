"""What an account has to trade with, and its statement."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self

from fastapi import APIRouter
from pydantic import BaseModel, Field

from bahi.api.forms import (
    After,
    Amount,
    Form,
    Id,
    Instant,
    Limit,
    Page,
    PathId,
    Rupees,
    Shown,
    cursor,
    number,
    place,
)
from bahi.api.routes import Authenticated, Who
from bahi.bootstrap import House
from bahi.bootstrap.looking import look_at
from bahi.bootstrap.resetting import reset_account
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import SCALE, Money
from bahi.kernel.words import AccountMode
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.money import Entry
from bahi.portfolio.model.recorded import LedgerLine
from bahi.portfolio.service.books import page_of
from bahi.portfolio.service.looking import ledger_of

PREFIX = "/v1/accounts/{account_id}"
LARGEST_CAPITAL = 1_000_00_00_000 * SCALE
"""A thousand crore rupees."""


class Stops(BaseModel):
    """Which switches keep entries from going out; exits pass."""

    globally: bool
    for_user: bool
    for_account: bool
    strategies: list[str]
    reason: str | None


class FundsShown(Shown):
    """What an account has, what of it is blocked, and what the day did."""

    account_id: Id
    mode: AccountMode
    cash: Amount
    margin_used: Amount
    available: Amount
    day: date | None
    realized_today: Amount
    unrealized: Annotated[Amount | None, Field(description="As it was last valued; else null.")]
    marked_at: Instant | None
    orders_today: int
    trades_today: int
    open_orders: int
    stops: Stops

    @classmethod
    def of(cls, it: Book) -> Self:
        """Show a page of the books."""
        return cls(
            account_id=str(it.account_id),
            mode=it.mode,
            cash=it.cash,
            margin_used=it.margin_used,
            available=it.available,
            day=it.day,
            realized_today=it.realized_today,
            unrealized=it.unrealized,
            marked_at=it.marked_at,
            orders_today=it.orders_today,
            trades_today=it.trades_today,
            open_orders=it.open_orders,
            stops=Stops(
                globally=it.killed_globally,
                for_user=it.killed_for_user,
                for_account=it.killed_for_account,
                strategies=list(it.killed_strategies),
                reason=it.kill_reason,
            ),
        )


class LineShown(BaseModel):
    """A line of the ledger: what came (negative: went), and what there was after it."""

    id: Id
    kind: Entry | None
    particulars: str
    amount: Amount
    balance: Amount | None
    day: date
    voucher: str | None
    recorded_at: Instant

    @classmethod
    def of(cls, it: LedgerLine) -> Self:
        """Show it."""
        return cls(
            id=str(it.id),
            kind=it.kind,
            particulars=it.particulars,
            amount=it.amount,
            balance=it.balance,
            day=it.day,
            voucher=it.voucher,
            recorded_at=it.recorded_at,
        )


class Reset(Form):
    """With what a paper account begins anew; without an amount, with what it began with."""

    cash: Annotated[Rupees, Field(ge=0, le=LARGEST_CAPITAL)] | None = None
    flat: Annotated[bool, Field(description="Take back what works and get out first.")] = False


def money_routes(house: House) -> APIRouter:
    """Make the doors of funds and the ledger."""
    router = APIRouter(prefix=PREFIX, tags=["funds"], route_class=Authenticated)

    @router.get("/funds")
    async def funds(actor: Who, account_id: PathId) -> FundsShown:
        """Say what an account has to trade with now, and what stops it."""
        account, store = await look_at(house, actor, number(account_id))
        book = await store.read(page_of, account.id, fresh=True)
        return FundsShown.of(book.on(exchange_day(house.clock())))

    @router.post("/funds/reset")
    async def begin_anew(actor: Who, account_id: PathId, wish: Reset | None = None) -> FundsShown:
        """Let a paper account begin anew, with more money or less; its facts stay.

        It has no name of its own: asked twice, the second finds the account as the first left it.
        """
        wish = wish or Reset()
        cash = None if wish.cash is None else Money(wish.cash)
        book = await reset_account(house, actor, number(account_id), cash, flat=wish.flat)
        return FundsShown.of(book)

    @router.get("/ledger")
    async def ledger(
        actor: Who, account_id: PathId, limit: Limit = 50, after: After = None
    ) -> Page[LineShown]:
        """List the lines of an account's statement, the newest first."""
        ended = place(after)
        account, store = await look_at(house, actor, number(account_id))
        before = None if ended is None else ended[0]
        rows = await store.read(ledger_of, account.id, before, limit + 1, fresh=True)
        return Page(
            items=[LineShown.of(it) for it in rows[:limit]],
            next=cursor(rows[limit - 1].id) if len(rows) > limit else None,
        )

    return router
