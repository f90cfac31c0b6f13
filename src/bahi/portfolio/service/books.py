"""The page of an account: begun with its opening cash, locked, and the money on it moved."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bahi.db.tx import Tx
from bahi.kernel.altered import altered
from bahi.kernel.clock import day_begins, exchange_day
from bahi.kernel.errors import NotFound
from bahi.kernel.money import Money
from bahi.kernel.names import shown
from bahi.portfolio.model import margin
from bahi.portfolio.model.book import Book, Opening
from bahi.portfolio.model.charges import FIRST, Earlier, charges
from bahi.portfolio.model.hedging import benefit, group_of
from bahi.portfolio.model.holding import funded_of, holding_of, is_funded, is_held
from bahi.portfolio.model.money import Block, Entry, Line
from bahi.portfolio.model.position import Fact, Key, Position, fold, fold_all, fold_in
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.model.trade import SoFar, Trade
from bahi.portfolio.repository import book as pages
from bahi.portfolio.repository import hedging
from bahi.portfolio.repository import holding as holdings
from bahi.portfolio.repository import position as rows


def has_page(tx: Tx, account_id: int) -> bool:
    """Say whether an account's page was begun here."""
    return pages.read(tx, account_id) is not None


def page_of(tx: Tx, account_id: int) -> Book:
    """Return an account's page as it is, without its lock."""
    book = pages.read(tx, account_id)
    if book is None:
        raise NotFound(f"There is no book of account {account_id} yet; ask for its desk first.")
    return book


def open_book(tx: Tx, opening: Opening, now: datetime) -> bool:
    """Begin an account's page where there is none: its opening cash is its first entry."""
    if not pages.open_page(tx, opening, now):
        return False
    if opening.cash:
        book = lock_book(tx, opening.account_id)
        after = enter(tx, book, Line(Entry.OPENING, "Opening balance", opening.cash), now)
        pages.save(tx, book, after, now)
    return True


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
    return altered(book, margin_used=Money(book.margin_used + blocked.amount))


def enter(tx: Tx, book: Book, line: Line, now: datetime) -> Book:
    """Write a line of the ledger unless it is of nothing; return the page with the money moved."""
    if not line.amount:
        return book
    after = altered(book, cash=Money(book.cash + line.amount))
    pages.enter(tx, book.account_id, line, after.cash, now)
    return after


def position_of(tx: Tx, account_id: int, key: Key) -> Position:
    """Return what an account has open of one thing; nothing is a position too."""
    return rows.find(tx, account_id, key) or Position(key=key)


def positions_of(tx: Tx, account_id: int) -> list[Position]:
    """Return what an account has open."""
    return [it for it in rows.of_account(tx, account_id) if it.net]


def told_of(tx: Tx, order_id: int) -> tuple[frozenset[str], bool]:
    """Return the names of an order's trades, and whether one is a difference of quantities."""
    return rows.trades_of_order(tx, order_id)[:2]


def booked_of(tx: Tx, order_id: int) -> SoFar:
    """Return the same, and what those trades come to: what the order's next one is charged by."""
    return rows.trades_of_order(tx, order_id)


class Booked(NamedTuple):
    """The page after a trade, the position that it moved, and what its order comes to now."""

    book: Book
    position: Position
    earlier: Earlier | None = None


def book_trade(
    tx: Tx,
    book: Book,
    trade: Trade,
    terms: Terms,
    now: datetime,
) -> Booked:
    """Write a trade with all that it moves: its position, the margin of that, the ledger."""
    moving = Moving(trade.key, trade.fact, trade.contract, trade.instrument_id)
    book, after, profit, today = move(tx, book, moving, terms, now)
    product = trade.key.product
    cash = _cash(trade.fact, profit, paid=margin.is_paid(trade.contract, product))
    earlier = _earlier(tx, trade, terms)
    cost = charges(terms.rates, trade.deal, trade.dealt, earlier)
    rows.add_trade(tx, trade, cost, Money(cash - cost.total), now)
    words = f"{trade.side} {trade.quantity} {trade.key.symbol} ({shown(product)})"
    book = enter(tx, book, Line(Entry.TRADE, words, cash), now)
    charged = Line(Entry.CHARGES, f"Charges: {words}", Money(-cost.total))
    book = enter(tx, book, charged, now)
    book = altered(
        book,
        trades_today=book.trades_today + 1,
        realized_today=Money(book.realized_today + today),
    )
    return Booked(book, after, earlier.with_one(trade.dealt, cost))


class Moving(NamedTuple):
    """A fact that is not folded yet, and what it is of."""

    key: Key
    fact: Fact
    contract: margin.Contract
    instrument_id: int | None = None


class Moved(NamedTuple):
    """The page, the position and what was gained, in all and of the page's day."""

    book: Book
    position: Position
    profit: Money
    today: Money


def move(tx: Tx, book: Book, moving: Moving, terms: Terms, now: datetime) -> Moved:
    """Fold a fact into its position, with the margin of that and the holding behind it."""
    key, fact = moving.key, moving.fact
    before = rows.find(tx, book.account_id, key)
    known = before or Position(key=key, instrument_id=moving.instrument_id)
    after = _moved(tx, book.account_id, known, fact)
    by = margin.Footing(terms.rates, key.segment, exchange_day(now), terms.ends)
    amount = margin.for_position(moving.contract, key.product, after.net, after.open_cost, by)
    after = altered(after, margin=amount)
    rows.save(tx, book.account_id, after, now, is_new=before is None)
    if is_held(key):
        holdings.save(tx, book.account_id, holding_of(after), now)
    elif is_funded(key):
        holdings.save_funded(tx, book.account_id, funded_of(after), now)
    moved = Money(after.margin - known.margin)
    book = block(tx, book, Block(None, key, moved, "the position moved"), now)
    book = hedged(tx, book, key, now)
    was = known.day_realized if known.day == after.day else 0
    today = after.day_realized - was if after.day == book.day else 0
    return Moved(book, after, Money(after.realized - known.realized), Money(today))


def hedged(tx: Tx, book: Book, key: Key, now: datetime) -> Book:
    """Give back what options need less since one of them moved, or take it again."""
    group = group_of(key)
    if group is None:
        return book
    due = benefit(group, hedging.legs_of(tx, book.account_id, group))
    more = Money(hedging.given_back(tx, book.account_id, group) - due)
    return block(tx, book, Block(None, group.key, more, "options cover each other"), now)


def _moved(tx: Tx, account_id: int, known: Position, fact: Fact) -> Position:
    """Fold a fact in; one that is older than what is folded has its day, or all, folded anew."""
    if not known.comes_after(fact):
        return fold(known, fact)
    if eve := known.on_the_eve_of(fact):
        of_the_day = rows.facts_since(tx, account_id, known.key, day_begins(fact.at))
        if of_the_day is not None:
            return fold_in(eve, [*of_the_day, fact])
    facts = rows.facts_of(tx, account_id, known.key)
    return fold_all(known.key, [*facts, fact], known.instrument_id)


def _earlier(tx: Tx, trade: Trade, terms: Terms) -> Earlier:
    """Return what the order's fills before this one come to; looked up where nobody says."""
    if trade.earlier is not None or not terms.rates:
        return trade.earlier or FIRST
    return rows.trades_of_order(tx, trade.order_id).earlier


def _cash(fact: Fact, profit: int, *, paid: bool) -> Money:
    """Return what a trade does to the cash: its value where that is paid, else what it gained."""
    if not paid:
        return Money(profit)
    return Money(-fact.signed // fact.quantity * fact.value)
