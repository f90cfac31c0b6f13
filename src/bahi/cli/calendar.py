"""`bahi calendar`: when markets are open, and what is entered of their days."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bahi.cli import calendar_changes as changes
from bahi.cli import calendar_hours as weekly
from bahi.cli.calendar_named import (
    ALL,
    Day,
    OnDay,
    OneSegment,
    asked_day,
    check_year,
    days_of,
    markets_of,
    named,
)
from bahi.cli.named import cells, when
from bahi.cli.terminal import AsJson, in_house, say, show_json, show_table
from bahi.kernel.clock import exchange_day
from bahi.kernel.words import BrokerSlug, Segment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bahi.bootstrap import House
    from bahi.calendar.model import DayFact, Hours, MarketDay, MarketDays, MarketState

app = typer.Typer(help="When markets are open.", no_args_is_help=True)

COLOURS: Final = {True: "green", False: "", None: "bold red"}


@app.command()
def now(*, as_json: AsJson = False) -> None:
    """Show what every market does at this moment, and what comes next."""

    async def look(house: House) -> list[tuple[Segment, MarketState, MarketState | None]]:
        days, at = await days_of(house), house.clock()
        found = []
        for segment in markets_of(ALL):
            state = days.state(segment, at)
            other = days.state(segment, at, in_closing_auction=True)
            found.append((segment, state, other if other != state else None))
        return found

    found = in_house(look)
    if as_json:
        show_json(
            [
                {"segment": segment, **_state(it)}
                | ({} if other is None else {"in_closing_auction": _state(other)})
                for segment, it, other in found
            ]
        )
        return
    _show_states(found)


@app.command()
def show(
    day: Day = None, *, segment: OneSegment = ALL, on: OnDay = None, as_json: AsJson = False
) -> None:
    """Show the hours of a day."""
    markets = markets_of(segment)

    async def look(house: House) -> list[MarketDay]:
        days, wanted = await days_of(house), asked_day(day, on, house)
        return [days.hours_on(it, wanted) for it in markets]

    found = in_house(look)
    if as_json:
        show_json([_hours(it) for it in found])
        return
    rows = []
    for it in found:
        trades, hours = it.is_trading_day, _spans(it.sessions)
        rows.append(cells(it.segment, it.day, trades, hours, it.reason, it.is_confirmed))
    show_table(("segment", "day", "trading", "hours (IST)", "why", "confirmed"), rows)


@app.command()
def holidays(
    year: Annotated[int | None, typer.Argument(help="Which year; without it, this one.")] = None,
    *,
    segment: OneSegment = ALL,
    as_json: AsJson = False,
) -> None:
    """List the days of a year that are not as others."""
    from bahi.calendar.service import exceptions_of, told  # noqa: PLC0415 - for who asks

    markets = markets_of(segment)
    asked = None if year is None else check_year(year)

    async def look(house: House) -> tuple[MarketDays, int]:
        return await days_of(house), asked or exchange_day(house.clock()).year

    days, wanted = in_house(look)
    found = [it for it in exceptions_of(days, wanted) if it.segment in markets]
    unknown = tuple(it for it in markets if not days.is_year_known(it, wanted))
    if as_json:
        each = [{"date": str(it.day), "segment": it.segment, **told(it)} for it in found]
        show_json({"year": wanted, "days": each, "not_complete": unknown})
        return
    headings = ("day", "markets", "kind", "hours (IST)", "why", "confirmed")
    show_table(headings, list(_alike(found)))
    if unknown:
        say(f"The list of {wanted} is not complete for {', '.join(unknown)}.")


def _alike(found: Iterable[DayFact]) -> Iterable[tuple[str, ...]]:
    """Yield a row for each day and whatever markets do the same on it."""
    rows: dict[tuple[str, ...], list[Segment]] = {}
    days: dict[tuple[str, ...], date] = {}
    for it in found:
        unknown = it.kind.has_own_hours and not it.sessions
        hours = _spans(None if unknown else it.sessions)
        row = cells(it.day, it.kind, hours, it.description, it.is_verified)
        rows.setdefault(row, []).append(it.segment)
        days[row] = it.day
    for row in sorted(rows, key=lambda row: days[row]):
        day, *others = row
        yield day, named(tuple(rows[row])), *others


@app.command("square-off")
def square_off(
    day: Day = None, *, segment: OneSegment = ALL, on: OnDay = None, as_json: AsJson = False
) -> None:
    """Show when brokers close intraday positions by themselves."""
    markets = markets_of(segment)

    async def look(house: House) -> tuple[date, list[dict[str, Any]]]:
        days, wanted = await days_of(house), asked_day(day, on, house)
        return wanted, [
            {
                "broker": broker,
                "segment": it,
                "in_closing_auction": in_auction,
                "at": when(found.at),
                "verified": found.is_verified,
                "source": found.source,
            }
            for broker in BrokerSlug
            for it in markets
            for in_auction in ((False, True) if days.auction_rules(it, wanted) else (False,))
            if (found := days.square_off_at(broker, it, wanted, in_closing_auction=in_auction))
        ]

    wanted, found = in_house(look)
    if as_json:
        show_json(found)
        return
    if not found:
        say(f"No broker is known to close positions of {named(markets)} on {wanted}.")
        return
    sources = {it["source"]: n for n, it in reversed(list(enumerate(found)))}
    numbers = {it: str(n) for n, it in enumerate(sorted(sources, key=sources.__getitem__), 1)}
    headings = ("broker", "segment", "in auction", "at (IST)", "confirmed", "source")
    show_table(headings, [cells(*{**it, "source": numbers[it["source"]]}.values()) for it in found])
    for source, number in numbers.items():
        typer.echo(f"{number}: {source}")


app.command("load")(changes.load)
app.command("set")(changes.set_)
app.command("remove")(changes.remove)
app.command("set-hours")(weekly.set_hours)
app.command("remove-hours")(weekly.remove_hours)
app.command("auction")(weekly.auction)
app.command("set-auction")(weekly.set_auction)
app.command("remove-auction")(weekly.remove_auction)
app.command("set-square-off")(changes.set_square_off)
app.command("remove-square-off")(changes.remove_square_off)


def _state(it: MarketState) -> dict[str, Any]:
    return {
        "phase": it.phase,
        "is_open": it.is_open,
        "reason": it.reason,
        "since": when(it.since),
        "next_change": when(it.next_change),
        "verified": it.is_verified,
    }


def _hours(it: MarketDay) -> dict[str, Any]:
    return {
        "segment": it.segment,
        "date": str(it.day),
        "kind": it.kind,
        "trading_day": it.is_trading_day,
        "reason": it.reason,
        "sessions": None
        if it.sessions is None
        else [
            {
                "phase": s.phase,
                "from": f"{s.starts:%H:%M}",
                "to": f"{s.ends:%H:%M}",
                "verified": s.is_verified,
            }
            for s in sorted(it.sessions, key=lambda s: s.starts)
        ],
        "settlement_holiday": it.is_settlement_holiday,
        "source": it.source,
        "verified": it.is_confirmed,
    }


def _spans(sessions: Iterable[Hours] | None) -> str:
    """Write the hours of a day; those that are not confirmed have a mark."""
    if sessions is None:
        return "not known"
    return ", ".join(
        f"{s.starts:%H:%M}-{s.ends:%H:%M} {s.phase}{'' if s.is_verified else ' (not confirmed)'}"
        for s in sorted(sessions, key=lambda s: s.starts)
    )


def _show_states(found: list[tuple[Segment, MarketState, MarketState | None]]) -> None:
    """Show states in colours: open green, unknown red."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table("segment", "now", "why", "until (IST)", box=None, pad_edge=False)
    for segment, state, other in found:
        for it in [state] if other is None else [state, other]:
            market = segment if it is state else f"{segment} (in the auction)"
            until = (when(it.next_change) or "")[:16]
            why = it.reason if it.is_verified else f"{it.reason} (not confirmed)"
            table.add_row(market, Text(it.phase, COLOURS[it.is_open]), why, until)
    Console(markup=False, highlight=False, emoji=False).print(table)
