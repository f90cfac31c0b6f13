"""The calendar: a year's holidays and special hours, what is missing of it, and who says so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.calendar.model import CALENDARS, DayFact, Hours, MarketDays, hhmm
from bahi.calendar.model.document import document_of
from bahi.calendar.model.facts import YEARS, Kind, standing
from bahi.calendar.service import (
    Removed,
    days_as_entered,
    exceptions_of,
    import_days,
    mark_of,
    remove_day,
    what_is_missing,
)
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid
from bahi.kernel.words import Segment
from bahi.web import fields
from bahi.web.fields import Form
from bahi.web.frame import Frame
from bahi.web.pages.settings.tabs import Tabbed
from bahi.web.seat import done
from bahi.web.sheets import csv_of
from bahi.web.written import day as written_day
from bahi.web.written import exchange, word

COLUMNS: Final = ("day", "weekday", "description", "kind", "segments", "hours", "source", "checked")
HOUR_COLUMNS: Final = ("segment", "hours", "source", "checked")
KINDS: Final = {
    Kind.FULL_DAY: "closed all day",
    Kind.SPECIAL: "open in hours of its own",
    Kind.MUHURAT: "muhurat trading",
    Kind.ORDINARY: "open like its weekday",
}
"""What an admin may say of a day."""


class Special(NamedTuple):
    """A day that is not like its weekday, of all the markets for which it is so."""

    day: date
    description: str
    kind: str
    segments: str
    markets: tuple[Segment, ...]
    hours: str
    source: str
    is_verified: bool
    is_past: bool
    is_shipped: bool
    mark: str

    @property
    def weekday(self) -> str:
        """Which day of the week it is."""
        return f"{self.day:%a}"

    @property
    def checked(self) -> str:
        """Whether somebody compared it with the exchange's own word."""
        return "confirmed" if self.is_verified else "not confirmed"


class Ordinary(NamedTuple):
    """The hours of a market's ordinary day."""

    segment: str
    hours: str
    source: str
    is_verified: bool

    @property
    def checked(self) -> str:
        """Whether somebody compared them with the exchange's own word."""
        return "confirmed" if self.is_verified else "not confirmed"


def calendar_routes(house: House, frame: Frame) -> APIRouter:
    """Make the tab of market days."""
    pages = Calendar(house, frame)
    pages.router.get(pages.here)(pages.year)
    pages.router.get(f"{pages.here}.csv")(pages.as_csv)
    pages.router.get(f"{pages.here}/hours.csv")(pages.hours_as_csv)
    pages.router.post(pages.here)(pages.enter)
    pages.router.post(f"{pages.here}/take-back")(pages.take_back)
    return pages.router


class Calendar(Tabbed):
    """Market days."""

    tab = "calendar"

    async def year(self, request: Request) -> Response:
        """Show a year's exceptions, the ordinary hours, and what is missing."""
        seat = await self.sit(request)
        year, segment = self._asked(request)
        days, now = await self._days(), self.house.clock()
        today = exchange_day(now)
        return await self.open(
            request,
            seat,
            "settings/calendar.html",
            year=year,
            segment=segment,
            segments=CALENDARS,
            found=_specials(days, year, segment, today),
            kinds=KINDS,
            hours=_ordinary(days, today),
            unknown=[exchange(it) for it in CALENDARS if not days.is_year_known(it, year)],
            missing=what_is_missing(days, now),
        )

    async def as_csv(self, request: Request) -> Response:
        """Hand the year out."""
        await self.sit(request)
        year, segment = self._asked(request)
        today = exchange_day(self.house.clock())
        found = _specials(await self._days(), year, segment, today)
        return csv_of(f"calendar-{year}", COLUMNS, found)

    async def hours_as_csv(self, request: Request) -> Response:
        """Hand the ordinary hours out."""
        await self.sit(request)
        today = exchange_day(self.house.clock())
        return csv_of("hours", HOUR_COLUMNS, _ordinary(await self.house.calendar.days(), today))

    async def enter(self, request: Request) -> Response:
        """Enter a day that is not like its weekday, or change what is entered of it."""
        seat, form = await self.admin_with_form(request)
        day, now = _day(form), self.house.clock()
        document = document_of([_entry(form, day)], place="")
        main = self.house.stores["main"]
        came = await main.write(import_days, seat.person, document, now)
        what = "is entered" if came.added else "is changed" if came.changed else "stood so already"
        return done(seat, self.here, f"{written_day(day)} {what}.", year=day.year)

    async def take_back(self, request: Request) -> Response:
        """Take back what a person entered; what came with Bahi holds again, or the weekday."""
        seat, form = await self.admin_with_form(request)
        day, seen, now = _day(form), fields.required(form, "seen"), self.house.clock()
        remove = partial(remove_day, seen=seen)
        main, markets = self.house.stores["main"], _markets(form)
        removed = await main.write(remove, seat.person, markets, day, now)
        said = f"{written_day(day)} {_taken_back(removed)}."
        return done(seat, self.here, said, year=day.year)

    async def _days(self) -> MarketDays:
        """Return the days as they stand: who entered one sees it at once."""
        return await days_as_entered(self.house.stores["main"])

    def _asked(self, request: Request) -> tuple[int, Segment | None]:
        asked = request.query_params
        year = fields.maybe_whole(asked, "year") or exchange_day(self.house.clock()).year
        if year not in YEARS:
            raise Invalid(f"year: {year} is not {YEARS[0]} to {YEARS[-1]}.")
        return year, fields.maybe_one_of(asked, "segment", Segment)


