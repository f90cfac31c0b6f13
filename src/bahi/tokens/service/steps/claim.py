"""Logins that may begin: each is claimed in one transaction, from the rows that are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bahi.accounts.model import Account, Registration
from bahi.db.tx import Tx
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Conflict, NotFound
from bahi.kernel.words import LoginFailure, TokenRunStatus
from bahi.tokens.model import ENDED, LOGIN_TAKES, PERSON_TAKES, Handover, Run, Turn
from bahi.tokens.repository import runs as run_rows
from bahi.tokens.repository import tokens as token_rows
from bahi.tokens.repository import turns as turn_rows
from bahi.tokens.service.steps.run import ids_of, locked_run, progress_in, saved, settled, stopped
from bahi.tokens.service.waiting import account_in_use, leave_person, without_orphan

NO_TURN: Final = -1
"""The fence of who took no turn, and so has none to give back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A login that may begin: for whom, under which fence, as which attempt."""

    run: Run | None
    account: Account
    registration: Registration
    login: str
    fence: int
    attempt_id: int

    @property
    def execution_id(self) -> str | None:
        """The run that it belongs to, if to any."""
        return None if self.run is None else self.run.execution_id


def take_step(
    tx: Tx, account: Account | None, execution_id: str, owner: str, now: datetime
) -> Run | Claim:
    """Return the login that may begin now, or the run as it waits or has ended.

    A run whose account went out of use has none, and is stopped.
    """
    run = locked_run(tx, execution_id)
    if run.status in ENDED:
        return run
    if run.stop_requested or account is None:
        return stopped(tx, run, now)
    ids = ids_of(tx, run.account_id)
    run = _as_awaited(tx, run, ids, now)
    progress = progress_in(tx, run, ids)
    if not progress.left:
        return settled(tx, run, progress, now)
    registration = ids[progress.left[0]]
    turn = without_orphan(tx, turn_rows.lock_turn(tx, account.login, now), now)
    waiting = _must_wait(run, turn, registration.api_name, now)
    if waiting is not None:
        return saved(tx, waiting)
    return _claimed(tx, run, account, registration, turn, owner=owner, now=now)


def _as_awaited(tx: Tx, run: Run, ids: Mapping[str, Registration], now: datetime) -> Run:
    """Return a run with no wait for a person that is longer than persons have, or for nothing."""
    if run.status is not TokenRunStatus.WAITING:
        return run
    if run.due_at is not None and run.due_at > now + PERSON_TAKES:  # the clock went back
        run = saved(tx, run.waiting_until(now + PERSON_TAKES, now))
    _give_up_on_person(tx, run, now)
    enabled = [it.id for it in ids.values() if it.enabled]
    if run.due_at is None or run.due_at <= now:
        return run
    if turn_rows.is_waited_for(tx, run.execution_id, enabled, now):
        return run
    leave_person(tx, run, "The application is out of use.", now)
    return saved(tx, replace(run.moved(TokenRunStatus.RUNNING, now), due_at=None))


def _give_up_on_person(tx: Tx, run: Run, now: datetime) -> None:
    """End the wait for a person who did not come in time; the others get their turn."""
    if run.due_at is None or run.due_at > now:
        return
    for attempt in run_rows.attempts_of(tx, run.execution_id):
        if attempt.outcome == "WAITING":
            run_rows.end_attempt(
                tx,
                attempt.id,
                "FAILED",
                now,
                reason=LoginFailure.CONSENT_FAILED,
                message="Nobody logged in within the time; run again when somebody can.",
            )


def _must_wait(run: Run, turn: Turn, api: str, now: datetime) -> Run | None:
    """Return the run as it waits out a cooldown, its person, or the pause between logins."""
    cooled_at = turn.cooled_at()
    if turn.throttled_at is not None and cooled_at is not None and cooled_at > now:
        return run.cooling(turn.throttled_at, api, now)
    free_at = turn.free_at(now)
    if free_at <= now:
        return None
    return run if run.status is TokenRunStatus.WAITING else run.waiting_until(free_at, now)


def _claimed(
    tx: Tx,
    run: Run | None,
    account: Account,
    registration: Registration,
    turn: Turn,
    *,
    owner: str,
    now: datetime,
) -> Claim:
    """Take the turn, and remember that a login begins before it does."""
    turn = replace(turn, lease_owner=owner, leased_until=now + LOGIN_TAKES, fence=turn.fence + 1)
    turn_rows.save_turn(tx, turn, now)
    if run is not None:
        run = saved(tx, run.going_on(registration.api_name, now))
    execution_id = None if run is None else run.execution_id
    return Claim(
        run=run,
        account=account,
        registration=registration,
        login=account.login,
        fence=turn.fence,
        attempt_id=begin_attempt(tx, registration.id, execution_id, now),
    )


def unasked(tx: Tx, run: Run) -> list[Claim]:
    """Return the logins of a run after which the broker was not asked whose the token is."""
    account, ids = account_in_use(tx, run.account_id), ids_of(tx, run.account_id)
    by_id = {it.id: it for it in ids.values()}
    tokens = token_rows.active_tokens(tx, list(by_id))
    newest = {
        it.broker_api_id: it.id
        for it in run_rows.attempts_of(tx, run.execution_id)
        if it.outcome == "MADE" and it.broker_api_id in tokens
    }
    return [
        Claim(
            run=run,
            account=account,
            registration=by_id[api_id],
            login=account.login,
            fence=NO_TURN,
            attempt_id=attempt_id,
        )
        for api_id, attempt_id in newest.items()
        if tokens[api_id].checked_at is None
    ]


def take_answer(tx: Tx, account: Account, handover: Handover, owner: str, now: datetime) -> Claim:
    """Take what a person's login brought, once, and the turn that was kept for it."""
    registration = _registered(tx, account_in_use(tx, account.id), handover.broker_api_id)
    run = None
    if handover.execution_id is not None:
        run = locked_run(tx, handover.execution_id)
        run = None if run.status in ENDED else run
    if not turn_rows.use_handover(tx, handover.id, now):
        raise Conflict("This login was taken in already.")
    turn = turn_rows.lock_turn(tx, account.login, now)
    if run is not None:
        _end_waiting(tx, run, now)
    return _claimed(tx, run, account, registration, turn, owner=owner, now=now)


