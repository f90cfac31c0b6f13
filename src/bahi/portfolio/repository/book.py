"""The page of an account and its money: what every writing function of the account locks first."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import date, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import exchange_day, instant_of, micros_of, to_micros
from bahi.kernel.money import Money
from bahi.kernel.words import AccountMode
from bahi.portfolio.model.book import Book, Opening
from bahi.portfolio.model.money import Block, Line
from bahi.portfolio.tables import books, funds, ledger_entries, margin_blocks

_PAGE: Final = sa.select(
    books.c.account_id,
    books.c.user_id,
    books.c.mode,
    books.c.killed_globally,
    books.c.killed_for_user,
    books.c.killed_for_account,
    sa.cast(books.c.killed_strategies, sa.Text),
    books.c.kill_reason,
    books.c.trading_day,
    books.c.orders_today,
    books.c.trades_today,
    books.c.open_orders,
    books.c.realized_today,
    books.c.loss_latched_at,
    books.c.unrealized_mark,
    books.c.marked_at,
    sa.cast(books.c.limits, sa.Text),
    sa.cast(books.c.rate_bucket, sa.Text),
    funds.c.cash,
    funds.c.margin_used,
).join_from(books, funds, funds.c.account_id == books.c.account_id)
_READ: Final = Statement(_PAGE.where(books.c.account_id == sa.bindparam("account_id")))
_LOCK: Final = Statement(
    _PAGE.where(books.c.account_id == sa.bindparam("account_id")).with_for_update(of=[books, funds])
)
_READ_WITH_VERSION: Final = Statement(
    _PAGE.add_columns(books.c.version).where(books.c.account_id == sa.bindparam("account_id"))
)
_SAVE: Final = Statement(
    sa.update(books)
    .where(books.c.account_id == sa.bindparam("the_account"))
    .values(
        version=books.c.version + sa.literal_column("1"),
        trading_day=sa.bindparam("trading_day"),
        orders_today=sa.bindparam("orders_today"),
        trades_today=sa.bindparam("trades_today"),
        open_orders=sa.bindparam("open_orders"),
        realized_today=sa.bindparam("realized_today"),
        loss_latched_at=sa.bindparam("loss_latched_at"),
        unrealized_mark=sa.bindparam("unrealized_mark"),
        marked_at=sa.bindparam("marked_at"),
        rate_bucket=sa.bindparam("rate_bucket"),
        updated_at=sa.bindparam("updated_at"),
    )
)
_SAVE_MONEY: Final = Statement(
    sa.update(funds)
    .where(funds.c.account_id == sa.bindparam("the_account"))
    .values(
        cash=sa.bindparam("cash"),
        margin_used=sa.bindparam("margin_used"),
        available_balance=sa.bindparam("available_balance"),
        margin_available=sa.bindparam("available_balance"),
        updated_at=sa.bindparam("updated_at"),
    )
)
_BLOCK: Final = Statement(
    sa.insert(margin_blocks).values(
        {column.name: sa.bindparam(column.name) for column in margin_blocks.columns}
    )
)
_ENTER: Final = Statement(
    sa.insert(ledger_entries).values(
        {
            name: sa.bindparam(name)
            for name in (
                "id",
                "account_id",
                "entry_date",
                "particulars",
                "debit",
                "credit",
                "balance",
                "voucher_no",
                "created_at",
                "kind",
            )
        }
    )
)


def lock(tx: Tx, account_id: int) -> Book | None:
    """Return an account's page and keep it from everybody else until the transaction ends."""
    statement = _READ if tx.dialect.name == "sqlite" else _LOCK  # SQLite has one writer anyway
    row = tx.row(statement, {"account_id": account_id})
    return None if row is None else _book(row)


def read(tx: Tx, account_id: int) -> Book | None:
    """Return an account's page as it is."""
    row = tx.row(_READ, {"account_id": account_id})
    return None if row is None else _book(row)


def read_with_version(tx: Tx, account_id: int) -> tuple[Book, int] | None:
    """Return an account's page, and how often it was written."""
    row = tx.row(_READ_WITH_VERSION, {"account_id": account_id})
    return None if row is None else (_book(row), int(row[-1]))


def read_many(tx: Tx, ids: Collection[int]) -> dict[int, Book]:
    """Return the pages of some accounts, those that have one."""
    found = (_book(row) for row in tx.rows(_PAGE.where(books.c.account_id.in_(ids))))
    return {it.account_id: it for it in found}


