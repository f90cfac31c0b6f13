"""Who may see what happened: whoever opens its account, and nobody else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import TOPIC as ACCOUNTS
from bahi.accounts.service.accounts import get_account
from bahi.api.live.events import Event
from bahi.bootstrap import House
from bahi.identity.service.users import TOPIC as IDENTITY
from bahi.kernel.actor import Actor
from bahi.kernel.errors import NotFound

ACCOUNTS_AT_MOST: Final = 10_000


class Sight:
    """What one actor may see, as accounts and keys are by now."""

    def __init__(self, house: House, actor: Actor, *, own: bool) -> None:
        self._house, self.actor, self._own = house, actor, own
        self._accounts: dict[int, Account | None] = {}
        self._as_of: tuple[int | None, int | None] = (None, None)

    async def of(self, events: Iterable[Event]) -> list[Event]:
        """Return those events that the actor may see."""
        numbers = self._house.revisions.number
        as_of = (numbers(ACCOUNTS), numbers(IDENTITY))
        if None in as_of or as_of != self._as_of or len(self._accounts) > ACCOUNTS_AT_MOST:
            self._accounts, self._as_of = {}, as_of
        return [it for it in events if await self._may_see(it)]

    async def account(self, account_id: int) -> Account | None:
        """Return an account that the actor may see, None where it is not for them."""
        if account_id not in self._accounts:
            self._accounts[account_id] = await self._look_up(account_id)
        return self._accounts[account_id]

    async def _may_see(self, event: Event) -> bool:
        if event.account_id is not None:
            return await self.account(event.account_id) is not None
        if event.user_id is not None:
            return event.user_id == self.actor.user_id or self._sees_all
        return self._sees_all

    @property
    def _sees_all(self) -> bool:
        return self.actor.is_admin and not self._own

    async def _look_up(self, account_id: int) -> Account | None:
        read = self._house.stores["main"].read
        try:
            found = await read(get_account, self.actor, account_id, fresh=True)
        except NotFound:
            return None
        return None if self._own and found.user_id != self.actor.user_id else found
