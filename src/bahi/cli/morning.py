"""A token run as the terminal drives it: account by account, with the person who sits there."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from bahi.cli.named import ME, when
from bahi.cli.terminal import say
from bahi.kernel.errors import Conflict, Invalid, Unauthenticated
from bahi.kernel.words import BrokerSlug, TokenMode, TokenRunStatus

if TYPE_CHECKING:
    from bahi.accounts.model import Account
    from bahi.bootstrap import House
    from bahi.cli.board import Board
    from bahi.tokens.model import Run, TokenStatus
    from bahi.tokens.service.outcomes import HandedOver

LOOK_EVERY_S: Final = 0.5
BRINGS_NO_STATE: Final = frozenset({BrokerSlug.DHAN, BrokerSlug.BREEZE, BrokerSlug.OPENALGO})
"""Brokers whose redirect does not say which login it ends: it ends the one in hand."""


class Came(IntEnum):
    """What a run came to; the worst of several is the exit code."""

    ALL = 0
    PARTIAL = 1
    PERSON = 2
    FATAL = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person has to do, and where."""

    api_name: str
    address: str | None
    relay: str
    until: str | None
    why: str = ""


class PersonNeeded(Exception):
    """A run waits for somebody, and nobody is here."""

    def __init__(self, asked: Asked) -> None:
        super().__init__(asked.api_name)
        self.asked = asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of an account's run."""

    account: Account
    run: Run
    missing: Sequence[TokenStatus]
    asked: Asked | None = None

    @property
    def came(self) -> Came:
        """What it counts for in the exit code."""
        if self.asked is not None or self.run.status is TokenRunStatus.WAITING:
            return Came.PERSON
        return Came.ALL if self.run.status is TokenRunStatus.COMPLETED else Came.PARTIAL

    def as_words(self) -> dict[str, Any]:
        """Write it for programs; the addresses are for the person who logs in."""
        asked = self.asked
        return {
            "account": self.account.name,
            "broker": self.account.broker,
            "execution_id": self.run.execution_id,
            "mode": self.run.mode,
            "status": self.run.status,
            "wanted": list(self.run.apis),
            "missing": [{"api_name": it.api_name, "why": it.why} for it in self.missing],
            "person": None
            if asked is None
            else {
                "api_name": asked.api_name,
                "address": asked.address,
                "relay": asked.relay,
                "until": asked.until,
                "why": asked.why,
            },
        }


