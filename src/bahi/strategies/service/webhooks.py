"""Webhooks: entered, changed, removed; and their alerts, written down before anything is placed."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any, Final, NamedTuple

from bahi.accounts.service.accounts import get_account
from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import to_micros
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from bahi.kernel.redaction import redact, redact_text
from bahi.strategies.model.webhooks import Alert, AlertStatus, Webhook, Wished, key_of
from bahi.strategies.repository import webhooks as rows

PATH_PURPOSE: Final = "webhook"
SECRET_BYTES: Final = 32
WEBHOOKS_AT_MOST: Final = 200
LONGEST_SIGNING: Final = 500
TEXT_AT_MOST: Final = 2_000


class Taken(NamedTuple):
    """An alert, and whether it is new: one that came before is not done again."""

    alert: Alert
    is_new: bool


def new_path() -> str:
    """Make the secret part of an address."""
    return secrets.token_hex(SECRET_BYTES)


def add_webhook(
    tx: Tx,
    actor: Actor,
    vault: Vault,
    wish: tuple[int, Wished, str, str | None],
    now: datetime,
) -> Webhook:
    """Enter a webhook on an account; `wish` ends with its path's digest and its signing secret."""
    _require_owner(actor)
    account_id, wanted, path_hash, signing = wish
    wanted.check()
    account = get_account(tx, actor, account_id)
    if len(rows.list_webhooks(tx, account.user_id, WEBHOOKS_AT_MOST)) >= WEBHOOKS_AT_MOST:
        raise Conflict(f"There are {WEBHOOKS_AT_MOST} webhooks already; remove one first.")
    identity, at = tx.new_id(), to_micros(now)
    row = {
        "id": identity,
        "user_id": account.user_id,
        "account_id": account_id,
        "path_hash": path_hash,
        "signing_enc": None if signing is None else _sealed(vault, signing, identity),
        "is_active": 1,
        "created_at": at,
        **_values(wanted),
    }
    rows.add(tx, row | {"updated_at": at})
    found = get_webhook(tx, actor, identity)
    note(tx, actor, "create", ("webhook", identity), now, new=shown(found))
    return found


def change_webhook(
    tx: Tx,
    actor: Actor,
    webhook_id: int,
    what: tuple[Wished | None, bool | None],
    now: datetime,
) -> Webhook:
    """Change what a webhook is, or switch it on or off; its address stays."""
    _require_owner(actor)
    before = get_webhook(tx, actor, webhook_id)
    wanted, is_active = what
    values: dict[str, Any] = {} if is_active is None else {"is_active": int(is_active)}
    if wanted is not None:
        wanted.check()
        values |= _values(wanted)
    if not values:
        raise Invalid("Nothing would change; say what is to be different.")
    rows.change(tx, webhook_id, values, now)
    after = get_webhook(tx, actor, webhook_id)
    note(tx, actor, "update", ("webhook", webhook_id), now, old=shown(before), new=shown(after))
    return after


def remove_webhook(tx: Tx, actor: Actor, webhook_id: int, now: datetime) -> None:
    """Remove a webhook: its address opens nothing any more."""
    _require_owner(actor)
    before = get_webhook(tx, actor, webhook_id)
    rows.remove(tx, webhook_id)
    note(tx, actor, "delete", ("webhook", webhook_id), now, old=shown(before))


def get_webhook(tx: Tx, actor: Actor, webhook_id: int) -> Webhook:
    """Return a webhook of one's own; of another's there is none."""
    found = rows.find(tx, webhook_id) if 0 < webhook_id < 1 << 63 else None
    if found is None or not actor.owns(found.user_id):
        raise NotFound(f"There is no webhook {webhook_id}.")
    return found


def list_webhooks(tx: Tx, actor: Actor) -> list[Webhook]:
    """Return one's own webhooks; to an admin everybody's."""
    whose = None if actor.is_admin else actor.user_id
    return rows.list_webhooks(tx, whose, WEBHOOKS_AT_MOST)


