"""A broker's token: whether it is good, how long it may be kept in memory, what is told of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from bahi.kernel.clock import ist_text, session_boundary
from bahi.kernel.errors import BahiError
from bahi.kernel.words import BrokerSlug, TokenState

LEASE: Final = timedelta(minutes=5)
KEPT_AT_MOST: Final = timedelta(hours=24)
LIVES_WITHOUT_WORD: Final = timedelta(hours=24)


class Locked(BahiError):
    """The token is kept in memory until the database takes it."""

    code = "token_pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token that was issued; the secret parts are sealed and are not here."""

    id: int
    broker_api_id: int
    generated_at: datetime
    expires_at: datetime | None
    is_active: bool
    fingerprint: str | None
    lease_owner: str | None
    leased_until: datetime | None
    checked_at: datetime | None
    checked_state: TokenState | None
    retired_at: datetime | None
    retired_because: str | None
    created_at: datetime


def state_by_time(token: Token | None, now: datetime) -> TokenState | None:
    """Classify what time alone can: None says that the broker has to be asked."""
    if token is None or not token.is_active:
        return TokenState.MISSING
    if token.expires_at is not None and token.expires_at <= now:
        return TokenState.EXPIRED
    return None


def kept_until(expires_at: datetime | None, now: datetime) -> datetime:
    """Return until when a token may be kept in memory: never past its end or the boundary."""
    ends = [now + KEPT_AT_MOST, session_boundary(now)]
    if expires_at is not None:
        ends.append(expires_at)
    return min(ends)


def fingerprint(token: str) -> str:
    """Name a token without telling it."""
    return sha256(token.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenStatus:
    """What there is to know of one application's token."""

    account_id: int
    account: str
    broker: BrokerSlug
    broker_user_id: str | None
    broker_user_name: str | None
    api_id: int
    api_name: str
    api_index: int
    enabled: bool
    state: TokenState
    why: str
    generated_at: datetime | None
    expires_at: datetime | None
    fingerprint: str | None
    leased_to: str | None

    def as_words(self) -> dict[str, str | int | bool | None]:
        """Write it for programs: never the token."""
        return {
            "account_id": str(self.account_id),
            "account": self.account,
            "broker": self.broker,
            "api_name": self.api_name,
            "api_index": self.api_index,
            "enabled": self.enabled,
            "state": self.state,
            "why": self.why,
            "user_id": self.broker_user_id,
            "user_name": self.broker_user_name,
            "generated_at": None if self.generated_at is None else ist_text(self.generated_at),
            "validity_at": None if self.expires_at is None else ist_text(self.expires_at),
            "fingerprint": self.fingerprint,
            "leased_to": self.leased_to,
        }
