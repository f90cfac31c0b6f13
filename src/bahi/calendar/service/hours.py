"""The hours of weekdays and the rules of closing auctions, as people enter them.

What came with Bahi stays, and gives way from the day on that they name.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from bahi.audit.service import note
from bahi.calendar.model import CALENDARS, AuctionRules, Hours, Phase, Weekly, calendar_of, hhmm
from bahi.calendar.repository import calendars, reading, writing
from bahi.calendar.service.live import TOPIC
from bahi.db.revisions import bump
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.words import Segment

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SEASONS: Final = {None: "", True: ", in US daylight time", False: ", out of US daylight time"}


class Since(NamedTuple):
    """What a person entered of some markets from a day on."""

    segments: frozenset[Segment]
    day: date


class _Entered(NamedTuple):
    """A kind of thing that people enter from a day on: how it is told, and taken back."""

    action: str
    told: Callable[[Tx, int, date], dict[str, Any]]
    remove: Callable[[Tx, int, date], int]


def set_hours(
    tx: Tx, actor: Actor, facts: Collection[Weekly], now: datetime
) -> tuple[Segment, ...]:
    """Enter from when on weekdays have other hours; a weekday without any has no trading.

    Of what a person entered for a weekday from the same day on, the same is replaced.
    """
    require_admin(actor)
    if not facts:
        raise Invalid("Say of which weekdays these are the hours.")
    touched = []
    for segment in _markets(frozenset(it.segment for it in facts)):
        mine = [it for it in facts if calendar_of(it.segment) is segment]
        calendar_id, _ = calendars.open_calendar(tx, segment, now)
        days = {it.check_entered() for it in mine}
        old = {name: it for day in days for name, it in _hours(tx, calendar_id, day).items()}
        for it in mine:
            writing.remove_weekly(
                tx,
                calendar_id,
                it.check_entered(),
                weekdays=(it.weekday,),
                us_daylight=it.us_daylight,
            )
            writing.add_weekly(tx, calendar_id, _rows(replace(it, is_shipped=False)))
        new = {name: it for day in days for name, it in _hours(tx, calendar_id, day).items()}
        note(tx, actor, "hours", ("calendar", segment), now, old=old, new=new)
        touched.append(segment)
    bump(tx, TOPIC)
    return tuple(touched)


def _rows(it: Weekly) -> Iterator[Weekly]:
    """Yield rows with one session of each kind, as a table has them; they add up."""
    left = list(it.sessions)
    while True:
        first: dict[Phase, Hours] = {}
        for session in left:
            first.setdefault(session.phase, session)
        yield replace(it, sessions=tuple(first.values()))
        left = [session for session in left if session not in first.values()]
        if not left:
            return


def remove_hours(tx: Tx, actor: Actor, what: Since, now: datetime) -> tuple[Segment, ...]:
    """Remove the hours that a person entered from a day on: what was so before is so again."""
    return _remove(tx, actor, what, now, _Entered("hours", _hours, writing.remove_weekly))


def set_auctions(
    tx: Tx, actor: Actor, rules: Collection[AuctionRules], now: datetime
) -> tuple[Segment, ...]:
    """Enter the rules of closing auctions from a day on, in the place of any of that day."""
    require_admin(actor)
    mine = (replace(it, segment=calendar_of(it.segment), is_shipped=False) for it in rules)
    touched = []
    for it in sorted(mine, key=lambda it: CALENDARS.index(it.segment)):
        since = it.check_entered()
        calendar_id, _ = calendars.open_calendar(tx, it.segment, now)
        old = _auctions(tx, calendar_id, since)
        writing.remove_auctions(tx, calendar_id, since)
        writing.add_auctions(tx, calendar_id, [it])
        new = _auctions(tx, calendar_id, since)
        note(tx, actor, "auction", ("calendar", it.segment), now, old=old, new=new)
        touched.append(it.segment)
    bump(tx, TOPIC)
    return tuple(touched)


def remove_auction(tx: Tx, actor: Actor, what: Since, now: datetime) -> tuple[Segment, ...]:
    """Remove the rules that a person entered from a day on: what was so before is so again."""
    return _remove(tx, actor, what, now, _Entered("auction", _auctions, writing.remove_auctions))


def _remove(
    tx: Tx, actor: Actor, what: Since, now: datetime, entered: _Entered
) -> tuple[Segment, ...]:
    require_admin(actor)
    removed = []
    for segment in (markets := _markets(what.segments)):
        calendar_id, _ = calendars.open_calendar(tx, segment, now)
        old = entered.told(tx, calendar_id, what.day)
        if entered.remove(tx, calendar_id, what.day):
            note(tx, actor, entered.action, ("calendar", segment), now, old=old)
            removed.append(segment)
    if not removed:
        raise NotFound(f"Nobody entered any from {what.day} on for {', '.join(markets)}.")
    bump(tx, TOPIC)
    return tuple(removed)


def _markets(segments: frozenset[Segment]) -> list[Segment]:
    """Return whose hours segments keep, in one order, so that no two writers wait on each other."""
    kept = {calendar_of(it) for it in segments}
    return [it for it in CALENDARS if it in kept]


def _hours(tx: Tx, calendar_id: int, since: date) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for it in reading.weekly(tx, calendar_id):
        if it.is_shipped or it.valid_from != since:
            continue
        name = f"{WEEKDAYS[it.weekday]} from {since}{SEASONS[it.us_daylight]}"
        sessions = [f"{hhmm(s.starts)}-{hhmm(s.ends)} {s.phase}" for s in it.sessions]
        before = told.get(name, {"sessions": []})
        told[name] = {
            "sessions": [*before["sessions"], *sessions],
            "until": None if it.valid_until is None else str(it.valid_until),
            "source": it.source,
            "verified": it.is_verified,
        }
    return told


def _auctions(tx: Tx, calendar_id: int, since: date) -> dict[str, Any]:
    return {
        f"auction from {since}": rules_told(it)
        for it in reading.auctions(tx, calendar_id)
        if it.valid_from == since and not it.is_shipped
    }


def rules_told(it: AuctionRules) -> dict[str, Any]:
    """Write the rules of an auction as programs read them."""
    hours = (
        "stops_purged_at",
        "reference_from",
        "reference_to",
        "entry_ends_from",
        "entry_ends_by",
    )
    return {
        "from": str(it.valid_from),
        "until": None if it.valid_until is None else str(it.valid_until),
        "order_types": list(it.order_types),
        "allows_stops": it.allows_stops,
        "allows_iceberg": it.allows_iceberg,
        **{name: None if (at := getattr(it, name)) is None else hhmm(at) for name in hours},
        "collar": it.collar,
        "source": it.source,
        "verified": it.is_verified,
        "shipped": it.is_shipped,
    }
