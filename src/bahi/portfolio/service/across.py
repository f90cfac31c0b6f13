"""The books of many accounts at once, at as many statements as those of one."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from bahi.db.tx import Tx
from bahi.kernel.money import Money
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.position import Position
from bahi.portfolio.repository import book, breaks, days
from bahi.portfolio.repository import position as positions


class Across(NamedTuple):
    """An account's page, what is open of it or dealt in on a day, and what the day cost."""

    book: Book
    positions: list[Position]
    charges: Money
    breaks: int


def across(tx: Tx, ids: Collection[int], day: date) -> dict[int, Across]:
    """Return the books of some accounts, those that have one: five statements."""
    pages = book.read_many(tx, ids)
    held = positions.of_accounts(tx, ids, day)
    charged = days.charged_on(tx, ids, day)
    broken = breaks.counted(tx, ids)
    return {
        it: Across(page, held.get(it, []), Money(charged[it]), broken.get(it, 0))
        for it, page in pages.items()
    }
