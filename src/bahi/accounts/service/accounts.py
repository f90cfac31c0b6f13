"""Broker accounts: entered, changed, removed softly; which of them an actor may touch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypedDict

from bahi.accounts import repository
from bahi.accounts.model import Account, mode_of, only_one, parse_name, parse_url
from bahi.accounts.service.people import get_person
from bahi.audit.service import note
from bahi.db.revisions import bump
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from bahi.kernel.money import Money, plain
from bahi.kernel.words import AccountMode, BrokerSlug, ConnectionStatus, CopyRole

TOPIC: Final = "accounts"
ACCOUNTS_AT_MOST: Final = 1_000
HOST: Final = ("http", "https")
SOCKET: Final = ("ws", "wss")
PAPER_STARTS_WITH: Final = Money(1_00_00_000 * 10_000)
"""One crore rupees."""


class Wished(TypedDict, total=False):
    """What may be said of an account when it is entered or changed."""

    name: str
    person_id: int | None
    copy_role: CopyRole | None
    broker_user_id: str | None
    host_url: str
    websocket_url: str
    is_primary: bool
    is_active: bool
    has_ddpi: bool


def add_account(
    tx: Tx,
    actor: Actor,
    broker: BrokerSlug,
    wished: Wished,
    now: datetime,
    *,
    user_id: int,
    mode: AccountMode | None = None,
    opening_cash: Money | None = None,
) -> Account:
    """Enter an account of a user."""
    require_change(actor)
    if not actor.owns(user_id):
        raise Forbidden("Only an admin may enter accounts for others.")
    if "name" not in wished:
        raise Invalid("name: an account needs one.")
    values = _checked(tx, actor, wished, user_id, now)
    natural = mode_of(broker, mode)
    if opening_cash is not None and natural is AccountMode.LIVE:
        raise Invalid("opening_cash: a live account starts with what its broker says.")
    if natural is AccountMode.PAPER and opening_cash is None:
        opening_cash = PAPER_STARTS_WITH
    account_id = tx.new_id()
    at = to_micros(now)
    row = {
        "id": account_id,
        "user_id": user_id,
        "broker": broker,
        "mode": natural,
        "opening_cash": opening_cash,
        "created_at": at,
        "updated_at": at,
        **values,
    }
    repository.add_account(tx, row)
    bump(tx, TOPIC)
    account = _existing(tx, account_id)
    note(tx, actor, "create", ("account", account_id), now, new=shown(account))
    return account


def update_account(tx: Tx, actor: Actor, account_id: int, wished: Wished, now: datetime) -> Account:
    """Change what is said of an account."""
    require_change(actor)
    account = get_account(tx, actor, account_id)
    values = _checked(tx, actor, wished, account.user_id, now, but=account.id)
    repository.change_account(tx, account_id, values, now)
    bump(tx, TOPIC)
    changed = _existing(tx, account_id)
    old, new = shown(account), shown(changed)
    note(tx, actor, "update", ("account", account_id), now, old=old, new=new)
    return changed


def delete_account(tx: Tx, actor: Actor, account_id: int, now: datetime) -> None:
    """Remove an account softly: it is used no more, its books stay."""
    require_change(actor)
    account = get_account(tx, actor, account_id)
    gone = {"is_active": 0, "is_primary": 0, "deleted_at": to_micros(now)}
    repository.change_account(tx, account_id, gone, now)
    bump(tx, TOPIC)
    note(tx, actor, "delete", ("account", account_id), now, old=shown(account))


def restore_account(tx: Tx, actor: Actor, account_id: int, now: datetime) -> Account:
    """Take back a soft removal."""
    require_change(actor)
    account = repository.find_account(tx, account_id=account_id)
    if account is None or not actor.owns(account.user_id):
        raise NotFound(f"There is no account {account_id}.")
    repository.change_account(tx, account_id, {"is_active": 1, "deleted_at": None}, now)
    bump(tx, TOPIC)
    note(tx, actor, "restore", ("account", account_id), now)
    return _existing(tx, account_id)


def get_account(tx: Tx, actor: Actor, account_id: int) -> Account:
    """Return an account that the actor may see; of any other, there is none."""
    account = repository.find_account(tx, account_id=account_id)
    if account is None or account.deleted_at is not None or not _reaches(tx, actor, account):
        raise NotFound(f"There is no account {account_id}.")
    return account


def get_account_by_name(tx: Tx, actor: Actor, name: str, user_id: int | None = None) -> Account:
    """Return an account by the name that its user gave it."""
    for account in list_accounts(tx, actor):
        if account.name == name.strip() and user_id in {None, account.user_id}:
            return account
    raise NotFound(f"There is no account {name[:80]!r}.")


def list_accounts(
    tx: Tx, actor: Actor, *, broker: BrokerSlug | None = None, deleted: bool = False
) -> list[Account]:
    """Return one's accounts, to a key those it opens, to an admin everybody's."""
    return repository.list_accounts(
        tx,
        limit=ACCOUNTS_AT_MOST,
        user_id=None if actor.is_admin else actor.user_id,
        key_id=actor.key_id,
        broker=broker,
        deleted=deleted,
    )


def account_meant(tx: Tx, actor: Actor, broker: BrokerSlug, named: str | None) -> Account:
    """Return the account of a broker that a caller means: the one named, the only, the primary."""
    if named is not None:
        account = get_account_by_name(tx, actor, named)
        if account.broker is not broker:
            raise Invalid(f"account: {named[:80]!r} is at {account.broker}, not at {broker}.")
        return account
    own = [it for it in list_accounts(tx, actor, broker=broker) if it.user_id == actor.user_id]
    return only_one([it for it in own if it.is_active], broker)


def mark_connection(
    tx: Tx, account_id: int, status: ConnectionStatus, now: datetime, *, who: Mapping[str, str]
) -> None:
    """Remember what the newest login or call found, and who the broker says it is."""
    values: dict[str, Any] = {"connection_status": status, **who}
    if status is ConnectionStatus.CONNECTED:
        values["last_connected_at"] = to_micros(now)
    repository.change_account(tx, account_id, values, now)


def _reaches(tx: Tx, actor: Actor, account: Account) -> bool:
    if not actor.owns(account.user_id):
        return False
    return actor.key_id is None or account.id in repository.opened_by(tx, actor.key_id)


def _existing(tx: Tx, account_id: int) -> Account:
    account = repository.find_account(tx, account_id=account_id)
    assert account is not None  # noqa: S101 - written a moment ago in this transaction
    return account


def _checked(
    tx: Tx, actor: Actor, wished: Wished, user_id: int, now: datetime, *, but: int = 0
) -> dict[str, Any]:
    values: dict[str, Any] = dict(wished)
    if "name" in wished:
        values["name"] = name = parse_name(wished["name"])
        other = repository.find_account(tx, user_id=user_id, name=name)
        if other is not None and other.id != but:
            removed = "; it was removed: `bahi account restore` brings it back"
            raise Conflict(
                f"name: there is an account {name!r} already"
                f"{removed if other.deleted_at else ', take another name'}."
            )
    if "host_url" in wished:
        values["host_url"] = parse_url(wished["host_url"], HOST, "host_url")
    if "websocket_url" in wished:
        values["websocket_url"] = parse_url(wished["websocket_url"], SOCKET, "websocket_url")
    if wished.get("person_id") is not None:
        get_person(tx, actor, wished["person_id"] or 0)
    for flag in ("is_primary", "is_active", "has_ddpi"):
        if flag in values:
            values[flag] = int(values[flag])
    if values.get("is_primary"):
        repository.clear_primary(tx, user_id, now)
    return values


def shown(account: Account) -> dict[str, Any]:
    """Return what the trail keeps of an account."""
    return {
        "name": account.name,
        "broker": account.broker,
        "mode": account.mode,
        "user_id": str(account.user_id),
        "person_id": None if account.person_id is None else str(account.person_id),
        "copy_role": account.copy_role,
        "host_url": account.host_url,
        "websocket_url": account.websocket_url,
        "is_primary": account.is_primary,
        "is_active": account.is_active,
        "has_ddpi": account.has_ddpi,
        "opening_cash": None if account.opening_cash is None else plain(account.opening_cash),
    }
