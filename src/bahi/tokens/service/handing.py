"""Logins in people's hands: the link that is handed on, and the answer that comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bahi.accounts.model import Account, Registration
from bahi.accounts.service.accounts import get_account
from bahi.accounts.service.applications import (
    NOTIFIER_PURPOSE,
    find_by_notifier,
    get_registration,
)
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.errors import NotFound, Unauthenticated
from bahi.kernel.ports import LoginFailed
from bahi.tokens.model import Handover, Run
from bahi.tokens.repository import turns as turn_rows
from bahi.tokens.service import steps
from bahi.tokens.service.login import LoginDesk
from bahi.tokens.service.outcomes import HandedOver
from bahi.tokens.service.steps import CODE_PURPOSE, STATE_PURPOSE, Claim


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a person's login."""

    account: str
    api_name: str
    run: Run | None


class Handing:
    """Hands logins on and takes their answers."""

    def __init__(self, desk: LoginDesk) -> None:
        self._desk = desk

    async def peek(self, code: str) -> tuple[Handover, Account, Registration]:
        """Return what a link is for, without using it up."""
        digest = self._desk.vault.digest(code, CODE_PURPOSE)

        def read(tx: Tx, now: datetime) -> tuple[Handover, Account, Registration]:
            handover = turn_rows.find_handover(tx, now, code_hash=digest)
            if handover is None or handover.opened_at is not None:
                raise Unauthenticated("This link was used, or has ended; ask for a new one.")
            return (handover, *_owner_of(tx, handover.broker_api_id))

        return await self._desk.main.read(read, self._desk.clock(), fresh=True)

    async def open_link(self, code: str) -> tuple[str, str]:
        """Use a link up; return the broker's address and the state that comes back from it."""
        handover, account, registration = await self.peek(code)
        now = self._desk.clock()
        if not await self._desk.main.write(turn_rows.open_handover, handover.id, now):
            raise Unauthenticated("This link was used a moment ago; ask for a new one.")
        sealed = await self._desk.main.read(turn_rows.sealed_state, handover.id, fresh=True)
        state = self._desk.vault.open(
            sealed, table="login_handovers", column="state_enc", row_id=handover.id
        ).decode()
        login, application = await self._desk.login_of(account, registration.id)
        return await login.begin(application, state), state

    async def address_for(self, handed: HandedOver) -> str:
        """Return the broker's address for who has the hand-over in their own hands."""
        found = await self._desk.main.read(_owner_of, handed.api_id, fresh=True)
        login, application = await self._desk.login_of(found[0], handed.api_id)
        return await login.begin(application, handed.state)

    async def answer(
        self, broker: str, state: str, answer: Mapping[str, str], actor: Actor
    ) -> Answered:
        """Take what a redirect brought: the state is checked, and it is taken once."""
        digest = self._desk.vault.digest(state, STATE_PURPOSE)
        handover = await self._desk.main.read(_by_state, self._desk.clock(), digest, fresh=True)
        if handover is None:
            raise Unauthenticated(
                "This login was not begun here, was used already, or took too long; begin again."
            )
        account, registration = await self._desk.main.read(
            _owner_of, handover.broker_api_id, fresh=True
        )
        if account.broker != broker:
            raise Unauthenticated("This login was begun at another broker; begin again.")
        claim = await self._desk.main.write(
            steps.take_answer, account, handover, self._desk.owner, self._desk.clock()
        )
        login, application = await self._desk.login_of(account, registration.id)
        try:
            grant = await login.complete(application, answer, self._desk.clock())
        except LoginFailed as failure:
            await self._desk.failed(claim, failure)
            raise
        run = await self._desk.succeeded(claim, grant, actor, login, application)
        return Answered(account.name, registration.api_name, run)

    async def notified(self, secret: str, payload: Mapping[str, Any]) -> Answered:
        """Take a token that a broker's notifier posted; the broker itself says whose it is."""
        digest = self._desk.vault.digest(secret, NOTIFIER_PURPOSE)
        registration = await self._desk.main.read(find_by_notifier, digest, fresh=True)
        if registration is None:
            raise NotFound
        account, _ = await self._desk.main.read(_owner_of, registration.id, fresh=True)
        actor = the_house("notifier")

        def claimed(tx: Tx, now: datetime) -> Claim:
            handover = turn_rows.open_handover_of(tx, registration.id, now)
            if handover is not None:  # somebody waits for exactly this
                return steps.take_answer(tx, account, handover, self._desk.owner, now)
            return steps.take_single(tx, account, registration.id, self._desk.owner, now)

        claim = await self._desk.main.write(claimed, self._desk.clock())
        login, application = await self._desk.login_of(account, registration.id)
        words = {key: str(value) for key, value in payload.items()}
        try:
            grant = await login.complete(application, words, self._desk.clock())
        except LoginFailed as failure:
            await self._desk.failed(claim, failure)
            raise
        await self._desk.succeeded(claim, grant, actor, login, application)
        return Answered(account.name, registration.api_name, None)


def _owner_of(tx: Tx, api_id: int) -> tuple[Account, Registration]:
    house = the_house("tokens")
    registration = get_registration(tx, house, api_id)
    return get_account(tx, house, registration.account_id), registration


def _by_state(tx: Tx, now: datetime, digest: str) -> Handover | None:
    return turn_rows.find_handover(tx, now, state_hash=digest)
