"""Many accounts of a trading store at once: four statements, however many they are."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final

from bahi.db.tx import Tx
from bahi.kernel.clock import day_begins, exchange_day, to_micros
from bahi.risk.model.standing import Standing
from bahi.risk.repository import standing as rows

POSITIONS_AT_MOST: Final = 2_000
"""More than a page can show; what is beyond makes the lists say that they are not whole."""


def standing_of(tx: Tx, accounts: Collection[int], now: datetime) -> Standing:
    """Return how accounts stand."""
    day: date = exchange_day(now)
    begins = day_begins(now)
    within = (to_micros(begins), to_micros(begins + timedelta(days=1)))
    positions = rows.open_positions(tx, accounts, POSITIONS_AT_MOST)
    return Standing(
        pages=tuple(rows.pages(tx, accounts)),
        positions=tuple(positions[:POSITIONS_AT_MOST]),
        breaks=rows.breaks(tx, accounts),
        charges=rows.charges(tx, accounts, day, within),
        is_whole=len(positions) <= POSITIONS_AT_MOST,
    )
