"""Orders that were denied, and rows that leave with who they are of."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from bahi.db.leaving import remove_some
from bahi.db.tx import Tx
from bahi.kernel.clock import from_micros, to_micros
from bahi.risk.model.verdict import Denial
from bahi.risk.model.violation import Violation
from bahi.risk.tables import risk_violations, traders_control


def add_violation(tx: Tx, whose: tuple[int, int | None], denial: Denial, now: datetime) -> None:
    """Write that an order (`account, order`) was denied, or without one a limit was reached."""
    account_id, order_id = whose
    tx.change(
        sa.insert(risk_violations).values(
            id=tx.new_id(),
            account_id=account_id,
            strategy=denial.strategy,
            violation_type=denial.violation,
            limit_value=denial.limit,
            actual_value=denial.actual,
            order_id=order_id,
            action_taken="ORDER_REJECTED",
            message=denial.sentence,
            evidence=json.dumps(denial.evidence) if denial.evidence else None,
            violated_at=to_micros(now),
        )
    )


def violations_of(tx: Tx, account_id: int, before: int | None, at_most: int) -> list[Violation]:
    """Return limits that an account ran into, the newest first, from an id on."""
    return violations_over(tx, [account_id], before, at_most)


def violations_over(
    tx: Tx, accounts: Collection[int], before: int | None, at_most: int
) -> list[Violation]:
    """Return limits that any of accounts ran into, the newest first, from an id on."""
    it = risk_violations.c
    clause = sa.select(
        it.id, it.strategy, it.violation_type, it.limit_value, it.actual_value, it.order_id,
        it.message, it.violated_at, it.account_id,
    ).where(it.account_id.in_(sorted(accounts)))  # fmt: skip
    if before is not None:
        clause = clause.where(it.id < before)
    return [
        Violation(
            id=row[0],
            account_id=row[8],
            strategy=row[1],
            kind=row[2],
            limit=row[3],
            actual=row[4],
            order_id=row[5],
            message=row[6],
            at=from_micros(row[7]),
        )
        for row in tx.rows(clause.order_by(it.id.desc()).limit(at_most))
    ]


def erase_account(tx: Tx, store: str, account_id: int, most: int) -> dict[str, int]:
    """Remove some limits and switches of an account; its violations stay."""
    leaving = ((traders_control, traders_control.c.account_id == account_id),)
    return remove_some(tx, store, leaving, most, f"erase account {account_id}")


def erase_user(tx: Tx, store: str, user_id: int, most: int) -> dict[str, int]:
    """Remove some limits and switches of a user; violations stay."""
    leaving = ((traders_control, traders_control.c.user_id == user_id),)
    return remove_some(tx, store, leaving, most, f"erase user {user_id}")
