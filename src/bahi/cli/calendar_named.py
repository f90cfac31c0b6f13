"""What commands name of the calendar: markets, days and years."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid
from bahi.kernel.words import Segment, parse

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.calendar.model import MarketDays

ALL: Final = "all"
TODAY: Final = "today"

OneSegment = Annotated[
    str, typer.Option("--segment", help="Which markets: NSE_EQ,MCX; without it, all.")
]
Segments = Annotated[
    str, typer.Option("--segment", help="Which markets: NSE_EQ,NSE_FNO, or all of them.")
]
OnDay = Annotated[
    str | None, typer.Option("--on", metavar="DAY", help="The same as DAY, for who writes it so.")
]
Day = Annotated[
    str | None, typer.Argument(metavar="[DAY]", help="2026-11-24 or today; without it, today.")
]


async def days_of(house: House) -> MarketDays:
    """Return everything that is known of market days."""
    await house.furnish()
    return await house.calendar.days()


def markets_of(said: str) -> tuple[Segment, ...]:
    """Return the markets that are meant, each once and in one order."""
    from bahi.calendar.model import CALENDARS, calendar_of  # noqa: PLC0415 - for who asks

    words = [it for it in said.replace(",", " ").split() if it]
    if [it.lower() for it in words] == [ALL]:
        return CALENDARS
    if not words:
        raise Invalid(f"--segment: it is empty; name markets, as NSE_EQ,MCX, or write `{ALL}`.")
    named = {calendar_of(parse(Segment, it, field="segment")) for it in words}
    return tuple(it for it in CALENDARS if it in named)


def named(markets: tuple[Segment, ...]) -> str:
    """Write markets as people read them."""
    from bahi.calendar.model import CALENDARS  # noqa: PLC0415

    return "all markets" if markets == CALENDARS else ", ".join(markets)


def asked_day(day: str | None, on: str | None, house: House) -> date:
    """Return the day that a command is asked about, which may be said in two ways."""
    if day is not None and on is not None:
        raise Invalid(f"Two days are named, {day[:40]!r} and --on {on[:40]!r}; name one.")
    return day_of(on if day is None else day, house)


def day_of(said: str | None, house: House) -> date:
    """Return the day that is meant; without a word, today."""
    if said is None or said.lower() == TODAY:
        return exchange_day(house.clock())
    return written_day(said)


def written_day(said: str) -> date:
    """Read a day that is written out."""
    try:
        day = date.fromisoformat(said)
    except ValueError:
        day = None
    if day is None or day.isoformat() != said:
        raise Invalid(f"{said[:40]!r} is no day; write it as 2026-11-24.")
    return day


def check_year(year: int) -> int:
    """Return a year of which something can be known, or refuse it."""
    from bahi.calendar.model import YEARS  # noqa: PLC0415

    if year not in YEARS:
        right = f"the calendar knows {YEARS[0]} to {YEARS[-1]}"
        raise Invalid(f"year: {str(year)[:40]!r} is none of ours; {right}.")
    return year
