"""Logins in people's hands: the link that is handed on, and the answer that comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bahi.accounts.model import Account, Registration
from bahi.accounts.service.applications import (
    NOTIFIER_PURPOSE,
    find_by_notifier,
    get_registration,
)
from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.errors import NotFound, Unauthenticated
from bahi.kernel.ports import LoginFailed
from bahi.tokens.model import Handover, Run
from bahi.tokens.repository import turns as turn_rows
from bahi.tokens.service import steps
from bahi.tokens.service.login import LoginDesk
from bahi.tokens.service.outcomes import CODE_PURPOSE, STATE_PURPOSE, HandedOver
from bahi.tokens.service.waiting import HOUSE, account_in_use

LINK: Final = the_house("link")
"""Who follows a link: whoever was given it."""
BROUGHT: Final = frozenset(
    ["code", "request_token", "tokenid", "apisession", "api_session", "apikey", "error", "status"]
)
"""What brokers send back, each its own, and what they call a refusal."""


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
            return (handover, *_awaited(tx, handover))

        return await self._desk.main.read(read, self._desk.clock(), fresh=True)

    async def open_link(self, code: str) -> tuple[str, str]:
        """Use a link up; return the broker's address and the state that comes back from it."""
        handover, account, registration = await self.peek(code)
        now = self._desk.clock()
        if not await self._desk.main.write(_opened, handover, now):
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
        account, registration = await self._desk.main.read(_awaited, handover, fresh=True)
        if account.broker != broker:
            raise Unauthenticated("This login was begun at another broker; begin again.")
        if not _is_an_answer(answer, state):  # the login stays open for what the broker sends
            raise Unauthenticated("This is not what the broker sends back; log in there first.")
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
        """Take a token that a broker's notifier posted; the broker itself says whose it is.

        It is judged first, so that what is no token uses nothing up; then it is stored whatever
        else goes on, since the broker has made it and the one before it is dead.
        """
        digest = self._desk.vault.digest(secret, NOTIFIER_PURPOSE)
        registration = await self._desk.main.read(find_by_notifier, digest, fresh=True)
        if registration is None:
            raise NotFound
        account, _ = await self._desk.main.read(_owner_of, registration.id, fresh=True)
        login, application = await self._desk.login_of(account, registration.id)
        words = {key: str(value) for key, value in payload.items()}
        grant = await login.complete(application, words, self._desk.clock())
        run = await self._desk.posted(account, registration, grant, the_house("notifier"))
        return Answered(account.name, registration.api_name, run)


def _is_an_answer(answer: Mapping[str, str], state: str) -> bool:
    """Say whether it can be the broker's: by what it carries, or by the state that only it knew.

    A browser that is merely sent here by a stranger brings neither, though its cookie does.
    """
    carried = {key.casefold() for key, value in answer.items() if value}
    return bool(carried & BROUGHT) or bool(state and answer.get("state") == state)


def _opened(tx: Tx, handover: Handover, now: datetime) -> bool:
    is_first = turn_rows.open_handover(tx, handover.id, now)
    if is_first:
        about = ("broker_api", handover.broker_api_id)
        note(tx, LINK, "token.link_opened", about, now, new={"execution_id": handover.execution_id})
    return is_first


def _awaited(tx: Tx, handover: Handover) -> tuple[Account, Registration]:
    """Return what a hand-over is for; one for what is out of use has ended."""
    try:
        return _owner_of(tx, handover.broker_api_id)
    except NotFound as gone:
        raise Unauthenticated(f"This login has ended: {gone}") from None


def _owner_of(tx: Tx, api_id: int) -> tuple[Account, Registration]:
    registration = get_registration(tx, HOUSE, api_id)
    return account_in_use(tx, registration.account_id), registration


def _by_state(tx: Tx, now: datetime, digest: str) -> Handover | None:
    return turn_rows.find_handover(tx, now, state_hash=digest)
