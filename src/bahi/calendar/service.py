"""Market days, kept: what comes with Bahi, what people bring in, and what the house reads of them.

A change bumps the topic `calendar`, so that every process knows of it within a second.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, NamedTuple, Protocol

from bahi.audit.service import note
from bahi.calendar import repository
from bahi.calendar.model import (
    CALENDARS,
    NO_FACTS,
    DayFact,
    Document,
    Facts,
    MarketDays,
    YearFact,
    calendar_of,
    hhmm,
)
from bahi.calendar.model.shipped import RELEASE, newer_than
from bahi.db.revisions import bump
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import NotFound
from bahi.kernel.words import Segment

TOPIC: Final = "calendar"
DECEMBER: Final = 12

Releases = tuple[tuple[int, Facts], ...]
"""The facts of Bahi's releases, oldest first."""


class Numbers(Protocol):
    """Knows how often a thing changed (`db.revisions.Revisions`)."""

    def number(self, topic: str) -> int | None:
        """Return the topic's number, None where it is not known freshly."""


class Missing(NamedTuple):
    """A year whose market days are not known everywhere, and the sentence that says so."""

    year: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of a file: days that are new, changed, as they were, and kept against it."""

    added: int
    changed: int
    same: int
    kept: tuple[DayFact, ...]
    years: tuple[YearFact, ...]


# What comes with Bahi


async def furnish(main: Store, now: datetime) -> None:
    """Enter what this release knows and the calendars do not, one calendar at a time."""
    entered = await main.read(repository.releases, fresh=True)
    behind = [it for it in CALENDARS if entered.get(it, 0) < RELEASE]
    if behind:
        news = tuple(newer_than(min(entered.get(it, 0) for it in behind)))
        for segment in behind:
            await main.write(furnish_calendar, segment, news, now)


def furnish_calendar(tx: Tx, segment: Segment, releases: Releases, now: datetime) -> None:
    """Enter what came with Bahi since the release that a calendar knows.

    A day that somebody entered or changed stays as it is, and one that somebody removed stays
    away, unless a later release knows something new of it.
    """
    calendar_id, entered = repository.open_calendar(tx, segment, now)
    for release, news in releases:
        if release <= entered:
            continue
        repository.add_weekly(tx, calendar_id, _of(segment, news.weekly))
        known = {it.day: it for it in repository.days(tx, calendar_id)}
        ours = [
            it for it in _of(segment, news.days) if it.day not in known or known[it.day].is_shipped
        ]
        repository.remove_days(tx, calendar_id, [it.day for it in ours if it.day in known])
        repository.add_days(tx, calendar_id, ours)
        repository.add_years(tx, calendar_id, _of(segment, news.years), is_shipped=True)
        repository.add_square_offs(tx, calendar_id, _of(segment, news.square_offs))
        repository.add_auctions(tx, calendar_id, _of(segment, news.auctions))
        repository.set_release(tx, calendar_id, release)
        bump(tx, TOPIC)


def _of(segment: Segment, facts: Iterable[Any]) -> list[Any]:
    return [it for it in facts if it.segment is segment]


# What people bring in


def import_days(
    tx: Tx, actor: Actor, document: Document, now: datetime, *, replacing: bool = True
) -> Imported:
    """Bring in the days and years of a file, all of them or none.

    What is entered already gives way, unless `replacing` is off (a broker's list is worth less
    than a person's word): then it is kept, and told.
    """
    require_admin(actor)
    added = changed = same = 0
    kept: list[DayFact] = []
    years: list[YearFact] = []
    for segment in CALENDARS:
        days, its_years = _of(segment, document.days), _of(segment, document.years)
        if not days and not its_years:
            continue
        calendar_id, _ = repository.open_calendar(tx, segment, now)
        known = {it.day: it for it in repository.days(tx, calendar_id)}
        fresh = [it for it in days if it.day not in known]
        other = [it for it in days if it.day in known and not _says_the_same(it, known[it.day])]
        same += len(days) - len(fresh) - len(other)
        if not replacing:
            kept += [known[it.day] for it in other]
            other = []
        repository.remove_days(tx, calendar_id, [it.day for it in other])
        repository.add_days(tx, calendar_id, [*fresh, *other])
        repository.add_years(tx, calendar_id, its_years)
        added, changed = added + len(fresh), changed + len(other)
        years += its_years
        if fresh or other or its_years:
            new = {str(it.day): told(it) for it in (*fresh, *other)}
            new |= {str(it.year): {"complete": True, "source": it.source} for it in its_years}
            old = {str(it.day): told(known[it.day]) for it in other}
            note(tx, actor, "import", ("calendar", segment), now, old=old, new=new)
            bump(tx, TOPIC)
    return Imported(added=added, changed=changed, same=same, kept=tuple(kept), years=tuple(years))


def _says_the_same(one: DayFact, other: DayFact) -> bool:
    """Whether nothing would change; a day that was Bahi's becomes the person's who says so too."""
    return one == replace(other, is_shipped=one.is_shipped) and not other.is_shipped


def set_day(tx: Tx, actor: Actor, day: DayFact, now: datetime) -> Imported:
    """Enter one exception, or change it."""
    return import_days(tx, actor, Document((day,), ()), now)


def remove_day(tx: Tx, actor: Actor, segment: Segment, day: date, now: datetime) -> DayFact:
    """Remove an exception, so that the day has the hours of its weekday; return what it was."""
    require_admin(actor)
    kept = calendar_of(segment)
    calendar_id, _ = repository.open_calendar(tx, kept, now)
    known = {it.day: it for it in repository.days(tx, calendar_id)}
    if day not in known:
        raise NotFound(f"{day} is no exception of {kept}; `bahi calendar holidays` lists them.")
    repository.remove_days(tx, calendar_id, [day])
    note(tx, actor, "remove", ("calendar", kept), now, old={str(day): told(known[day])})
    bump(tx, TOPIC)
    return known[day]


def remove_year(tx: Tx, actor: Actor, segment: Segment, year: int, now: datetime) -> None:
    """Say that the list of a year is not complete after all: its other days are unknown again."""
    require_admin(actor)
    kept = calendar_of(segment)
    calendar_id, _ = repository.open_calendar(tx, kept, now)
    if not repository.remove_year(tx, calendar_id, year):
        raise NotFound(f"The list of {kept} for {year} was not complete anyway.")
    note(tx, actor, "remove", ("calendar", kept), now, old={str(year): {"complete": True}})
    bump(tx, TOPIC)


def told(day: DayFact) -> dict[str, Any]:
    """Write an exception as programs read it."""
    return {
        "kind": str(day.kind),
        "description": day.description,
        "sessions": [
            {"phase": str(it.phase), "from": hhmm(it.starts), "to": hhmm(it.ends)}
            for it in day.sessions
        ],
        "settlement_holiday": day.is_settlement_holiday,
        "source": day.source,
        "verified": day.is_verified,
        "shipped": day.is_shipped,
    }


# What the house reads


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


class LiveCalendar:
    """Market days as the house asks them: from memory while nothing has changed."""

    def __init__(self, main: Store, revisions: Numbers) -> None:
        self._main, self._revisions = main, revisions
        self._days = MarketDays(NO_FACTS)
        self._number: int | None = None

    async def days(self) -> MarketDays:
        """Return the market days, never older than a second."""
        number = self._revisions.number(TOPIC)
        if number is not None and number == self._number:
            return self._days
        facts: Facts = await self._main.read(repository.facts, fresh=True)
        if facts != self._days.facts:
            self._days = MarketDays(facts)
        self._number = number  # as old as the number or newer, never older
        return self._days
