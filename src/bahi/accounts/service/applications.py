"""Applications registered at brokers: their names, their order, their sealed secrets."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bahi.accounts import repository
from bahi.accounts.model import (
    Account,
    Registration,
    next_index,
    parse_api_name,
    parse_text,
    parse_url,
)
from bahi.accounts.service.accounts import HOST, get_account, may_see
from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.identity.service.users import lock_user
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import to_micros
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import Conflict, Invalid, NotFound
from bahi.kernel.ports import Application
from bahi.kernel.words import AccountMode, BrokerSlug

NOTIFIER_PURPOSE: Final = "notifier"
NOTIFIER_BYTES: Final = 24
LONGEST_SECRET: Final = 4096
NO_CLIENT: Final = "client_id: give the one that the broker's developer page shows."


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What opens an application; `repr` shows none of it. None leaves as it is."""

    secret: str | None = None
    pin: str | None = None
    totp: str | None = None

    def __repr__(self) -> str:
        return "Secrets(***)"

    def sealed(self, vault: Vault, api_id: int) -> dict[str, bytes]:
        """Seal what is given for an application's row."""
        given = {"secret_enc": self.secret, "pin_enc": self.pin, "totp_enc": self.totp}
        return {
            column: vault.seal(value, table="broker_apis", column=column, row_id=api_id)
            for column, value in given.items()
            if value is not None
        }

    def check(self) -> None:
        """Refuse what cannot be a secret, without quoting it."""
        for field, value in (("secret", self.secret), ("pin", self.pin), ("totp", self.totp)):
            if value is not None and not 0 < len(value.strip()) <= LONGEST_SECRET:
                raise Invalid(f"{field}: it is empty or too long.")


def register(
    tx: Tx,
    actor: Actor,
    vault: Vault,
    account_id: int,
    now: datetime,
    *,
    secrets_: Secrets,
    api_name: str = "PRIMARY",
    client_id: str | None = None,
    redirect_uri: str | None = None,
    is_primary: bool | None = None,
    enabled: bool = True,
) -> Registration:
    """Register an application of an account."""
    require_change(actor)
    account = get_account(tx, actor, account_id)
    lock_user(tx, account.user_id)  # two of one name, or of one place, never come at once
    if account.mode is AccountMode.PAPER:
        raise Invalid("A paper account needs no application: it trades against Bahi itself.")
    secrets_.check()
    others = repository.list_registrations(tx, account_id)
    name = parse_api_name(api_name, account.broker)
    client = parse_text(client_id, "client_id")
    if any(other.api_name == name for other in others):
        raise Conflict(f"api_name: {account.name!r} has an application {name} already.")
    _check_client(account, client, secrets_)
    api_id = tx.new_id()
    at = to_micros(now)
    row = {
        "id": api_id,
        "account_id": account_id,
        "api_name": name,
        "api_index": next_index(name, account.broker, (other.api_index for other in others)),
        "client_id": client,
        "redirect_uri": None
        if redirect_uri is None
        else parse_url(redirect_uri, HOST, "redirect_uri"),
        "is_primary": int(name == "PRIMARY" if is_primary is None else is_primary),
        "enabled": int(enabled),
        "created_at": at,
        "updated_at": at,
        **secrets_.sealed(vault, api_id),
    }
    repository.add_registration(tx, row)
    registration = _existing(tx, api_id)
    note(tx, actor, "create", ("broker_api", api_id), now, new=_shown(registration))
    return registration


def _check_client(account: Account, client_id: str | None, given: Secrets) -> None:
    """Say what a broker's applications cannot be without."""
    if account.broker is BrokerSlug.OPENALGO:
        if given.secret is None:
            raise Invalid("secret: give the API key that the OpenAlgo host shows.")
        return
    if client_id is None:
        raise Invalid(NO_CLIENT)
    if given.secret is None and not (account.broker is BrokerSlug.DHAN and given.pin):
        raise Invalid("secret: give the one that the broker's developer page shows.")


