"""Market days: what a market does now, the hours of its days, its holidays."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel

from bahi.api.forms import Day, Instant, When
from bahi.api.native.instruments import OfDays
from bahi.api.routes import Authenticated, Who, joined
from bahi.bootstrap import House
from bahi.calendar.model import Hours, Kind, MarketDay, MarketState, Phase, hhmm
from bahi.calendar.service import exceptions_of
from bahi.kernel.clock import in_utc
from bahi.kernel.errors import Invalid
from bahi.kernel.words import Segment

LONGEST = timedelta(days=370)

Of = Annotated[Segment, Query(description="Which market.")]
At = Annotated[When | None, Query(description="At which instant; else now.")]
Auction = Annotated[bool, Query(description="For what is in the closing auction.")]
First = Annotated[Day, Query(description="The first day.")]
Last = Annotated[Day, Query(description="The last day.")]
Year = Annotated[int, Query(ge=1990, le=2100, description="Which year.")]
OneOf = Annotated[Segment | None, Query(description="Of one market alone.")]


class StateShown(BaseModel):
    """What a market does; `is_open` is null where it is not known, which is never open."""

    segment: Segment
    at: Instant
    phase: Phase
    is_open: bool | None
    reason: str
    since: Instant | None
    next_change: Instant | None
    is_verified: bool

    @classmethod
    def of(cls, segment: Segment, at: Instant, it: MarketState) -> Self:
        """Show it."""
        return cls(
            segment=segment,
            at=at,
            phase=it.phase,
            is_open=it.is_open,
            reason=it.reason,
            since=it.since,
            next_change=it.next_change,
            is_verified=it.is_verified,
        )


class SessionShown(BaseModel):
    """One session of a day, by the hours of India."""

    phase: Phase
    begins: str
    ends: str

    @classmethod
    def of(cls, it: Hours) -> Self:
        """Show it."""
        return cls(phase=it.phase, begins=hhmm(it.starts), ends=hhmm(it.ends))


class DayShown(BaseModel):
    """A day of a market; null is not known."""

    day: date
    is_trading_day: bool | None
    kind: Kind | None
    reason: str
    sessions: list[SessionShown] | None
    is_verified: bool

    @classmethod
    def of(cls, it: MarketDay) -> Self:
        """Show it."""
        return cls(
            day=it.day,
            is_trading_day=it.is_trading_day,
            kind=it.kind,
            reason=it.reason,
            sessions=None
            if it.sessions is None
            else [SessionShown.of(each) for each in it.sessions],
            is_verified=it.is_verified,
        )


class Days(BaseModel):
    """The days of a market, one after the other."""

    segment: Segment
    items: list[DayShown]


class HolidayShown(BaseModel):
    """An exception of a year: a holiday, or a day with hours of its own."""

    segment: Segment
    day: date
    kind: Kind
    description: str
    sessions: list[SessionShown]
    is_settlement_holiday: bool
    source: str
    is_verified: bool


class Holidays(BaseModel):
    """The exceptions of a year, by day; `known` says of which markets the list is complete."""

    year: int
    known: list[Segment]
    items: list[HolidayShown]


def calendar_routes(house: House) -> APIRouter:
    """Make the doors of market days."""
    return joined(_now(house), _days(house))


def _now(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/calendar", tags=["calendar"], route_class=Authenticated)

    @router.get("/state")
    async def state(
        actor: Who,
        segment: Of,
        at: At = None,
        in_closing_auction: Auction = False,  # noqa: FBT002 - a question's field
    ) -> StateShown:
        """Say what a market does, and until when."""
        del actor
        at = in_utc(at or house.clock())
        days = await house.calendar.days()
        found = days.state(segment, at, in_closing_auction=in_closing_auction)
        return StateShown.of(segment, at, found)

    return router


def _days(house: House) -> APIRouter:
    router = APIRouter(prefix="/v1/calendar", tags=["calendar"], route_class=OfDays)

    @router.get("/days")
    async def days(actor: Who, segment: Of, first: First, last: Last) -> Days:
        """List the days of a market with their sessions, at most a year of them."""
        del actor
        if not timedelta() <= last - first <= LONGEST:
            raise Invalid(f"last: from {first} on, at most {LONGEST.days} days are answered.")
        known = await house.calendar.days()
        many = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return Days(
            segment=segment, items=[DayShown.of(known.hours_on(segment, it)) for it in many]
        )

    @router.get("/holidays")
    async def holidays(actor: Who, year: Year, segment: OneOf = None) -> Holidays:
        """List the exceptions of a year."""
        del actor
        known = await house.calendar.days()
        wanted = [segment] if segment is not None else list(Segment)
        return Holidays(
            year=year,
            known=[it for it in wanted if known.is_year_known(it, year)],
            items=[
                HolidayShown(
                    segment=it.segment,
                    day=it.day,
                    kind=it.kind,
                    description=it.description,
                    sessions=[SessionShown.of(each) for each in it.sessions],
                    is_settlement_holiday=it.is_settlement_holiday,
                    source=it.source,
                    is_verified=it.is_verified,
                )
                for it in exceptions_of(known, year)
                if it.segment in wanted
            ],
        )

    return router
