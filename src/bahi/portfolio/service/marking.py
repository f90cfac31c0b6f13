"""What is open of an account, valued at prices that the caller brings: whole, or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bahi.db.tx import Tx
from bahi.kernel.altered import altered
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import Money, Price
from bahi.kernel.words import Segment
from bahi.portfolio.model.book import Book
from bahi.portfolio.repository import position as rows
from bahi.portfolio.service.books import lock_book

Thing = tuple[Segment, str]


def open_things(tx: Tx, account_id: int) -> frozenset[Thing]:
    """Return of what an account has something open."""
    held = rows.of_account(tx, account_id)
    return frozenset((it.key.segment, it.key.symbol) for it in held if it.net)


def valued(tx: Tx, account_id: int, prices: Mapping[Thing, Price], now: datetime) -> Book:
    """Return the locked page with what is open valued; one price that is missing: not known."""
    book = lock_book(tx, account_id).on(exchange_day(now))
    gained = 0
    for it in rows.of_account(tx, account_id):
        if not it.net:
            continue
        price = prices.get((it.key.segment, it.key.symbol))
        if price is None:
            return altered(book, unrealized=None, marked_at=now)
        worth = price * abs(it.net)
        gained += worth - it.open_cost if it.net > 0 else it.open_cost - worth
    return altered(book, unrealized=Money(gained), marked_at=now)
