"""Market days as the house reads them, and the year that is missing."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple, Protocol

from bahi.calendar.model import CALENDARS, NO_FACTS, DayFact, Facts, MarketDays
from bahi.calendar.repository import reading
from bahi.db.stores import Store
from bahi.kernel.clock import exchange_day

TOPIC: Final = "calendar"
DECEMBER: Final = 12


class Numbers(Protocol):
    """Knows how often a thing changed (`db.revisions.Revisions`)."""

    def number(self, topic: str) -> int | None:
        """Return the topic's number, None where it is not known freshly."""


class Missing(NamedTuple):
    """A year whose market days are not known everywhere, and the sentence that says so."""

    year: int
    sentence: str


def exceptions_of(days: MarketDays, year: int) -> list[DayFact]:
    """Return the exceptions of a year, by day and then by segment."""
    found = [it for it in days.facts.days if it.day.year == year]
    return sorted(found, key=lambda it: (it.day, CALENDARS.index(it.segment)))


def what_is_missing(days: MarketDays, now: datetime) -> Missing | None:
    """Return the first year that is missing: this one, or from December on the next."""
    today = exchange_day(now)
    years = [today.year] if today.month < DECEMBER else [today.year, today.year + 1]
    for year in years:
        missing = [it for it in CALENDARS if not days.is_year_known(it, year)]
        if missing:
            return Missing(
                year,
                f"The market days of {year} are not known for {', '.join(missing)}, and unknown is"
                " never open: bring in the exchange's list with `bahi calendar load`.",
            )
    return None


async def days_as_entered(main: Store) -> MarketDays:
    """Return the market days as they are entered at this moment."""
    return MarketDays(await main.read(reading.facts, fresh=True))


class LiveCalendar:
    """Market days as the house asks them: from memory while nothing has changed."""

    def __init__(self, main: Store, revisions: Numbers) -> None:
        self._main, self._revisions = main, revisions
        self._days = MarketDays(NO_FACTS)
        self._number: int | None = None

    @property
    def number(self) -> int | None:
        """The number of the days that are in memory; None: there are none, or they may be old."""
        number = self._revisions.number(TOPIC)
        return None if number is None or number != self._number else number

    async def days(self) -> MarketDays:
        """Return the market days, never older than a second."""
        number = self._revisions.number(TOPIC)
        if number is not None and number == self._number:
            return self._days
        facts: Facts = await self._main.read(reading.facts, fresh=True)
        if facts != self._days.facts:
            self._days = MarketDays(facts)
        self._number = number  # as old as the number or newer, never older
        return self._days
