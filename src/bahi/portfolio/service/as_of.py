"""The books as they were recorded by an instant: positions, money, trades; never prices.

What counts is when we wrote a fact down. A fill that was told late is in the position of its time
only from when we knew of it.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime
from typing import Final

from bahi.db.tx import Tx
from bahi.kernel.errors import Invalid
from bahi.kernel.money import NOTHING
from bahi.portfolio.model.position import Fact, Key, Position, fold_all
from bahi.portfolio.model.recorded import Funds, Page, Place
from bahi.portfolio.repository import dealings
from bahi.portfolio.repository import position as positions
from bahi.portfolio.repository import recorded as rows

PAGE: Final = 50
PAGE_AT_MOST: Final = 500
_WHENEVER: Final = date(9998, 12, 31)


def positions_as_of(tx: Tx, account_id: int, at: datetime) -> list[Position]:
    """Return an account's positions as they stood by an instant, flat ones too, by symbol.

    Those that nothing moved since are as they are now; the others are folded from what was known.
    """
    moved, margins = rows.moved_after(tx, account_id, at), rows.margins_by(tx, account_id, at)
    found = []
    facts = _facts(tx, account_id, moved, at)
    for now in positions.of_account(tx, account_id):
        then: Position | None = now
        if now.key in moved:
            known = facts[now.key]
            then = fold_all(now.key, known, now.instrument_id) if known else None
        if then is not None:
            found.append(replace(then, margin=margins.get(now.key, NOTHING)))
    return sorted(found, key=lambda it: (it.key.symbol, it.key))


def _facts(tx: Tx, account_id: int, of: set[Key], at: datetime) -> dict[Key, list[Fact]]:
    found: dict[Key, list[Fact]] = defaultdict(list)
    for symbol in sorted({it.symbol for it in of}):
        for moved in dealings.moves_of(tx, account_id, symbol, _WHENEVER, recorded_by=at):
            if moved.key in of:
                found[moved.key].append(moved.fill.fact)
    return found


def money_as_of(tx: Tx, account_id: int, at: datetime) -> Funds | None:
    """Return an account's cash and used margin by an instant; None: it had no book yet."""
    return rows.funds_by(tx, account_id, at) if rows.had_page(tx, account_id, at) else None


def trades_as_of(
    tx: Tx, account_id: int, at: datetime, behind: Place | None = None, at_most: int = PAGE
) -> Page:
    """Return a page of the trades that were recorded by an instant, the newest first."""
    if not 1 <= at_most <= PAGE_AT_MOST:
        raise Invalid(f"limit: {at_most} is not 1 to {PAGE_AT_MOST}.")
    found = rows.trades_by(tx, account_id, at, behind, at_most + 1)
    page, more = found[:at_most], len(found) > at_most
    return Page(page, Place(page[-1].traded_at, page[-1].id) if more else None)