def open_page(tx: Tx, opening: Opening, now: datetime) -> bool:
    """Begin a page; say whether there was none."""
    at = to_micros(now)
    insert = sqlite.insert if tx.dialect.name == "sqlite" else postgresql.insert
    begun = tx.change(
        insert(books)
        .values(
            account_id=opening.account_id,
            name=opening.name,
            user_id=opening.user_id,
            copy_role=opening.copy_role,
            mode=str(opening.mode),
            created_at=at,
            updated_at=at,
        )
        .on_conflict_do_nothing(index_elements=["account_id"])
    )
    if begun:
        tx.change(
            sa.insert(funds).values(
                account_id=opening.account_id,
                cash=0,
                available_balance=0,
                sod_limit=0,
                margin_used=0,
                margin_available=0,
                updated_at=at,
            )
        )
    return bool(begun)


def save(tx: Tx, before: Book, after: Book, now: datetime) -> None:
    """Write what changed of a page; its money only where that changed."""
    at = to_micros(now)
    tx.put(
        _SAVE,
        {
            "the_account": after.account_id,
            "trading_day": None if after.day is None else after.day.isoformat(),
            "orders_today": after.orders_today,
            "trades_today": after.trades_today,
            "open_orders": after.open_orders,
            "realized_today": after.realized_today,
            "loss_latched_at": micros_of(after.latched_at),
            "unrealized_mark": after.unrealized,
            "marked_at": micros_of(after.marked_at),
            "rate_bucket": after.rates,
            "updated_at": at,
        },
    )
    if (before.cash, before.margin_used) != (after.cash, after.margin_used):
        tx.put(
            _SAVE_MONEY,
            {
                "the_account": after.account_id,
                "cash": after.cash,
                "margin_used": after.margin_used,
                "available_balance": after.available,
                "updated_at": at,
            },
        )


def block(tx: Tx, account_id: int, blocked: Block, now: datetime) -> None:
    """Write that margin was blocked, or released where the amount is negative."""
    tx.put(
        _BLOCK,
        {
            "id": tx.new_id(),
            "account_id": account_id,
            "order_id": blocked.order_id,
            "exchange_segment": str(blocked.key.segment),
            "symbol": blocked.key.symbol,
            "product": str(blocked.key.product),
            "amount": blocked.amount,
            "is_approximate": 1,
            "reason": blocked.reason,
            "recorded_at": to_micros(now),
        },
    )


def enter(tx: Tx, account_id: int, line: Line, balance: Money, now: datetime) -> None:
    """Write a line of the ledger, with what there is after it."""
    tx.put(
        _ENTER,
        {
            "id": tx.new_id(),
            "account_id": account_id,
            "entry_date": (line.day or exchange_day(now)).isoformat(),
            "particulars": line.particulars,
            "debit": max(-line.amount, 0),
            "credit": max(line.amount, 0),
            "balance": balance,
            "voucher_no": line.voucher,
            "kind": str(line.kind),
            "created_at": to_micros(now),
        },
    )


def sums(tx: Tx, account_id: int) -> tuple[int, int]:
    """Return what the ledger and the margin blocks of an account come to."""
    cash = tx.row(
        sa.select(
            sa.func.coalesce(sa.func.sum(ledger_entries.c.credit - ledger_entries.c.debit), 0)
        ).where(ledger_entries.c.account_id == account_id)
    )
    blocked = tx.row(
        sa.select(sa.func.coalesce(sa.func.sum(margin_blocks.c.amount), 0)).where(
            margin_blocks.c.account_id == account_id
        )
    )
    return int(cash[0]) if cash else 0, int(blocked[0]) if blocked else 0


def _book(row: Row) -> Book:
    return Book(
        account_id=row[0],
        user_id=row[1],
        mode=AccountMode(row[2]),
        killed_globally=bool(row[3]),
        killed_for_user=bool(row[4]),
        killed_for_account=bool(row[5]),
        killed_strategies=tuple(json.loads(row[6])) if row[6] else (),
        kill_reason=row[7],
        day=date.fromisoformat(row[8]) if row[8] else None,
        orders_today=row[9],
        trades_today=row[10],
        open_orders=row[11],
        realized_today=Money(row[12]),
        latched_at=instant_of(row[13]),
        unrealized=None if row[14] is None else Money(row[14]),
        marked_at=instant_of(row[15]),
        limits=row[16],
        rates=row[17],
        cash=Money(row[18]),
        margin_used=Money(row[19] or 0),
    )
