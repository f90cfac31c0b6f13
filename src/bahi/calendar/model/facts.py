"""What can be known of market days: weekly hours, dated exceptions, and what hangs on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bahi.kernel.errors import Invalid
from bahi.kernel.words import BrokerSlug, OrderType, Segment

CALENDARS: Final = (
    Segment.NSE_EQ,
    Segment.NSE_FNO,
    Segment.NSE_CURRENCY,
    Segment.BSE_EQ,
    Segment.BSE_FNO,
    Segment.BSE_CURRENCY,
    Segment.MCX_COMM,
)
"""The segments that have hours of their own."""

KEPT_BY: Final[Mapping[Segment, Segment]] = {
    **{it: it for it in CALENDARS},
    Segment.NSE_INDEX: Segment.NSE_EQ,
    Segment.BSE_INDEX: Segment.BSE_EQ,
    Segment.MCX_INDEX: Segment.MCX_COMM,
}
"""An index moves with its exchange's cash market."""

YEARS: Final = range(1990, 2101)
"""Of other years nothing can be entered, and nothing is known."""
TEXT_AT_MOST: Final = 300
WHOLE: Final = 1_000_000
"""All of something, in 1/10000 percent."""
DAY_MIN: Final = 24 * 60
"""The minutes of a day."""


class Phase(StrEnum):
    """What a market does at an instant."""

    PRE_OPEN = "PRE_OPEN"
    OPEN = "OPEN"
    CLOSING_AUCTION = "CLOSING_AUCTION"
    POST_CLOSE = "POST_CLOSE"
    BREAK = "BREAK"
    CLOSED = "CLOSED"
    UNKNOWN = "UNKNOWN"

    @property
    def is_session(self) -> bool:
        """Whether it is entered as hours, and is not what lies between them."""
        return self not in {Phase.BREAK, Phase.CLOSED, Phase.UNKNOWN}

    @property
    def is_open(self) -> bool | None:
        """Whether orders trade: in normal hours and in the closing auction; None: not known."""
        if self is Phase.UNKNOWN:
            return None
        return self in {Phase.OPEN, Phase.CLOSING_AUCTION}


class Kind(StrEnum):
    """What kind of day it is; ORDINARY has the hours of its weekday."""

    ORDINARY = "ordinary"
    FULL_DAY = "full_day"
    MUHURAT = "muhurat"
    SPECIAL = "special"

    @property
    def has_own_hours(self) -> bool:
        """Whether its hours are its own; where none are entered, they are not known."""
        return self in {Kind.MUHURAT, Kind.SPECIAL}


