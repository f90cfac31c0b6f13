"""Tokens: how the logins at brokers stand, and the morning run that makes them one by one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.accounts.model import Account
from bahi.accounts.service.applications import list_registrations
from bahi.accounts.service.people import list_persons
from bahi.bootstrap import House
from bahi.kernel.actor import require_change
from bahi.kernel.clock import from_micros
from bahi.kernel.errors import BahiError, NotFound
from bahi.kernel.names import BROKER_NAMES
from bahi.kernel.words import AccountMode, TokenMode, TokenRunStatus, TokenState
from bahi.tokens.model import COOLDOWN, ENDED, RESUMABLE, Run, TokenStatus
from bahi.tokens.service.outcomes import HandedOver
from bahi.tokens.service.status import AccountStatus, status_of, summary
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.pages.going import as_far_as_a_person, have_it_go_on
from bahi.web.rings import Ring, ring_of
from bahi.web.room import Room
from bahi.web.seat import Seat, done
from bahi.web.sheets import csv_of
from bahi.web.written import word

HERE: Final = "/tokens"
ALL: Final = "all"
STOP_ASKING: Final = 286
"""What tells htmx that a part need not be asked for again."""
COLUMNS: Final = (
    "account", "broker", "broker_user_id", "api_index", "api_name", "enabled", "state",
    "generated_at", "expires_at", "why",
)  # fmt: skip
UNDER_WAY: Final = {
    TokenRunStatus.RUNNING: ("logging in", 50, ""),
    TokenRunStatus.RESUMING: ("logging in", 50, ""),
    TokenRunStatus.COOLDOWN: ("cooling down", 25, "attention"),
    TokenRunStatus.WAITING: ("waits for a person", 50, "attention"),
}


def token_routes(house: House, frame: Frame) -> APIRouter:
    """Make the pages of tokens."""
    pages = TokenPages(house, frame)
    router = pages.router
    router.get(HERE)(pages.every)
    router.get(f"{HERE}.csv")(pages.as_csv)
    router.get(f"{HERE}/ring")(pages.ring)
    router.get(HERE + "/of/{account_id}")(pages.one)
    router.post(f"{HERE}/run")(pages.run)
    router.post(f"{HERE}/link")(pages.link)
    router.post(f"{HERE}/stop")(pages.stop)
    router.post(f"{HERE}/ask")(pages.ask)
    return router


class Step(NamedTuple):
    """One application of a run: what it is at, how far its bar goes, and in which mood."""

    token: TokenStatus
    says: str
    share: int
    mood: str


class Shown(NamedTuple):
    """An account's logins as they stand."""

    account: Account
    status: AccountStatus | None
    steps: list[Step]
    ring: Ring | None
    person: str

    @property
    def good(self) -> int:
        """How many tokens are good by what is known."""
        return sum(it.token.state is TokenState.VALID for it in self.steps)

    @property
    def run(self) -> Run | None:
        """The newest run, where it has not ended."""
        newest = None if self.status is None else self.status.run
        return newest if newest is not None and newest.status in RESUMABLE else None