class Morning:
    """Drives runs, one account after the other, and asks the person at the terminal."""

    def __init__(self, house: House, board: Board) -> None:
        self._house, self._board = house, board
        self._may_ask = sys.stdin.isatty()
        self._reads = self._may_ask

    async def begin(self, account: Account, mode: TokenMode, names: Sequence[str]) -> Outcome:
        """Begin a run and drive it; one for what is not valid goes on with a run under way."""
        from bahi.tokens.model import ENDED  # noqa: PLC0415 - for who runs

        runs = self._house.runs
        newest = await runs.newest_run(ME, account.id)
        under_way = newest is not None and newest.status not in ENDED
        if under_way and mode is TokenMode.INVALID_ONLY:
            self._board.say(f"{account.name}: a run is under way; going on with it.")
            return await self.resume(account)
        return await self._drive(account, await runs.begin(ME, account.id, mode, names))

    async def resume(self, account: Account) -> Outcome:
        """Go on with an account's run."""
        return await self._drive(account, await self._house.runs.resume(ME, account.id))

    async def _drive(self, account: Account, run: Run) -> Outcome:
        from bahi.tokens.service.status import status_of  # noqa: PLC0415

        async def ask(handed: HandedOver) -> None:
            await self._ask(account, run.execution_id, handed)

        self._board.tell(account.name, run)
        asked = None
        try:
            await self._house.runs.drive(
                run.execution_id,
                tell=lambda it: self._board.tell(account.name, it),
                ask=ask,
                actor=ME,
            )
        except PersonNeeded as needed:
            asked = needed.asked
        except asyncio.CancelledError:
            if lost := ", ".join(self._house.login_desk.pending.values()):
                say(f"The database took no token of {lost}; what the broker gave is lost.")
            raise
        statuses = await status_of(self._house.login_desk, ME, account_id=account.id, check=False)
        missing = [it for found in statuses for it in found.missing if it.api_name in run.apis]
        ended = await self._house.runs.run(run.execution_id)
        self._board.tell(account.name, ended)
        return Outcome(account=account, run=ended, missing=missing, asked=asked)

    async def _ask(self, account: Account, execution_id: str, handed: HandedOver) -> None:
        """Show a person where to log in, and take the answer from here or from the web."""
        asked = await self._asked_of(handed)
        with self._board.set_aside():
            for line in _invitation(account, asked):
                say(line)
            if asked.address is None or not self._may_ask:
                raise PersonNeeded(asked)
            say("Or paste here the address that the browser ended on, and press Enter:")
            while await self._waits(execution_id, handed):
                pasted = await self._typed_line()
                if pasted is not None and await self._taken(account, handed, pasted):
                    return

    async def _asked_of(self, handed: HandedOver) -> Asked:
        from bahi.kernel.ports import LoginFailed  # noqa: PLC0415

        address, why = None, ""
        try:
            address = await self._house.handing.address_for(handed)
        except LoginFailed as failure:
            why = str(failure)
        return Asked(
            api_name=handed.api_name,
            address=address,
            relay=f"{self._house.settings.address}/auth/go/{handed.code}",
            until=when(handed.expires_at),
            why=why,
        )

    async def _waits(self, execution_id: str, handed: HandedOver) -> bool:
        """Say whether the answer is still awaited: the web may have brought it, or time ended."""
        run = await self._house.runs.run(execution_id)
        waits = run.status is TokenRunStatus.WAITING and run.next_api == handed.api_name
        return waits and not run.stop_requested and self._house.clock() < handed.expires_at

    async def _typed_line(self) -> str | None:
        """Return a line that is typed within a moment; None where none is."""
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        if not self._reads:
            await asyncio.sleep(LOOK_EVERY_S)
            return None
        loop.add_reader(sys.stdin.fileno(), ready.set)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(ready.wait(), LOOK_EVERY_S)
        finally:
            loop.remove_reader(sys.stdin.fileno())
        if not ready.is_set():
            return None
        line = sys.stdin.readline()
        if not line:
            self._reads = False
            say("Nothing more is read here; the link above can still be answered.")
        return line.strip() or None

    async def _taken(self, account: Account, handed: HandedOver, pasted: str) -> bool:
        """Take what was pasted; False says that something better may be pasted yet."""
        from bahi.kernel.ports import LoginFailed  # noqa: PLC0415

        try:
            answer = answer_in(pasted)
            state = state_in(answer)
            if not state and account.broker in BRINGS_NO_STATE:
                state = handed.state
            await self._house.handing.answer(account.broker, state, answer, ME)
        except (Invalid, Unauthenticated) as refusal:
            say(f"{refusal} Paste the whole address of this login:")
            return False
        except Conflict as taken:  # the web was quicker
            say(f"{handed.api_name}: {taken}")
        except LoginFailed as failure:  # written down already; the run tells what comes next
            say(f"{handed.api_name}: {failure}")
        else:
            say(f"{handed.api_name}: stored.")
        return True


def _invitation(account: Account, asked: Asked) -> list[str]:
    if asked.address is None:
        return [f"{account.name}, {asked.api_name}: {asked.why}"]
    return [
        f"{account.name}, {asked.api_name}: a person has to log in, until {asked.until} IST, at",
        f"  {asked.address}",
        "or, on a family member's phone too, while `bahi up` runs, by this link that opens once:",
        f"  {asked.relay}",
    ]


def answer_in(pasted: str) -> Mapping[str, str]:
    """Return what an address that a browser ended on brings."""
    try:
        query = urlsplit(pasted).query
    except ValueError:
        query = ""
    answer = dict(parse_qsl(query, keep_blank_values=True))
    if not answer:
        raise Invalid("That is no address with an answer in it.")
    return answer


def state_in(answer: Mapping[str, str]) -> str:
    """Return the state of an answer; Kite may bring it inside what it was asked to append."""
    inside = dict(parse_qsl(answer.get("redirect_params", "")))
    return answer.get("state") or inside.get("state", "")