def _day(form: Form) -> date:
    """Return the day that a form is about."""
    day = fields.maybe_day(form, "day")
    if day is None:
        raise Invalid("day: say which day.")
    return day


def _markets(form: Form) -> tuple[Segment, ...]:
    """Return the markets that a form means, by their names; all where it names none."""
    said = fields.text(form, "markets").split()
    if unknown := [it for it in said if it not in CALENDARS]:
        raise Invalid(f"markets: {unknown[0][:40]!r} has no calendar.")
    return tuple(it for it in CALENDARS if it in said) or CALENDARS


def _taken_back(removed: Iterable[Removed]) -> str:
    """Say what a day is again, and in which markets."""
    again: dict[str, list[str]] = {}
    for it in removed:
        is_now = "has its weekday's hours"
        if it.now is not None:
            is_now = f"is again what came with Bahi ({it.now.description})"
        again.setdefault(is_now, []).append(exchange(it.was.segment))
    return ", and ".join(f"{is_now} for {', '.join(of)}" for is_now, of in again.items())


def _entry(form: Form, day: date) -> dict[str, Any]:
    """Write a form as a file of days has it, so that the same rules read it."""
    hours = fields.text(form, "hours").replace(",", " ").split()
    return {
        "date": day.isoformat(),
        "segments": list(_markets(form)),
        "kind": fields.required(form, "kind"),
        "description": fields.required(form, "why"),
        "sessions": hours,
        "settlement_holiday": fields.ticked(form, "settlement_holiday"),
        "source": fields.required(form, "source"),
    }


def _specials(days: MarketDays, year: int, segment: Segment | None, today: date) -> list[Special]:
    """Return the days that are not like others; what is alike for several markets stands once."""
    alike: dict[Special, list[Segment]] = {}
    for it in exceptions_of(days, year):
        if segment in {None, it.segment}:
            alike.setdefault(_special(it, today), []).append(it.segment)
    return [
        it._replace(segments=", ".join(map(exchange, of)), markets=tuple(of))
        for it, of in alike.items()
    ]


def _special(it: DayFact, today: date) -> Special:
    told = _told(it.sessions)
    return Special(
        day=it.day,
        description=it.description,
        kind="settlement holiday" if it.is_settlement_holiday else word(it.kind),
        segments="",
        markets=(),
        hours=told or ("not known" if it.kind.has_own_hours else "as its weekday")
        if not it.shows_a_list or it.kind.has_own_hours
        else told or "closed",
        source=it.source,
        is_verified=it.is_verified,
        is_past=it.day < today,
        is_shipped=it.is_shipped,
        mark=mark_of(it),
    )


def _ordinary(days: MarketDays, today: date) -> list[Ordinary]:
    """Return the hours of the next ordinary weekday."""
    day = next(it for n in range(7) if (it := today + timedelta(days=n)).weekday() < 5)
    found = []
    for segment in CALENDARS:
        kept = standing([it for it in days.facts.weekly if it.segment is segment], day)
        sessions = sorted((each for it in kept for each in it.sessions), key=lambda it: it.starts)
        found.append(
            Ordinary(
                segment=exchange(segment),
                hours=_told(sessions) or "not known",
                source="; ".join(dict.fromkeys(it.source for it in kept if it.source)),
                is_verified=bool(kept) and all(it.is_verified for it in kept),
            )
        )
    return found


def _told(sessions: Iterable[Hours]) -> str:
    return ", ".join(f"{word(it.phase)} {hhmm(it.starts)} to {hhmm(it.ends)}" for it in sessions)
