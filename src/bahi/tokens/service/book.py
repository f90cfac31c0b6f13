"""The book of tokens: stored sealed, found, kept in memory no longer than they live, retired."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from bahi.accounts.model import Registration
from bahi.accounts.service.accounts import mark_connection
from bahi.audit.service import note
from bahi.db.revisions import Revisions, bump
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.clock import Clock, to_micros
from bahi.kernel.crypto import Vault
from bahi.kernel.errors import Conflict, NotFound
from bahi.kernel.ports import Grant
from bahi.kernel.redaction import redact
from bahi.kernel.remembered import Remembered
from bahi.kernel.words import BrokerSlug, ConnectionStatus, TokenState
from bahi.tokens.model import (
    KEPT_AT_MOST,
    LEASE,
    LIVES_WITHOUT_WORD,
    Token,
    fingerprint,
    kept_until,
    state_by_time,
)
from bahi.tokens.repository import tokens as token_rows

TOPIC: Final = "tokens"
KEPT: Final = 500
HISTORY_AT_MOST: Final = 200
CHUNK: Final = 200


@dataclass(frozen=True, slots=True)
class Opened:
    """A token with its secrets open, for calls and streams; `repr` shows none."""

    token_id: int
    tokens: Mapping[str, str] = field(repr=False)
    expires_at: datetime | None
    good_until: datetime


def store_grant(
    tx: Tx,
    actor: Actor,
    vault: Vault,
    api_id: int,
    grant: Grant,
    *,
    account_id: int,
    broker: BrokerSlug,
    now: datetime,
) -> Token:
    """Retire an application's token and store the one that a login brought, sealed."""
    before = token_rows.active_tokens(tx, [api_id]).get(api_id)
    token_rows.retire(tx, "replaced", now, api_id=api_id)
    token_id = tx.new_id()
    expires_at = grant.expires_at
    if expires_at is None and broker is not BrokerSlug.OPENALGO:
        expires_at = now + LIVES_WITHOUT_WORD
    at = to_micros(now)
    row: dict[str, Any] = {
        "id": token_id,
        "broker_api_id": api_id,
        "token_type": grant.token_type,
        "scope": grant.scope or None,
        "generated_at": at,
        "expires_at": None if expires_at is None else to_micros(expires_at),
        "is_active": 1,
        "metadata": json.dumps(redact(dict(grant.metadata)), ensure_ascii=False),
        "fingerprint": fingerprint_of(grant.tokens),
        "created_at": at,
        "updated_at": at,
    }
    for kind in token_rows.KINDS:
        if grant.tokens.get(kind):
            column = f"{kind}_token_enc"
            place = {"table": "broker_tokens", "column": column}
            row[column] = vault.seal(grant.tokens[kind], **place, row_id=token_id)
    token_rows.add_token(tx, row)
    bump(tx, TOPIC)
    _know_owner(tx, account_id, grant, now)
    event = "token.issued" if before is None else "token.refreshed"
    new = {"fingerprint": row["fingerprint"], "token_id": str(token_id)}
    old = None if before is None else {"fingerprint": before.fingerprint}
    note(tx, actor, event, ("broker_api", api_id), now, old=old, new=new)
    return token_rows.active_tokens(tx, [api_id])[api_id]


def fingerprint_of(tokens: Mapping[str, str]) -> str:
    """Name a token by the part that opens calls."""
    return fingerprint(tokens.get("access") or tokens.get("session") or "")


def update_token(
    tx: Tx,
    actor: Actor,
    vault: Vault,
    registration: Registration,
    parts: Mapping[str, str],
    *,
    now: datetime,
    broker: BrokerSlug,
    expires_at: datetime | None = None,
) -> Token:
    """Give an application other token parts; what is not given stays, the row before is kept."""
    before = active_token(tx, registration.id)
    kept = {} if before is None else open_token(tx, vault, before)
    grant = Grant(tokens={**kept, **parts}, expires_at=expires_at)
    return store_grant(
        tx,
        actor,
        vault,
        registration.id,
        grant,
        account_id=registration.account_id,
        broker=broker,
        now=now,
    )


def _know_owner(tx: Tx, account_id: int, grant: Grant, now: datetime) -> None:
    told = {"broker_user_id": grant.broker_user_id, "broker_user_name": grant.broker_user_name}
    known = {name: value for name, value in told.items() if value}
    mark_connection(tx, account_id, ConnectionStatus.CONNECTED, now, who=known)


def open_token(tx: Tx, vault: Vault, token: Token) -> dict[str, str]:
    """Return the secret parts of a token, by kind."""
    return {
        kind: vault.open(
            sealed, table="broker_tokens", column=f"{kind}_token_enc", row_id=token.id
        ).decode()
        for kind, sealed in token_rows.sealed_tokens(tx, token.id).items()
    }