@dataclass(frozen=True, slots=True)
class Hours:
    """One session of a day: from `starts` to just before `ends`."""

    phase: Phase
    starts: time
    ends: time
    is_verified: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    """The hours of a weekday, from one day to another.

    Several of one day add up; what a person entered goes before what came with Bahi, then what
    begins last.
    """

    segment: Segment
    weekday: int
    sessions: tuple[Hours, ...]
    valid_from: date | None = None
    valid_until: date | None = None
    us_daylight: bool | None = None
    source: str = ""
    is_verified: bool = True
    is_shipped: bool = False

    def check_entered(self) -> date:
        """Refuse what no person can mean; return from when on it is so."""
        return _check_entered(self.valid_from, self.valid_until, self.source)

    def holds_on(self, day: date) -> bool:
        """Say whether these hours are those of a day, unless others go before them."""
        return (
            day.weekday() == self.weekday
            and within(day, self.valid_from, self.valid_until)
            and self.us_daylight in {None, is_us_daylight(day)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFact:
    """A dated exception. A muhurat or special day without sessions has hours that nobody knows."""

    segment: Segment
    day: date
    kind: Kind
    description: str
    sessions: tuple[Hours, ...] = ()
    is_settlement_holiday: bool = False
    source: str = ""
    is_verified: bool = True
    is_shipped: bool = False

    @property
    def shows_a_list(self) -> bool:
        """Whether it is what a list of exceptions is made of: a day with hours of its own, or none.

        Every market has some each year; a year without one has no list yet.
        """
        return self.kind is not Kind.ORDINARY


@dataclass(frozen=True, slots=True, kw_only=True)
class YearFact:
    """A year whose exceptions are all there."""

    segment: Segment
    year: int
    source: str = ""
    is_verified: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SquareOffFact:
    """When a broker closes intraday positions by itself: at an hour, or so long before the close.

    What a person entered goes before what came with Bahi, then the newest, then a time of its own
    for what is in the closing auction (or is not) before one of both.
    """

    broker: BrokerSlug
    segment: Segment
    in_closing_auction: bool | None = None
    us_daylight: bool | None = None
    at: time | None = None
    minutes_before_close: int | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    source: str = ""
    is_verified: bool = True
    is_shipped: bool = False

    def check_entered(self) -> date:
        """Refuse what no person can mean; return from when on it is so."""
        if (self.at is None) == (self.minutes_before_close is None):
            raise Invalid("Say one of both: the hour, or how many minutes before the close.")
        if self.minutes_before_close is not None and not 0 < self.minutes_before_close < DAY_MIN:
            raise Invalid(f"{self.minutes_before_close} minutes before the close is no time of it.")
        return _check_entered(self.valid_from, self.valid_until, self.source)

    @property
    def rank(self) -> tuple[bool, int, bool]:
        """The least goes before all others of a day."""
        begins = date.min if self.valid_from is None else self.valid_from
        return self.is_shipped, -begins.toordinal(), self.in_closing_auction is None

    def holds_on(self, day: date, *, in_closing_auction: bool) -> bool:
        """Say whether it is so on a day, for what is in the auction or is not."""
        return (
            within(day, self.valid_from, self.valid_until)
            and self.us_daylight in {None, is_us_daylight(day)}
            and self.in_closing_auction in {None, in_closing_auction}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AuctionRules:
    """What a closing auction takes, and how it ends; `collar` in 1/10000 percent."""

    segment: Segment
    valid_from: date
    valid_until: date | None = None
    order_types: tuple[str, ...]
    allows_stops: bool = False
    allows_iceberg: bool = False
    stops_purged_at: time | None = None
    reference_from: time | None = None
    reference_to: time | None = None
    entry_ends_from: time | None = None
    entry_ends_by: time | None = None
    collar: int | None = None
    source: str = ""
    is_verified: bool = True
    is_shipped: bool = False

    @property
    def rank(self) -> tuple[bool, int]:
        """The least goes before all others of a day."""
        return self.is_shipped, -self.valid_from.toordinal()

    def check_entered(self) -> date:
        """Refuse what no person can mean; return from when on it is so."""
        known = {str(it) for it in OrderType}
        if not self.order_types or not set(self.order_types) <= known:
            raise Invalid(f"Say which orders it takes: {', '.join(sorted(known))}.")
        if self.collar is not None and not 0 < self.collar <= WHOLE:
            raise Invalid("The collar is a share of the reference price: above 0, up to 100 %.")
        for first, last, of in (
            (self.reference_from, self.reference_to, "the reference price"),
            (self.entry_ends_from, self.entry_ends_by, "the end of entry"),
        ):
            if (first is None) != (last is None) or (first and last and last < first):
                raise Invalid(f"Say from when and until when for {of}, in this order.")
        return _check_entered(self.valid_from, self.valid_until, self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that is known of market days."""

    weekly: tuple[Weekly, ...] = ()
    days: tuple[DayFact, ...] = ()
    years: tuple[YearFact, ...] = ()
    square_offs: tuple[SquareOffFact, ...] = ()
    auctions: tuple[AuctionRules, ...] = ()


NO_FACTS: Final = Facts()


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketDay:
    """A day of a market as it is known.

    `kind` is None where nothing is known of the day, `sessions` where its hours are not known.
    """

    segment: Segment
    day: date
    kind: Kind | None
    reason: str
    sessions: tuple[Hours, ...] | None
    source: str = ""
    is_verified: bool = True
    is_settlement_holiday: bool = False

    @property
    def is_trading_day(self) -> bool | None:
        """Whether there is trading, however short; None: not known."""
        if self.kind is None:
            return None
        return self.sessions is None or any(it.phase is Phase.OPEN for it in self.sessions)

    @property
    def is_confirmed(self) -> bool:
        """Whether the day and every hour of it are."""
        return self.is_verified and all(it.is_verified for it in self.sessions or ())


def standing(weekly: Iterable[Weekly], day: date) -> list[Weekly]:
    """Return the hours of a day, of all that are known: what people entered last, or Bahi's."""
    found = [it for it in weekly if it.holds_on(day)]
    entered = [it for it in found if not it.is_shipped]
    if not entered:
        return found
    newest = max(it.valid_from or date.min for it in entered)
    latest = [it for it in entered if (it.valid_from or date.min) == newest]
    return [it for it in latest if it.us_daylight is not None] or latest


def _check_entered(since: date | None, until: date | None, source: str) -> date:
    if since is None or since.year not in YEARS:
        raise Invalid(f"Say from when on it is so, in the years {YEARS[0]} to {YEARS[-1]}.")
    if until is not None and (until < since or until.year not in YEARS):
        raise Invalid(f"{until} is no last day of what is so from {since} on.")
    if not source.strip() or len(source) > TEXT_AT_MOST:
        raise Invalid(f"Say who says so, in up to {TEXT_AT_MOST} characters.")
    return since


def calendar_of(segment: Segment) -> Segment:
    """Return the segment whose hours a segment keeps."""
    return KEPT_BY[segment]


def within(day: date, first: date | None, last: date | None) -> bool:
    """Say whether a day lies in a while whose ends may be open."""
    return (first is None or first <= day) and (last is None or day <= last)


def hhmm(at: time) -> str:
    """Write an hour as people read it."""
    return f"{at:%H:%M}"


def parse_hour(text: str, field: str) -> time:
    """Read `09:15`."""
    try:
        at = datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007 - an hour has no zone
    except ValueError:
        at = None
    if at is None or hhmm(at) != text:
        raise Invalid(f"{field}: {text[:40]!r} is no hour; write it as 09:15, 00:00 to 23:59.")
    return at


try:
    _NEW_YORK: ZoneInfo | None = ZoneInfo("America/New_York")
except ZoneInfoNotFoundError:  # a bare machine may carry no zone files
    _NEW_YORK = None


@lru_cache(maxsize=1024)
def is_us_daylight(day: date) -> bool:
    """Say whether New York keeps daylight time on the evening of a day in India."""
    if _NEW_YORK is None:
        return us_law_says_daylight(day)
    evening = datetime.combine(day, time(18, 0), UTC)
    return bool(evening.astimezone(_NEW_YORK).dst())


def us_law_says_daylight(day: date) -> bool:
    """Say the same where there are no zone files, by the rule that holds since 2007.

    Daylight time goes from the second Sunday of March to the first Sunday of November.
    """
    return _sunday(day.year, 3, 2) <= day < _sunday(day.year, 11, 1)


def _sunday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(6 - first.weekday()) + 7 * (nth - 1))
