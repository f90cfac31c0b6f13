"""Token runs: over the applications of an account, one login at a time, to the end.

Everything that must not be forgotten is in rows; a process that dies here leaves a run that any
other process takes up where it was.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import uuid4

from bahi.accounts.model import Account, Registration
from bahi.accounts.service.accounts import get_account
from bahi.accounts.service.applications import list_registrations
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_change
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.words import TokenMode, TokenRunStatus, TokenState
from bahi.tokens.model import COOLDOWN, ENDED, Run, TurnLost
from bahi.tokens.repository import runs as run_rows
from bahi.tokens.service import steps
from bahi.tokens.service.login import LoginDesk
from bahi.tokens.service.outcomes import HandedOver
from bahi.tokens.service.steps import Wish
from bahi.tokens.service.waiting import HOUSE, account_in_use

LOOK_EVERY: Final = timedelta(seconds=1)

Tell = Callable[[Run], None]


class Runs:
    """Begins runs, drives them, stops them."""

    def __init__(self, desk: LoginDesk) -> None:
        self._desk = desk

    async def begin(
        self, actor: Actor, account_id: int, mode: TokenMode, names: Sequence[str] = ()
    ) -> Run:
        """Begin a run; one that has nothing to make ends at once."""
        account, registrations = await self._desk.main.read(
            _applications, actor, account_id, fresh=True
        )
        wanted = await self._wanted(account, registrations, mode, names)
        wish = Wish(str(uuid4()), mode, wanted, nothing_is_fine=bool(registrations))
        return await self._desk.main.write(
            steps.begin_run, actor, account_id, wish, self._desk.clock()
        )

    async def _wanted(
        self,
        account: Account,
        registrations: Sequence[Registration],
        mode: TokenMode,
        names: Sequence[str],
    ) -> tuple[str, ...]:
        enabled = [it for it in registrations if it.enabled]
        if mode is TokenMode.PARTIAL:
            known = {it.api_name.replace("_", ""): it.api_name for it in enabled}
            asked = [name.strip().upper().replace("_", "") for name in names]
            if not asked or (unknown := [name for name in asked if name not in known]):
                what = repr(unknown[0][:40]) if asked else "nothing"
                raise Invalid(
                    f"api_names: {what} is not an enabled application of {account.name!r}; there"
                    f" are {', '.join(known.values()) or 'none'}."
                )
            return tuple(it.api_name for it in registrations if it.api_name in
                         {known[name] for name in asked})  # fmt: skip
        if mode is TokenMode.ALL:
            return tuple(it.api_name for it in enabled)
        states = await self._desk.states(account, enabled)
        return tuple(it.api_name for it in enabled if states[it.id][0] is not TokenState.VALID)

    async def advance(self, execution_id: str, actor: Actor | None = None) -> Run | HandedOver:
        """Do the next thing of a run, if its time has come: at most one login."""
        account = await self._desk.main.read(_account_of_run, execution_id, fresh=True)
        step = await self._desk.main.write(
            steps.take_step, account, execution_id, self._desk.owner, self._desk.clock()
        )
        if isinstance(step, Run):
            done = step.status is TokenRunStatus.COMPLETED and account is not None
            return await self._desk.verify_unasked(step) if done else step
        try:
            made = await self._desk.log_in(step, actor or HOUSE)
        except TurnLost:  # it took so long that another process has the turn, or it was stopped
            return await self.run(execution_id)
        return made or await self.run(execution_id)

    async def drive(
        self,
        execution_id: str,
        *,
        tell: Tell = lambda _run: None,
        ask: Callable[[HandedOver], Awaitable[None]] | None = None,
        actor: Actor | None = None,
    ) -> Run:
        """Go on with a run until it has ended, or a person is needed and there is none to ask."""
        while True:
            came = await self.advance(execution_id, actor)
            if isinstance(came, HandedOver):
                if ask is None:
                    return await self.run(execution_id)
                await ask(came)
                came = await self.run(execution_id)
            tell(came)
            if came.status in ENDED:
                return came
            if came.status is TokenRunStatus.WAITING and ask is None:
                return came
            await self._wait(came, tell)

    async def _wait(self, run: Run, tell: Tell) -> None:
        """Wait until a run is due, looking each second whether it was stopped or answered."""
        while run.due_at is not None and run.due_at > self._desk.clock():
            left = run.due_at - self._desk.clock()
            if left > COOLDOWN:  # nothing takes so long: the clock went back
                return
            await self._desk.pause(min(left, LOOK_EVERY).total_seconds())
            newest = await self.run(run.execution_id)
            if newest.stop_requested or newest.updated_at != run.updated_at:
                return
            tell(newest)

    async def run(self, execution_id: str) -> Run:
        """Return a run as it is."""
        found = await self._desk.main.read(run_rows.find_run, execution_id, fresh=True)
        if found is None:
            raise NotFound(f"There is no run {execution_id!r}.")
        return found

    async def newest_run(self, actor: Actor, account_id: int) -> Run | None:
        """Return an account's newest run."""

        def read(tx: Tx) -> Run | None:
            get_account(tx, actor, account_id)
            return run_rows.newest_run(tx, account_id)

        return await self._desk.main.read(read, fresh=True)

    async def resume(self, actor: Actor, account_id: int) -> Run:
        """Return the run that goes on: the newest that can, or a new one for what it lacked."""
        require_change(actor)
        await self._desk.main.read(get_account, actor, account_id, fresh=True)
        run = await self._desk.main.read(_newest_resumable, account_id, fresh=True)
        if run is None:
            return await self.begin(actor, account_id, TokenMode.INVALID_ONLY)
        await self._desk.main.write(steps.ask_again, actor, run, self._desk.clock())
        return await self.run(run.execution_id)

    async def stop(self, actor: Actor, account_id: int) -> Run:
        """Stop an account's run before its next login."""

        require_change(actor)

        def write(tx: Tx, now: datetime) -> Run:
            account = get_account(tx, actor, account_id)
            run = run_rows.newest_run(tx, account_id, resumable=True)
            if run is None:
                raise NotFound("There is no run that could be stopped.")
            return steps.stop_run(tx, actor, run, account.login, now)

        return await self._desk.main.write(write, self._desk.clock())


def _applications(tx: Tx, actor: Actor, account_id: int) -> tuple[Account, list[Registration]]:
    return get_account(tx, actor, account_id), list_registrations(tx, account_id)


def _account_of_run(tx: Tx, execution_id: str) -> Account | None:
    run = run_rows.find_run(tx, execution_id)
    if run is None:
        raise NotFound(f"There is no run {execution_id!r}.")
    try:
        return account_in_use(tx, run.account_id)
    except NotFound:  # out of use: the run is stopped
        return None


def _newest_resumable(tx: Tx, account_id: int) -> Run | None:
    return run_rows.newest_run(tx, account_id, resumable=True)
