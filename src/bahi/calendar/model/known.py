"""What is known of one market's days, each laid out as the stretches in which nothing changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple

from bahi.calendar.model.facts import (
    DayFact,
    Hours,
    Kind,
    MarketDay,
    Phase,
    Weekly,
    YearFact,
    hhmm,
    standing,
)
from bahi.kernel.clock import IST
from bahi.kernel.words import Segment

REMEMBERED: Final = 512
"""How many days of a market are kept laid out."""
DAY: Final = timedelta(days=1)

SAID: Final = {
    Phase.PRE_OPEN: "pre-open",
    Phase.OPEN: "open",
    Phase.CLOSING_AUCTION: "closing auction",
    Phase.POST_CLOSE: "post-close",
}
BEGINS: Final = {
    Phase.PRE_OPEN: "pre-open begins at",
    Phase.OPEN: "trading begins at",
    Phase.CLOSING_AUCTION: "the closing auction begins at",
    Phase.POST_CLOSE: "post-close begins at",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketState:
    """What a market does, and for how long.

    `is_open` is None where it is not known: that is never open. `since` is None where it was never
    otherwise as far as anybody knows, `next_change` where nobody knows of one.
    """

    phase: Phase
    is_open: bool | None
    reason: str
    since: datetime | None
    next_change: datetime | None
    is_verified: bool


class Stretch(NamedTuple):
    """A while of one day in which nothing changes."""

    begins: datetime
    phase: Phase
    reason: str
    is_verified: bool


class Layout(NamedTuple):
    """A day laid out: its ends, where its stretches begin, and what is so in each."""

    begins: datetime
    ends: datetime
    starts: tuple[datetime, ...]
    states: tuple[MarketState, ...]


class KnownDays:
    """What is known of the days of one segment, and each day laid out."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.weekly: list[Weekly] = []
        self.days: dict[date, DayFact] = {}
        self.years: dict[int, YearFact] = {}
        self._kept: dict[tuple[date, bool], tuple[Stretch, ...]] = {}
        self._laid: dict[tuple[date, bool], Layout] = {}

    def day(self, day: date) -> MarketDay:
        """Return what is known of a day."""
        fact, year = self.days.get(day), self.years.get(day.year)
        if fact is None and year is None:
            why = f"nothing is entered of {self.segment} in {day.year}; see `bahi calendar load`"
            return MarketDay(
                segment=self.segment,
                day=day,
                kind=None,
                reason=why,
                sessions=None,
                is_verified=False,
            )
        if fact is not None and fact.kind is not Kind.ORDINARY:
            sessions = tuple(replace(it, is_verified=fact.is_verified) for it in fact.sessions)
            unknown = fact.kind.has_own_hours and not sessions
            return MarketDay(
                segment=self.segment,
                day=day,
                kind=fact.kind,
                reason=fact.description,
                sessions=None if unknown else sessions,
                source=fact.source,
                is_verified=fact.is_verified,
                is_settlement_holiday=fact.is_settlement_holiday,
            )
        weekly = standing(self.weekly, day)
        return MarketDay(
            segment=self.segment,
            day=day,
            kind=Kind.ORDINARY,
            reason=fact.description if fact else f"{day:%A}",
            sessions=tuple(
                replace(hours, is_verified=it.is_verified) for it in weekly for hours in it.sessions
            ),
            source="; ".join(dict.fromkeys(it.source for it in weekly if it.source)),
            is_verified=all(it.is_verified for it in (fact, year) if it is not None),
            is_settlement_holiday=fact is not None and fact.is_settlement_holiday,
        )

    def _known_from(self, day: date) -> date | None:
        """Return the first day from this one on of which anything is entered."""
        if day.year in self.years or day in self.days:
            return day
        later = [date(it, 1, 1) for it in self.years if it > day.year]
        return min([*later, *(it for it in self.days if it > day)], default=None)

    def _known_until(self, day: date) -> date | None:
        """Return the last day up to this one of which anything is entered."""
        if day.year in self.years or day in self.days:
            return day
        earlier = [date(it, 12, 31) for it in self.years if it < day.year]
        return max([*earlier, *(it for it in self.days if it < day)], default=None)

    def layout(self, day: date, *, in_auction: bool) -> Layout:
        """Lay out a day, or remember it."""
        key = (day, in_auction)
        if (laid := self._laid.get(key)) is not None:
            return laid
        stretches = self._stretches(day, in_auction=in_auction)
        begins, ends = instant_of(day, time()), instant_of(day + DAY, time())
        states = []
        for place, it in enumerate(stretches):
            is_last = place == len(stretches) - 1
            since = self._since(day, in_auction=in_auction) if place == 0 else it.begins
            following = (
                self._until(day, in_auction=in_auction) if is_last else stretches[place + 1].begins
            )
            states.append(
                MarketState(
                    phase=it.phase,
                    is_open=it.phase.is_open,
                    reason=it.reason,
                    since=since,
                    next_change=following,
                    is_verified=it.is_verified,
                )
            )
        laid = Layout(begins, ends, tuple(it.begins for it in stretches), tuple(states))
        if len(self._laid) >= REMEMBERED:
            self._laid.clear()
        self._laid[key] = laid
        return laid

    def _stretches(self, day: date, *, in_auction: bool) -> tuple[Stretch, ...]:
        key = (day, in_auction)
        if (known := self._kept.get(key)) is None:
            if len(self._kept) >= REMEMBERED:
                self._kept.clear()
            known = self._kept[key] = tuple(_laid_out(self.day(day), in_auction=in_auction))
        return known

    def _since(self, day: date, *, in_auction: bool) -> datetime | None:
        """Return since when the phase is so with which a day begins."""
        phase = self._stretches(day, in_auction=in_auction)[0].phase
        while True:
            before = day - DAY
            if phase is Phase.UNKNOWN:
                known = self._known_until(before)
                if known is None:
                    return None
                before, day = known, known + DAY
            stretches = self._stretches(before, in_auction=in_auction)
            if stretches[-1].phase is not phase:
                return instant_of(day, time())
            if len(stretches) > 1:
                return stretches[-1].begins
            day = before

    def _until(self, day: date, *, in_auction: bool) -> datetime | None:
        """Return until when the phase is so with which a day ends."""
        phase = self._stretches(day, in_auction=in_auction)[-1].phase
        while True:
            following = day + DAY
            if phase is Phase.UNKNOWN:
                known = self._known_from(following)
                if known is None:
                    return None
                following = known
            stretches = self._stretches(following, in_auction=in_auction)
            if stretches[0].phase is not phase:
                return instant_of(following, time())
            if len(stretches) > 1:
                return stretches[1].begins
            day = following


