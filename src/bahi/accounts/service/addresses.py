"""Egress addresses: brokers know a customer by the one that orders come from."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from bahi.accounts import repository
from bahi.accounts.model import (
    Account,
    Egress,
    Person,
    parse_ip,
    parse_text,
    warnings_of_change,
    warnings_of_sharing,
)
from bahi.accounts.service.accounts import TOPIC, get_account
from bahi.accounts.service.people import get_person
from bahi.audit.service import note
from bahi.db.revisions import bump
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_admin, require_change
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Conflict, Invalid, NotFound

ADDRESSES_AT_MOST: Final = 500


def add_egress(
    tx: Tx,
    actor: Actor,
    address: str,
    now: datetime,
    *,
    public_address: str | None = None,
    provider: str | None = None,
    description: str | None = None,
    person_id: int | None = None,
    family_declared: bool = False,
) -> Egress:
    """Enter an address of this machine that calls may leave from."""
    require_admin(actor)
    local = parse_ip(address)
    if repository.find_egress(tx, address=local) is not None:
        raise Conflict(f"address: {local} is entered already.")
    if person_id is not None:
        get_person(tx, actor, person_id)
    egress_id = tx.new_id()
    at = to_micros(now)
    row = {
        "id": egress_id,
        "address": local,
        "public_address": None
        if public_address is None
        else parse_ip(public_address, "public_address"),
        "provider": parse_text(provider, "provider"),
        "description": parse_text(description, "description"),
        "person_id": person_id,
        "family_declared": int(family_declared),
        "created_at": at,
        "updated_at": at,
    }
    repository.add_egress(tx, row)
    note(tx, actor, "create", ("egress_address", egress_id), now, new={"address": local})
    return get_egress(tx, egress_id)


def get_egress(tx: Tx, egress_id: int) -> Egress:
    """Return an address."""
    egress = repository.find_egress(tx, egress_id=egress_id)
    if egress is None:
        raise NotFound(f"There is no address {egress_id}.")
    return egress


def list_egress(tx: Tx) -> list[Egress]:
    """Return every address."""
    return repository.list_egress(tx, ADDRESSES_AT_MOST)


def bind(
    tx: Tx,
    actor: Actor,
    account_id: int,
    egress_id: int | None,
    now: datetime,
    *,
    secondary: bool = False,
) -> list[str]:
    """Bind an account's calls to an address; return what its broker may object to."""
    require_change(actor)
    account = get_account(tx, actor, account_id)
    column = "secondary_egress_address_id" if secondary else "egress_address_id"
    if getattr(account, column) == egress_id:
        return []
    warnings = warnings_of_change(account, now)
    if egress_id is not None:
        warnings += _warnings(tx, account, get_egress(tx, egress_id))
    values: dict[str, Any] = {column: egress_id, "egress_changed_at": to_micros(now)}
    repository.change_account(tx, account_id, values, now)
    bump(tx, TOPIC)
    note(
        tx,
        actor,
        "update",
        ("account", account_id),
        now,
        old={column: _named(tx, getattr(account, column))},
        new={column: _named(tx, egress_id)},
        details=" ".join(warnings),
    )
    return warnings


def _warnings(tx: Tx, account: Account, egress: Egress) -> list[str]:
    if not egress.is_active:
        raise Invalid(f"{egress.address} is not in use; choose another address.")
    others = repository.list_accounts(tx, limit=ADDRESSES_AT_MOST, egress_id=egress.id)
    with_persons = [(it, _person_of(tx, it)) for it in others if it.id != account.id]
    return warnings_of_sharing(account, _person_of(tx, account), egress, with_persons)


def _person_of(tx: Tx, account: Account) -> Person | None:
    if account.person_id is None:
        return None
    return repository.find_person(tx, person_id=account.person_id)


def address_of(tx: Tx, account: Account) -> str | None:
    """Return the address that an account's calls bind to; None where it has none."""
    if account.egress_address_id is None:
        return None
    return get_egress(tx, account.egress_address_id).address


def _named(tx: Tx, egress_id: int | None) -> str | None:
    return None if egress_id is None else get_egress(tx, egress_id).address
