"""Holdings as the days pass: delivered on the day after, and what of them may be sold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from bahi.db.tx import Tx
from bahi.kernel.words import Segment
from bahi.portfolio.model.holding import Deliverable, deliverable, holding_of, is_held
from bahi.portfolio.model.position import Key
from bahi.portfolio.repository import holding as rows
from bahi.portfolio.repository import position as positions
from bahi.portfolio.service.books import lock_book, position_of


def roll_holdings(tx: Tx, account_id: int, settled: Mapping[Segment, date], now: datetime) -> int:
    """Deliver what was bought up to a day (`settled_through`), wherever shares are held."""
    lock_book(tx, account_id)
    rolled = 0
    for position in positions.of_account(tx, account_id):
        if is_held(position.key) and position.net > 0:
            holding = holding_of(position, settled.get(position.key.segment))
            rows.save(tx, account_id, holding, now)
            rolled += 1
    return rolled


def deliverable_of(
    tx: Tx, account_id: int, key: Key, settled: date | None, allowed: int | None = None
) -> Deliverable:
    """Return how much of a share an account may sell for delivery.

    `allowed` is what eDIS gave leave for (`edis.allowed_of`); None where none is needed: on paper,
    and for an account with a DDPI.
    """
    holding = holding_of(position_of(tx, account_id, key), settled)
    return deliverable(holding, rows.pledged(tx, account_id, key), allowed)