class TokenPages(Room):
    """The logins at brokers."""

    async def every(self, request: Request) -> Response:
        """Show the logins of the account in view; the others follow in a moment."""
        seat = await self.sit(request)
        accounts = _live(seat)
        first = seat.account if seat.account in accounts else None
        return await self.show(
            request,
            seat,
            "tokens/page.html",
            here=HERE,
            first=None if first is None else await self._shown(seat, first),
            others=[it for it in accounts if it is not first],
            now=self.house.clock(),
        )

    async def one(self, request: Request, account_id: str) -> Response:
        """Show how one account's logins stand now."""
        seat = await self.sit(request)
        shown = await self._shown(seat, _meant(seat, account_id))
        return self.part(seat, "tokens/account.html", it=shown, now=self.house.clock())

    async def ring(self, request: Request) -> Response:
        """Show how much of a cooldown is left; when it is over, it is asked for no more."""
        seat = await self.sit(request)
        request.state.is_beat = True
        until = from_micros(fields.identity(request.query_params.get("until", ""), "until"))
        ring = ring_of(until, COOLDOWN, self.house.clock())
        status = 200 if ring.left > timedelta(0) else STOP_ASKING
        return self.part(seat, "tokens/ring.html", status, ring=ring)

    async def as_csv(self, request: Request) -> Response:
        """Hand out how tokens stand, never a token."""
        seat = await self.sit(request)
        statuses = await status_of(self.house.login_desk, seat.person, check=False)
        return csv_of("tokens", COLUMNS, [it for each in statuses for it in each.tokens])

    async def run(self, request: Request) -> Response:
        """Begin the morning run of an account, or of all: the worker goes on with it."""
        seat, form = await self.sit_with_form(request)
        require_change(seat.person)
        mode = TokenMode.ALL if fields.ticked(form, "anew") else TokenMode.INVALID_ONLY
        if form.get("of") != ALL:
            account = _meant(seat, fields.text(form, "of"))
            run = await self._begun(seat, account, mode)
            if await self._needs_person(account, run):
                return await self._handed(request, seat, account, run)
            await self._go_on(seat, run)
            return done(seat, HERE, f"{account.name}: {_became(run)}")
        said = []
        for account in _live(seat):
            try:
                run = await self._begun(seat, account, mode)
                needs = await self._needs_person(account, run)
                if not needs:
                    await self._go_on(seat, run)
                said.append(
                    f"{account.name}: {run.next_api} needs a person."
                    if needs
                    else f"{account.name}: {_became(run)}"
                )
            except BahiError as fault:  # of one account; the others go on
                said.append(f"{account.name}: {fault}")
        return done(seat, HERE, " ".join(said) or "No account has an application to log in.")

    async def link(self, request: Request) -> Response:
        """Make a link with which a person logs in, wherever they are; the one before is dead."""
        seat, form = await self.sit_with_form(request)
        require_change(seat.person)
        account = _meant(seat, fields.text(form, "of"))
        run = await self.house.runs.resume(seat.person, account.id)
        return await self._handed(request, seat, account, run)

    async def stop(self, request: Request) -> Response:
        """Stop an account's run before its next login."""
        seat, form = await self.sit_with_form(request)
        account = _meant(seat, fields.text(form, "of"))
        run = await self.house.runs.stop(seat.person, account.id)
        said = "is stopped" if run.status in ENDED else "stops before its next login"
        return done(seat, HERE, f"The run of {account.name} {said}; tokens that it made stay.")

    async def ask(self, request: Request) -> Response:
        """Ask brokers whether tokens still work."""
        seat, form = await self.sit_with_form(request)
        require_change(seat.person)
        of = fields.text(form, "of")
        wanted = None if of == ALL else _meant(seat, of).id
        statuses = await status_of(self.house.login_desk, seat.person, account_id=wanted)
        counted = summary(statuses)
        bad = [it for each in statuses for it in each.missing]
        said = f"The brokers say: {counted['valid']} of {counted['total']} tokens are good."
        if bad:
            said += f" Not {', '.join(f'{it.api_name} of {it.account}' for it in bad[:6])}."
        return done(seat, HERE, said)

    async def _shown(self, seat: Seat, account: Account) -> Shown:
        desk, now = self.house.login_desk, self.house.clock()
        found = await status_of(desk, seat.person, account_id=account.id, check=False)
        named = None
        if account.person_id is not None:
            main = self.house.stores["main"]
            persons = await main.read(list_persons, seat.person, fresh=True)
            named = next((it.name for it in persons if it.id == account.person_id), None)
        status = found[0] if found else None
        until = None if status is None else status.cools_until
        return Shown(
            account=account,
            status=status,
            steps=[] if status is None else _steps(status),
            ring=None if until is None else ring_of(until, COOLDOWN, now),
            person=named or account.broker_user_name or "the holder",
        )

    async def _begun(self, seat: Seat, account: Account, mode: TokenMode) -> Run:
        if mode is TokenMode.ALL:
            return await self.house.runs.begin(seat.person, account.id, mode)
        return await self.house.runs.resume(seat.person, account.id)

    async def _needs_person(self, account: Account, run: Run) -> bool:
        """Say whether the run's next login is a person's."""
        if run.status in ENDED:
            return False
        known = await self.house.stores["main"].read(list_registrations, account.id, fresh=True)
        following = next((it for it in known if it.api_name == run.next_api), None)
        if following is None:
            return False
        login, application = await self.house.login_desk.login_of(account, following.id)
        return not login.is_headless(application)

    async def _go_on(self, seat: Seat, run: Run) -> None:
        if run.status not in ENDED:
            await have_it_go_on(self.house, seat.person, run)

    async def _handed(self, request: Request, seat: Seat, account: Account, run: Run) -> Response:
        """Show the link that hands the run's next login over, this once."""
        came = await as_far_as_a_person(self.house, seat.person, run)
        if not isinstance(came, HandedOver):
            await self._go_on(seat, came)
            return done(seat, HERE, f"{account.name}: {_became(came)}")
        shown: dict[str, Any] = {
            "it": account,
            "broker": BROKER_NAMES[account.broker],
            "handed": came,
            "link": f"{self.house.settings.address}/auth/go/{came.code}",
        }
        return await self.show(request, seat, "tokens/link.html", here=HERE, **shown)


def _live(seat: Seat) -> list[Account]:
    return [it for it in seat.accounts if it.mode is AccountMode.LIVE and it.is_active]


def _meant(seat: Seat, said: str) -> Account:
    number = fields.identity(said, "of")
    found = next((it for it in _live(seat) if it.id == number), None)
    if found is None:
        raise NotFound("That account is not there, has no logins, or is not yours to see.")
    return found


def _became(run: Run) -> str:
    if run.status in ENDED:
        return f"nothing was left to do; the run is {word(run.status)}."
    waits = run.due_at is not None
    return "the run is cooling down, and goes on by itself." if waits else "the run is under way."


def _steps(status: AccountStatus) -> list[Step]:
    run = status.run if status.run is not None and status.run.status in RESUMABLE else None
    return [_step(it, run) for it in status.tokens]


def _step(it: TokenStatus, run: Run | None) -> Step:
    if not it.enabled:
        return Step(it, "left out", 0, "")
    if it.state is TokenState.VALID:
        return Step(it, "valid", 100, "")
    if run is not None and it.api_name == run.next_api:
        return Step(it, *UNDER_WAY.get(run.status, ("next", 0, "")))
    if run is not None and it.api_name in run.apis:
        return Step(it, "to come", 0, "")
    share = 100 if it.state is TokenState.INVALID else 0
    return Step(it, word(it.state), share, "broken")
