"""The days and years that people bring in, change and remove."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from typing import Any, Final

from bahi.audit.service import note
from bahi.calendar.model import CALENDARS, DayFact, Document, YearFact, calendar_of, hhmm
from bahi.calendar.repository import calendars, reading, writing
from bahi.calendar.service.live import TOPIC
from bahi.calendar.service.shipped import shipped_day
from bahi.db.revisions import bump
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.errors import Conflict, Invalid, NotFound
from bahi.kernel.words import Segment

MARK_DIGITS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What came of a file: days that are new, changed, as they were, and kept against it."""

    added: int
    changed: int
    same: int
    kept: tuple[DayFact, ...]
    years: tuple[YearFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was entered of a day, and what is known of it instead; None: what its weekday says."""

    was: DayFact
    now: DayFact | None


def import_days(
    tx: Tx, actor: Actor, document: Document, now: datetime, *, replacing: bool = True
) -> Imported:
    """Bring in the days and years of a file, all of them or none.

    What is entered already gives way, unless `replacing` is off (a broker's list is worth less
    than a person's word): then it is kept, and told.
    """
    require_admin(actor)
    came = [
        _import_to(tx, actor, segment, part, now, replacing=replacing)
        for segment in CALENDARS
        if (part := _part(segment, document)).days or part.years
    ]
    return Imported(
        added=sum(it.added for it in came),
        changed=sum(it.changed for it in came),
        same=sum(it.same for it in came),
        kept=tuple(day for it in came for day in it.kept),
        years=tuple(year for it in came for year in it.years),
    )


def _part(segment: Segment, document: Document) -> Document:
    return Document(
        tuple(it for it in document.days if it.segment is segment),
        tuple(it for it in document.years if it.segment is segment),
    )


def _import_to(
    tx: Tx, actor: Actor, segment: Segment, part: Document, now: datetime, *, replacing: bool
) -> Imported:
    calendar_id, _ = calendars.open_calendar(tx, segment, now)
    known = {it.day: it for it in reading.days(tx, calendar_id)}
    fresh = [it for it in part.days if it.day not in known]
    other = [it for it in part.days if it.day in known and not _says_the_same(it, known[it.day])]
    same = len(part.days) - len(fresh) - len(other)
    kept = [] if replacing else [known[it.day] for it in other]
    changed = other if replacing else []
    writing.remove_days(tx, calendar_id, [it.day for it in changed])
    writing.add_days(tx, calendar_id, [*fresh, *changed])
    writing.add_years(tx, calendar_id, part.years)
    touched = {it.day.year for it in changed} | {it.year for it in part.years}
    _refuse_bare_years(tx, calendar_id, segment, touched)
    if fresh or changed or part.years:
        new = {str(it.day): told(it) for it in (*fresh, *changed)}
        new |= {str(it.year): {"complete": True, "source": it.source} for it in part.years}
        old = {str(it.day): told(known[it.day]) for it in changed}
        note(tx, actor, "import", ("calendar", segment), now, old=old, new=new)
        bump(tx, TOPIC)
    return Imported(
        added=len(fresh), changed=len(changed), same=same, kept=tuple(kept), years=part.years
    )


def _says_the_same(one: DayFact, other: DayFact) -> bool:
    """Whether nothing would change; a day that was Bahi's becomes the person's who says so too."""
    return one == replace(other, is_shipped=one.is_shipped) and not other.is_shipped


def _refuse_bare_years(tx: Tx, calendar_id: int, segment: Segment, touched: set[int]) -> None:
    """Refuse a list that is complete with no day in it: every day of the year would seem open."""
    complete = {it.year for it in reading.years(tx, calendar_id)} & touched
    listed = {it.day.year for it in reading.days(tx, calendar_id) if it.shows_a_list}
    if bare := sorted(complete - listed):
        raise Invalid(
            f"The list of {bare[0]} for {segment} would be complete without one holiday in it, and"
            " each of its weekdays open: enter its holidays with it, or take the year back with"
            f" `bahi calendar remove {bare[0]}`."
        )


def set_day(tx: Tx, actor: Actor, day: DayFact, now: datetime) -> Imported:
    """Enter one exception, or change it."""
    return import_days(tx, actor, Document((day,), ()), now)


def remove_day(
    tx: Tx,
    actor: Actor,
    segments: Collection[Segment],
    day: date,
    now: datetime,
    *,
    seen: str | None = None,
) -> tuple[Removed, ...]:
    """Remove what is entered of a day, wherever something is.

    What a person entered gives way to what came with Bahi, and that to the hours of the weekday.
    Who decided on what they saw says so by its mark: what is otherwise by now stays, all of it, so
    that a second press does not take away what the first one brought back.
    """
    require_admin(actor)
    removed = []
    for segment in (markets := _each(segments)):
        calendar_id, release = calendars.open_calendar(tx, segment, now)
        was = next((it for it in reading.days(tx, calendar_id) if it.day == day), None)
        if seen is not None and (was is None or mark_of(was) != seen):
            raise Conflict(
                f"What is entered of {day:%d %b %Y} has changed since this page was drawn; nothing"
                " is taken back. Look at it again."
            )
        if was is None:
            continue
        back = None if was.is_shipped else shipped_day(segment, day, release)
        writing.remove_days(tx, calendar_id, [day])
        writing.add_days(tx, calendar_id, [] if back is None else [back])
        _refuse_bare_years(tx, calendar_id, segment, {day.year})
        new = None if back is None else {str(day): told(back)}
        note(tx, actor, "remove", ("calendar", segment), now, old={str(day): told(was)}, new=new)
        removed.append(Removed(was=was, now=back))
    if not removed:
        raise NotFound(f"Nothing is entered of {day} for {', '.join(markets)}.")
    bump(tx, TOPIC)
    return tuple(removed)


def remove_year(
    tx: Tx, actor: Actor, segments: Collection[Segment], year: int, now: datetime
) -> tuple[Segment, ...]:
    """Say that the list of a year is not complete after all: its other days are unknown again."""
    require_admin(actor)
    removed = []
    for segment in (markets := _each(segments)):
        calendar_id, _ = calendars.open_calendar(tx, segment, now)
        if writing.remove_year(tx, calendar_id, year):
            old = {str(year): {"complete": True}}
            note(tx, actor, "remove", ("calendar", segment), now, old=old)
            removed.append(segment)
    if not removed:
        raise NotFound(f"The list of {year} is not complete for {', '.join(markets)} anyway.")
    bump(tx, TOPIC)
    return tuple(removed)


def _each(segments: Collection[Segment]) -> list[Segment]:
    """Return whose hours segments keep, in one order, so that no two writers wait on each other."""
    kept = {calendar_of(it) for it in segments}
    return [it for it in CALENDARS if it in kept]


def mark_of(day: DayFact) -> str:
    """Return what tells an exception from any other that could stand in its place."""
    return sha256(json.dumps(told(day)).encode()).hexdigest()[:MARK_DIGITS]


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
