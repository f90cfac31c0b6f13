"""What leaves of accounts and persons when they are erased."""

from __future__ import annotations

from typing import Final

from bahi.accounts import repository
from bahi.accounts.service.accounts import ACCOUNTS_AT_MOST, TOPIC
from bahi.accounts.service.people import PERSONS_AT_MOST
from bahi.db.revisions import bump
from bahi.db.tx import Tx

erase_account: Final = repository.erase_account
"""Remove some of an account's applications and of what keys it opens; return how many."""

erase_user: Final = repository.erase_user
"""Remove some of a user's persons; return how many."""


def remove_account(tx: Tx, account_id: int) -> dict[str, int]:
    """Remove an account's own row, when nothing hangs on it any more."""
    bump(tx, TOPIC)
    return repository.remove_account(tx, account_id)


def accounts_of(tx: Tx, user_id: int) -> list[int]:
    """Return the ids of all accounts of a user, removed ones too."""
    found = repository.list_accounts(tx, limit=ACCOUNTS_AT_MOST, user_id=user_id, deleted=True)
    return [account.id for account in found]


def persons_of(tx: Tx, user_id: int) -> list[int]:
    """Return the ids of a user's persons."""
    return [it.id for it in repository.list_persons(tx, user_id, PERSONS_AT_MOST)]
