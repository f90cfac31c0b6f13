"""The SQL of token runs and the tries in them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, instant_of, micros_of, to_micros
from bahi.kernel.words import LoginFailure, TokenMode, TokenRunStatus
from bahi.tokens.model import RESUMABLE, Attempt, Run
from bahi.tokens.tables import (
    token_attempts,
    token_runs,
)

_RUN: Final = tuple(token_runs.c[name] for name in Run.__slots__)
_ATTEMPT: Final = tuple(token_attempts.c[name] for name in Attempt.__slots__)


def add_run(tx: Tx, run: Run) -> None:
    """Add a run."""
    tx.change(token_runs.insert(), _run_row(run))


def save_run(tx: Tx, run: Run) -> None:
    """Write a run as it is now; a wish to stop it that came meanwhile stays."""
    row = _run_row(run)
    del row["stop_requested"]
    tx.change(
        token_runs.update().where(token_runs.c.execution_id == run.execution_id).values(**row)
    )


def request_stop(tx: Tx, execution_id: str, now: datetime) -> None:
    """Ask a run to stop before its next login."""
    clause = token_runs.update().where(token_runs.c.execution_id == execution_id)
    tx.change(clause.values(stop_requested=1, updated_at=to_micros(now)))


def find_run(tx: Tx, execution_id: str) -> Run | None:
    """Return a run as it is."""
    clause = sa.select(*_RUN).where(token_runs.c.execution_id == execution_id)
    row = tx.row(clause)
    return None if row is None else _run(row)


def lock_run(tx: Tx, execution_id: str) -> Run | None:
    """Return a run that nobody else moves until we commit."""
    clause = sa.select(*_RUN).where(token_runs.c.execution_id == execution_id)
    row = tx.row(clause.with_for_update())
    return None if row is None else _run(row)


def newest_run(tx: Tx, account_id: int, *, resumable: bool = False) -> Run | None:
    """Return an account's newest run, or its newest that can go on."""
    clause = sa.select(*_RUN).where(token_runs.c.account_id == account_id)
    if resumable:
        clause = clause.where(token_runs.c.status.in_(RESUMABLE))
    row = tx.row(clause.order_by(token_runs.c.updated_at.desc()).limit(1))
    return None if row is None else _run(row)


def _run(row: Row) -> Run:
    it = dict(zip(Run.__slots__, row, strict=True))
    for name in ("last_failure_at", "due_at", "ended_at"):
        it[name] = instant_of(it[name])
    return Run(
        **it
        | {
            "mode": TokenMode(it["mode"]),
            "apis": tuple(json.loads(it["apis"] or "[]")),
            "status": TokenRunStatus(it["status"] or TokenRunStatus.STOPPED),
            "stop_requested": bool(it["stop_requested"]),
            "created_at": from_micros(it["created_at"]),
            "updated_at": from_micros(it["updated_at"]),
        }
    )


def _run_row(run: Run) -> dict[str, Any]:
    return {
        "execution_id": run.execution_id,
        "account_id": run.account_id,
        "mode": run.mode,
        "apis": json.dumps(run.apis),
        "status": run.status,
        "last_success_api": run.last_success_api,
        "next_api": run.next_api,
        "last_failure_at": micros_of(run.last_failure_at),
        "due_at": micros_of(run.due_at),
        "stop_requested": int(run.stop_requested),
        "started_by": run.started_by,
        "created_at": to_micros(run.created_at),
        "updated_at": to_micros(run.updated_at),
        "ended_at": micros_of(run.ended_at),
    }


def add_attempt(tx: Tx, row: Mapping[str, Any]) -> None:
    """Remember that a login begins."""
    tx.change(token_attempts.insert(), row)


def end_attempt(
    tx: Tx,
    attempt_id: int,
    outcome: str,
    now: datetime,
    *,
    reason: LoginFailure | None = None,
    broker_code: str | None = None,
    message: str | None = None,
) -> None:
    """Remember how a login ended."""
    tx.change(
        token_attempts.update()
        .where(token_attempts.c.id == attempt_id)
        .values(
            outcome=outcome,
            reason=reason,
            broker_code=broker_code,
            message=message,
            ended_at=to_micros(now),
        )
    )


def attempts_of(tx: Tx, execution_id: str) -> list[Attempt]:
    """Return the tries of a run, in order."""
    clause = sa.select(*_ATTEMPT).where(token_attempts.c.execution_id == execution_id)
    return [_attempt(row) for row in tx.rows(clause.order_by(token_attempts.c.id))]


def has_attempt(tx: Tx, attempt_id: int) -> bool:
    """Say whether a try is there still; it goes with its application."""
    return (
        tx.row(sa.select(token_attempts.c.id).where(token_attempts.c.id == attempt_id)) is not None
    )


def waiting_attempts(tx: Tx, api_id: int) -> list[Attempt]:
    """Return the tries of an application that wait for a person."""
    clause = sa.select(*_ATTEMPT).where(
        token_attempts.c.broker_api_id == api_id, token_attempts.c.outcome == "WAITING"
    )
    return [_attempt(row) for row in tx.rows(clause)]


def newest_attempts(tx: Tx, api_ids: Sequence[int]) -> dict[int, Attempt]:
    """Return the newest try of each of some applications."""
    newest = (
        sa.select(sa.func.max(token_attempts.c.id))
        .where(token_attempts.c.broker_api_id.in_(api_ids))
        .group_by(token_attempts.c.broker_api_id)
    )
    rows = tx.rows(sa.select(*_ATTEMPT).where(token_attempts.c.id.in_(newest)))
    return {attempt.broker_api_id: attempt for attempt in map(_attempt, rows)}


def _attempt(row: Row) -> Attempt:
    it = dict(zip(Attempt.__slots__, row, strict=True))
    it["reason"] = None if it["reason"] is None else LoginFailure(it["reason"])
    it["started_at"], it["ended_at"] = from_micros(it["started_at"]), instant_of(it["ended_at"])
    return Attempt(**it)
