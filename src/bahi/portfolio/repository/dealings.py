"""The facts of an account by symbol, as reports read them: in pages, whatever their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.money import Money
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.adjustment import Action, AdjustmentKind, Brought
from bahi.portfolio.model.gains import Fill
from bahi.portfolio.model.position import Fact, Key
from bahi.portfolio.repository.beside import beside_trades
from bahi.portfolio.repository.days import DUES, span
from bahi.portfolio.tables import ledger_entries, position_adjustments, trades

PAGE: Final = 10_000


class Moved(NamedTuple):
    """A fact with its position, and what a report asks of it."""

    key: Key
    fill: Fill
    action: Action | None
    kind: AdjustmentKind | None
    lots: tuple[Brought, ...] = ()


def symbols_of(tx: Tx, account_id: int) -> list[str]:
    """Return every symbol that an account ever dealt in, by name."""
    found: set[str] = set()
    for table in (trades, position_adjustments):
        clause = sa.select(table.c.symbol).where(table.c.account_id == account_id).distinct()
        found.update(row[0] for row in tx.rows(clause))
    return sorted(found)


def moves_of(
    tx: Tx,
    account_id: int,
    symbol: str,
    until: date,
    recorded_by: datetime | None = None,
    *,
    whole: bool = False,
) -> Iterator[Moved]:
    """Yield all that moved an account's positions in a symbol up to a day, that included.

    `recorded_by` leaves out what was written down after an instant; `whole` is for who reads the
    archive's trades beside it.
    """
    _, after = span(until)
    yield from trades_of(tx, account_id, symbol, until, recorded_by)
    beside = beside_trades(
        tx, account_id, symbol, before=after, recorded_by=recorded_by, whole=whole
    )
    for it in beside:
        yield Moved(it.key, Fill(it.fact), it.action, it.kind, it.lots)


def trades_of(
    tx: Tx, account_id: int, symbol: str, until: date, recorded_by: datetime | None = None
) -> Iterator[Moved]:
    """Yield an account's trades in a symbol up to a day; the archive has such too."""
    _, after = span(until)
    of_it = (
        trades.c.account_id == account_id,
        trades.c.symbol == symbol,
        *_by(trades.c.created_at, recorded_by),
    )
    clause = sa.select(
        trades.c.traded_at,
        trades.c.id,
        trades.c.exchange_segment,
        trades.c.product,
        trades.c.side,
        trades.c.quantity,
        trades.c.trade_value,
        trades.c.total_charges,
        trades.c.order_id,
    ).where(*of_it, trades.c.traded_at < after)
    for row in _paged(tx, clause, trades):
        key = Key(Segment(row[2]), symbol, Product(row[3]))
        fact = Fact(from_micros(row[0]), row[1], Side(row[4]), row[5], Money(row[6]))
        yield Moved(key, Fill(fact, Money(row[7]), row[8]), None, None)


def fills_on(tx: Tx, account_id: int, day: date) -> dict[Key, list[Fill]]:
    """Return all that moved an account's positions on a day: two statements, mostly."""
    first, after = span(day)
    it = trades.c
    found: dict[Key, list[Fill]] = defaultdict(list)
    clause = sa.select(
        it.traded_at, it.id, it.exchange_segment, it.symbol, it.product, it.side, it.quantity,
        it.trade_value, it.total_charges, it.order_id,
    ).where(it.account_id == account_id, it.traded_at >= first, it.traded_at < after)  # fmt: skip
    for row in _paged(tx, clause, trades):
        fact = Fact(from_micros(row[0]), row[1], Side(row[5]), row[6], Money(row[7]))
        key = Key(Segment(row[2]), row[3], Product(row[4]))
        found[key].append(Fill(fact, Money(row[8]), row[9]))
    beside = position_adjustments.c
    moved = sa.select(beside.symbol).where(
        beside.account_id == account_id, beside.adjusted_at >= first, beside.adjusted_at < after
    )
    for (symbol,) in tx.rows(moved.distinct()):
        for moving in beside_trades(tx, account_id, symbol, before=after):
            if to_micros(moving.fact.at) >= first:
                found[moving.key].append(Fill(moving.fact))
    return found


def _by(written: sa.Column[int], at: datetime | None) -> tuple[sa.ColumnElement[bool], ...]:
    return () if at is None else (written <= to_micros(at),)


def dues_of(tx: Tx, account_id: int, first: date, last: date) -> list[tuple[date, Money]]:
    """Return what an account owed beside its trades, by day: positive is paid."""
    it = ledger_entries.c
    clause = (
        sa.select(it.entry_date, sa.func.sum(it.debit - it.credit))
        .where(
            it.account_id == account_id,
            it.kind.in_([str(kind) for kind in DUES]),
            it.entry_date.between(first.isoformat(), last.isoformat()),
        )
        .group_by(it.entry_date)
        .order_by(it.entry_date)
    )
    return [(date.fromisoformat(day), Money(int(paid))) for day, paid in tx.rows(clause)]


def _paged(tx: Tx, clause: sa.Select[Any], table: sa.Table) -> Iterator[Row]:
    at, row_id = table.c.traded_at, table.c.id
    ordered = clause.order_by(at, row_id).limit(PAGE)
    page = tx.rows(ordered)
    while page:
        yield from page
        last = page[-1]
        behind = sa.or_(at > last[0], sa.and_(at == last[0], row_id > last[1]))
        page = tx.rows(ordered.where(behind)) if len(page) == PAGE else []
