"""When prices move: one trading day of a market, in whole seconds, and who knows of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple, Protocol

from bahi.calendar.model import Hours, MarketDays, Phase
from bahi.kernel.clock import IST
from bahi.kernel.words import Segment

MINUTE: Final = 60
DAY: Final = timedelta(days=1)
LOOKED_BACK: Final = 40
"""Days in which a trading day is looked for; no market has ever been closed for longer."""


class Span(NamedTuple):
    """A while of continuous trading: seconds since 1970, the last one excluded."""

    begins: int
    ends: int


@dataclass(frozen=True, slots=True)
class Session:
    """One trading day: when its figures begin, when trading is continuous, when an auction ends."""

    day: date
    begins: int
    spans: tuple[Span, ...]
    auction_ends: int | None = None

    @property
    def opens(self) -> int:
        """When trading begins."""
        return self.spans[0].begins

    @property
    def ends(self) -> int:
        """When the last price of the day is made: just before."""
        return self.auction_ends or self.spans[-1].ends


class Sessions(Protocol):
    """Knows the trading days of a market."""

    def session(self, segment: Segment, day: date, *, in_auction: bool = False) -> Session | None:
        """Return a day's session; None: nothing trades, or nobody knows."""


def previous_session(
    sessions: Sessions, segment: Segment, day: date, *, in_auction: bool = False
) -> Session | None:
    """Return the last session before a day; None: none is known in the weeks before."""
    for back in range(1, LOOKED_BACK + 1):
        found = sessions.session(segment, day - back * DAY, in_auction=in_auction)
        if found is not None:
            return found
    return None


class CalendarSessions:
    """The trading days that the calendar knows."""

    def __init__(self, days: MarketDays) -> None:
        self._days = days

    def session(self, segment: Segment, day: date, *, in_auction: bool = False) -> Session | None:
        """Return a day's session as its exchange keeps it."""
        hours = self._days.hours_on(segment, day).sessions or ()
        auction = next((it for it in hours if it.phase is Phase.CLOSING_AUCTION), None)
        auction = auction if in_auction else None
        spans = tuple(_continuous(day, hours, auction))
        if not spans:
            return None
        before = [second_of(day, it.starts) for it in hours if it.phase is Phase.PRE_OPEN]
        return Session(
            day=day,
            begins=min([spans[0].begins, *before]),
            spans=spans,
            auction_ends=None if auction is None else second_of(day, auction.ends),
        )


def _continuous(day: date, hours: tuple[Hours, ...], auction: Hours | None) -> list[Span]:
    """Return a day's continuous trading; of what is in the auction it ends where that begins."""
    found: list[Span] = []
    for it in sorted(hours, key=lambda it: it.starts):
        ends = it.ends if auction is None else min(it.ends, auction.starts)
        if it.phase is Phase.OPEN and it.starts < ends:
            span = Span(second_of(day, it.starts), second_of(day, ends))
            if found and span.begins <= found[-1].ends:  # rows that touch, or lie over each other
                span = Span(found[-1].begins, max(found.pop().ends, span.ends))
            found.append(span)
    return found


class AlwaysOpen:
    """Every day trades around the clock: for evenings, when nothing else moves."""

    def session(self, segment: Segment, day: date, *, in_auction: bool = False) -> Session | None:
        """Return the whole day."""
        del segment, in_auction
        begins = second_of(day, time())
        return Session(day, begins, (Span(begins, begins + 86_400),))


def second_of(day: date, at: time) -> int:
    """Return an hour in India as seconds since 1970."""
    return int(datetime.combine(day, at, IST).timestamp())
