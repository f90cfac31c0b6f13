"""Broker accounts: entered, changed, removed softly; which of them an actor may touch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, TypedDict

from bahi.accounts import repository
from bahi.accounts.model import Account, mode_of, only_one, parse_name, parse_text, parse_url
from bahi.accounts.service.people import get_person
from bahi.audit.service import note
from bahi.db.revisions import bump
from bahi.db.tx import Tx
from bahi.identity.service.users import lock_user
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from bahi.kernel.money import Money, plain
from bahi.kernel.words import AccountMode, BrokerSlug, ConnectionStatus, CopyRole, KeyScope

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
    """Enter an account of a user; a key that enters one of its owner's opens it too."""
    require_change(actor)
    if not actor.owns(user_id):
        raise Forbidden("Only an admin may enter accounts for others.")
    if "name" not in wished:
        raise Invalid("name: an account needs one.")
    natural = mode_of(broker, mode)
    if actor.scope is KeyScope.PAPER and natural is AccountMode.LIVE:
        raise Forbidden("A key of scope paper enters paper accounts alone.")
    user = lock_user(tx, user_id)  # names and the primary account are decided one at a time
    if user.deleted_at is not None:
        raise Conflict(f"The user {user.username!r} was removed.")
    values = _checked(tx, actor, wished, user_id, now)
    if opening_cash is not None and natural is AccountMode.LIVE:
        raise Invalid("opening_cash: a live account starts with what its broker says.")
    if natural is AccountMode.PAPER and opening_cash is None:
        opening_cash = PAPER_STARTS_WITH
    if opening_cash is not None and opening_cash < 0:
        raise Invalid("opening_cash: nobody starts with less than nothing.")
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
    if actor.key_id is not None and actor.user_id == user_id:
        open_further(tx, actor, actor.key_id, account, now)
    return account


def update_account(tx: Tx, actor: Actor, account_id: int, wished: Wished, now: datetime) -> Account:
    """Change what is said of an account."""
    require_change(actor)
    lock_user(tx, get_account(tx, actor, account_id).user_id)
    account = get_account(tx, actor, account_id)
    values = _checked(tx, actor, wished, account.user_id, now, but=account.id)
    repository.change_account(tx, account_id, values, now)
    bump(tx, TOPIC)
    changed = _existing(tx, account_id)
    old, new = shown(account), shown(changed)
    note(tx, actor, "update", ("account", account_id), now, old=old, new=new)
    return changed


def delete_account(tx: Tx, actor: Actor, account_id: int, now: datetime) -> None:
    """Remove an account softly: it is used no more, its books stay.

    Whether it was switched on stays with it, for the day that it is brought back.
    """
    require_change(actor)
    account = get_account(tx, actor, account_id)
    gone = {"is_primary": 0, "deleted_at": to_micros(now)}
    repository.change_account(tx, account_id, gone, now)
    bump(tx, TOPIC)
    note(tx, actor, "delete", ("account", account_id), now, old=shown(account))


def restore_account(tx: Tx, actor: Actor, account_id: int, now: datetime) -> Account:
    """Take back a soft removal; what was switched off before it is so still."""
    require_change(actor)
    account = repository.find_account(tx, account_id=account_id)
    if account is None or not _reaches(tx, actor, account):
        raise NotFound(f"There is no account {account_id}.")
    if account.deleted_at is None:
        raise Conflict(f"{account.name} was not removed.")
    repository.change_account(tx, account_id, {"deleted_at": None}, now)
    bump(tx, TOPIC)
    note(tx, actor, "restore", ("account", account_id), now)
    return _existing(tx, account_id)


def get_account(tx: Tx, actor: Actor, account_id: int) -> Account:
    """Return an account that the actor may see; of any other, there is none."""
    account = _seen(tx, actor, account_id)
    if account is None:
        raise NotFound(f"There is no account {account_id}.")
    return account


def may_see(tx: Tx, actor: Actor, account_id: int) -> bool:
    """Say whether an account is there for an actor."""
    return _seen(tx, actor, account_id) is not None


def _seen(tx: Tx, actor: Actor, account_id: int) -> Account | None:
    account = repository.find_account(tx, account_id=account_id)
    if account is None or account.deleted_at is not None or not _reaches(tx, actor, account):
        return None
    return account


def get_account_by_name(tx: Tx, actor: Actor, name: str, user_id: int | None = None) -> Account:
    """Return an account by the name that its user gave it."""
    found = [
        account
        for account in repository.list_accounts(
            tx,
            limit=ACCOUNTS_AT_MOST,
            user_id=user_id if actor.is_admin else actor.user_id,
            key_id=actor.key_id,
            name=" ".join(name.split()),
        )
        if user_id in {None, account.user_id}
    ]
    own = [account for account in found if account.user_id == actor.user_id]
    if len(own or found) > 1:
        raise Conflict(f"Several users call an account {name[:80]!r}; name it by its id.")
    for account in own or found:
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


def open_further(tx: Tx, actor: Actor, key_id: int, account: Account, now: datetime) -> None:
    """Let a key open one account more, the default for its mode where there is none yet."""
    opened = repository.opened_by(tx, key_id)
    if account.id in opened:
        return
    default_for = None if account.mode in opened.values() else account.mode
    repository.open_account(tx, key_id, account.id, default_for)
    bump(tx, TOPIC)
    note(tx, actor, "update", ("api_key", key_id), now, new={"opens": account.name})


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
        _refuse_taken(tx, user_id, name, but)
    if "host_url" in wished:
        values["host_url"] = parse_url(wished["host_url"], HOST, "host_url")
    if "websocket_url" in wished:
        values["websocket_url"] = parse_url(wished["websocket_url"], SOCKET, "websocket_url")
    if (person_id := wished.get("person_id")) is not None:
        _check_person(tx, actor, person_id, user_id)
    if "broker_user_id" in wished:
        values["broker_user_id"] = parse_text(wished["broker_user_id"], "broker_user_id")
    for flag in ("is_primary", "is_active", "has_ddpi"):
        if flag in values:
            values[flag] = int(values[flag])
    if values.get("is_primary"):
        repository.clear_primary(tx, user_id, now)
    return values


def _refuse_taken(tx: Tx, user_id: int, name: str, but: int) -> None:
    other = repository.find_account(tx, user_id=user_id, name=name)
    if other is None or other.id == but:
        return
    way_out = "it was removed; restore it" if other.deleted_at else "take another name"
    raise Conflict(f"name: there is an account {name!r} already; {way_out}.")


def _check_person(tx: Tx, actor: Actor, person_id: int, user_id: int) -> None:
    person = get_person(tx, actor, person_id)
    if person.user_id != user_id:  # an admin sees everybody's
        raise Invalid(f"person_id: {person.name!r} is of another user's family.")


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
