"""How one token is made: alone, by renewal, or by a person's hand; stored before anything else."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar, TypeVarTuple

from bahi.accounts.model import Account, Registration
from bahi.accounts.service.accounts import get_account
from bahi.accounts.service.addresses import address_of
from bahi.accounts.service.applications import get_registration, opened
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import Clock
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import Busy, InDoubt, NotCommitted, NotFound, Unavailable
from bahi.kernel.ports import Application, Grant, Login, LoginFailed
from bahi.kernel.words import BrokerSlug, LoginFailure, TokenState
from bahi.tokens.model import PERSON_TAKES, Run, Token, state_by_time
from bahi.tokens.repository import tokens as token_rows
from bahi.tokens.service import book, outcomes, steps
from bahi.tokens.service.outcomes import By, HandedOver, Verdict
from bahi.tokens.service.ports import Logins
from bahi.tokens.service.steps import Claim

WRITE_AGAIN_S: Final = 5.0
VERIFY_S: Final = 10.0
NO_ANSWER: Final = "no answer"
BY_TIME: Final = {
    TokenState.MISSING: "There is no token.",
    TokenState.EXPIRED: "Its time is over.",
}
WAITS_FOR_STORE: Final = (Busy, NotCommitted, Unavailable, InDoubt)

log = logging.getLogger("bahi.tokens")

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
Pause = Callable[[float], Awaitable[None]]


class LoginDesk:
    """Makes one token at a time for whoever holds the turn; one desk for each process."""

    def __init__(
        self,
        main: Store,
        vault: Vault,
        clock: Clock,
        logins: Logins,
        *,
        callback: Callable[[str], str],
        expiry_rule: Callable[[BrokerSlug], Awaitable[str]],
        pause: Pause = asyncio.sleep,
    ) -> None:
        self.main, self.vault, self.clock, self.pause = main, vault, clock, pause
        self._logins, self._callback, self._expiry_rule = logins, callback, expiry_rule
        self.owner = f"{os.getpid()}:{secrets.token_hex(4)}"
        self.pending: dict[int, str] = {}

    async def log_in(self, claim: Claim, actor: Actor) -> Run | HandedOver | None:
        """Make the token of a claim; the run as it is then, or what a person has to do."""
        login, application = await self.login_of(claim.account, claim.registration.id)
        try:
            grant = await self._alone(claim, login, application)
        except LoginFailed as failure:
            return await self.failed(claim, failure)
        if grant is None:
            handed = await self.hand_over(claim, actor)
            if claim.registration.has_notifier:
                await self._ask_in_the_app(claim, login, application)
            return handed
        return await self.succeeded(claim, grant, actor, login, application)

    async def _alone(self, claim: Claim, login: Login, application: Application) -> Grant | None:
        """Make a token without a person where that is possible; None where it is not."""
        if login.is_headless(application):
            return await login.log_in(application, self.clock())
        tokens = await self.main.read(_living, self.vault, claim.registration.id, self.clock())
        if tokens is None:
            return None
        try:
            return await login.renew(application, tokens, self.clock())
        except LoginFailed as failure:
            if failure.reason is LoginFailure.RATE_LIMIT:
                raise
            log.info("%s: not renewed: %s", claim.registration.api_name, failure)
            return None

    async def _ask_in_the_app(self, claim: Claim, login: Login, application: Application) -> None:
        """Have the broker ask its user as well; where it does not, the link is there."""
        try:
            await login.ask(application, self.clock())
        except LoginFailed as failure:
            log.warning("%s: not asked in the app: %s", claim.registration.api_name, failure)

    async def succeeded(
        self, claim: Claim, grant: Grant, actor: Actor, login: Login, application: Application
    ) -> Run | None:
        """Store the token before anything else is tried, then ask the broker whose it is."""
        by = By(actor, self.vault, self.clock())
        await self._keep_writing(claim.registration, outcomes.record_success, claim, grant, by)
        return await self._verify_new(claim, grant.tokens, login, application)

    async def posted(
        self, account: Account, registration: Registration, grant: Grant, actor: Actor
    ) -> Run | None:
        """Store a token that the broker has made already, whoever has the turn."""
        by = By(actor, self.vault, self.clock())
        claim = await self._keep_writing(
            registration, outcomes.record_posted, account.id, registration.id, grant, by
        )
        login, application = await self.login_of(account, registration.id)
        return await self._verify_new(claim, grant.tokens, login, application)

    async def verify_unasked(self, run: Run) -> Run:
        """Ask for the tokens of a run whose process died before it asked whose they are."""
        for claim in await self.main.read(steps.unasked, run, fresh=True):
            tokens = await self._opened(claim.registration.id)
            login, application = await self.login_of(claim.account, claim.registration.id)
            run = await self._verify_new(claim, tokens, login, application) or run
        return run

    async def _verify_new(
        self, claim: Claim, tokens: Mapping[str, str], login: Login, application: Application
    ) -> Run | None:
        state, why = await _asked(login, application, tokens)
        refused = state is TokenState.INVALID and not why.startswith(NO_ANSWER)

        def write(tx: Tx, now: datetime) -> Run | None:
            token = book.active_token(tx, claim.registration.id)
            is_it = token is not None and token.fingerprint == book.fingerprint_of(tokens)
            verdict = Verdict(token, state, why, refused) if token is not None and is_it else None
            return outcomes.record_verdict(tx, claim, verdict, now)

        return await self._keep_writing(claim.registration, write, self.clock())

    async def failed(self, claim: Claim, failure: LoginFailed) -> Run:
        """Write down why there is no token; a login outside a run has to say so itself."""
        run = await self._keep_writing(
            claim.registration, outcomes.record_failure, claim, failure, self.clock()
        )
        if run is None:
            raise failure
        return run

    async def _keep_writing(
        self, registration: Registration, fn: Callable[[Tx, *Ts], T], *args: *Ts
    ) -> T:
        """Write until it is in: a token that the broker made is never lost to a locked database."""
        while True:
            try:
                written = await self.main.write(fn, *args)
            except WAITS_FOR_STORE as fault:
                if registration.id not in self.pending:
                    log.warning("a token waits for the database, in memory: %s", fault)
                self.pending[registration.id] = registration.api_name
                await self.pause(WRITE_AGAIN_S)
            else:
                self.pending.pop(registration.id, None)
                return written

    async def login_of(self, account: Account, api_id: int) -> tuple[Login, Application]:
        """Return an account's login at its broker, and the application with its secrets open."""
        make = self._logins.get(account.broker)
        if make is None:
            raise NotFound(f"There is no login for {account.broker}; its accounts need none.")
        callback = self._callback(account.broker)

        def read(tx: Tx) -> tuple[str | None, Application]:
            return address_of(tx, account), opened(tx, self.vault, api_id, callback)

        address, application = await self.main.read(read, fresh=True)
        rule = await self._expiry_rule(account.broker)
        return make(account.id, address), replace(application, expiry_rule=rule)

    async def hand_over(self, claim: Claim, actor: Actor) -> HandedOver:
        """Put a login into a person's hands, and keep the turn for them."""
        now = self.clock()
        handed = HandedOver(
            account=claim.account.name,
            api_name=claim.registration.api_name,
            expires_at=now + PERSON_TAKES,
            code=secrets.token_urlsafe(24),
            state=secrets.token_urlsafe(24),
            api_id=claim.registration.id,
        )
        by = By(actor, self.vault, now)
        await self.main.write(outcomes.hand_over, claim, handed, by)
        return handed

    async def states(
        self,
        account: Account,
        registrations: Sequence[Registration],
        *,
        check: bool = True,
        known: Mapping[int, Token] | None = None,
    ) -> dict[int, tuple[TokenState, str]]:
        """Classify tokens: by time, then all at once by the broker's word.

        `known` are the active ones, of a caller who looked them up.
        """
        now = self.clock()
        ids = [it.id for it in registrations]
        tokens = (
            await self.main.read(token_rows.active_tokens, ids, fresh=True)
            if known is None
            else known
        )
        found: dict[int, tuple[TokenState, str]] = {}
        to_ask: list[int] = []
        for api_id in ids:
            token = tokens.get(api_id)
            state = state_by_time(token, now)
            if state is not None:
                found[api_id] = (state, BY_TIME[state])
            elif check:
                to_ask.append(api_id)
            elif token is not None:
                last = token.checked_state or TokenState.VALID
                found[api_id] = (
                    last,
                    "as the broker last said" if token.checked_at else "not asked",
                )
        answers = await asyncio.gather(*(self._ask(account, it) for it in to_ask))
        for api_id, (state, why) in zip(to_ask, answers, strict=True):
            found[api_id] = (state, why)
            await self.main.write(book.mark_checked, tokens[api_id], state, why, now)
        return found

    async def _ask(self, account: Account, api_id: int) -> tuple[TokenState, str]:
        tokens = await self._opened(api_id)
        login, application = await self.login_of(account, api_id)
        return await _asked(login, application, tokens)

    async def _opened(self, api_id: int) -> dict[str, str]:
        def read(tx: Tx) -> dict[str, str]:
            token = book.active_token(tx, api_id)
            return {} if token is None else book.open_token(tx, self.vault, token)

        return await self.main.read(read, fresh=True)

    async def revoke(self, actor: Actor, api_id: int) -> bool:
        """End a token here, then at the broker; False where there was none."""
        require_change(actor)
        now = self.clock()

        def read(tx: Tx) -> tuple[Account, dict[str, str]]:
            registration = get_registration(tx, actor, api_id)
            account = get_account(tx, actor, registration.account_id)
            token = book.active_token(tx, api_id)
            return account, {} if token is None else book.open_token(tx, self.vault, token)

        account, tokens = await self.main.read(read, fresh=True)
        gone = await self.main.write(book.deactivate, actor, api_id, now)
        if gone and tokens:
            login, application = await self.login_of(account, api_id)
            try:
                await login.revoke(application, tokens)
            except LoginFailed as failure:
                log.warning("the broker did not end the token: %s", failure)
        return gone


async def _asked(
    login: Login, application: Application, tokens: Mapping[str, str]
) -> tuple[TokenState, str]:
    """Ask the broker whose a token is; what is not a yes counts as no."""
    try:
        profile = await asyncio.wait_for(login.verify(application, tokens), VERIFY_S)
    except LoginFailed as failure:
        if failure.reason is LoginFailure.PROFILE_VERIFICATION_FAILED:
            return TokenState.INVALID, str(failure)
        return TokenState.INVALID, f"{NO_ANSWER} that says it is good: {failure}"
    except TimeoutError:
        return TokenState.INVALID, f"{NO_ANSWER} within {VERIFY_S:.0f} s"
    return TokenState.VALID, f"the broker knows it as {profile.user_id}"


def _living(tx: Tx, vault: Vault, api_id: int, now: datetime) -> dict[str, str] | None:
    token = book.active_token(tx, api_id)
    if token is None or state_by_time(token, now) is not None:
        return None
    return book.open_token(tx, vault, token)
