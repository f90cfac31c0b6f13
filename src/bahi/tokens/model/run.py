"""A run that makes an account's tokens: its states, and how far it is, told from rows alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bahi.kernel.errors import Conflict
from bahi.kernel.words import TokenMode, TokenRunStatus
from bahi.tokens.model.attempt import Attempt, given_up
from bahi.tokens.model.token import Token
from bahi.tokens.model.turn import COOLDOWN

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
