"""Breaks between a broker's books and ours, and what the broker reported."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.kernel.clock import to_micros
from bahi.kernel.money import Money
from bahi.kernel.ports import Purse
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.reconciling import Break, OurTrade, Snapshot, Subject
from bahi.portfolio.repository.days import span
from bahi.portfolio.tables import (
    books,
    fund_snapshots,
    holding_snapshots,
    position_snapshots,
    reconciliation_breaks,
    trades,
)


class Kept(NamedTuple):
    """A break that is open."""

    id: int
    subject: Subject
    key: str
    classification: str
    explanation: str


def unsettled(tx: Tx, account_id: int) -> list[Kept]:
    """Return the breaks of an account that are open, oldest first."""
    it = reconciliation_breaks.c
    clause = (
        sa.select(it.id, it.subject, it.subject_key, it.classification, it.explanation)
        .where(it.account_id == account_id, it.status != "settled")
        .order_by(it.id)
    )
    return [
        Kept(row[0], Subject(row[1]), row[2], row[3] or "", row[4] or "")
        for row in tx.rows(clause)
        if row[1] in set(Subject)
    ]


def counted(tx: Tx, ids: Collection[int]) -> dict[int, int]:
    """Return how many breaks are open of each of some accounts, those that have any."""
    it = reconciliation_breaks.c
    clause = (
        sa.select(it.account_id, sa.func.count())
        .where(
            it.account_id.in_(ids),
            it.status != "settled",
            it.subject.in_([str(s) for s in Subject]),
        )
        .group_by(it.account_id)
    )
    return {account_id: int(many) for account_id, many in tx.rows(clause)}


def account_of(tx: Tx, break_id: int) -> int | None:
    """Return whose break it is."""
    it = reconciliation_breaks.c
    row = tx.row(sa.select(it.account_id).where(it.id == break_id))
    return None if row is None else int(row[0])


def our_trades(tx: Tx, account_id: int, day: date) -> list[OurTrade]:
    """Return the trades of a day as our book has them."""
    it = trades.c
    first, after = span(day)
    clause = sa.select(
        it.exchange_trade_id, it.exchange_segment, it.symbol, it.side, it.product, it.quantity
    ).where(it.account_id == account_id, it.traded_at >= first, it.traded_at < after)
    return [
        OurTrade(row[0], Segment(row[1]), row[2], Side(row[3]), Product(row[4]), row[5])
        for row in tx.rows(clause.order_by(it.id))
    ]


def are_known(tx: Tx, account_id: int, names: Collection[str]) -> set[str]:
    """Return which trades our book has, of some that brokers named."""
    it = trades.c
    clause = sa.select(it.exchange_trade_id).where(
        it.account_id == account_id, it.exchange_trade_id.in_(sorted(names))
    )
    return {row[0] for row in tx.rows(clause)}


def add(tx: Tx, account_id: int, found: Break, now: datetime) -> int:
    """Write a break that was not open yet; return its id."""
    at, identity = to_micros(now), tx.new_id()
    tx.change(
        reconciliation_breaks.insert(),
        {
            "id": identity,
            "account_id": account_id,
            "subject": str(found.subject),
            "subject_key": found.key,
            "status": "explained",
            "found_at": at,
            **_said(found, now),
        },
    )
    return identity


def change(tx: Tx, break_id: int, found: Break, now: datetime) -> None:
    """Write what a break that is open looks like now."""
    clause = reconciliation_breaks.update().where(reconciliation_breaks.c.id == break_id)
    tx.change(clause.values(_said(found, now)))


def settle(tx: Tx, ids: Collection[int], by: str, now: datetime) -> None:
    """Write that breaks are no more."""
    if not ids:
        return
    at = to_micros(now)
    clause = reconciliation_breaks.update().where(reconciliation_breaks.c.id.in_(sorted(ids)))
    tx.change(clause.values(status="settled", settled_at=at, settled_by=by, updated_at=at))


def keep(tx: Tx, told: Snapshot) -> None:
    """Write down what a broker reported; the same report again is not written twice."""
    at = to_micros(told.at)
    common: dict[str, object] = {"account_id": told.account_id, "snapshot_at": at}
    if told.positions and not _is_kept(tx, position_snapshots, told):
        for key, it in told.positions.items():
            row = common | {
                "id": tx.new_id(),
                "exchange_segment": str(key.segment),
                "symbol": key.symbol,
                "product": str(key.product),
                "position_type": "NET",
                "net_qty": it.quantity,
                "average_price": it.average,
                "last_price": it.last,
                "realized_pnl": it.realized,
                "unrealized_pnl": it.unrealized,
            }
            tx.change(position_snapshots.insert(), row)
    if told.holdings and not _is_kept(tx, holding_snapshots, told):
        for (segment, symbol), it in told.holdings.items():
            row = common | {
                "id": tx.new_id(),
                "exchange_segment": str(segment),
                "symbol": symbol,
                "total_qty": it.quantity,
                "average_price": it.average,
                "last_price": it.last,
                "dp_qty": it.delivered,
                "t1_qty": it.coming,
                "collateral_qty": it.pledged,
                "isin": it.isin,
            }
            tx.change(holding_snapshots.insert(), row)
    if told.available is not None and not _is_kept(tx, fund_snapshots, told):
        tx.change(fund_snapshots.insert(), common | _figures(told.available, told.purse))
    _mark_read(tx, told)


def _figures(available: Money, purse: Purse | None) -> dict[str, object]:
    it = purse or Purse()
    return {
        "available_balance": available,
        "sod_limit": it.at_start_of_day,
        "collateral": it.collateral,
        "margin_used": it.margin_used,
        "withdrawable_balance": it.withdrawable,
    }


def _mark_read(tx: Tx, told: Snapshot) -> None:
    """Write on the page when each part was read whole, also where there was nothing in it."""
    parts = {
        "last_positions_at": told.positions,
        "last_holdings_at": told.holdings,
        "last_funds_at": told.available,
    }
    read = {name: to_micros(told.at) for name, part in parts.items() if part is not None}
    if read:
        tx.change(books.update().where(books.c.account_id == told.account_id).values(read))


def _is_kept(tx: Tx, table: sa.Table, told: Snapshot) -> bool:
    clause = sa.select(table.c.snapshot_at).where(
        table.c.account_id == told.account_id, table.c.snapshot_at == to_micros(told.at)
    )
    return tx.row(clause.limit(1)) is not None


def _said(found: Break, now: datetime) -> dict[str, object]:
    return {
        "classification": str(found.classification),
        "explanation": found.explanation,
        "ours": json.dumps(found.ours),
        "theirs": json.dumps(found.theirs),
        "updated_at": to_micros(now),
    }
