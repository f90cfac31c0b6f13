"""Setting a token run going, for every door that does: in the background, or by a person's hand."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from bahi.accounts.model import Account
from bahi.accounts.service.accounts import get_account
from bahi.accounts.service.applications import list_registrations
from bahi.api.forms import Id, Instant, Shown
from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.jobs.model import Job
from bahi.jobs.service import enqueue
from bahi.kernel.actor import Actor
from bahi.kernel.words import TokenMode, TokenRunStatus
from bahi.tokens.model import ENDED, Run
from bahi.tokens.service.outcomes import HandedOver


class Started(BaseModel):
    """What became of a wish for tokens.

    `triggered`: it is done in the background, and `look_at` says how it is. `person_needed`: a
    person opens `open` and logs in at the broker. `ended`: there was nothing left to do.
    """

    status: Literal["triggered", "person_needed", "ended"]
    service: str
    account: str
    account_id: Id
    execution_id: str
    run_status: TokenRunStatus
    job_id: str | None = None
    look_at: str
    open: str | None = None
    open_until: Instant | None = None


class RunShown(Shown):
    """A run over the applications of an account."""

    execution_id: str
    account_id: Id
    mode: TokenMode
    apis: list[str]
    status: TokenRunStatus
    last_success_api: str | None
    next_api: str | None
    last_failure_at: Instant | None
    due_at: Instant | None
    stop_requested: bool
    started_by: str | None
    created_at: Instant
    updated_at: Instant
    ended_at: Instant | None


async def set_going(house: House, actor: Actor, run: Run) -> Started:
    """Have a run go on: by the worker where nobody is needed, else as far as the person's turn."""
    account = await house.stores["main"].read(get_account, actor, run.account_id, fresh=True)
    if run.status not in ENDED and not await _is_headless(house, account, run):
        came = await house.runs.advance(run.execution_id, actor)
        if isinstance(came, HandedOver):
            waiting = await house.runs.run(run.execution_id)
            return _started(account, waiting, "person_needed").model_copy(
                update={
                    "open": f"{house.settings.address}/auth/go/{came.code}",
                    "open_until": came.expires_at,
                }
            )
        run = came
    if run.status in ENDED:
        return _started(account, run, "ended")
    job = await house.stores["main"].write(_ask_worker, actor, account, run, house.clock())
    started = _started(account, run, "triggered")
    return started.model_copy(
        update={"job_id": job.job_id, "look_at": f"/jobs/status/{job.job_id}"}
    )


async def have_worker_go_on(house: House, actor: Actor, run: Run) -> None:
    """Have the worker go on with a run whose turn somebody has just taken."""

    def write(tx: Tx, now: datetime) -> None:
        _ask_worker(tx, actor, get_account(tx, actor, run.account_id), run, now)

    await house.stores["main"].write(write, house.clock())


def _ask_worker(tx: Tx, actor: Actor, account: Account, run: Run, now: datetime) -> Job:
    payload = {"execution_id": run.execution_id}
    return enqueue(tx, actor.name, "token_run", payload, now, user_id=account.user_id)


async def _is_headless(house: House, account: Account, run: Run) -> bool:
    """Say whether the run's next login needs nobody."""
    known = await house.stores["main"].read(list_registrations, account.id, fresh=True)
    following = [it for it in known if it.api_name == run.next_api]
    if not following:
        return False
    login, application = await house.login_desk.login_of(account, following[0].id)
    return login.is_headless(application)


def _started(
    account: Account, run: Run, status: Literal["triggered", "person_needed", "ended"]
) -> Started:
    return Started(
        status=status,
        service=account.broker,
        account=account.name,
        account_id=str(account.id),
        execution_id=run.execution_id,
        run_status=run.status,
        look_at=f"/v1/tokens/runs/{run.execution_id}",
    )