def take_posted(tx: Tx, account_id: int, api_id: int, now: datetime) -> Claim:
    """Take up a token that the broker has made already: that needs no turn and no cooldown's end.

    It counts for the run that wants it, whatever that run waits for.
    """
    account = account_in_use(tx, account_id)
    registration = _registered(tx, account, api_id)
    run = run_rows.newest_run(tx, account_id, resumable=True)
    run = None if run is None else locked_run(tx, run.execution_id)
    if run is not None and (run.status in ENDED or registration.api_name not in run.apis):
        run = None
    execution_id = None if run is None else run.execution_id
    return Claim(
        run=run,
        account=account,
        registration=registration,
        login=account.login,
        fence=NO_TURN,
        attempt_id=begin_attempt(tx, registration.id, execution_id, now),
    )


def _registered(tx: Tx, account: Account, api_id: int) -> Registration:
    for registration in ids_of(tx, account.id).values():
        if registration.id == api_id:
            return registration
    raise NotFound(f"The application was removed from {account.name!r}; nothing is logged in.")


def _end_waiting(tx: Tx, run: Run, now: datetime) -> None:
    for attempt in run_rows.attempts_of(tx, run.execution_id):
        if attempt.outcome == "WAITING":
            run_rows.end_attempt(tx, attempt.id, "STOPPED", now, message="The person came.")


def begin_attempt(tx: Tx, api_id: int, execution_id: str | None, now: datetime) -> int:
    """Remember that a login begins, before it does."""
    attempt_id = tx.new_id()
    row = {
        "id": attempt_id,
        "execution_id": execution_id,
        "broker_api_id": api_id,
        "outcome": "TRYING",
        "started_at": to_micros(now),
    }
    run_rows.add_attempt(tx, row)
    return attempt_id


def cooldown_ends(tx: Tx, login: str, now: datetime) -> datetime | None:
    """Return when a person may log in again, if a cooldown runs."""
    cooled_at = turn_rows.find_turn(tx, login).as_of(now).cooled_at()
    return cooled_at if cooled_at is not None and cooled_at > now else None
