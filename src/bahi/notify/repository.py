"""The only SQL of alerts."""

from __future__ import annotations

import json
from typing import Any, Final

import sqlalchemy as sa

from bahi.db import types
from bahi.db.leaving import remove_some
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros
from bahi.notify.model import Alert, Cause, Severity
from bahi.notify.tables import alerts, telegram_chats, telegram_messages

_COLUMNS: Final = tuple(
    sa.cast(c, types.Text()).label(c.name) if c.name == "details" else c for c in alerts.columns
)
_OPEN: Final = alerts.c.acknowledged_at.is_(None)
_RAISE: Final = sa.text(
    "INSERT INTO alerts (id, severity, source, message, details, user_id, topic, times, raised_at,"
    " last_raised_at) VALUES (:id, :severity, :source, :message, :details, :user_id, :topic, 1,"
    " :now, :now) ON CONFLICT (topic) WHERE acknowledged_at IS NULL DO UPDATE SET"
    " times = alerts.times + 1, last_raised_at = excluded.last_raised_at,"
    " message = excluded.message, details = excluded.details, severity = CASE"
    " WHEN 'critical' IN (alerts.severity, excluded.severity) THEN 'critical'"
    " WHEN 'warning' IN (alerts.severity, excluded.severity) THEN 'warning' ELSE 'info' END"
    " RETURNING id, times"
).bindparams(sa.bindparam("details", type_=types.Json()))


def raise_alert(tx: Tx, cause: Cause, now: int) -> tuple[int, int]:
    """Enter an alert, or count it where one of its topic is open; return its id and the count."""
    row = tx.row(
        _RAISE,
        {
            "id": tx.new_id(),
            "severity": str(cause.severity),
            "source": cause.source,
            "message": cause.message,
            "details": None if cause.details is None else json.dumps(cause.details),
            "user_id": cause.user_id,
            "topic": cause.topic,
            "now": now,
        },
    )
    assert row is not None  # noqa: S101 - the statement returns the row that it wrote
    return int(row[0]), int(row[1])


def find(tx: Tx, alert_id: int) -> Alert | None:
    """Return an alert."""
    row = tx.row(sa.select(*_COLUMNS).where(alerts.c.id == alert_id))
    return None if row is None else _alert(row)


def open_of(tx: Tx, topic: str) -> Alert | None:
    """Return the open alert of a topic."""
    row = tx.row(sa.select(*_COLUMNS).where(alerts.c.topic == topic, _OPEN))
    return None if row is None else _alert(row)


def close(tx: Tx, alert_id: int, by: str, now: int) -> int:
    """Close an alert that is open; return 1 if it was."""
    return tx.change(
        alerts.update()
        .where(alerts.c.id == alert_id, _OPEN)
        .values(acknowledged_at=now, acknowledged_by=by)
    )


def page(
    tx: Tx,
    limit: int,
    after: tuple[bool, int] | None,
    user_id: int | None,
    only: bool | None,  # noqa: FBT001 - a store passes arguments by place
) -> list[Alert]:
    """Return alerts, open ones first, then the newest; below the place where a page ended."""
    closed = sa.case((_OPEN, 0), else_=1)
    clause = sa.select(*_COLUMNS).order_by(closed, alerts.c.id.desc()).limit(limit)
    if user_id is not None:
        clause = clause.where(alerts.c.user_id == user_id)
    if only is not None:
        clause = clause.where(_OPEN if only else ~_OPEN)
    if after is not None:
        was_open, last = after
        below = sa.and_(closed == int(not was_open), alerts.c.id < last)
        clause = clause.where(sa.or_(closed > int(not was_open), below))
    return [_alert(row) for row in tx.rows(clause)]


def count_open(tx: Tx) -> dict[str, int]:
    """Count the open alerts by severity."""
    counted = sa.select(alerts.c.severity, sa.func.count()).where(_OPEN)
    return {row[0]: int(row[1]) for row in tx.rows(counted.group_by(alerts.c.severity))}


def _alert(row: Row) -> Alert:
    it: dict[str, Any] = dict(zip((c.name for c in alerts.columns), row, strict=True))
    it["severity"] = Severity(it["severity"])
    it["details"] = None if it["details"] is None else json.loads(it["details"])
    for name in ("raised_at", "last_raised_at", "acknowledged_at"):
        it[name] = None if it[name] is None else from_micros(it[name])
    return Alert(**it)


def erase_account(tx: Tx, store: str, account_id: int, most: int) -> dict[str, int]:
    """Remove some alerts on an account."""
    leaving = ((alerts, alerts.c.account_id == account_id),)
    return remove_some(tx, store, leaving, most, f"erase account {account_id}")


def erase_user(tx: Tx, store: str, user_id: int, most: int) -> dict[str, int]:
    """Remove some alerts for a user, and their chats with what was written there."""
    chats = sa.select(telegram_chats.c.chat_id).where(telegram_chats.c.user_id == user_id)
    leaving = (
        (alerts, alerts.c.user_id == user_id),
        (telegram_messages, telegram_messages.c.chat_id.in_(chats)),
        (telegram_chats, telegram_chats.c.user_id == user_id),
    )
    return remove_some(tx, store, leaving, most, f"erase user {user_id}")