def alerts_of(
    tx: Tx, actor: Actor, webhook_id: int, before: int | None = None, at_most: int = 50
) -> list[Alert]:
    """Return the alerts that came to a webhook, the newest first."""
    return rows.list_alerts(tx, get_webhook(tx, actor, webhook_id).id, before, at_most)


def webhook_at(tx: Tx, vault: Vault, path_hash: str) -> tuple[Webhook, str | None] | None:
    """Return the webhook of an address, and what its alerts are signed with."""
    found = rows.find_by_path(tx, path_hash)
    if found is None:
        return None
    webhook, sealed = found
    if sealed is None:
        return webhook, None
    secret = vault.open(sealed, table="webhooks", column="signing_enc", row_id=webhook.id)
    return webhook, secret.decode()


def take_alert(
    tx: Tx, webhook: Webhook, alert: Mapping[str, Any], address: str | None, now: datetime
) -> Taken:
    """Write an alert down, once: the same again within the webhook's time is the one before."""
    if not rows.lock(tx, webhook.id, now):
        raise Forbidden(f"The webhook {webhook.name!r} is switched off.")
    key, for_ever = key_of(alert)
    since = None if for_ever else now - timedelta(seconds=webhook.repeats_within_s)
    if known := rows.find_alike(tx, webhook.id, key, since):
        return Taken(known, is_new=False)
    identity = tx.new_id()
    row = {
        "id": identity,
        "webhook_id": webhook.id,
        "said_key": key if for_ever else f"{key}@{identity}",
        "payload": json.dumps(redact(alert)),
        "ip_address": address,
        "status": AlertStatus.TAKEN,
        "received_at": to_micros(now),
    }
    rows.add_alert(tx, row)
    written = Alert(
        id=identity,
        webhook_id=webhook.id,
        payload=alert,
        ip_address=address,
        status=AlertStatus.TAKEN,
        outcome=None,
        error_message=None,
        received_at=now,
        done_at=None,
    )
    return Taken(written, is_new=True)


def end_alert(
    tx: Tx, alert_id: int, outcome: list[dict[str, Any]] | None, why: str, now: datetime
) -> None:
    """Write down what became of an alert: its orders, or why there are none."""
    status = AlertStatus.DONE if outcome is not None else AlertStatus.REFUSED
    values = {
        "status": status,
        "outcome": None if outcome is None else json.dumps(redact(outcome)),
        "error_message": redact_text(why)[:TEXT_AT_MOST] or None,
        "done_at": to_micros(now),
    }
    rows.end_alert(tx, alert_id, values)


def shown(it: Webhook) -> dict[str, Any]:
    """Return what the audit trail keeps of a webhook: no secret of it."""
    return {
        "name": it.name,
        "source": it.source,
        "account_id": str(it.account_id),
        "template": dict(it.template),
        "addresses": list(it.addresses),
        "hours": None if it.opens_at is None else f"{it.opens_at} to {it.closes_at}",
        "active": it.is_active,
    }


def _values(wish: Wished) -> dict[str, Any]:
    return {
        "name": wish.name.strip(),
        "source": wish.source,
        "template": json.dumps(dict(wish.template)),
        "addresses": json.dumps(list(wish.addresses)) if wish.addresses else None,
        "opens_at": _text(wish.opens_at),
        "closes_at": _text(wish.closes_at),
        "repeats_within_s": wish.repeats_within_s,
    }


def _text(at: time | None) -> str | None:
    return None if at is None else at.isoformat(timespec="minutes")


def _sealed(vault: Vault, signing: str, webhook_id: int) -> bytes:
    if not 8 <= len(signing) <= LONGEST_SIGNING:
        raise Invalid(f"signing_secret: write 8 to {LONGEST_SIGNING} characters.")
    return vault.seal(signing, table="webhooks", column="signing_enc", row_id=webhook_id)


def _require_owner(actor: Actor) -> None:
    """A webhook is a key of its own, so that a key cannot make one."""
    require_change(actor)
    if actor.key_id is not None:
        raise Forbidden("A key cannot make or change webhooks; sign in, or use the terminal.")
