"""Positions that an account brings with it, and a paper account that begins anew."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict, Forbidden, Invalid
from bahi.kernel.money import NOTHING, Money
from bahi.kernel.words import AccountMode
from bahi.portfolio.model.adjustment import Adjustment, AdjustmentKind, Brought
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.margin import Contract
from bahi.portfolio.model.money import Entry, Line
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.reconciling import name_of
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.repository import adjustment as adjustments
from bahi.portfolio.repository import position as positions
from bahi.portfolio.service.books import Moving, enter, lock_book, move, position_of, save_book


@dataclass(frozen=True, slots=True, kw_only=True)
class BroughtForward:
    """What an account holds already, lot by lot, so that its tax report knows their age."""

    account_id: int
    key: Key
    contract: Contract
    lots: tuple[Brought, ...]
    reason: str
    instrument_id: int | None = None


def bring_forward(
    tx: Tx, actor: Actor, brought: BroughtForward, terms: Terms, now: datetime
) -> Adjustment:
    """Enter what was bought before our books began; it cost no money of theirs."""
    require_change(actor)
    if not brought.lots or any(it.quantity < 1 or it.value < 0 for it in brought.lots):
        raise Invalid("Bring forward lots of one share or more each, at what they cost.")
    if any(it.day > exchange_day(now) for it in brought.lots):
        raise Invalid("A lot cannot have been bought after today.")
    before = lock_book(tx, brought.account_id)
    made = Adjustment(
        id=tx.new_id(),
        kind=AdjustmentKind.OPENING,
        key=brought.key,
        quantity=sum(it.quantity for it in brought.lots),
        value=Money(sum(it.value for it in brought.lots)),
        reason=brought.reason,
        at=now,
        instrument_id=brought.instrument_id,
        lots=brought.lots,
    )
    if position_of(tx, brought.account_id, brought.key).net < 0:
        raise Conflict(f"{brought.key.symbol} is sold short here; nothing can be brought to it.")
    book = _adjust(tx, before.on(exchange_day(now)), made, brought.contract, (actor, terms, now))
    save_book(tx, before, book, now)
    return made


def reset_paper(tx: Tx, actor: Actor, account_id: int, cash: Money, now: datetime) -> Book:
    """Let a paper account begin anew: nothing open, and so much cash. Its facts stay."""
    require_change(actor)
    before = lock_book(tx, account_id)
    if before.mode is not AccountMode.PAPER:
        raise Forbidden("Only a paper account can begin anew.")
    if before.open_orders:
        raise Conflict(f"{before.open_orders} orders are working; cancel them first.")
    book = before.on(exchange_day(now))
    by = (actor, Terms(plan="none"), now)
    for it in positions.of_account(tx, account_id):
        if it.net:
            made = Adjustment(
                id=tx.new_id(),
                kind=AdjustmentKind.OPENING,
                key=it.key,
                quantity=-it.net,
                value=NOTHING,
                reason="the paper account began anew",
                at=now,
                instrument_id=it.instrument_id,
            )
            book = _adjust(tx, book, made, Contract(is_option=False), by)
    line = Line(Entry.RESET, "The paper account began anew", Money(cash - book.cash))
    book = enter(tx, book, line, now)
    save_book(tx, before, book, now)
    about = ("book", account_id)
    note(tx, actor, "reset", about, now, old={"cash": before.cash}, new={"cash": cash})
    return book


def _adjust(
    tx: Tx,
    book: Book,
    made: Adjustment,
    contract: Contract,
    by: tuple[Actor, Terms, datetime],
) -> Book:
    actor, terms, now = by
    moving = Moving(made.key, made.fact, contract, made.instrument_id)
    book = move(tx, book, moving, terms, now).book
    adjustments.add(tx, book.account_id, made, actor.name, now)
    about = ("position", f"{book.account_id}/{name_of(made.key)}")
    note(tx, actor, "adjust", about, now, new={"quantity": made.quantity}, details=made.reason)
    return book