def change_registration(
    tx: Tx,
    actor: Actor,
    vault: Vault,
    api_id: int,
    now: datetime,
    *,
    secrets_: Secrets = Secrets(),
    client_id: str | None = None,
    redirect_uri: str | None = None,
    enabled: bool | None = None,
) -> Registration:
    """Change what is given of an application."""
    require_change(actor)
    secrets_.check()
    registration = get_registration(tx, actor, api_id)
    values: dict[str, Any] = dict(secrets_.sealed(vault, api_id))
    if client_id is not None:
        values["client_id"] = client = parse_text(client_id, "client_id")
        account = get_account(tx, actor, registration.account_id)
        if client is None and account.broker is not BrokerSlug.OPENALGO:
            raise Invalid(NO_CLIENT)
    if redirect_uri is not None:
        values["redirect_uri"] = parse_url(redirect_uri, HOST, "redirect_uri")
    if enabled is not None:
        values["enabled"] = int(enabled)
    repository.change_registration(tx, api_id, values, now)
    changed = _existing(tx, api_id)
    what = ", ".join(sorted(name.removesuffix("_enc") for name in values if name.endswith("_enc")))
    note(
        tx,
        actor,
        "update",
        ("broker_api", api_id),
        now,
        old=_shown(registration),
        new=_shown(changed),
        details=f"changed: {what}" if what else "",
    )
    return changed


def remove_registration(tx: Tx, actor: Actor, api_id: int, now: datetime) -> None:
    """Remove an application, and its tokens with it."""
    require_change(actor)
    registration = get_registration(tx, actor, api_id)
    repository.remove_registration(tx, api_id)
    note(tx, actor, "delete", ("broker_api", api_id), now, old=_shown(registration))


def get_registration(tx: Tx, actor: Actor, api_id: int) -> Registration:
    """Return an application of an account that the actor may see."""
    registration = repository.find_registration(tx, api_id=api_id)
    if registration is None or not may_see(tx, actor, registration.account_id):
        raise NotFound(f"There is no application {api_id}.")  # also of another's account
    return registration


def list_registrations(tx: Tx, account_id: int) -> list[Registration]:
    """Return an account's applications in the order of their logins."""
    return repository.list_registrations(tx, account_id)


def new_notifier(tx: Tx, actor: Actor, api_id: int, digest: str, now: datetime) -> None:
    """Give an application a secret path at which the broker may report its tokens."""
    require_change(actor)
    get_registration(tx, actor, api_id)
    repository.change_registration(tx, api_id, {"notifier_hash": digest}, now)
    note(tx, actor, "update", ("broker_api", api_id), now, details="a new notifier path")


def notifier_secret() -> str:
    """Make the secret part of a notifier's path."""
    return secrets.token_urlsafe(NOTIFIER_BYTES)


def find_by_notifier(tx: Tx, digest: str) -> Registration | None:
    """Return the application whose notifier's path this is."""
    return repository.find_registration(tx, notifier_hash=digest)


def opened(tx: Tx, vault: Vault, api_id: int, redirect_uri: str = "") -> Application:
    """Return an application with its secrets open, for a login and nothing else."""
    registration = _existing(tx, api_id)
    account = repository.find_account(tx, account_id=registration.account_id)
    assert account is not None  # noqa: S101 - the application's foreign key
    sealed = repository.sealed_of(tx, api_id)
    plain = {
        column: vault.open(value, table="broker_apis", column=column, row_id=api_id).decode()
        for column, value in sealed.items()
    }
    return Application(
        client_id=registration.client_id or "",
        redirect_uri=registration.redirect_uri or redirect_uri,
        host=account.host_url or "",
        broker_user_id=account.broker_user_id or "",
        secret=plain.get("secret_enc", ""),
        pin=plain.get("pin_enc", ""),
        totp=plain.get("totp_enc", ""),
    )


def _existing(tx: Tx, api_id: int) -> Registration:
    registration = repository.find_registration(tx, api_id=api_id)
    if registration is None:
        raise NotFound(f"There is no application {api_id}.")
    return registration


def _shown(registration: Registration) -> dict[str, Any]:
    return {
        "api_name": registration.api_name,
        "account_id": str(registration.account_id),
        "client_id": registration.client_id,
        "redirect_uri": registration.redirect_uri,
        "enabled": registration.enabled,
    }
