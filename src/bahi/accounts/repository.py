"""The only SQL of persons, accounts, applications, addresses and what keys open."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from bahi.accounts.model import Account, Egress, Person, Registration
from bahi.accounts.tables import accounts, api_key_accounts, broker_apis, egress_addresses, persons
from bahi.db.leaving import remove_some
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros, to_micros
from bahi.kernel.money import Money
from bahi.kernel.words import AccountMode, BrokerSlug, ConnectionStatus, CopyRole

_ACCOUNT: Final = tuple(accounts.c[name] for name in Account.__slots__)
_EGRESS: Final = tuple(egress_addresses.c[name] for name in Egress.__slots__)
_PERSON: Final = (
    persons.c.id,
    persons.c.user_id,
    persons.c.name,
    persons.c.relation,
    persons.c.pan_enc.is_not(None),
    persons.c.created_at,
)
_REGISTRATION: Final = (
    broker_apis.c.id,
    broker_apis.c.account_id,
    broker_apis.c.api_name,
    broker_apis.c.api_index,
    broker_apis.c.client_id,
    broker_apis.c.redirect_uri,
    broker_apis.c.is_primary,
    broker_apis.c.enabled,
    broker_apis.c.secret_enc.is_not(None),
    sa.and_(broker_apis.c.pin_enc.is_not(None), broker_apis.c.totp_enc.is_not(None)),
    broker_apis.c.notifier_hash.is_not(None),
    broker_apis.c.created_at,
    broker_apis.c.updated_at,
)


# Persons


def add_person(tx: Tx, row: Mapping[str, Any]) -> None:
    """Add a person."""
    tx.change(persons.insert(), row)


def find_person(
    tx: Tx, *, person_id: int | None = None, user_id: int | None = None, pan_hash: str | None = None
) -> Person | None:
    """Return a person by id, or a user's person by the digest of the PAN."""
    clause = sa.select(*_PERSON)
    if person_id is not None:
        clause = clause.where(persons.c.id == person_id)
    if pan_hash is not None:
        clause = clause.where(persons.c.user_id == user_id, persons.c.pan_hash == pan_hash)
    row = tx.row(clause)
    return None if row is None else _person(row)


def list_persons(tx: Tx, user_id: int | None, limit: int) -> list[Person]:
    """Return a user's persons, or everybody's."""
    clause = sa.select(*_PERSON).order_by(persons.c.id).limit(limit)
    if user_id is not None:
        clause = clause.where(persons.c.user_id == user_id)
    return [_person(row) for row in tx.rows(clause)]


def _person(row: Row) -> Person:
    return Person(
        id=row[0],
        user_id=row[1],
        name=row[2],
        relation=row[3],
        has_pan=bool(row[4]),
        created_at=from_micros(row[5]),
    )


# Addresses


def add_egress(tx: Tx, row: Mapping[str, Any]) -> None:
    """Add an address that calls may leave from."""
    tx.change(egress_addresses.insert(), row)


def change_egress(tx: Tx, egress_id: int, values: Mapping[str, Any], now: datetime) -> None:
    """Change what is given of an address."""
    stamped = {**values, "updated_at": to_micros(now)}
    tx.change(egress_addresses.update().where(egress_addresses.c.id == egress_id).values(**stamped))


def find_egress(
    tx: Tx, *, egress_id: int | None = None, address: str | None = None
) -> Egress | None:
    """Return an address by its id or its text."""
    clause = sa.select(*_EGRESS)
    if egress_id is not None:
        clause = clause.where(egress_addresses.c.id == egress_id)
    if address is not None:
        clause = clause.where(egress_addresses.c.address == address)
    row = tx.row(clause)
    return None if row is None else _egress(row)


def list_egress(tx: Tx, limit: int) -> list[Egress]:
    """Return every address."""
    clause = sa.select(*_EGRESS).order_by(egress_addresses.c.id).limit(limit)
    return [_egress(row) for row in tx.rows(clause)]


def _egress(row: Row) -> Egress:
    values = dict(zip(Egress.__slots__, row, strict=True))
    for name in ("family_declared", "is_active"):
        values[name] = bool(values[name])
    return Egress(**values)


# Accounts


