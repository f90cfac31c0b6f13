"""The page of an account: begun with its opening cash, locked, and the money on it moved."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from bahi.db.tx import Tx
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import NotFound
from bahi.kernel.money import Money
from bahi.portfolio.model import margin
from bahi.portfolio.model.book import Book, Opening
from bahi.portfolio.model.money import Block, Line
from bahi.portfolio.model.position import Fact, Key, Position, fold, fold_all
from bahi.portfolio.model.trade import Trade
from bahi.portfolio.repository import book as pages
from bahi.portfolio.repository import position as rows


def open_book(tx: Tx, opening: Opening, now: datetime) -> None:
    """Begin an account's page where there is none: its opening cash is its first entry."""
    if not pages.open_page(tx, opening, now) or not opening.cash:
        return
    book = lock_book(tx, opening.account_id)
    after = _entered(tx, book, "Opening balance", opening.cash, now)
    pages.save(tx, book, after, now)


def lock_book(tx: Tx, account_id: int) -> Book:
    """Return an account's page, which nobody else may write until the transaction ends."""
    book = pages.lock(tx, account_id)
    if book is None:
        raise NotFound(f"There is no book of account {account_id} yet; ask for its desk first.")
    return book


def save_book(tx: Tx, before: Book, after: Book, now: datetime) -> None:
    """Write a page as it is at the end of a function that locked it."""
    pages.save(tx, before, after, now)


def block(tx: Tx, book: Book, blocked: Block, now: datetime) -> Book:
    """Block more margin, or release what is negative; return the page."""
    if not blocked.amount:
        return book
    pages.block(tx, book.account_id, blocked, now)
    return replace(book, margin_used=Money(book.margin_used + blocked.amount))


def position_of(tx: Tx, account_id: int, key: Key) -> Position:
    """Return what an account has open of one thing; nothing is a position too."""
    return rows.find(tx, account_id, key) or Position(key=key)


def told_of(tx: Tx, order_id: int) -> tuple[frozenset[str], bool]:
    """Return the names of an order's trades, and whether one is a difference of quantities."""
    return rows.trades_of_order(tx, order_id)


class Booked(NamedTuple):
    """The page after a trade, and the position that it moved."""

    book: Book
    position: Position


def book_trade(
    tx: Tx, book: Book, trade: Trade, contract: margin.Contract, now: datetime
) -> Booked:
    """Write a trade with all that it moves: its position, the margin of that, the ledger."""
    before = rows.find(tx, book.account_id, trade.key)
    known = before or Position(key=trade.key, instrument_id=trade.instrument_id)
    facts = rows.facts_of(tx, book.account_id, trade.key) if known.comes_after(trade.fact) else []
    after = _moved(known, trade.fact, facts)
    amount = margin.for_position(contract, trade.key.product, after.net, after.open_cost)
    after = replace(after, margin=amount)
    profit = after.realized - known.realized
    cash = _cash(trade.fact, profit, paid=margin.is_paid(contract, trade.key.product))
    rows.add_trade(tx, trade, cash, now)
    rows.save(tx, book.account_id, after, now, is_new=before is None)
    moved = Money(after.margin - known.margin)
    book = block(tx, book, Block(None, trade.key, moved, "the position moved"), now)
    words = f"{trade.side} {trade.quantity} {trade.key.symbol} ({trade.key.product})"
    book = _entered(tx, book, words, cash, now)
    today = profit if exchange_day(trade.at) == book.day else 0
    book = replace(
        book,
        trades_today=book.trades_today + 1,
        realized_today=Money(book.realized_today + today),
    )
    return Booked(book, after)


def _moved(known: Position, fact: Fact, earlier: list[Fact]) -> Position:
    """Fold a fact in; one that is older than what is folded has all of them folded anew."""
    if not earlier:
        return fold(known, fact)
    return fold_all(known.key, [*earlier, fact], known.instrument_id)


def _cash(fact: Fact, profit: int, *, paid: bool) -> Money:
    """Return what a trade does to the cash: its value where that is paid, else what it gained."""
    if not paid:
        return Money(profit)
    return Money(-fact.signed // fact.quantity * fact.value)


def _entered(tx: Tx, book: Book, particulars: str, amount: Money, now: datetime) -> Book:
    if not amount:
        return book
    balance = Money(book.cash + amount)
    pages.enter(tx, book.account_id, Line(particulars, amount, balance), now)
    return replace(book, cash=balance)
