"""Sums and lines by which the books are checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import sqlalchemy as sa

from bahi.db.tx import Tx
from bahi.kernel.words import Product, Segment
from bahi.portfolio.model.money import Entry
from bahi.portfolio.model.position import Key
from bahi.portfolio.tables import (
    books,
    funds,
    holdings,
    ledger_entries,
    margin_blocks,
    position_adjustments,
    trades,
)

PAGE: Final = 10_000
_PARTS: Final = (
    "brokerage",
    "exchange_charges",
    "clearing_charges",
    "stt",
    "stamp_duty",
    "transaction_charges",
    "sebi_fee",
    "ipft",
    "gst",
)


class Money(NamedTuple):
    """What an account's page says, and what its facts come to."""

    cash: int
    margin: int
    available: int
    ledger: int
    blocks: int
    traded: int
    traded_lines: int


def accounts(tx: Tx, after: int, most: int) -> list[int]:
    """Return the accounts that have a page, some at a time."""
    it = books.c.account_id
    return [row[0] for row in tx.rows(sa.select(it).where(it > after).order_by(it).limit(most))]


def money_of(tx: Tx, account_id: int) -> Money | None:
    """Return the money of an account both ways."""
    page = tx.row(
        sa.select(funds.c.cash, funds.c.margin_used, funds.c.available_balance).where(
            funds.c.account_id == account_id
        )
    )
    if page is None:
        return None
    moved = ledger_entries.c.credit - ledger_entries.c.debit
    of_trades = sa.or_(
        ledger_entries.c.kind.in_([str(Entry.TRADE), str(Entry.CHARGES)]),
        sa.and_(  # lines of before lines had a kind
            ledger_entries.c.kind.is_(None), ledger_entries.c.particulars != "Opening balance"
        ),
    )
    lines = tx.row(
        sa.select(
            sa.func.coalesce(sa.func.sum(moved), 0),
            sa.func.coalesce(sa.func.sum(sa.case((of_trades, moved), else_=0)), 0),
        ).where(ledger_entries.c.account_id == account_id)
    ) or (0, 0)
    blocks = tx.row(
        sa.select(sa.func.coalesce(sa.func.sum(margin_blocks.c.amount), 0)).where(
            margin_blocks.c.account_id == account_id
        )
    ) or (0,)
    traded = tx.row(
        sa.select(sa.func.coalesce(sa.func.sum(trades.c.net_amount), 0)).where(
            trades.c.account_id == account_id
        )
    ) or (0,)
    carried = tx.row(
        sa.select(sa.func.coalesce(sa.func.sum(position_adjustments.c.carried_net), 0)).where(
            position_adjustments.c.account_id == account_id
        )
    ) or (0,)
    return Money(
        cash=page[0],
        margin=page[1] or 0,
        available=page[2],
        ledger=int(lines[0]),
        blocks=int(blocks[0]),
        traded=int(traded[0]) + int(carried[0]),  # of those in the archive too
        traded_lines=int(lines[1]),
    )


def lines_of(tx: Tx, account_id: int) -> Iterator[list[tuple[int, int]]]:
    """Yield an account's ledger in pages: what each line moved, and the balance after it."""
    it, last = ledger_entries.c, 0
    clause = sa.select(it.id, it.credit - it.debit, sa.func.coalesce(it.balance, 0))
    while True:
        page = tx.rows(
            clause.where(it.account_id == account_id, it.id > last).order_by(it.id).limit(PAGE)
        )
        if not page:
            return
        yield [(row[1], row[2]) for row in page]
        last = page[-1][0]


def blocks_of_positions(tx: Tx, account_id: int, symbol: str) -> dict[Key, int]:
    """Return what is blocked for each position in a symbol."""
    it = margin_blocks.c
    clause = (
        sa.select(it.exchange_segment, it.product, sa.func.sum(it.amount))
        .where(it.account_id == account_id, it.symbol == symbol, it.order_id.is_(None))
        .group_by(it.exchange_segment, it.product)
    )
    return {Key(Segment(a), symbol, Product(b)): int(c) for a, b, c in tx.rows(clause)}


def held_of(tx: Tx, account_id: int, symbol: str) -> dict[Key, tuple[int, int, int]]:
    """Return total, delivered and coming of each holding in a symbol."""
    it = holdings.c
    clause = sa.select(it.exchange_segment, it.total_qty, it.dp_qty, it.t1_qty).where(
        it.account_id == account_id,
        it.symbol == symbol,
        sa.or_(it.total_qty != 0, it.dp_qty != 0, it.t1_qty != 0),  # a row may be of MTF alone
    )
    rows = tx.rows(clause)
    return {Key(Segment(row[0]), symbol, Product.CNC): (row[1], row[2], row[3]) for row in rows}


class FundedRow(NamedTuple):
    """An MTF holding as it is kept."""

    total: int
    coming: int
    pledged: int
    cost: int
    own: int


NOTHING_FUNDED: Final = FundedRow(0, 0, 0, 0, 0)


def funded_of(tx: Tx, account_id: int, symbol: str) -> dict[Key, FundedRow]:
    """Return each MTF holding in a symbol."""
    it = holdings.c
    columns = (it.mtf_qty, it.mtf_t1_qty, it.mtf_pledged_qty, it.mtf_value, it.mtf_own_value)
    clause = sa.select(it.exchange_segment, *columns).where(
        it.account_id == account_id, it.symbol == symbol, it.mtf_qty != 0
    )
    return {
        Key(Segment(row[0]), symbol, Product.MTF): FundedRow(*map(int, row[1:]))
        for row in tx.rows(clause)
    }


def uneven_trades(tx: Tx, account_id: int, symbol: str, most: int) -> list[int]:
    """Return trades whose charges do not add up to their total."""
    parts = sum((trades.c[name] for name in _PARTS), sa.literal(0))
    clause = sa.select(trades.c.id).where(
        trades.c.account_id == account_id,
        trades.c.symbol == symbol,
        trades.c.total_charges != parts,
    )
    return [row[0] for row in tx.rows(clause.order_by(trades.c.id).limit(most))]