def add_account(tx: Tx, row: Mapping[str, Any]) -> None:
    """Add an account."""
    tx.change(accounts.insert(), row)


def change_account(tx: Tx, account_id: int, values: Mapping[str, Any], now: datetime) -> None:
    """Change what is given of an account."""
    stamped = {**values, "updated_at": to_micros(now)}
    tx.change(accounts.update().where(accounts.c.id == account_id).values(**stamped))


def find_account(
    tx: Tx,
    *,
    account_id: int | None = None,
    user_id: int | None = None,
    name: str | None = None,
) -> Account | None:
    """Return an account by its id, or a user's by its name."""
    clause = sa.select(*_ACCOUNT)
    if account_id is not None:
        clause = clause.where(accounts.c.id == account_id)
    if name is not None:
        clause = clause.where(accounts.c.user_id == user_id, accounts.c.name == name)
    row = tx.row(clause)
    return None if row is None else _account(row)


def list_accounts(
    tx: Tx,
    *,
    limit: int,
    user_id: int | None = None,
    key_id: int | None = None,
    broker: BrokerSlug | None = None,
    egress_id: int | None = None,
    name: str | None = None,
    deleted: bool = False,
) -> list[Account]:
    """Return accounts that fit, by user and name; with a key, only those it opens."""
    clause = sa.select(*_ACCOUNT).order_by(accounts.c.user_id, accounts.c.name).limit(limit)
    if user_id is not None:
        clause = clause.where(accounts.c.user_id == user_id)
    if broker is not None:
        clause = clause.where(accounts.c.broker == broker)
    if name is not None:
        clause = clause.where(accounts.c.name == name)
    if egress_id is not None:
        either = (accounts.c.egress_address_id, accounts.c.secondary_egress_address_id)
        clause = clause.where(sa.or_(*(column == egress_id for column in either)))
    if not deleted:
        clause = clause.where(accounts.c.deleted_at.is_(None))
    if key_id is not None:
        opened = sa.select(api_key_accounts.c.account_id)
        opened = opened.where(api_key_accounts.c.api_key_id == key_id)
        clause = clause.where(accounts.c.id.in_(opened))
    return [_account(row) for row in tx.rows(clause)]


def clear_primary(tx: Tx, user_id: int, now: datetime) -> None:
    """Leave a user without a primary account, for the moment."""
    tx.change(
        accounts.update()
        .where(accounts.c.user_id == user_id, accounts.c.is_primary == 1)
        .values(is_primary=0, updated_at=to_micros(now))
    )


def _account(row: Row) -> Account:
    it = dict(zip(Account.__slots__, row, strict=True))
    for name in ("is_primary", "is_active", "has_ddpi"):
        it[name] = bool(it[name])
    for name in ("egress_changed_at", "last_connected_at", "deleted_at"):
        it[name] = None if it[name] is None else from_micros(it[name])
    return Account(
        **it
        | {
            "broker": BrokerSlug(it["broker"]),
            "mode": AccountMode(it["mode"]),
            "copy_role": None if it["copy_role"] is None else CopyRole(it["copy_role"]),
            "connection_status": ConnectionStatus(it["connection_status"]),
            "opening_cash": None if it["opening_cash"] is None else Money(it["opening_cash"]),
            "created_at": from_micros(it["created_at"]),
            "updated_at": from_micros(it["updated_at"]),
        }
    )


# What keys open


def open_account(
    tx: Tx, key_id: int, account_id: int, default_for: AccountMode | None = None
) -> None:
    """Let a key open an account."""
    row = {"api_key_id": key_id, "account_id": account_id, "default_for": default_for}
    tx.change(api_key_accounts.insert(), row)


def opened_by(tx: Tx, key_id: int) -> dict[int, AccountMode | None]:
    """Return the accounts that a key opens, and for which mode each is meant when none is named."""
    rows = tx.rows(
        sa.select(api_key_accounts.c.account_id, api_key_accounts.c.default_for)
        .where(api_key_accounts.c.api_key_id == key_id)
        .order_by(api_key_accounts.c.account_id)
    )
    return {row[0]: None if row[1] is None else AccountMode(row[1]) for row in rows}


