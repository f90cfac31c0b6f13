"""The steps of a run as a whole: it begins, goes on, is stopped, ends; and how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from bahi.accounts.model import Registration
from bahi.accounts.service.accounts import get_account
from bahi.accounts.service.applications import list_registrations
from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.errors import Conflict, Invalid, NotFound
from bahi.kernel.words import TokenMode, TokenRunStatus
from bahi.tokens.model import ENDED, Progress, Run, RunEnded, progress_of
from bahi.tokens.repository import runs as run_rows
from bahi.tokens.repository import tokens as token_rows
from bahi.tokens.service.waiting import HOUSE, is_in_use, is_under_way, leave_person


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


def ask_again(tx: Tx, actor: Actor, run: Run, now: datetime) -> None:
    """Let a run go on; one that waits for a person hands the login over anew, at once."""
    run = locked_run(tx, run.execution_id)
    about, new = ("account", run.account_id), {"execution_id": run.execution_id}
    note(tx, actor, "token.run_resumed", about, now, old={"status": run.status}, new=new)
    if run.status is not TokenRunStatus.WAITING:
        return
    leave_person(tx, run, "The login is handed over anew.", now)
    saved(tx, replace(run.moved(TokenRunStatus.RUNNING, now), due_at=None))


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
        return stopped(tx, run, now)
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


def stopped(tx: Tx, run: Run, now: datetime) -> Run:
    """End a run before it made everything."""
    leave_person(tx, run, "The run was stopped.", now)
    return saved(tx, replace(run.moved(TokenRunStatus.STOPPED, now), due_at=None))
