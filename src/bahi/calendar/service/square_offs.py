"""When brokers close intraday positions by themselves, as people enter it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from bahi.audit.service import note
from bahi.calendar.model import CALENDARS, SquareOffFact, calendar_of, hhmm
from bahi.calendar.repository import calendars, reading, writing
from bahi.calendar.service.live import TOPIC
from bahi.db.revisions import bump
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.errors import NotFound
from bahi.kernel.words import BrokerSlug, Segment

AUCTION: Final = {None: "", True: ", in the closing auction", False: ", out of the closing auction"}


class TimesOf(NamedTuple):
    """A broker's times in some markets."""

    broker: BrokerSlug
    segments: frozenset[Segment]


def set_square_offs(
    tx: Tx, actor: Actor, facts: Collection[SquareOffFact], now: datetime
) -> tuple[SquareOffFact, ...]:
    """Enter from when on a broker closes positions at other times.

    What came with Bahi stays, and gives way from that day on; of what a person entered from the
    same day on, the same is replaced.
    """
    require_admin(actor)
    mine = (replace(it, segment=calendar_of(it.segment), is_shipped=False) for it in facts)
    entered = sorted(mine, key=lambda it: CALENDARS.index(it.segment))
    for it in entered:
        since = it.check_entered()
        calendar_id, _ = calendars.open_calendar(tx, it.segment, now)
        old = _entered(tx, calendar_id, it.broker, since)
        writing.remove_square_offs(
            tx, calendar_id, it.broker, since, in_closing_auction=it.in_closing_auction
        )
        writing.add_square_offs(tx, calendar_id, [it])
        new = _entered(tx, calendar_id, it.broker, since)
        note(tx, actor, "square_off", ("calendar", it.segment), now, old=_told(old), new=_told(new))
    bump(tx, TOPIC)
    return tuple(entered)


def remove_square_offs(
    tx: Tx, actor: Actor, whose: TimesOf, since: date, now: datetime
) -> tuple[Segment, ...]:
    """Remove what a person entered of a broker from a day on: what was so before is so again."""
    require_admin(actor)
    broker, wanted = whose.broker, {calendar_of(it) for it in whose.segments}
    removed = []
    for segment in (markets := [it for it in CALENDARS if it in wanted]):
        calendar_id, _ = calendars.open_calendar(tx, segment, now)
        old = _entered(tx, calendar_id, broker, since)
        if writing.remove_square_offs(tx, calendar_id, broker, since):
            note(tx, actor, "square_off", ("calendar", segment), now, old=_told(old))
            removed.append(segment)
    if not removed:
        raise NotFound(
            f"Nobody entered a time of {broker} from {since} on for {', '.join(markets)}."
        )
    bump(tx, TOPIC)
    return tuple(removed)


def _entered(tx: Tx, calendar_id: int, broker: BrokerSlug, since: date) -> list[SquareOffFact]:
    return [
        it
        for it in reading.square_offs(tx, calendar_id)
        if it.broker is broker and it.valid_from == since and not it.is_shipped
    ]


def _told(facts: Collection[SquareOffFact]) -> dict[str, Any]:
    return {
        f"{it.broker} from {it.valid_from}{AUCTION[it.in_closing_auction]}": {
            "at": None if it.at is None else hhmm(it.at),
            "minutes_before_close": it.minutes_before_close,
            "source": it.source,
            "verified": it.is_verified,
        }
        for it in facts
    }
