"""Many accounts at once, as they stand in one trading store: a statement for each kind of thing.

The books are another context's: they are read by the schema's names.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.schema import HOUSE
from bahi.db.tx import Tx
from bahi.kernel.clock import instant_of
from bahi.kernel.money import Money
from bahi.kernel.words import AccountMode, Product, Segment
from bahi.portfolio.model.money import Entry
from bahi.portfolio.model.position import Key
from bahi.risk.model.standing import Open, Page

_DUES: Final = (Entry.NOTE, Entry.DP, Entry.FEE, Entry.EXERCISE)
"""Lines of the ledger that are charges of a day and of no trade."""


def _of(name: str) -> sa.Table:
    return HOUSE.metadata.tables[name]


def pages(tx: Tx, accounts: Collection[int]) -> list[Page]:
    """Return the pages of accounts with their money; who has none yet is left out."""
    books, funds = _of("books"), _of("funds")
    it = books.c
    clause = (
        sa.select(
            it.account_id, it.mode, it.trading_day, it.realized_today, it.loss_latched_at,
            sa.cast(it.limits, sa.Text), it.last_positions_at, it.last_funds_at, funds.c.cash,
            funds.c.margin_used,
        )
        .join_from(books, funds, funds.c.account_id == it.account_id)
        .where(it.account_id.in_(sorted(accounts)))
        .order_by(it.account_id)
    )  # fmt: skip
    return [_page(row) for row in tx.rows(clause)]


def _page(row: Any) -> Page:
    return Page(
        account_id=row[0],
        mode=AccountMode(row[1]),
        day=None if row[2] is None else date.fromisoformat(row[2]),
        realized=Money(row[3]),
        latched_at=instant_of(row[4]),
        limits=row[5],
        positions_read_at=instant_of(row[6]),
        funds_read_at=instant_of(row[7]),
        cash=Money(row[8]),
        margin_used=Money(row[9] or 0),
    )


def open_positions(tx: Tx, accounts: Collection[int], at_most: int) -> list[Open]:
    """Return what accounts have open, and one more than asked for where there is more."""
    it = _of("positions").c
    clause = (
        sa.select(
            it.account_id, it.exchange_segment, it.symbol, it.product, it.net_qty, it.open_cost
        )
        .where(it.account_id.in_(sorted(accounts)), it.net_qty != 0)
        .order_by(it.account_id, it.symbol, it.product)
        .limit(at_most + 1)
    )
    return [
        Open(row[0], Key(Segment(row[1]), row[2], Product(row[3])), row[4], Money(row[5]))
        for row in tx.rows(clause)
    ]


def breaks(tx: Tx, accounts: Collection[int]) -> Counter[int]:
    """Count the open breaks of accounts."""
    it = _of("reconciliation_breaks").c
    clause = (
        sa.select(it.account_id, sa.func.count())
        .where(it.account_id.in_(sorted(accounts)), it.status != "settled")
        .group_by(it.account_id)
    )
    return Counter({row[0]: int(row[1]) for row in tx.rows(clause)})


def charges(tx: Tx, accounts: Collection[int], day: date, within: tuple[int, int]) -> Counter[int]:
    """Return what a day cost each of accounts, in its trades and beside them; one statement."""
    trades, lines = _of("trades").c, _of("ledger_entries").c
    ids = sorted(accounts)
    of_trades = sa.select(
        trades.account_id, sa.func.coalesce(sa.func.sum(trades.total_charges), 0)
    ).where(trades.account_id.in_(ids), trades.traded_at >= within[0], trades.traded_at < within[1])
    of_dues = sa.select(lines.account_id, sa.func.sum(lines.debit - lines.credit)).where(
        lines.account_id.in_(ids),
        lines.entry_date == day.isoformat(),
        lines.kind.in_([str(it) for it in _DUES]),
    )
    found: Counter[int] = Counter()
    clause = sa.union_all(of_trades.group_by(trades.account_id), of_dues.group_by(lines.account_id))
    for account_id, paid in tx.rows(clause):
        found[account_id] += int(paid or 0)
    return found