def _laid_out(known: MarketDay, *, in_auction: bool) -> Iterator[Stretch]:
    """Yield the stretches of a day, from midnight to midnight."""
    midnight = instant_of(known.day, time())
    if known.sessions is None:
        why = known.reason if known.kind is None else f"the hours of {known.reason} are not known"
        yield Stretch(midnight, Phase.UNKNOWN, f"unknown: {why}", known.is_verified)
        return
    sessions = list(as_traded(known.sessions, in_auction=in_auction))
    named = f" ({known.reason})" if known.kind is not Kind.ORDINARY else ""
    last: Hours | None = None
    if not sessions:
        yield Stretch(midnight, Phase.CLOSED, f"closed: {known.reason}", known.is_verified)
        return
    for it in sessions:
        verified = it.is_verified and known.is_verified
        begins = f"{BEGINS[it.phase]} {hhmm(it.starts)}{named}"
        if last is None:
            if it.starts > time():
                yield Stretch(midnight, Phase.CLOSED, f"closed: {begins}", verified)
        elif it.starts > last.ends:  # a break is as sure as the hours on both its sides
            sure = verified and last.is_verified
            pause = instant_of(known.day, last.ends)
            yield Stretch(pause, Phase.BREAK, f"a break: {begins}", sure)
        reason = f"{SAID[it.phase]} until {hhmm(it.ends)}{named}"
        yield Stretch(instant_of(known.day, it.starts), it.phase, reason, verified)
        last = it
    if last is not None:
        reason = f"closed since {hhmm(last.ends)}{named}"
        verified = last.is_verified and known.is_verified
        yield Stretch(instant_of(known.day, last.ends), Phase.CLOSED, reason, verified)


def as_traded(sessions: tuple[Hours, ...], *, in_auction: bool) -> Iterator[Hours]:
    """Yield sessions in order and apart; for what is in the auction, trading ends where it begins.

    Rows that somebody entered over each other: what begins first goes before.
    """
    auctions = [it for it in sessions if it.phase is Phase.CLOSING_AUCTION] if in_auction else []
    begins = min((it.starts for it in auctions), default=None)
    free = time()
    last: Hours | None = None
    for it in sorted(sessions, key=lambda it: (it.starts, it.ends)):
        starts, ends = max(it.starts, free), it.ends
        if it.phase is Phase.CLOSING_AUCTION and not in_auction:
            continue
        if it.phase is Phase.OPEN and begins is not None:
            ends = min(ends, begins)
        if starts >= ends:
            continue
        if last is not None and last.phase is it.phase and last.ends == starts:
            last = replace(last, ends=ends, is_verified=last.is_verified and it.is_verified)
        else:
            if last is not None:
                yield last
            last = Hours(it.phase, starts, ends, it.is_verified)
        free = ends
    if last is not None:
        yield last


def instant_of(day: date, at: time) -> datetime:
    """Return the instant of an hour in India."""
    return datetime.combine(day, at, IST).astimezone(UTC)
