"""Old trades on their way to the archive: read, copied, compared there, and removed here."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bahi.db import types
from bahi.db.permits import permitted
from bahi.db.tx import Tx
from bahi.kernel.clock import exchange_day, from_micros
from bahi.kernel.money import Money
from bahi.kernel.words import Product, Segment
from bahi.portfolio.model.position import Key
from bahi.portfolio.repository.days import day_of, number_of_day, span
from bahi.portfolio.tables import position_adjustments, trades

Rows = list[dict[str, Any]]


class OfDay(NamedTuple):
    """How many trades of a symbol a day has."""

    day: date
    trades: int


def old_symbols(tx: Tx, account_id: int, before: date) -> list[str]:
    """Return the symbols that an account has trades in from before a day."""
    clause = (
        sa.select(trades.c.symbol)
        .where(trades.c.account_id == account_id, trades.c.traded_at < span(before)[0])
        .distinct()
        .order_by(trades.c.symbol)
    )
    return [row[0] for row in tx.rows(clause)]


def days_of(tx: Tx, account_id: int, symbol: str, before: date) -> list[OfDay]:
    """Return the days before one on which a symbol was traded, the oldest first."""
    day = number_of_day(trades.c.traded_at).label("day")
    clause = (
        sa.select(day, sa.func.count())
        .where(*_old(account_id, symbol, before))
        .group_by(day)
        .order_by(day)
    )
    return [OfDay(day_of(row[0]), int(row[1])) for row in tx.rows(clause)]


def carried_until(tx: Tx, account_id: int, symbol: str) -> date | None:
    """Return the day before which a symbol's trades are in the archive; None: none are."""
    it = position_adjustments.c
    row = tx.row(
        sa.select(sa.func.max(it.adjusted_at)).where(
            it.account_id == account_id, it.symbol == symbol, it.carried.is_not(None)
        )
    )
    return None if row is None or row[0] is None else exchange_day(from_micros(row[0]))


def read(tx: Tx, account_id: int, symbol: str, before: date) -> Rows:
    """Return trades from before a day, whole, as they are kept here."""
    names = [it.name for it in trades.columns]
    clause = sa.select(trades).where(*_old(account_id, symbol, before)).order_by(trades.c.id)
    return [dict(zip(names, row, strict=True)) for row in tx.rows(clause)]


def read_some(tx: Tx, ids: Collection[int]) -> Rows:
    """Return trades by their ids, whole."""
    names = [it.name for it in trades.columns]
    clause = sa.select(trades).where(trades.c.id.in_(list(ids))).order_by(trades.c.id)
    return [dict(zip(names, row, strict=True)) for row in tx.rows(clause)]


def copy_in(tx: Tx, rows: Rows) -> None:
    """Write trades down here; those that are here already stay as they are."""
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    for row in rows:
        tx.change(insert(trades).values(**row).on_conflict_do_nothing())


def is_same(one: Rows, other: Rows) -> bool:
    """Say whether two stores keep the same; a JSON document by what it says."""
    return [_alike(it) for it in one] == [_alike(it) for it in other]


def _alike(row: dict[str, Any]) -> dict[str, Any]:
    documents = [it.name for it in trades.columns if isinstance(it.type, types.Json)]
    return row | {name: json.loads(row[name]) for name in documents if row[name] is not None}


def ids_of(tx: Tx, account_id: int, symbol: str, before: date) -> list[int]:
    """Return which trades there are from before a day."""
    clause = sa.select(trades.c.id).where(*_old(account_id, symbol, before)).order_by(trades.c.id)
    return [row[0] for row in tx.rows(clause)]


def known_at(tx: Tx, account_id: int, symbol: str, before: date) -> int:
    """Return when the newest fact of a symbol from before a day was written down."""
    it = position_adjustments.c
    traded = sa.select(sa.func.max(trades.c.created_at)).where(*_old(account_id, symbol, before))
    moved = sa.select(sa.func.max(sa.func.coalesce(it.known_at, it.recorded_at))).where(
        it.account_id == account_id, it.symbol == symbol, it.adjusted_at < span(before)[0]
    )
    found = [row[0] for clause in (traded, moved) if (row := tx.row(clause)) and row[0]]
    return max(found, default=0)


def nets_of(tx: Tx, account_id: int, symbol: str, before: date) -> dict[Key, Money]:
    """Return what the trades from before a day did to the cash, by position."""
    it = trades.c
    clause = (
        sa.select(it.exchange_segment, it.product, sa.func.sum(it.net_amount))
        .where(*_old(account_id, symbol, before))
        .group_by(it.exchange_segment, it.product)
    )
    return {Key(Segment(a), symbol, Product(b)): Money(int(c or 0)) for a, b, c in tx.rows(clause)}


def remove(tx: Tx, account_id: int, symbol: str, before: date) -> int:
    """Remove trades from before a day, which the archive has; return how many."""
    with permitted(tx, "trades to the archive"):
        return tx.change(sa.delete(trades).where(*_old(account_id, symbol, before)))


def _old(account_id: int, symbol: str, before: date) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        trades.c.account_id == account_id,
        trades.c.symbol == symbol,
        trades.c.traded_at < span(before)[0],
    )
