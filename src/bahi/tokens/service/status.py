"""Everything about everybody's tokens on one page: what is good, what is not, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bahi.accounts.model import Account, Registration
from bahi.accounts.service.accounts import list_accounts
from bahi.accounts.service.applications import list_registrations
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.words import BrokerSlug, TokenState
from bahi.tokens.model import Attempt, Run, Token, TokenStatus, countdown
from bahi.tokens.repository import runs as run_rows
from bahi.tokens.repository import tokens as token_rows
from bahi.tokens.service.login import LoginDesk
from bahi.tokens.service.steps import cooldown_ends
from bahi.tokens.service.waiting import is_in_use


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """An account's tokens, its newest run, and the cooldown of its person."""

    account: Account
    tokens: tuple[TokenStatus, ...]
    run: Run | None
    cools_until: datetime | None

    @property
    def missing(self) -> tuple[TokenStatus, ...]:
        """The enabled applications without a good token."""
        return tuple(it for it in self.tokens if it.enabled and it.state is not TokenState.VALID)


@dataclass(frozen=True, slots=True)
class Held:
    """What the rows say of one account."""

    account: Account
    registrations: Sequence[Registration]
    tokens: dict[int, Token]
    attempts: dict[int, Attempt]
    run: Run | None
    cools_until: datetime | None


async def status_of(
    desk: LoginDesk,
    actor: Actor,
    *,
    account_id: int | None = None,
    broker: BrokerSlug | None = None,
    check: bool = True,
) -> list[AccountStatus]:
    """Return the state of every application's token: by its time, then by the broker's word."""
    now = desk.clock()
    held = await desk.main.read(_held, actor, broker, account_id, now, fresh=True)
    statuses = []
    for it in held:
        states = await desk.states(it.account, it.registrations, check=check, known=it.tokens)
        tokens = tuple(_status(it, reg, *states[reg.id], now) for reg in it.registrations)
        statuses.append(AccountStatus(it.account, tokens, it.run, it.cools_until))
    return statuses


def _held(
    tx: Tx, actor: Actor, broker: BrokerSlug | None, account_id: int | None, now: datetime
) -> list[Held]:
    found = []
    for account in list_accounts(tx, actor, broker=broker):
        if account_id not in {None, account.id}:
            continue
        registrations = list_registrations(tx, account.id)
        if not registrations or not is_in_use(tx, account):
            continue
        ids = [it.id for it in registrations]
        found.append(
            Held(
                account,
                registrations,
                token_rows.active_tokens(tx, ids),
                run_rows.newest_attempts(tx, ids),
                run_rows.newest_run(tx, account.id),
                cooldown_ends(tx, account.login, now),
            )
        )
    return found


def _status(
    held: Held, registration: Registration, state: TokenState, why: str, now: datetime
) -> TokenStatus:
    token, attempt = held.tokens.get(registration.id), held.attempts.get(registration.id)
    if state is not TokenState.VALID and attempt is not None and attempt.message:
        why = attempt.message
    if held.cools_until is not None and state is not TokenState.VALID:
        why = f"{why} Cooldown: {countdown(held.cools_until - now)} left."
    lent = token is not None and token.leased_until is not None and token.leased_until > now
    return TokenStatus(
        account_id=held.account.id,
        account=held.account.name,
        broker=held.account.broker,
        broker_user_id=held.account.broker_user_id,
        broker_user_name=held.account.broker_user_name,
        api_id=registration.id,
        api_name=registration.api_name,
        api_index=registration.api_index,
        enabled=registration.enabled,
        state=state,
        why=why,
        generated_at=token.generated_at if token else None,
        expires_at=token.expires_at if token else None,
        fingerprint=token.fingerprint if token else None,
        leased_to=token.lease_owner if token and lent else None,
    )


Goodness = token_rows.Goodness

goodness: Final = token_rows.by_account
"""Return how many tokens of each of some accounts are good by their time, asking no broker;
`goodness(tx, ids, now)`."""


def summary(statuses: Sequence[AccountStatus]) -> dict[str, int]:
    """Count tokens by their state."""
    counted = Counter(it.state for status in statuses for it in status.tokens)
    return {
        "valid": counted[TokenState.VALID],
        "invalid": counted[TokenState.INVALID],
        "expired": counted[TokenState.EXPIRED],
        "missing": counted[TokenState.MISSING],
        "total": sum(counted.values()),
    }


CSV_HEAD = ("api_name", "user_id", "is_active", "validity_at")


def csv_rows(statuses: Sequence[AccountStatus]) -> list[tuple[str, str, int, str]]:
    """Return what may be exported of tokens: never the token."""
    rows = []
    for status in statuses:
        for it in status.tokens:
            words = it.as_words()
            active = int(it.state is not TokenState.MISSING)
            rows.append(
                (
                    it.api_name,
                    it.broker_user_id or "",
                    active,
                    str(words["validity_at"] or ""),
                )
            )
    return rows
