"""Books as they were recorded by an instant: by when we wrote a fact down, not when it happened."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.money import Money, Price
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.recorded import Dealt, Funds, Place
from bahi.portfolio.tables import (
    books,
    ledger_entries,
    margin_blocks,
    position_adjustments,
    trades,
)

_T: Final = trades.c
_DEALT: Final = sa.select(
    _T.id,
    _T.order_id,
    _T.exchange_segment,
    _T.symbol,
    _T.product,
    _T.side,
    _T.quantity,
    _T.price,
    _T.trade_value,
    _T.total_charges,
    _T.net_amount,
    _T.traded_at,
    _T.created_at,
)


def had_page(tx: Tx, account_id: int, at: datetime) -> bool:
    """Say whether an account's page was begun by an instant."""
    clause = sa.select(books.c.account_id).where(
        books.c.account_id == account_id, books.c.created_at <= to_micros(at)
    )
    return tx.row(clause) is not None


def moved_after(tx: Tx, account_id: int, at: datetime) -> set[Key]:
    """Return which positions have facts that were written down after an instant."""
    found: set[Key] = set()
    written = {trades: _T.created_at, position_adjustments: position_adjustments.c.recorded_at}
    for table, recorded_at in written.items():
        clause = (
            sa.select(table.c.exchange_segment, table.c.symbol, table.c.product)
            .where(table.c.account_id == account_id, recorded_at > to_micros(at))
            .distinct()
        )
        if table is position_adjustments:  # a move to the archive moves no position
            clause = clause.where(position_adjustments.c.carried.is_(None))
        found |= {Key(Segment(a), b, Product(c)) for a, b, c in tx.rows(clause)}
    return found


def margins_by(tx: Tx, account_id: int, at: datetime) -> dict[Key, Money]:
    """Return what was blocked for each position by an instant."""
    it = margin_blocks.c
    clause = (
        sa.select(it.exchange_segment, it.symbol, it.product, sa.func.sum(it.amount))
        .where(
            it.account_id == account_id,
            it.order_id.is_(None),
            it.recorded_at <= to_micros(at),
        )
        .group_by(it.exchange_segment, it.symbol, it.product)
    )
    return {Key(Segment(a), b, Product(c)): Money(int(d)) for a, b, c, d in tx.rows(clause)}


def funds_by(tx: Tx, account_id: int, at: datetime) -> Funds:
    """Return what ledger and margin blocks came to by an instant."""
    moved = ledger_entries.c.credit - ledger_entries.c.debit
    cash = tx.row(
        sa.select(sa.func.coalesce(sa.func.sum(moved), 0)).where(
            ledger_entries.c.account_id == account_id,
            ledger_entries.c.created_at <= to_micros(at),
        )
    ) or (0,)
    used = tx.row(
        sa.select(sa.func.coalesce(sa.func.sum(margin_blocks.c.amount), 0)).where(
            margin_blocks.c.account_id == account_id,
            margin_blocks.c.recorded_at <= to_micros(at),
        )
    ) or (0,)
    return Funds(Money(int(cash[0])), Money(int(used[0])))


def trades_by(
    tx: Tx, account_id: int, at: datetime, behind: Place | None, at_most: int
) -> list[Dealt]:
    """Return trades that were written down by an instant, the newest first."""
    clause = _DEALT.where(_T.account_id == account_id, _T.created_at <= to_micros(at))
    if behind is not None:
        here = sa.tuple_(_T.traded_at, _T.id)
        clause = clause.where(here < sa.tuple_(to_micros(behind.traded_at), behind.trade_id))
    clause = clause.order_by(_T.traded_at.desc(), _T.id.desc()).limit(at_most)
    return [_dealt(row) for row in tx.rows(clause)]


def trades_in(
    tx: Tx, account_id: int, listed: tuple[Segment, str], since: datetime, at_most: int
) -> list[Dealt]:
    """Return an account's newest trades in an instrument from an instant on, the oldest first."""
    segment, symbol = listed
    clause = _DEALT.where(
        _T.account_id == account_id,
        _T.symbol == symbol,
        _T.exchange_segment == str(segment),
        _T.traded_at >= to_micros(since),
    )
    rows = tx.rows(clause.order_by(_T.traded_at.desc(), _T.id.desc()).limit(at_most))
    return [_dealt(row) for row in reversed(rows)]


def _dealt(row: Row) -> Dealt:
    return Dealt(
        id=row[0],
        order_id=row[1],
        key=Key(Segment(row[2]), row[3], Product(row[4])),
        side=Side(row[5]),
        quantity=row[6],
        price=Price(row[7]),
        value=Money(row[8]),
        charges=Money(row[9]),
        net=Money(row[10]),
        traded_at=from_micros(row[11]),
        recorded_at=from_micros(row[12]),
    )
