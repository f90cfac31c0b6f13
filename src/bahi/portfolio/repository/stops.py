"""Pages of many accounts at once: locked in their order, and stamped with what stops them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bahi.db.statement import Statement
from bahi.db.tx import Tx
from bahi.kernel.clock import micros_of, to_micros
from bahi.portfolio.model.stops import Stops
from bahi.portfolio.tables import books

_STAMP: Final = Statement(
    sa.update(books)
    .where(books.c.account_id == sa.bindparam("the_account"))
    .values(
        {
            name: sa.bindparam(name)
            for name in (
                "killed_globally",
                "killed_for_user",
                "killed_for_account",
                "killed_strategies",
                "kill_reason",
                "killed_at",
                "limits",
                "updated_at",
            )
        }
        | {"version": books.c.version + sa.literal_column("1")}
    )
)


def lock_all(
    tx: Tx, *, user_id: int | None = None, account_id: int | None = None
) -> list[tuple[int, int]]:
    """Lock pages, always in the order of their accounts; return each account with its user."""
    clause = _pages(user_id, account_id)
    if tx.dialect.name == "postgresql":
        clause = clause.with_for_update()
    return [(row[0], row[1]) for row in tx.rows(clause)]


def accounts(tx: Tx, user_id: int | None, account_id: int | None) -> list[int]:
    """Return the accounts that have a page here: a user's, one, or all."""
    return [row[0] for row in tx.rows(_pages(user_id, account_id))]


def _pages(user_id: int | None, account_id: int | None) -> sa.Select[tuple[int, int]]:
    clause = sa.select(books.c.account_id, books.c.user_id).order_by(books.c.account_id)
    if user_id is not None:
        clause = clause.where(books.c.user_id == user_id)
    if account_id is not None:
        clause = clause.where(books.c.account_id == account_id)
    return clause


def stamp(tx: Tx, account_id: int, stops: Stops, now: datetime) -> None:
    """Write on a page what stops its account."""
    tx.change(
        _STAMP,
        {
            "the_account": account_id,
            "killed_globally": int(stops.globally),
            "killed_for_user": int(stops.for_user),
            "killed_for_account": int(stops.for_account),
            "killed_strategies": json.dumps(stops.strategies) if stops.strategies else None,
            "kill_reason": stops.reason,
            "killed_at": micros_of(stops.since),
            "limits": stops.limits,
            "updated_at": to_micros(now),
        },
    )
