"""What a market does at an instant, and which days it trades: asked on the way of every order.

Each day of a market is laid out once (see `known`); an instant is then found by bisection. A
boundary belongs to the stretch that begins there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from bahi.calendar.model.facts import (
    YEARS,
    AuctionRules,
    Facts,
    Hours,
    Kind,
    MarketDay,
    Phase,
    SquareOffFact,
    calendar_of,
    within,
)
from bahi.calendar.model.known import DAY, KnownDays, Layout, MarketState, as_traded, instant_of
from bahi.kernel.clock import exchange_day, in_utc
from bahi.kernel.errors import BahiError, Invalid
from bahi.kernel.words import BrokerSlug, Segment

FRIDAY: Final = 4
FIRST: Final = datetime(1, 1, 3, tzinfo=UTC)
LAST: Final = datetime(9999, 12, 29, tzinfo=UTC)
"""The ends of time, each so far from a date's own end that a day in India lies between."""


class UnknownDay(BahiError):
    """Nothing is known of that day."""

    code = "unknown_day"


class SquareOff(NamedTuple):
    """When a broker closes an intraday position by itself, and who says so."""

    at: datetime
    is_verified: bool
    source: str


class MarketDays:
    """Everything that is known of market days, ready to be asked; it never changes.

    What somebody entered outside the years that can be known is as if it were not there.
    """

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._calendars: dict[Segment, KnownDays] = {}
        for weekly in facts.weekly:
            self._of(weekly.segment).weekly.append(weekly)
        for day in facts.days:
            if day.day.year in YEARS:
                self._of(day.segment).days[day.day] = day
        for year in facts.years:
            if year.year in YEARS:
                self._of(year.segment).years[year.year] = year
        self._newest: tuple[dict[Segment, Layout], dict[Segment, Layout]] = ({}, {})

    def state(
        self, segment: Segment, instant: datetime, *, in_closing_auction: bool = False
    ) -> MarketState:
        """Say what a market does at an instant, for what is in its closing auction or is not."""
        if instant.tzinfo is not UTC or not FIRST <= instant <= LAST:
            instant = _within_time(instant)
        newest = self._newest[in_closing_auction]
        layout = newest.get(segment)
        if layout is None or not layout.begins <= instant < layout.ends:
            layout = self._of(segment).layout(exchange_day(instant), in_auction=in_closing_auction)
            newest[segment] = layout
        return layout.states[bisect_right(layout.starts, instant) - 1]

    def hours_on(self, segment: Segment, day: date) -> MarketDay:
        """Return what is known of a day: its kind, its sessions, who says so."""
        return self._of(segment).day(day)

    def is_trading_day(self, segment: Segment, day: date) -> bool | None:
        """Say whether there is any trading on a day; None: not known."""
        return self._of(segment).day(day).is_trading_day

    def trading_days(self, segment: Segment, first: date, last: date) -> tuple[date, ...]:
        """Return the trading days from one day to another; a day that is not known is refused."""
        return tuple(
            day for day in _days(first, last) if self._known(segment, day).is_trading_day is True
        )

    def next_trading_day(self, segment: Segment, day: date) -> date:
        """Return the first trading day after a day."""
        return self._nearest(segment, day, DAY)

    def previous_trading_day(self, segment: Segment, day: date) -> date:
        """Return the last trading day before a day."""
        return self._nearest(segment, day, -DAY)

    def expiry_day(self, segment: Segment, nominal: date) -> date:
        """Return when a contract expires that would on a nominal day: that, or the day before.

        Contracts expire on weekdays that trade. The Diwali hour is none of those, nor is a session
        on a weekend; an evening (as MCX has on holidays) is.
        """
        day = nominal
        while True:
            known = self._known(segment, day)
            if known.is_trading_day and known.kind is not Kind.MUHURAT and day.weekday() <= FRIDAY:
                return day
            day -= DAY

    def is_year_known(self, segment: Segment, year: int) -> bool:
        """Say whether the exceptions of a year were entered."""
        return year in self._of(segment).years

    def square_off_at(
        self,
        broker: BrokerSlug,
        segment: Segment,
        day: date,
        *,
        in_closing_auction: bool = False,
    ) -> SquareOff | None:
        """Return when a broker closes intraday positions of a day; None: nobody knows.

        An hour of the clock counts only where the market trades then: it says nothing of a day
        whose hours are others.
        """
        sessions = self._trading_hours(segment, day, in_auction=in_closing_auction)
        fact = self._square_off(broker, segment, day, in_closing_auction=in_closing_auction)
        if fact is None or not sessions:
            return None
        if fact.at is not None:
            if not any(it.starts <= fact.at < it.ends for it in sessions):
                return None
            at = instant_of(day, fact.at)
        else:
            close = max((it.ends for it in sessions if it.phase is Phase.OPEN), default=None)
            if close is None or fact.minutes_before_close is None:
                return None
            at = instant_of(day, close) - timedelta(minutes=fact.minutes_before_close)
        verified = fact.is_verified and all(it.is_verified for it in sessions)
        return SquareOff(at, verified, fact.source)

    def auction_rules(self, segment: Segment, day: date) -> AuctionRules | None:
        """Return the rules of a day's closing auction; None: it has none, or nobody knows."""
        kept = calendar_of(segment)
        sessions = self.hours_on(segment, day).sessions or ()
        if not any(it.phase is Phase.CLOSING_AUCTION for it in sessions):
            return None
        found = [
            it
            for it in self.facts.auctions
            if it.segment is kept and within(day, it.valid_from, it.valid_until)
        ]
        return min(found, key=lambda it: it.rank, default=None)

    def _of(self, segment: Segment) -> KnownDays:
        kept = calendar_of(segment)
        if kept not in self._calendars:
            self._calendars[kept] = KnownDays(kept)
        return self._calendars[kept]

    def _known(self, segment: Segment, day: date) -> MarketDay:
        known = self.hours_on(segment, day)
        if known.kind is None:
            raise UnknownDay(f"{day} is not known: {known.reason}.")
        return known

    def _nearest(self, segment: Segment, day: date, step: timedelta) -> date:
        try:
            day += step
        except OverflowError:
            raise UnknownDay(f"There is no day beyond {day}.") from None
        while not self._known(segment, day).is_trading_day:  # which ends in a year that is unknown
            day += step
        return day

    def _square_off(
        self, broker: BrokerSlug, segment: Segment, day: date, *, in_closing_auction: bool
    ) -> SquareOffFact | None:
        kept = calendar_of(segment)
        found = [
            it
            for it in self.facts.square_offs
            if it.broker is broker
            and it.segment is kept
            and it.holds_on(day, in_closing_auction=in_closing_auction)
        ]
        return min(found, key=lambda it: it.rank, default=None)

    def _trading_hours(self, segment: Segment, day: date, *, in_auction: bool) -> list[Hours]:
        known = self.hours_on(segment, day)
        return [
            it for it in as_traded(known.sessions or (), in_auction=in_auction) if it.phase.is_open
        ]


def _within_time(instant: datetime) -> datetime:
    """Return an instant in UTC; the ends of time, all unknown, as a moment a little nearer."""
    if instant.utcoffset() is None:
        return in_utc(instant)  # which refuses it
    return in_utc(min(max(instant, FIRST), LAST))


def _days(first: date, last: date) -> Iterator[date]:
    if first > last:
        raise Invalid(f"{first} comes after {last}; give the earlier day first.")
    while first <= last:
        yield first
        first += DAY
