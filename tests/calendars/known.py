"""The market days that come with Bahi, and how tests ask them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

from bahi.calendar.model import CALENDARS, Facts, MarketDays, MarketState
from bahi.calendar.model.shipped import newer_than
from bahi.kernel.clock import parse_ist
from bahi.kernel.words import Segment

((_, SHIPPED),) = newer_than(0)
FACTS: Final[Facts] = SHIPPED
DAYS: Final = MarketDays(FACTS)

NSE, NFO, CDS = Segment.NSE_EQ, Segment.NSE_FNO, Segment.NSE_CURRENCY
BSE, BFO, MCX = Segment.BSE_EQ, Segment.BSE_FNO, Segment.MCX_COMM
EXCHANGES = (NSE, NFO, BSE, BFO)
EVERY = CALENDARS


def at(text: str) -> datetime:
    """Read `2026-11-20 09:15`, the exchange's time."""
    return parse_ist(f"{text}:00")


def day(text: str) -> date:
    return date.fromisoformat(text)


def state(segment: Segment, text: str, *, auction: bool = False) -> MarketState:
    return DAYS.state(segment, at(text), in_closing_auction=auction)


def phase(segment: Segment, text: str, *, auction: bool = False) -> str:
    return str(state(segment, text, auction=auction).phase)


def spans(segment: Segment, text: str, kind: str = "OPEN") -> list[str] | None:
    """Return the hours of a kind on a day, as `09:15-15:30`; None: not known."""
    sessions = DAYS.hours_on(segment, day(text)).sessions
    if sessions is None:
        return None
    return [f"{it.starts:%H:%M}-{it.ends:%H:%M}" for it in sessions if it.phase == kind]
