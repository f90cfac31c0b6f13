"""What an account has open, by the prices that the caller brings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from bahi.db.tx import Tx
from bahi.kernel.words import Segment
from bahi.portfolio.model.worth import Mark, Worth, worth
from bahi.portfolio.repository import position as rows


def worth_of(
    tx: Tx,
    account_id: int,
    marks: Mapping[tuple[Segment, str], Mark],
    now: datetime,
    oldest: timedelta,
) -> list[Worth]:
    """Return every position with what it has open; without a fresh price that is not known."""
    return [
        worth(it, marks.get((it.key.segment, it.key.symbol)), now, oldest)
        for it in rows.of_account(tx, account_id)
    ]
