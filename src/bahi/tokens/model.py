"""Broker tokens: whether one is good, how long it may be kept in memory, and the run that makes
them, one login at a time, through throttles and crashes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from bahi.kernel.clock import IST, in_utc, ist_text
from bahi.kernel.errors import BahiError, Conflict
from bahi.kernel.words import (
    BrokerSlug,
    LoginFailure,
    TokenMode,
    TokenRunStatus,
    TokenState,
)

BETWEEN_LOGINS: Final = timedelta(seconds=5)
COOLDOWN: Final = timedelta(seconds=660)
"""Ten minutes by the broker and one of ours, counted from the failure that was recorded."""
LOGIN_TAKES: Final = timedelta(seconds=60)
"""How long a login may hold its person's turn before another process takes it for dead."""
PERSON_TAKES: Final = timedelta(minutes=10)
"""How long a person has for a login that was handed to them."""
PERSON: Final = "handover:"
"""How the owner of a turn begins that is kept for a person."""
TRIES: Final = 3
LEASE: Final = timedelta(minutes=5)
KEPT_AT_MOST: Final = timedelta(hours=24)
BOUNDARY_HOUR: Final = 3
"""The hour (IST) at which a trading day's caches end."""
LIVES_WITHOUT_WORD: Final = timedelta(hours=24)

Status = TokenRunStatus
RESUMABLE: Final = (Status.RUNNING, Status.COOLDOWN, Status.RESUMING, Status.WAITING)
ENDED: Final = (Status.COMPLETED, Status.INCOMPLETE, Status.STOPPED)

MOVES: Final[Mapping[TokenRunStatus, frozenset[TokenRunStatus]]] = {
    Status.RUNNING: frozenset(Status) - {Status.RESUMING},
    Status.COOLDOWN: frozenset(Status),
    Status.RESUMING: frozenset(Status),
    Status.WAITING: frozenset(Status) - {Status.RESUMING},
    Status.COMPLETED: frozenset(),
    Status.INCOMPLETE: frozenset(),
    Status.STOPPED: frozenset(),
}


class RunEnded(Conflict):
    """That run has ended; begin another."""

    code = "run_ended"


class TurnLost(Conflict):
    """Another process has this person's turn to log in."""

    code = "turn_lost"


