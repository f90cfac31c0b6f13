"""Lists of what may not be traded freely: loaded by people, read by the house from memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Final, Protocol

from bahi.audit.service import note
from bahi.db.revisions import bump
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.clock import Clock, exchange_day
from bahi.risk.model.eligibility import DatedList, KeptOff, Lists, in_force, kept_off, read_csv
from bahi.risk.repository import eligibility as rows

TOPIC: Final = "eligibility"


class Numbers(Protocol):
    """Knows how often a thing changed (`db.revisions.Revisions`)."""

    def number(self, topic: str) -> int | None:
        """Return the topic's number, None where it is not known freshly."""


def enter_list(tx: Tx, actor: Actor, wanted: DatedList, now: datetime) -> DatedList:
    """Enter a list that holds from its day on; an empty one says that nobody is on it."""
    require_admin(actor)
    entered = replace(wanted.checked(), id=tx.new_id(), loaded_at=now)
    rows.add(tx, entered, actor.name, now)
    new = {"list": entered.name, "since": str(entered.since), "symbols": len(entered.symbols)}
    subject = ("eligibility_list", entered.id)
    note(tx, actor, "enter", subject, now, new=new, details=entered.source)
    bump(tx, TOPIC)
    return entered


def load_list(tx: Tx, actor: Actor, wanted: DatedList, text: str, now: datetime) -> DatedList:
    """Enter a list from the file that its exchange or broker publishes."""
    return enter_list(tx, actor, replace(wanted, symbols=read_csv(text)), now)


def lists_on(tx: Tx, day: date) -> Lists:
    """Return the lists that hold on a day."""
    return in_force(rows.since(tx, day), day)


class LiveLists:
    """The lists of today, from memory while nothing has changed."""

    def __init__(self, main: Store, revisions: Numbers, clock: Clock) -> None:
        self._main, self._revisions, self._clock = main, revisions, clock
        self._lists: Lists = {}
        self._of: tuple[int | None, date] | None = None

    async def renew(self) -> None:
        """Have the lists at hand, never older than a second."""
        day = exchange_day(self._clock())
        number = self._revisions.number(TOPIC)
        if number is not None and (number, day) == self._of:
            return
        self._lists = await self._main.read(lists_on, day, fresh=True)
        self._of = (number, day)  # as old as the number or newer, never older

    def kept_off(self, it: Instrument) -> tuple[KeptOff, ...]:
        """Return why an instrument may not be entered, and as what."""
        return kept_off(it, self._lists)
