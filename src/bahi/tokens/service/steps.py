"""The transactions of a token run: each is one step, and what is left to do follows from the rows
that are stored. So a run can be killed between any two of them and goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bahi.accounts.model import Account, Registration
from bahi.accounts.service.accounts import get_account
from bahi.accounts.service.applications import list_registrations
from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.clock import to_micros
from bahi.kernel.errors import Conflict, Invalid, NotFound
from bahi.kernel.words import LoginFailure, TokenMode, TokenRunStatus
from bahi.tokens.model import (
    ENDED,
    LOGIN_TAKES,
    PERSON_TAKES,
    Handover,
    Progress,
    Run,
    RunEnded,
    Turn,
    progress_of,
)
from bahi.tokens.repository import runs as run_rows
from bahi.tokens.repository import tokens as token_rows
from bahi.tokens.repository import turns as turn_rows
from bahi.tokens.service.waiting import (
    HOUSE,
    account_in_use,
    is_in_use,
    is_under_way,
    leave_person,
    without_orphan,
)

STATE_PURPOSE: Final = "login_state"
CODE_PURPOSE: Final = "login_code"
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


@dataclass(frozen=True, slots=True)
class Wish:
    """What a run is to do; one that finds nothing to do may be fine with it."""

    execution_id: str
    mode: TokenMode
    apis: tuple[str, ...]
    nothing_is_fine: bool = False


def begin_run(tx: Tx, actor: Actor, account_id: int, wish: Wish, now: datetime) -> Run:
    """Begin a run over applications of an account; one that can go on has to end first."""
    require_change(actor)
    account = get_account(tx, actor, account_id)
    if not is_in_use(tx, account):
        raise Invalid(f"The account {account.name!r} or its user is out of use.")
    running = run_rows.newest_run(tx, account_id, resumable=True)
    if running is not None and running.stop_requested:
        running = _stopped_if_idle(tx, running, account.login, now)
    if running is not None and running.status not in ENDED:
        raise Conflict(
            f"A run of {account.name!r} is {running.status} already; resume it or stop it first."
        )
    if not wish.apis and not wish.nothing_is_fine:
        raise Invalid(f"{account.name!r} has no enabled application to log in; register one.")
    execution_id, mode, apis = wish.execution_id, wish.mode, wish.apis
    run = Run(
        execution_id=execution_id,
        account_id=account_id,
        mode=mode,
        apis=apis,
        status=TokenRunStatus.RUNNING,
        last_success_api=None,
        next_api=apis[0] if apis else None,
        last_failure_at=None,
        due_at=None,
        stop_requested=False,
        started_by=actor.name,
        created_at=now,
        updated_at=now,
        ended_at=None,
    )
    run_rows.add_run(tx, run)
    new = {"mode": mode, "apis": list(apis), "execution_id": execution_id}
    note(tx, actor, "token.run_began", ("account", account_id), now, new=new)
    return run if apis else settled(tx, run, Progress((), (), ()), now)


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
        return _stopped(tx, run, now)
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


def ask_again(tx: Tx, actor: Actor, run: Run, now: datetime) -> None:
    """Let a run go on; one that waits for a person hands the login over anew, at once."""
    run = locked_run(tx, run.execution_id)
    about, new = ("account", run.account_id), {"execution_id": run.execution_id}
    note(tx, actor, "token.run_resumed", about, now, old={"status": run.status}, new=new)
    if run.status is not TokenRunStatus.WAITING:
        return
    leave_person(tx, run, "The login is handed over anew.", now)
    saved(tx, replace(run.moved(TokenRunStatus.RUNNING, now), due_at=None))


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


def stop_run(tx: Tx, actor: Actor, run: Run, login: str, now: datetime) -> Run:
    """Stop a run before its next login; one that makes none is stopped here and now."""
    run = locked_run(tx, run.execution_id)
    if run.status in ENDED:
        raise RunEnded(f"That run is {run.status} already.")
    run_rows.request_stop(tx, run.execution_id, now)
    about = ("account", run.account_id)
    note(tx, actor, "token.run_stopped", about, now, new={"execution_id": run.execution_id})
    return _stopped_if_idle(tx, run, login, now)


def _stopped_if_idle(tx: Tx, run: Run, login: str, now: datetime) -> Run:
    waits = (TokenRunStatus.COOLDOWN, TokenRunStatus.WAITING)
    if run.status in waits or not is_under_way(tx, run, login, now):
        return _stopped(tx, run, now)
    return replace(run, stop_requested=True)


def progress_in(tx: Tx, run: Run, ids: Mapping[str, Registration]) -> Progress:
    """Return how far a run is, from what is stored."""
    by_name = {name: it.id for name, it in ids.items()}
    tokens = list(token_rows.active_tokens(tx, list(by_name.values())).values())
    disabled = [name for name, it in ids.items() if not it.enabled]
    attempts = run_rows.attempts_of(tx, run.execution_id)
    return progress_of(run, by_name, tokens, attempts, disabled=disabled)


def ids_of(tx: Tx, account_id: int) -> dict[str, Registration]:
    """Return an account's applications by name, in the order of their logins."""
    return {it.api_name: it for it in list_registrations(tx, account_id)}


def locked_run(tx: Tx, execution_id: str) -> Run:
    """Return a run that nobody else moves until we commit."""
    run = run_rows.lock_run(tx, execution_id)
    if run is None:
        raise NotFound(f"There is no run {execution_id}.")
    return run


def saved(tx: Tx, run: Run) -> Run:
    """Write a run as it is now."""
    run_rows.save_run(tx, run)
    return run


def settled(tx: Tx, run: Run, progress: Progress, now: datetime) -> Run:
    """End a run: complete only when nothing is missing."""
    run = saved(tx, run.settled(progress.missing, now))
    new = {"made": list(progress.made), "missing": list(progress.missing)}
    action = f"token.run_{run.status.lower()}"
    note(tx, HOUSE, action, ("account", run.account_id), now, new=new)
    return run


def _stopped(tx: Tx, run: Run, now: datetime) -> Run:
    leave_person(tx, run, "The run was stopped.", now)
    return saved(tx, replace(run.moved(TokenRunStatus.STOPPED, now), due_at=None))


def cooldown_ends(tx: Tx, login: str, now: datetime) -> datetime | None:
    """Return when a person may log in again, if a cooldown runs."""
    cooled_at = turn_rows.find_turn(tx, login).as_of(now).cooled_at()
    return cooled_at if cooled_at is not None and cooled_at > now else None