class Locked(BahiError):
    """The token is kept in memory until the database takes it."""

    code = "token_pending"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a failure means for what comes next."""

    retryable: bool = False
    quarantine: bool = False
    manual: bool = False
    advice: str = ""


RULES: Final[Mapping[LoginFailure, Rule]] = {
    LoginFailure.NETWORK_TIMEOUT: Rule(retryable=True, advice="It is tried again at once."),
    LoginFailure.BROWSER_CRASH: Rule(retryable=True, advice="It is tried again at once."),
    LoginFailure.INVALID_CREDENTIALS: Rule(
        quarantine=True,
        manual=True,
        advice="Correct the application's client id and secret, then run again.",
    ),
    LoginFailure.CAPTCHA: Rule(
        quarantine=True, manual=True, advice="A person has to log in; it is never bypassed."
    ),
    LoginFailure.RATE_LIMIT: Rule(
        quarantine=True, advice="The run goes on by itself after eleven minutes."
    ),
    LoginFailure.SELENIUM_DOM_CHANGE: Rule(manual=True, advice="A person has to log in."),
    LoginFailure.TOKEN_EXCHANGE_FAILED: Rule(
        manual=True, advice="Log in once more: what the broker handed out can be used only once."
    ),
    LoginFailure.PROFILE_VERIFICATION_FAILED: Rule(
        manual=True, advice="The broker does not know the new token; log in once more."
    ),
    LoginFailure.CONSENT_FAILED: Rule(
        manual=True, advice="Give the consent at the broker, then run again."
    ),
    LoginFailure.UNKNOWN: Rule(advice="Look at the broker's word, then run again."),
}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One try to get one token."""

    id: int
    execution_id: str | None
    broker_api_id: int
    outcome: str
    reason: LoginFailure | None
    broker_code: str | None
    message: str | None
    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Whose turn it is to log in for one person, and what the last logins came to."""

    login: str
    lease_owner: str | None = None
    leased_until: datetime | None = None
    fence: int = 0
    last_login_at: datetime | None = None
    throttled_at: datetime | None = None

    def as_of(self, now: datetime) -> Turn:
        """Return the turn with nothing later than can be: a clock that went back holds nobody."""
        longest = PERSON_TAKES if (self.lease_owner or "").startswith(PERSON) else LOGIN_TAKES
        return replace(
            self,
            leased_until=_at_most(self.leased_until, now + longest),
            last_login_at=_at_most(self.last_login_at, now),
            throttled_at=_at_most(self.throttled_at, now),
        )

    def is_held(self, now: datetime) -> bool:
        """Say whether somebody has the turn."""
        return self.leased_until is not None and self.leased_until > now

    def cooled_at(self) -> datetime | None:
        """Return when the cooldown ends, if one was ever begun."""
        return None if self.throttled_at is None else self.throttled_at + COOLDOWN

    def free_at(self, now: datetime) -> datetime:
        """Return when the next login may begin: now, or later."""
        waits = [now]
        if self.last_login_at is not None:
            waits.append(self.last_login_at + BETWEEN_LOGINS)
        if self.leased_until is not None:
            waits.append(self.leased_until)
        return max(waits)


def _at_most(instant: datetime | None, latest: datetime) -> datetime | None:
    return None if instant is None else min(instant, latest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A login that is in a person's hands."""

    id: int
    broker_api_id: int
    execution_id: str | None
    expires_at: datetime
    opened_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run over the applications of one account."""

    execution_id: str
    account_id: int
    mode: TokenMode
    apis: tuple[str, ...]
    status: TokenRunStatus
    last_success_api: str | None
    next_api: str | None
    last_failure_at: datetime | None
    due_at: datetime | None
    stop_requested: bool
    started_by: str | None
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None

    def waits_for_person(self, now: datetime) -> bool:
        """Say whether somebody may still come back with a login."""
        return self.status is Status.WAITING and self.due_at is not None and self.due_at > now

    def moved(self, status: TokenRunStatus, now: datetime) -> Run:
        """Return the run in its next state."""
        if status not in MOVES[self.status]:
            raise RunEnded(f"A run that is {self.status} does not become {status}.")
        ended = now if status in ENDED else None
        return replace(self, status=status, updated_at=now, ended_at=ended)

    def going_on(self, api: str, now: datetime) -> Run:
        """Return the run as it tries an application."""
        run = self.moved(Status.RESUMING, now) if self.status is Status.COOLDOWN else self
        return replace(run.moved(Status.RUNNING, now), next_api=api, due_at=None)

    def waiting_until(self, due_at: datetime, now: datetime) -> Run:
        """Return the run as it waits for its turn."""
        return replace(self, due_at=due_at, updated_at=now)

    def cooling(self, throttled_at: datetime, api: str, now: datetime) -> Run:
        """Return the run as it waits out a throttle, counted from the failure."""
        run = self if self.status is Status.COOLDOWN else self.moved(Status.COOLDOWN, now)
        return replace(
            run,
            last_failure_at=throttled_at,
            next_api=api,
            due_at=throttled_at + COOLDOWN,
            updated_at=now,
        )

    def handed_over(self, until: datetime, now: datetime) -> Run:
        """Return the run as it waits for a person."""
        return replace(self.moved(Status.WAITING, now), due_at=until)

    def succeeded(self, api: str, left: Sequence[str], now: datetime) -> Run:
        """Return the run after a token was stored; a wait for something else goes on."""
        waits = self.status in {Status.COOLDOWN, Status.WAITING}
        following = left[0] if left else None
        return replace(
            self,
            last_success_api=api,
            next_api=self.next_api if waits and self.next_api in left else following,
            due_at=self.due_at if waits else None,
            updated_at=now,
        )

    def refused(self, missing: Sequence[str], now: datetime) -> Run:
        """Return a run that counted as complete, after the broker refused one of its tokens."""
        return replace(self, status=Status.INCOMPLETE, next_api=missing[0], updated_at=now)

    def settled(self, missing: Sequence[str], now: datetime) -> Run:
        """Return the run at its end: it is complete only when nothing is missing."""
        status = Status.INCOMPLETE if missing else Status.COMPLETED
        return replace(
            self.moved(status, now), next_api=missing[0] if missing else None, due_at=None
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the applications of a run are."""

    made: tuple[str, ...]
    failed: tuple[str, ...]
    left: tuple[str, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """What has no token yet."""
        return self.failed + self.left


def progress_of(
    run: Run,
    ids: Mapping[str, int],
    tokens: Sequence[Token],
    attempts: Sequence[Attempt],
    *,
    disabled: Collection[str] = (),
) -> Progress:
    """Tell from what is stored how far a run is: from rows alone, so a crash changes nothing.

    What was removed or disabled since the run began is not logged in any more.
    """
    active = {token.broker_api_id for token in tokens if token.is_active}
    made, failed, left = [], [], []
    for api in run.apis:
        its = [attempt for attempt in attempts if attempt.broker_api_id == ids.get(api)]
        stored = any(attempt.outcome == "MADE" for attempt in its)
        if stored and ids.get(api) in active:
            made.append(api)
        elif stored or given_up(its) or api in disabled or api not in ids:
            # stored here means: and then refused by the broker's own word
            failed.append(api)
        else:
            left.append(api)
    return Progress(tuple(made), tuple(failed), tuple(left))


def given_up(attempts: Sequence[Attempt]) -> bool:
    """Say whether an application is not tried again in this run."""
    failures = [a for a in attempts if a.outcome == "FAILED"]
    if not failures:
        return False
    newest = max(failures, key=lambda a: a.id)
    rule = RULES[newest.reason or LoginFailure.UNKNOWN]
    return not rule.retryable or len(failures) >= TRIES


def state_by_time(token: Token | None, now: datetime) -> TokenState | None:
    """Classify what time alone can: None says that the broker has to be asked."""
    if token is None or not token.is_active:
        return TokenState.MISSING
    if token.expires_at is not None and token.expires_at <= now:
        return TokenState.EXPIRED
    return None


def next_boundary(now: datetime) -> datetime:
    """Return the next 03:00 IST: the end of what a trading day may keep in memory."""
    local = in_utc(now).astimezone(IST)
    boundary = local.replace(hour=BOUNDARY_HOUR, minute=0, second=0, microsecond=0)
    return in_utc(boundary if local < boundary else boundary + timedelta(days=1))


def kept_until(expires_at: datetime | None, now: datetime) -> datetime:
    """Return until when a token may be kept in memory: never past its end or the boundary."""
    ends = [now + KEPT_AT_MOST, next_boundary(now)]
    if expires_at is not None:
        ends.append(expires_at)
    return min(ends)


def fingerprint(token: str) -> str:
    """Name a token without telling it."""
    return sha256(token.encode()).hexdigest()


def countdown(left: timedelta) -> str:
    """Write what is left of a cooldown as people read it: `10 min 05 s`."""
    seconds = max(0, int(left.total_seconds()))
    return f"{seconds // 60} min {seconds % 60:02} s"


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
