"""Calendars themselves: one of each segment, and which of Bahi's facts it knows."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import sqlalchemy as sa

from bahi.calendar.tables import trading_calendars
from bahi.db.tx import Tx
from bahi.kernel.clock import to_micros
from bahi.kernel.words import Segment

_NEW_CALENDAR: Final = sa.text(
    "INSERT INTO trading_calendars (id, name, segment, created_at)"
    " VALUES (:id, :segment, :segment, :now) ON CONFLICT (segment) DO NOTHING"
)


def releases(tx: Tx) -> dict[Segment, int]:
    """Return which of Bahi's facts were entered in each calendar."""
    calendars = trading_calendars.c
    clause = sa.select(calendars.segment, calendars.facts_release)
    rows = tx.rows(clause.where(calendars.segment.is_not(None)))
    return {Segment(segment): release for segment, release in rows}


def open_calendar(tx: Tx, segment: Segment, now: datetime) -> tuple[int, int]:
    """Return a segment's calendar and its release, locked; enter it where it is missing."""
    tx.change(_NEW_CALENDAR, {"id": tx.new_id(), "segment": segment, "now": to_micros(now)})
    calendars = trading_calendars.c
    row = tx.row(
        sa.select(calendars.id, calendars.facts_release)
        .where(calendars.segment == segment)
        .with_for_update()
    )
    if row is None:
        raise AssertionError(f"the calendar of {segment} was entered and is not there")
    return row[0], row[1]


def set_release(tx: Tx, calendar_id: int, release: int) -> None:
    """Remember which of Bahi's facts were entered."""
    clause = trading_calendars.update().where(trading_calendars.c.id == calendar_id)
    tx.change(clause.values(facts_release=release))
