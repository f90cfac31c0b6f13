"""What comes with Bahi, entered where a calendar does not know it yet."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from bahi.calendar.model import CALENDARS, DayFact, Facts
from bahi.calendar.model.shipped import RELEASE, newer_than
from bahi.calendar.repository import calendars, reading, writing
from bahi.calendar.service.live import TOPIC
from bahi.db.revisions import bump
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.words import Segment

Releases = tuple[tuple[int, Facts], ...]
"""The facts of Bahi's releases, oldest first."""


async def furnish(main: Store, now: datetime) -> None:
    """Enter what this release knows and the calendars do not, one calendar at a time."""
    entered = await main.read(calendars.releases, fresh=True)
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
    calendar_id, entered = calendars.open_calendar(tx, segment, now)
    for release, news in releases:
        if release <= entered:
            continue
        writing.add_weekly(tx, calendar_id, _of(segment, news.weekly))
        known = {it.day: it for it in reading.days(tx, calendar_id)}
        ours = [
            it for it in _of(segment, news.days) if it.day not in known or known[it.day].is_shipped
        ]
        writing.remove_days(tx, calendar_id, [it.day for it in ours if it.day in known])
        writing.add_days(tx, calendar_id, ours)
        writing.add_years(tx, calendar_id, _of(segment, news.years), is_shipped=True)
        writing.add_square_offs(tx, calendar_id, _of(segment, news.square_offs))
        writing.add_auctions(tx, calendar_id, _of(segment, news.auctions))
        calendars.set_release(tx, calendar_id, release)
        bump(tx, TOPIC)


def shipped_day(segment: Segment, day: date, entered: int) -> DayFact | None:
    """Return what Bahi knows of a day by the release that a calendar knows; None: nothing."""
    newest = None
    for release, facts in newer_than(0):
        if release <= entered:
            found = (it for it in facts.days if it.segment is segment and it.day == day)
            newest = next(found, newest)
    return newest


def _of(segment: Segment, facts: Iterable[Any]) -> list[Any]:
    return [it for it in facts if it.segment is segment]