def opened_by_each(tx: Tx, key_ids: Collection[int]) -> dict[int, dict[int, AccountMode | None]]:
    """Return the same of several keys at once."""
    opens: dict[int, dict[int, AccountMode | None]] = {it: {} for it in key_ids}
    its = api_key_accounts.c
    clause = sa.select(its.api_key_id, its.account_id, its.default_for)
    for key_id, account_id, meant in tx.rows(
        clause.where(its.api_key_id.in_(key_ids)).order_by(its.account_id)
    ):
        opens[key_id][account_id] = None if meant is None else AccountMode(meant)
    return opens


# Applications


def add_registration(tx: Tx, row: Mapping[str, Any]) -> None:
    """Add an application."""
    tx.change(broker_apis.insert(), row)


def change_registration(tx: Tx, api_id: int, values: Mapping[str, Any], now: datetime) -> None:
    """Change what is given of an application."""
    stamped = {**values, "updated_at": to_micros(now)}
    tx.change(broker_apis.update().where(broker_apis.c.id == api_id).values(**stamped))


def remove_registration(tx: Tx, api_id: int) -> None:
    """Remove an application, and with it its tokens."""
    tx.change(broker_apis.delete().where(broker_apis.c.id == api_id))


def find_registration(
    tx: Tx,
    *,
    api_id: int | None = None,
    account_id: int | None = None,
    api_name: str | None = None,
    notifier_hash: str | None = None,
) -> Registration | None:
    """Return an application by its id, its name, or the digest of its notifier's path."""
    clause = sa.select(*_REGISTRATION)
    if api_id is not None:
        clause = clause.where(broker_apis.c.id == api_id)
    if api_name is not None:
        named = (broker_apis.c.account_id == account_id, broker_apis.c.api_name == api_name)
        clause = clause.where(*named)
    if notifier_hash is not None:
        clause = clause.where(broker_apis.c.notifier_hash == notifier_hash)
    row = tx.row(clause)
    return None if row is None else _registration(row)


def list_registrations(tx: Tx, account_id: int) -> list[Registration]:
    """Return an account's applications in the order of their logins."""
    clause = sa.select(*_REGISTRATION).where(broker_apis.c.account_id == account_id)
    return [_registration(row) for row in tx.rows(clause.order_by(broker_apis.c.api_index))]


def sealed_of(tx: Tx, api_id: int) -> dict[str, bytes]:
    """Return an application's sealed secrets, by column; those that are there."""
    columns = (broker_apis.c.secret_enc, broker_apis.c.pin_enc, broker_apis.c.totp_enc)
    row = tx.row(sa.select(*columns).where(broker_apis.c.id == api_id))
    found = {} if row is None else dict(zip((c.name for c in columns), row, strict=True))
    return {name: bytes(sealed) for name, sealed in found.items() if sealed is not None}


def _registration(row: Row) -> Registration:
    return Registration(
        id=row[0],
        account_id=row[1],
        api_name=row[2],
        api_index=row[3],
        client_id=row[4],
        redirect_uri=row[5],
        is_primary=bool(row[6]),
        enabled=bool(row[7]),
        has_secret=bool(row[8]),
        logs_in_alone=bool(row[9]),
        has_notifier=bool(row[10]),
        created_at=from_micros(row[11]),
        updated_at=from_micros(row[12]),
    )


# Leaving for good


def erase_account(tx: Tx, store: str, account_id: int, most: int) -> dict[str, int]:
    """Remove some of what hangs on an account; the account itself stays for the end."""
    leaving = tuple((it, it.c.account_id == account_id) for it in (broker_apis, api_key_accounts))
    return remove_some(tx, store, leaving, most, f"erase account {account_id}")


def remove_account(tx: Tx, account_id: int) -> dict[str, int]:
    """Remove an account's own row, and what still refers to it."""
    leaving = ((accounts, accounts.c.id == account_id),)
    return remove_some(tx, "main", leaving, 1, f"erase account {account_id}")


def erase_user(tx: Tx, store: str, user_id: int, most: int) -> dict[str, int]:
    """Remove some of a user's persons; an address that was registered for one stays."""
    leaving = ((persons, persons.c.user_id == user_id),)
    return remove_some(tx, store, leaving, most, f"erase user {user_id}")