def active_token(tx: Tx, api_id: int) -> Token | None:
    """Return an application's active token, whatever its time."""
    return token_rows.active_tokens(tx, [api_id]).get(api_id)


def history(tx: Tx, api_id: int) -> list[Token]:
    """Return the tokens ever issued to an application, newest first."""
    return token_rows.history(tx, api_id, HISTORY_AT_MOST)


def mark_checked(
    tx: Tx, token: Token, state: TokenState, why: str, now: datetime, *, retire: bool = False
) -> None:
    """Remember what the broker said of a token; one that it refused goes out of use."""
    values = {"checked_at": to_micros(now), "checked_state": state}
    token_rows.change_token(tx, token.id, values, now)
    if state is TokenState.INVALID:
        about = ("broker_api", token.broker_api_id)
        new = {"fingerprint": token.fingerprint}
        note(tx, the_house("tokens"), "token.health_failed", about, now, new=new, details=why)
        if retire:
            token_rows.retire(tx, "refused by the broker", now, token_id=token.id)
        bump(tx, TOPIC)


def deactivate(tx: Tx, actor: Actor, api_id: int, now: datetime) -> bool:
    """Take an application's token out of use; False where there was none."""
    token = active_token(tx, api_id)
    if token is None:
        return False
    token_rows.retire(tx, "revoked", now, token_id=token.id)
    bump(tx, TOPIC)
    old = {"fingerprint": token.fingerprint}
    note(tx, actor, "token.revoked", ("broker_api", api_id), now, old=old)
    return True


def cleanup_expired(tx: Tx, now: datetime) -> int:
    """Take tokens out of use whose time is over, with a line in the trail for each."""
    gone = token_rows.expired_tokens(tx, now, CHUNK)
    for token in gone:
        token_rows.retire(tx, "expired", now, token_id=token.id)
        about, old = ("broker_api", token.broker_api_id), {"fingerprint": token.fingerprint}
        note(tx, the_house("tokens"), "token.expired", about, now, old=old)
    if gone:
        bump(tx, TOPIC)
    return len(gone)


def count_expired(tx: Tx, now: datetime) -> int:
    """Count the tokens in use whose time is over."""
    return token_rows.count_expired(tx, now)


def get_active_session(tx: Tx, broker: BrokerSlug, now: datetime) -> tuple[Token, int] | None:
    """Return a broker's newest active token that has not expired, and its account."""
    return token_rows.newest_of_broker(tx, broker, now)


def count_states(tx: Tx, now: datetime) -> tuple[int, int]:
    """Count the enabled applications whose token has time left, and all of them."""
    return token_rows.count_good(tx, now)


def lend(tx: Tx, token_id: int, stream: str, now: datetime) -> None:
    """Lend a token to a stream for five minutes, again and again while it runs."""
    if not token_rows.lease(tx, token_id, stream, now, now + LEASE):
        raise Conflict("Another stream uses this token, or it is out of use; take another.")


def give_back(tx: Tx, token_id: int, stream: str, now: datetime) -> None:
    """Take a token back from the stream that has it."""
    token_rows.lease(tx, token_id, stream, now, None)


class Tokens:
    """The tokens in use, open in memory; one for each process."""

    def __init__(self, main: Store, vault: Vault, clock: Clock, revisions: Revisions) -> None:
        self._main, self._vault = main, vault
        self._clock, self._revisions = clock, revisions
        self._revision: int | None = None
        self._kept: Remembered[int, Opened] = Remembered(KEPT, KEPT_AT_MOST.total_seconds())

    async def current(self, api_id: int) -> Opened:
        """Return an application's token, open; NotFound where there is none that can be used."""
        number = self._revisions.number(TOPIC)
        if number is None or number != self._revision:
            self._kept.clear()
            self._revision = number
        now = self._clock()
        kept = self._kept.get(api_id)
        if kept is not None and kept.good_until > now:
            return kept
        opened = await self._main.read(_open_current, self._vault, api_id, now, fresh=True)
        if number is not None and number == self._revisions.number(TOPIC):
            self._kept.put(api_id, opened)
        return opened


def _open_current(tx: Tx, vault: Vault, api_id: int, now: datetime) -> Opened:
    token = active_token(tx, api_id)
    state = state_by_time(token, now)
    if token is None or state is not None:
        raise NotFound(f"The application {api_id} has no token that can be used: it is {state}.")
    until = kept_until(token.expires_at, now)
    return Opened(token.id, open_token(tx, vault, token), token.expires_at, until)
