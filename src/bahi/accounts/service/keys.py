"""What API keys open: exactly the accounts they were given, one of each mode by default."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from bahi.accounts import repository
from bahi.accounts.model import Account
from bahi.accounts.service.accounts import (
    ACCOUNTS_AT_MOST,
    get_account,
    list_accounts,
    open_further,
)
from bahi.db.tx import Tx
from bahi.identity.model import ApiKey
from bahi.identity.service import keys as identity
from bahi.kernel.actor import Actor, require_change, require_person
from bahi.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from bahi.kernel.words import AccountMode, KeyScope

NAMED_AT_MOST: Final = 10
"""How many accounts a refusal names."""


def issue_key(
    tx: Tx,
    actor: Actor,
    digest: str,
    now: datetime,
    *,
    user_id: int,
    name: str,
    scope: KeyScope,
    accounts: Sequence[int] | None = None,
    defaults: Sequence[int] = (),
    expires_at: datetime | None = None,
    needs_approval: bool = False,
) -> ApiKey:
    """Issue a key and say what it opens; when nothing is said, all that its scope allows."""
    key = identity.issue_key(
        tx,
        actor,
        digest,
        now,
        user_id=user_id,
        name=name,
        scope=scope,
        expires_at=expires_at,
        needs_approval=needs_approval,
    )
    opens = _chosen(tx, actor, user_id, scope, accounts)
    meant = _defaults(opens, defaults)
    for account in opens:
        default_for = account.mode if account.id in meant else None
        repository.open_account(tx, key.id, account.id, default_for)
    return key


def open_with(tx: Tx, actor: Actor, key_id: int, account_id: int, now: datetime) -> None:
    """Let a key that was issued before open a further account of its owner."""
    require_change(actor)
    key = identity.get_key(tx, key_id)
    if not actor.owns(key.user_id) or actor.scope is not None:
        raise NotFound(f"There is no key {key_id}.")
    (account,) = _chosen(tx, actor, key.user_id, key.scope, [account_id])
    open_further(tx, actor, key_id, account, now)


def switch(tx: Tx, actor: Actor, now: datetime, *, live: bool) -> ApiKey:
    """Have a key mean its live default from now on, or that of paper; a key switches itself."""
    require_change(actor)
    if actor.key_id is None:
        raise Forbidden("Only a key switches itself between its paper and its live default.")
    if live:
        if actor.scope is not KeyScope.TRADE:
            raise Forbidden(f"A key of scope {actor.scope} stays on paper; live needs scope trade.")
        if AccountMode.LIVE not in repository.opened_by(tx, actor.key_id).values():
            raise Conflict(
                "This key opens no live account, so it stays on paper; "
                "`bahi key open` lets it open one."
            )
    return identity.turn_key(tx, actor, actor.key_id, now, live=live)


def turn(tx: Tx, actor: Actor, key_id: int, now: datetime, *, live: bool) -> ApiKey:
    """Have a key of one's own mean its live default, or that of paper; for people who signed in."""
    require_person(actor, "A key of somebody is turned")
    key = identity.find_key(tx, key_id)
    if key is None or not actor.owns(key.user_id):
        raise NotFound(f"There is no key {key_id}.")
    if live:
        if key.scope is not KeyScope.TRADE:
            raise Forbidden(f"A key of scope {key.scope} stays on paper; live needs scope trade.")
        if AccountMode.LIVE not in repository.opened_by(tx, key_id).values():
            raise Conflict("This key opens no live account, so it stays on paper.")
    return identity.turn_key(tx, actor, key_id, now, live=live)


def _chosen(
    tx: Tx, actor: Actor, user_id: int, scope: KeyScope, accounts: Sequence[int] | None
) -> list[Account]:
    if accounts is None:
        own = repository.list_accounts(tx, limit=ACCOUNTS_AT_MOST, user_id=user_id)
        paper_only = scope is KeyScope.PAPER
        return [it for it in own if it.mode is AccountMode.PAPER or not paper_only]
    chosen = [get_account(tx, actor, account_id) for account_id in dict.fromkeys(accounts)]
    for account in chosen:
        if account.user_id != user_id:
            raise Forbidden(f"{account.name!r} is another user's; a key opens its owner's alone.")
        if scope is KeyScope.PAPER and account.mode is AccountMode.LIVE:
            raise Invalid(f"{account.name!r} is live; a key of scope paper opens paper accounts.")
    return chosen


def _defaults(opens: Sequence[Account], named: Sequence[int]) -> set[int]:
    """Return the account that is meant when a client names none, one for each mode."""
    meant: dict[AccountMode, int] = {}
    for account in opens:
        if account.id in named:
            if account.mode in meant:
                raise Invalid(
                    f"Two accounts are named as the default for {account.mode}; name one."
                )
            meant[account.mode] = account.id
    if unknown := set(named) - {account.id for account in opens}:
        raise Invalid(f"The default account {min(unknown)} is not among those the key opens.")
    for account in sorted(opens, key=lambda it: not it.is_primary):
        meant.setdefault(account.mode, account.id)
    return set(meant.values())


def account_meant(tx: Tx, actor: Actor, said: str | None) -> Account:
    """Return the account that a caller names, by its name or id; None is their default.

    A key's default is that of what it is set to, paper or live; a person's is their primary paper
    account, or the only one.
    """
    mine = [it for it in list_accounts(tx, actor) if actor.owns(it.user_id)]
    if said is not None:
        return _named(mine, actor, said.strip())
    wanted = AccountMode.LIVE if actor.goes_live else AccountMode.PAPER
    fit = [it for it in mine if it.mode is wanted]
    if actor.key_id is not None:
        meant = repository.opened_by(tx, actor.key_id)
        fit = [it for it in fit if meant.get(it.id) is wanted]
    elif len(fit) > 1:
        fit = [it for it in fit if it.is_primary and it.user_id == actor.user_id]
    if len(fit) != 1:
        raise Invalid(
            f"account: no {wanted} account is meant by default; name one of {_names(mine)}."
        )
    return fit[0]


def _named(mine: Sequence[Account], actor: Actor, said: str) -> Account:
    found = [it for it in mine if it.name == said]
    found = [it for it in found if it.user_id == actor.user_id] or found
    found = found or [it for it in mine if str(it.id) == said]
    if len(found) > 1:
        raise Conflict(f"account: several users call one {said[:80]!r}; name it by its id.")
    if not found:
        raise NotFound(f"account: there is no {said[:80]!r} here; name one of {_names(mine)}.")
    return found[0]


def _names(mine: Sequence[Account]) -> str:
    shown = ", ".join(repr(it.name) for it in mine[:NAMED_AT_MOST])
    return (
        f"{shown} and {len(mine) - NAMED_AT_MOST} more"
        if len(mine) > NAMED_AT_MOST
        else shown or "none"
    )


def accounts_of_each(tx: Tx, key_ids: Collection[int]) -> dict[int, dict[int, AccountMode | None]]:
    """Return what each of several keys opens; one statement."""
    return repository.opened_by_each(tx, key_ids) if key_ids else {}


def accounts_of(tx: Tx, key_id: int) -> dict[int, AccountMode | None]:
    """Return the accounts that a key opens, and for which mode each is the default."""
    return repository.opened_by(tx, key_id)
