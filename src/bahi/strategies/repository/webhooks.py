"""The SQL of webhooks and of the alerts that came to them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, Final

import sqlalchemy as sa

from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, instant_of, to_micros
from bahi.strategies.model.webhooks import Alert, AlertSource, AlertStatus, Webhook
from bahi.strategies.tables import webhook_alerts as alerts
from bahi.strategies.tables import webhooks

_W: Final = webhooks.c
_A: Final = alerts.c
_WEBHOOK: Final = sa.select(
    _W.id, _W.user_id, _W.account_id, _W.name, _W.source, sa.cast(_W.template, sa.Text),
    sa.cast(_W.addresses, sa.Text), _W.opens_at, _W.closes_at, _W.repeats_within_s,
    _W.signing_enc.is_not(None), _W.is_active, _W.created_at, _W.updated_at, _W.last_alert_at,
)  # fmt: skip
_ALERT: Final = sa.select(
    _A.id, _A.webhook_id, sa.cast(_A.payload, sa.Text), _A.ip_address, _A.status,
    sa.cast(_A.outcome, sa.Text), _A.error_message, _A.received_at, _A.done_at,
)  # fmt: skip


def add(tx: Tx, row: Mapping[str, Any]) -> None:
    """Enter a webhook."""
    tx.change(webhooks.insert(), row)


def change(tx: Tx, webhook_id: int, values: Mapping[str, Any], now: datetime) -> None:
    """Change a webhook."""
    stamped = {**values, "updated_at": to_micros(now)}
    tx.change(webhooks.update().where(_W.id == webhook_id).values(stamped))


def remove(tx: Tx, webhook_id: int) -> None:
    """Remove a webhook with the alerts that came to it."""
    tx.change(alerts.delete().where(_A.webhook_id == webhook_id))
    tx.change(webhooks.delete().where(_W.id == webhook_id))


def find(tx: Tx, webhook_id: int) -> Webhook | None:
    """Return a webhook by its id."""
    row = tx.row(_WEBHOOK.where(_W.id == webhook_id))
    return None if row is None else _webhook(row)


def find_by_path(tx: Tx, digest: str) -> tuple[Webhook, bytes | None] | None:
    """Return the webhook whose address this is, and what its alerts are signed with, sealed."""
    row = tx.row(_WEBHOOK.add_columns(_W.signing_enc).where(_W.path_hash == digest))
    return None if row is None else (_webhook(row[:-1]), row[-1])


def list_webhooks(tx: Tx, user_id: int | None, at_most: int) -> list[Webhook]:
    """Return the webhooks of a user, or of everybody."""
    clause = _WEBHOOK.order_by(_W.id).limit(at_most)
    if user_id is not None:
        clause = clause.where(_W.user_id == user_id)
    return [_webhook(row) for row in tx.rows(clause)]


def lock(tx: Tx, webhook_id: int, now: datetime) -> bool:
    """Take a webhook's turn: its alerts are taken one after the other."""
    clause = webhooks.update().where(_W.id == webhook_id, _W.is_active == 1)
    return bool(tx.change(clause.values(last_alert_at=to_micros(now))))


def find_alike(tx: Tx, webhook_id: int, key: str, since: datetime | None) -> Alert | None:
    """Return the newest alert of the same key, where one came since an instant, or ever."""
    clause = _ALERT.where(_A.webhook_id == webhook_id)
    if since is None:
        clause = clause.where(_A.said_key == key)
    else:
        clause = clause.where(
            _A.said_key.startswith(f"{key}@", autoescape=True), _A.received_at > to_micros(since)
        )
    row = tx.row(clause.order_by(_A.id.desc()).limit(1))
    return None if row is None else _alert(row)


def add_alert(tx: Tx, row: Mapping[str, Any]) -> None:
    """Write an alert down."""
    tx.change(alerts.insert(), row)


def end_alert(tx: Tx, alert_id: int, values: Mapping[str, Any]) -> None:
    """Write down what became of an alert."""
    tx.change(alerts.update().where(_A.id == alert_id).values(dict(values)))


def list_alerts(tx: Tx, webhook_id: int, before: int | None, at_most: int) -> list[Alert]:
    """Return alerts of a webhook, the newest first, below an id."""
    clause = _ALERT.where(_A.webhook_id == webhook_id)
    if before is not None:
        clause = clause.where(_A.id < before)
    return [_alert(row) for row in tx.rows(clause.order_by(_A.id.desc()).limit(at_most))]


def _webhook(row: Row) -> Webhook:
    return Webhook(
        id=row[0],
        user_id=row[1],
        account_id=row[2],
        name=row[3],
        source=AlertSource(row[4]),
        template=json.loads(row[5]),
        addresses=tuple(json.loads(row[6])) if row[6] else (),
        opens_at=_time(row[7]),
        closes_at=_time(row[8]),
        repeats_within_s=row[9],
        is_signed=bool(row[10]),
        is_active=bool(row[11]),
        created_at=from_micros(row[12]),
        updated_at=from_micros(row[13]),
        last_alert_at=instant_of(row[14]),
    )


def _alert(row: Row) -> Alert:
    return Alert(
        id=row[0],
        webhook_id=row[1],
        payload=None if row[2] is None else json.loads(row[2]),
        ip_address=row[3],
        status=AlertStatus(row[4]),
        outcome=None if row[5] is None else json.loads(row[5]),
        error_message=row[6],
        received_at=from_micros(row[7]),
        done_at=instant_of(row[8]),
    )


def _time(said: str | None) -> time | None:
    return None if said is None else time.fromisoformat(said)
