"""The morning's logins as jobs: runs that go on, brokers that come round, what is not valid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from bahi.accounts.service.accounts import list_accounts
from bahi.accounts.service.applications import list_registrations
from bahi.bootstrap.rooms import SCHEDULE, Rooms
from bahi.db.tx import Tx
from bahi.jobs.model import Later
from bahi.jobs.service import JobContext
from bahi.kernel.errors import BahiError, Conflict
from bahi.kernel.words import BrokerSlug, TokenMode, TokenRunStatus, parse
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert, resolve
from bahi.tokens.model import ENDED, Run
from bahi.tokens.service.status import AccountStatus, status_of, summary
from bahi.tokens.service.waiting import is_in_use

SHORT: Final = timedelta(seconds=30)
"""A run that goes on so soon is waited for; a longer wait gives the worker free."""


async def token_run(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Go on with a run; while it waits for long, the worker does something else."""
    execution_id = context.payload["execution_id"]
    while True:
        await house.runs.advance(execution_id)
        run = await house.runs.run(execution_id)
        await context.progress(_percent(run.apis, run.next_api), f"{run.status} {run.next_api}")
        if run.status in ENDED:
            return {"status": run.status, "next_api": run.next_api}
        if run.status is TokenRunStatus.WAITING:
            await _tell_person(house, run.account_id, run.next_api)
        due = run.due_at
        if due is not None and due - house.clock() > SHORT:
            raise Later(due, f"{run.status} until then")
        if due is not None and due > house.clock():
            await house.login_desk.pause((due - house.clock()).total_seconds())


def _percent(apis: Sequence[str], following: str | None) -> int:
    return 100 if following is None else int(100 * apis.index(following) / len(apis))


async def _tell_person(house: Rooms, account_id: int, api_name: str | None) -> None:
    cause = Cause(
        severity=Severity.WARNING,
        source="tokens",
        message=f"A person has to log in for {api_name}: run `bahi token run`, or open the tokens.",
        topic=f"login:{account_id}",
        account_id=account_id,
    )
    await house.stores["main"].write(raise_alert, cause, house.clock())


async def auto_login(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Log in at a broker what can be logged in alone, and tell of what needs a person."""
    broker = parse(BrokerSlug, context.payload["broker"])

    def read(tx: Tx) -> list[int]:
        found = list_accounts(tx, SCHEDULE, broker=broker)
        return [it.id for it in found if is_in_use(tx, it) and list_registrations(tx, it.id)]

    made, missing, waiting, failed = 0, [], [], {}
    for account_id in await house.stores["main"].read(read, fresh=True):
        try:
            run = await _logged_in(house, account_id)
        except BahiError as fault:  # one account's trouble is no other's
            missing.append(str(account_id))
            failed[str(account_id)] = str(fault)
            await _tell_failure(house, account_id, fault)
            continue
        if run.status is TokenRunStatus.COMPLETED:
            made += len(run.apis)
            continue
        missing.append(str(account_id))
        if run.status is TokenRunStatus.WAITING:
            waiting.append(str(account_id))
            await _tell_person(house, account_id, run.next_api)
    return {"made": made, "accounts_missing": missing, "waiting": waiting, "failed": failed}


async def _logged_in(house: Rooms, account_id: int) -> Run:
    """Return what came of an account's run; one that a person has in their hands is left alone."""
    try:
        run = await house.runs.begin(SCHEDULE, account_id, TokenMode.INVALID_ONLY)
    except Conflict:
        newest = await house.runs.newest_run(SCHEDULE, account_id)
        if newest is not None and newest.waits_for_person(house.clock()):
            return newest
        run = await house.runs.resume(SCHEDULE, account_id)
    return await house.runs.drive(run.execution_id, actor=SCHEDULE)


async def _tell_failure(house: Rooms, account_id: int, fault: BahiError) -> None:
    cause = Cause(
        severity=Severity.WARNING,
        source="tokens",
        message=f"The login of account {account_id} failed: {fault}",
        topic=f"login_failed:{account_id}",
        account_id=account_id,
    )
    await house.stores["main"].write(raise_alert, cause, house.clock())


async def token_alert(house: Rooms, context: JobContext) -> dict[str, Any]:
    """Tell, before the market opens, which tokens are not valid."""
    del context
    statuses = await status_of(house.login_desk, SCHEDULE)
    counted = summary(statuses)
    bad = [_named(it) for it in statuses if it.missing and it.account.is_active]
    if not bad:
        await house.stores["main"].write(resolve, "tokens", house.clock())
        return dict(counted)
    cause = Cause(
        severity=Severity.CRITICAL,
        source="tokens",
        message=f"Not valid: {'; '.join(bad)}. Run `bahi token run`.",
        topic="tokens",
        details=dict(counted),
    )
    await house.stores["main"].write(raise_alert, cause, house.clock())
    return {**counted, "alert": cause.message}


def _named(status: AccountStatus) -> str:
    names = ", ".join(f"{it.api_name} {it.state}" for it in status.missing)
    return f"{status.account.name} ({names})"
