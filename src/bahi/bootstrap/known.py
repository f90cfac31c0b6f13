"""What this process knows of accounts, and which of them have a page: a second old at most.

An order that comes again and again asks the database for neither. Everything is forgotten when an
account, a key or a user was changed anywhere, and nothing is used while that is not known
(`docs/decisions/0007`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Final

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import TOPIC as ACCOUNTS
from bahi.db.revisions import Revisions
from bahi.identity.service.users import TOPIC as IDENTITY
from bahi.kernel.actor import Actor
from bahi.kernel.remembered import Remembered

AT_MOST: Final = 10_000
FOR_S: Final = 36_000.0

AsOf = tuple[int, int]
"""How often accounts, and users with their keys, had changed."""


class Known:
    """The accounts as callers mean them, and the pages that were begun."""

    def __init__(self) -> None:
        self._accounts: Remembered[Hashable, Account] = Remembered(AT_MOST, FOR_S)
        self._pages: Remembered[int, bool] = Remembered(AT_MOST, FOR_S)
        self._as_of: AsOf | None = None

    async def account(
        self,
        revisions: Revisions,
        asked: Hashable,
        look: Callable[[], Awaitable[Account]],
    ) -> Account:
        """Return the account that was asked for, looked up where it is not known freshly."""
        as_of = self._forget_if_changed(revisions)
        found = self._accounts.get(asked)
        if found is None:
            found = await look()
            if as_of is not None and as_of == self._forget_if_changed(revisions):
                self._accounts.put(asked, found)
        return found

    def has_page(self, revisions: Revisions, account_id: int) -> bool:
        """Say whether an account's page is known to have been begun."""
        self._forget_if_changed(revisions)
        return self._pages.get(account_id) is not None

    def note_page(self, revisions: Revisions, account_id: int) -> None:
        """Remember that an account's page is there: only erasing the account removes it."""
        if self._forget_if_changed(revisions) is not None:
            self._pages.put(account_id, value=True)

    def _forget_if_changed(self, revisions: Revisions) -> AsOf | None:
        accounts, identity = revisions.number(ACCOUNTS), revisions.number(IDENTITY)
        as_of = None if accounts is None or identity is None else (accounts, identity)
        if as_of is None or as_of != self._as_of:
            self._accounts.clear()
            self._pages.clear()
            self._as_of = as_of
        return as_of


def rights_of(actor: Actor) -> tuple[Hashable, ...]:
    """Return all of an actor that decides which accounts are there for them."""
    return (actor.key_id, actor.user_id, actor.role, actor.goes_live)
