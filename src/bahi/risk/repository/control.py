"""Switches and limits: rows that are added and ended, never rewritten."""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, to_micros
from bahi.risk.model.control import Held, Scope, Switch, Whom
from bahi.risk.model.limits import Limits, document_of, limits_of
from bahi.risk.tables import traders_control

_COLUMNS: Final = {
    "daily_loss": "daily_loss_limit",
    "position_value": "position_size_limit",
    "order_value": "order_value_limit",
    "orders_a_day": "orders_per_day_limit",
    "open_orders": "open_orders_limit",
    "price_band": "price_band_limit",
}
_T: Final = traders_control.c


def lock(tx: Tx) -> None:
    """Keep switches and limits from everybody who would change them, or begin a page meanwhile."""
    if tx.dialect.name == "postgresql":  # SQLite has one writer anyway
        tx.change(sa.text("LOCK TABLE traders_control IN SHARE ROW EXCLUSIVE MODE"))


def switches(tx: Tx, at: datetime | None = None) -> list[Switch]:
    """Return the switches that are engaged, or were by an instant, the oldest first."""
    clause = (
        sa.select(
            _T.id, _T.scope, _T.user_id, _T.account_id, _T.strategy,
            _T.reason, _T.activated_by, _T.activated_at,
        )
        .where(_T.control_type == "KILL_SWITCH", _stood(at))
        .order_by(_T.id)
    )  # fmt: skip
    return [
        Switch(id=row[0], whom=_whom(row), reason=row[5], by=row[6], since=from_micros(row[7]))
        for row in tx.rows(clause)
    ]


def limits(tx: Tx, at: datetime | None = None) -> list[Held]:
    """Return the limits that bind somebody now or later, or did by an instant; oldest first."""
    clause = (
        sa.select(
            _T.id, _T.scope, _T.user_id, _T.account_id, _T.strategy, _T.reason, _T.activated_by,
            _T.effective_at, sa.cast(_T.allowed, sa.Text),
            *(_T[name] for name in _COLUMNS.values()),
        )
        .where(_T.control_type == "RISK_LIMIT", _stood(at))
        .order_by(_T.effective_at, _T.id)
    )  # fmt: skip
    return [
        Held(
            id=row[0],
            whom=_whom(row),
            limits=_limits(row[8], row[9:]),
            since=from_micros(row[7]),
            by=row[6],
            reason=row[5],
        )
        for row in tx.rows(clause)
    ]


def _stood(at: datetime | None) -> sa.ColumnElement[bool]:
    """Say of a row that it stands, or that it was recorded by an instant and ended after it."""
    if at is None:
        return _T.is_active == 1
    then = to_micros(at)
    ended_later = sa.or_(_T.deactivated_at.is_(None), _T.deactivated_at > then)
    return sa.and_(_T.created_at <= then, ended_later)


def engage(tx: Tx, it: Switch) -> None:
    """Write that a switch was engaged."""
    _add(tx, it.id, it.whom, it.since, control_type="KILL_SWITCH", kill_switch_status="ACTIVE",
         activated_at=to_micros(it.since), activated_by=it.by, reason=it.reason)  # fmt: skip


def release(tx: Tx, numbers: Collection[int], now: datetime) -> None:
    """Write that switches were released."""
    _end(tx, numbers, now, kill_switch_status="INACTIVE")


def hold(tx: Tx, it: Held, now: datetime) -> None:
    """Write limits that bind somebody from an instant on."""
    document = document_of(it.limits)
    kept = {column: document.pop(name, None) for name, column in _COLUMNS.items()}
    _add(tx, it.id, it.whom, now, control_type="RISK_LIMIT", effective_at=to_micros(it.since),
         allowed=json.dumps(document) if document else None, activated_by=it.by, reason=it.reason,
         **kept)  # fmt: skip


def end(tx: Tx, numbers: Collection[int], now: datetime) -> None:
    """Write that limits bind nobody any more."""
    _end(tx, numbers, now)


def _add(tx: Tx, identity: int, whom: Whom, at: datetime, **values: Any) -> None:
    tx.change(
        sa.insert(traders_control).values(
            id=identity,
            scope=str(whom.scope),
            user_id=whom.user_id,
            account_id=whom.account_id,
            strategy=whom.strategy,
            created_at=to_micros(at),
            updated_at=to_micros(at),
            **values,
        )
    )


def _end(tx: Tx, numbers: Collection[int], now: datetime, **values: Any) -> None:
    at = to_micros(now)
    tx.change(
        sa.update(traders_control)
        .where(_T.id.in_(list(numbers)))
        .values(is_active=0, deactivated_at=at, updated_at=at, **values)
    )


def _whom(row: Row) -> Whom:
    return Whom(scope=Scope(row[1]), user_id=row[2], account_id=row[3], strategy=row[4])


def _limits(allowed: str | None, numbers: Row) -> Limits:
    document: dict[str, Any] = json.loads(allowed) if allowed else {}
    return limits_of(document | dict(zip(_COLUMNS, numbers, strict=True)))
