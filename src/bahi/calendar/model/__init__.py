"""The rules of market days: what is known of them, and what that says of an instant."""

from bahi.calendar.model.days import MarketDays, SquareOff, UnknownDay
from bahi.calendar.model.document import BadFile, Document, hours_of, read_document, spans_of
from bahi.calendar.model.facts import (
    CALENDARS,
    NO_FACTS,
    YEARS,
    AuctionRules,
    DayFact,
    Facts,
    Hours,
    Kind,
    MarketDay,
    Phase,
    SquareOffFact,
    Weekly,
    YearFact,
    calendar_of,
    hhmm,
    is_us_daylight,
    parse_hour,
)
from bahi.calendar.model.known import MarketState

__all__ = [
    "CALENDARS",
    "NO_FACTS",
    "YEARS",
    "AuctionRules",
    "BadFile",
    "DayFact",
    "Document",
    "Facts",
    "Hours",
    "Kind",
    "MarketDay",
    "MarketDays",
    "MarketState",
    "Phase",
    "SquareOff",
    "SquareOffFact",
    "UnknownDay",
    "Weekly",
    "YearFact",
    "calendar_of",
    "hhmm",
    "hours_of",
    "is_us_daylight",
    "parse_hour",
    "read_document",
    "spans_of",
]
