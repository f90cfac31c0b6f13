"""What brokers post: where they may, and what came, written down before anything else is done."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bahi.accounts.service.accounts import get_account
from bahi.accounts.service.applications import list_registrations, opened
from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import to_micros
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from bahi.kernel.redaction import redact
from bahi.kernel.words import BrokerSlug
from bahi.streams import repository
from bahi.streams.model import SIGNERS, Inlet, dedupe_key, is_kites, kind_of, order_ref

PATH_PURPOSE: Final = "postback"
SECRET_BYTES: Final = 32
INLETS_AT_MOST: Final = 20
EVENT_TYPES_AT_MOST: Final = 20

erase_account: Final = repository.erase_account
"""Remove some of an account's messages and connections; return how many of each."""


def new_path() -> str:
    """Make the secret part of an address."""
    return secrets.token_hex(SECRET_BYTES)


def add_inlet(
    tx: Tx,
    actor: Actor,
    account_id: int,
    what: tuple[str, str, Sequence[str]],
    now: datetime,
) -> Inlet:
    """Enter an address for an account's broker; `what`: the path's digest, the address, events."""
    _require_owner(actor)
    digest, address, events = what
    account = get_account(tx, actor, account_id)
    if len(events) > EVENT_TYPES_AT_MOST or any(not 0 < len(it) <= 60 for it in events):
        raise Invalid(f"event_types: {EVENT_TYPES_AT_MOST} words of up to 60 characters at most.")
    if len(repository.list_inlets(tx, account_id, INLETS_AT_MOST)) >= INLETS_AT_MOST:
        raise Conflict(f"{account.name!r} has {INLETS_AT_MOST} addresses already; remove one.")
    identity, at = tx.new_id(), to_micros(now)
    row = {
        "id": identity,
        "account_id": account_id,
        "webhook_url": address,
        "path_hash": digest,
        "event_types": json.dumps(list(events)) if events else None,
        "is_active": 1,
        "created_at": at,
        "updated_at": at,
    }
    repository.add_inlet(tx, row)
    new = {"account_id": str(account_id), "address": address, "events": list(events)}
    note(tx, actor, "create", ("postback", identity), now, new=new)
    return get_inlet(tx, actor, identity)


def get_inlet(tx: Tx, actor: Actor, inlet_id: int) -> Inlet:
    """Return an address of an account that one may see."""
    found = repository.find_inlet(tx, inlet_id=inlet_id) if 0 < inlet_id < 1 << 63 else None
    if found is None:
        raise NotFound(f"There is no postback address {inlet_id}.")
    get_account(tx, actor, found.account_id)
    return found


def list_inlets(tx: Tx, actor: Actor, account_id: int) -> list[Inlet]:
    """Return the addresses of an account."""
    return repository.list_inlets(tx, get_account(tx, actor, account_id).id, INLETS_AT_MOST)


def remove_inlet(tx: Tx, actor: Actor, inlet_id: int, now: datetime) -> None:
    """Forget an address: it opens nothing any more."""
    _require_owner(actor)
    found = get_inlet(tx, actor, inlet_id)
    repository.remove_inlet(tx, inlet_id)
    note(tx, actor, "delete", ("postback", inlet_id), now, old={"address": found.address})


def inlet_at(tx: Tx, digest: str) -> Inlet | None:
    """Return the address whose secret part has this digest."""
    found = repository.find_inlet(tx, digest=digest)
    return found if found is not None and found.is_active else None


def is_signed(
    tx: Tx, vault: Vault, account_id: int, broker: BrokerSlug, told: Mapping[str, Any]
) -> bool | None:
    """Say whether an account's broker signed a postback; None: that broker signs none."""
    if broker not in SIGNERS:
        return None
    applications = [opened(tx, vault, it.id) for it in list_registrations(tx, account_id)]
    return any(it.secret and is_kites(told, it.secret) for it in applications)


def take_postback(
    tx: Tx, inlet: Inlet, what: tuple[Mapping[str, Any], bool | None], now: datetime
) -> bool:
    """Write a postback down as it was, and whether its broker signed it; say if it is news."""
    told, verified = what
    repository.mark_called(tx, inlet.id, now)
    key = dedupe_key(told)
    if repository.is_known(tx, inlet.account_id, key):
        return False
    row = {
        "id": tx.new_id(),
        "account_id": inlet.account_id,
        "channel": "POSTBACK",
        "message_type": kind_of(told),
        "order_ref": order_ref(told),
        "payload": json.dumps(redact(told)),
        "dedupe_key": key,
        "is_verified": None if verified is None else int(verified),
        "is_processed": 0,
        "received_at": to_micros(now),
    }
    repository.add_message(tx, row)
    return True


def _require_owner(actor: Actor) -> None:
    """An address is a key of its own, so that a key cannot make one."""
    require_change(actor)
    if actor.key_id is not None:
        raise Forbidden("A key cannot make or remove addresses; sign in, or use the terminal.")
