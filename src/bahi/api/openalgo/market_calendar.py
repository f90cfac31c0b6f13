"""Holidays of a year, and the hours of a day. A day that nobody knows is said to be that."""

from __future__ import annotations

from datetime import date, time
from typing import Any, Final

from starlette.routing import Route

from bahi.api.openalgo.door import Ask, Name, asked, good
from bahi.api.openalgo.market_words import day_of
from bahi.bootstrap import House
from bahi.calendar.model import (
    YEARS,
    DayFact,
    Hours,
    MarketDay,
    MarketDays,
    Phase,
    UnknownDay,
)
from bahi.calendar.model.known import instant_of
from bahi.calendar.service.live import exceptions_of
from bahi.kernel.actor import Actor
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid
from bahi.kernel.words import Segment

EXCHANGES: Final = {
    "NSE": Segment.NSE_EQ,
    "BSE": Segment.BSE_EQ,
    "NFO": Segment.NSE_FNO,
    "BFO": Segment.BSE_FNO,
    "CDS": Segment.NSE_CURRENCY,
    "BCD": Segment.BSE_CURRENCY,
    "MCX": Segment.MCX_COMM,
}
WEEKEND: Final = (5, 6)
TRADING_HOLIDAY: Final = "TRADING_HOLIDAY"
SETTLEMENT_HOLIDAY: Final = "SETTLEMENT_HOLIDAY"
SPECIAL_SESSION: Final = "SPECIAL_SESSION"


class Holidays(Ask, kw_only=True):
    """A request for a year's holidays; without one, for this year's."""

    year: int | None = None


class Timings(Ask, kw_only=True):
    """A request for a day's hours."""

    date: Name


def calendar_routes(house: House) -> list[Route]:
    """Make the doors of the calendar."""
    return [
        asked(house, "market/holidays", Holidays, holidays),
        asked(house, "market/timings", Timings, timings),
    ]


async def holidays(house: House, _actor: Actor, form: Holidays) -> dict[str, Any]:
    """Tell which days of a year are not as other days, and for which exchanges."""
    year = exchange_day(house.clock()).year if form.year is None else form.year
    if year not in YEARS:
        raise Invalid(
            f"year: {year} is none that can be known; years are {YEARS[0]} to {YEARS[-1]}."
        )
    days = await house.calendar.days()
    facts = exceptions_of(days, year)
    by_day: dict[date, list[DayFact]] = {}
    for fact in facts:
        by_day.setdefault(fact.day, []).append(fact)
    if not any(days.is_year_known(it, year) for it in EXCHANGES.values()):
        raise UnknownDay(
            f"The market days of {year} are not known here; bring in the exchange's list with "
            "`bahi calendar load`."
        )
    data = [
        _told(days, day, of_it)
        for day, of_it in by_day.items()
        if day.weekday() < 5 or _trades(days, day)
    ]
    return good(year=year, timezone="Asia/Kolkata", data=data)


async def timings(house: House, _actor: Actor, form: Timings) -> dict[str, Any]:
    """Tell from when until when each exchange trades on a day; those that do not are left out."""
    day = day_of(form.date, "date")
    if day.year not in YEARS:
        raise Invalid(
            f"date: {day} is none that can be known; years are {YEARS[0]} to {YEARS[-1]}."
        )
    days = await house.calendar.days()
    found: list[dict[str, Any]] = []
    unknown: list[str] = []
    for exchange, segment in EXCHANGES.items():
        hours = days.hours_on(segment, day)
        if hours.sessions is None:
            unknown.append(exchange)
        elif (told := _hours(exchange, hours)) is not None:
            found.append(told)
    if unknown and not found:
        raise UnknownDay(
            f"The hours of {day} are not known for {', '.join(unknown)}; bring in the exchange's "
            "list with `bahi calendar load`."
        )
    said = good(data=found)
    return said | ({"unknown_exchanges": unknown} if unknown else {})


def _beyond(field: str, said: object) -> Invalid:
    return Invalid(f"{field}: {said} cannot be known; years are {YEARS[0]} to {YEARS[-1]}.")


def _told(days: MarketDays, day: date, facts: list[DayFact]) -> dict[str, Any]:
    closed: list[str] = []
    still_open: list[dict[str, Any]] = []
    unknown: list[str] = []
    for exchange, segment in EXCHANGES.items():
        hours = days.hours_on(segment, day)
        if hours.sessions is None:
            unknown.append(exchange)
        elif (told := _hours(exchange, hours)) is None:
            closed.append(exchange)
        else:
            still_open.append(told)
    names = dict.fromkeys(it.description for it in facts if it.description)
    said = {
        "date": day.isoformat(),
        "description": ", ".join(names),
        "holiday_type": _kind(closed, day),
        "closed_exchanges": closed,
        "open_exchanges": still_open if closed or day.weekday() in WEEKEND else [],
    }
    return said | ({"unknown_exchanges": unknown} if unknown else {})


def _kind(closed: list[str], day: date) -> str:
    if day.weekday() in WEEKEND:
        return SPECIAL_SESSION
    return TRADING_HOLIDAY if closed else SETTLEMENT_HOLIDAY


def _trades(days: MarketDays, day: date) -> bool:
    return any(days.is_trading_day(it, day) for it in EXCHANGES.values())


def _hours(exchange: str, day: MarketDay) -> dict[str, Any] | None:
    trading: list[Hours] = [it for it in day.sessions or () if it.phase is Phase.OPEN]
    if not trading:
        return None
    starts: time = min(it.starts for it in trading)
    ends: time = max(it.ends for it in trading)
    return {
        "exchange": exchange,
        "start_time": _ms(day.day, starts),
        "end_time": _ms(day.day, ends),
    }


def _ms(day: date, at: time) -> int:
    return int(instant_of(day, at).timestamp() * 1000)
