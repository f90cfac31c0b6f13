"""`bahi calendar`: when markets are open, and what is entered of their days."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bahi.cli.named import ME, cells, when
from bahi.cli.terminal import AsJson, Yes, confirm, in_house, say, show_json, show_table
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.words import BrokerSlug, Segment, parse

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.calendar.model import Document, MarketDay, MarketDays, MarketState
    from bahi.calendar.service import Imported

app = typer.Typer(help="When markets are open.", no_args_is_help=True)

COLOURS: Final = {True: "green", False: "", None: "bold red"}
STANDARD_INPUT: Final = "-"

OneSegment = Annotated[
    str | None, typer.Option("--segment", help="One market: NSE_EQ, NFO, MCX; without it, all.")
]
Segments = Annotated[
    str, typer.Option("--segment", help="Which markets: NSE_EQ,NSE_FNO, or all of them.")
]
OnDay = Annotated[str | None, typer.Option("--on", help="2026-11-24; without it, today.")]


@app.command()
def now(*, as_json: AsJson = False) -> None:
    """Show what every market does at this moment, and what comes next."""

    async def look(house: House) -> list[tuple[Segment, MarketState, MarketState | None]]:
        days, at = await _days_of(house), house.clock()
        found = []
        for segment in _markets(None):
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
def show(*, segment: OneSegment = None, on: OnDay = None, as_json: AsJson = False) -> None:
    """Show the hours of a day."""
    markets = _markets(segment)

    async def look(house: House) -> list[MarketDay]:
        days, day = await _days_of(house), _day(on, house)
        return [days.hours_on(it, day) for it in markets]

    found = in_house(look)
    if as_json:
        show_json([_hours(it) for it in found])
        return
    rows = [
        cells(it.segment, it.day, it.is_trading_day, _spans(it), it.reason, it.is_verified)
        for it in found
    ]
    show_table(("segment", "day", "trading", "hours (IST)", "why", "confirmed"), rows)


@app.command()
def holidays(
    year: Annotated[int | None, typer.Argument(help="Which year; without it, this one.")] = None,
    *,
    segment: OneSegment = None,
    as_json: AsJson = False,
) -> None:
    """List the days of a year that are not as others."""
    from bahi.calendar.service import exceptions_of, told  # noqa: PLC0415 - for who asks

    markets = _markets(segment)

    async def look(house: House) -> tuple[MarketDays, int]:
        return await _days_of(house), year or exchange_day(house.clock()).year

    days, wanted = in_house(look)
    found = [it for it in exceptions_of(days, wanted) if it.segment in markets]
    unknown = [it for it in markets if not days.is_year_known(it, wanted)]
    if as_json:
        each = [{"date": str(it.day), "segment": it.segment, **told(it)} for it in found]
        show_json({"year": wanted, "days": each, "not_complete": unknown})
        return
    rows = []
    for it in found:
        hours = ", ".join(f"{s.starts:%H:%M}-{s.ends:%H:%M} {s.phase}" for s in it.sessions)
        if it.kind.has_own_hours and not it.sessions:
            hours = "not known"
        rows.append(cells(it.day, it.segment, it.kind, hours, it.description, it.is_verified))
    show_table(("day", "segment", "kind", "hours (IST)", "why", "confirmed"), rows)
    if unknown:
        say(f"The list of {wanted} is not complete for {', '.join(unknown)}.")


@app.command("square-off")
def square_off(*, segment: OneSegment = None, on: OnDay = None, as_json: AsJson = False) -> None:
    """Show when brokers close intraday positions by themselves."""
    markets = _markets(segment)

    async def look(house: House) -> list[dict[str, Any]]:
        days, day = await _days_of(house), _day(on, house)
        return [
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
            for in_auction in ((False, True) if days.auction_rules(it, day) else (False,))
            if (found := days.square_off_at(broker, it, day, in_closing_auction=in_auction))
        ]

    found = in_house(look)
    if as_json:
        show_json(found)
        return
    headings = ("broker", "segment", "in auction", "at (IST)", "confirmed", "source")
    show_table(headings, [cells(*it.values()) for it in found])


@app.command()
def load(
    file: Annotated[str, typer.Argument(help="JSON or CSV; - is standard input.")],
    *,
    answer_of: Annotated[
        str | None,
        typer.Option("--from", help="It is a broker's answer: upstox or openalgo."),
    ] = None,
    year: Annotated[
        int | None,
        typer.Option("--complete", help="With --from: it is the whole list of this year."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring in the days of a file, all of them or none; a broker's answer replaces nothing."""
    text = _read(file)
    name = "standard input" if file == STANDARD_INPUT else Path(file).name
    document = _answered(text, answer_of, year) if answer_of else _written(text, name)

    async def bring(house: House) -> Imported:
        from bahi.calendar.service import import_days  # noqa: PLC0415

        await house.furnish()
        main, at = house.stores["main"], house.clock()
        return await main.write(
            lambda tx: import_days(tx, ME, document, at, replacing=answer_of is None)
        )

    _say_what_came(in_house(bring), as_json=as_json)


@app.command("set")
def set_(
    day: Annotated[str, typer.Argument(help="2026-11-08; with --kind year, 2027.")],
    kind: Annotated[
        str,
        typer.Option(
            help="full_day (closed), muhurat, special, ordinary; or year: its list is complete."
        ),
    ],
    segment: Segments,
    *,
    why: Annotated[str, typer.Option("--why", help="Diwali Laxmi Pujan.")] = "",
    sessions: Annotated[str, typer.Option(help="Trading: 09:15-10:00,11:30-12:30.")] = "",
    pre_open: Annotated[str, typer.Option(help="17:45-18:00.")] = "",
    closing_auction: Annotated[str, typer.Option(help="15:15-15:35.")] = "",
    post_close: Annotated[str, typer.Option(help="15:50-16:00.")] = "",
    settlement_holiday: Annotated[
        bool, typer.Option("--settlement-holiday", help="Nothing is settled on it.")
    ] = False,
    source: Annotated[str, typer.Option(help="Who says so.")] = "",
    unverified: Annotated[
        bool, typer.Option("--unverified", help="It is still to be confirmed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Enter or change one day, or say that the list of a year is complete."""
    entry = {
        "date": day,
        "segments": segment.split(","),
        "kind": kind,
        "description": why,
        "sessions": _list(sessions),
        "pre_open": _list(pre_open),
        "closing_auction": _list(closing_auction),
        "post_close": _list(post_close),
        "settlement_holiday": settlement_holiday,
        "source": source,
        "unverified": unverified,
    }

    async def enter(house: House) -> Imported:
        from bahi.calendar.model.document import document_of  # noqa: PLC0415
        from bahi.calendar.service import import_days  # noqa: PLC0415

        await house.furnish()
        document, at = document_of([entry], place=""), house.clock()
        return await house.stores["main"].write(import_days, ME, document, at)

    _say_what_came(in_house(enter), as_json=as_json)


@app.command()
def remove(
    day: Annotated[str, typer.Argument(help="2026-11-08.")],
    segment: Segments,
    *,
    yes: Yes = False,
) -> None:
    """Have a day the hours of its weekday again."""
    markets = _markets(None if segment == "all" else segment)
    confirm(f"Remove what is entered of {day} for {', '.join(markets)}?", yes=yes)

    async def forget(house: House) -> list[Segment]:
        from bahi.calendar.service import remove_day  # noqa: PLC0415

        await house.furnish()
        wanted, at = _day(day, house), house.clock()
        entered = {it.segment for it in (await _days_of(house)).facts.days if it.day == wanted}
        if not (gone := [it for it in markets if it in entered]):
            raise NotFound(f"Nothing is entered of {wanted} for {', '.join(markets)}.")
        for it in gone:
            await house.stores["main"].write(remove_day, ME, it, wanted, at)
        return gone

    typer.echo(f"{day} has the hours of its weekday for {', '.join(in_house(forget))}.")


async def _days_of(house: House) -> MarketDays:
    await house.furnish()
    return await house.calendar.days()


def _markets(said: str | None) -> tuple[Segment, ...]:
    from bahi.calendar.model import CALENDARS, calendar_of  # noqa: PLC0415

    if said is None:
        return CALENDARS
    return tuple(calendar_of(parse(Segment, it, field="segment")) for it in said.split(","))


def _day(said: str | None, house: House) -> date:
    if said is None:
        return exchange_day(house.clock())
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise Invalid(f"{said[:40]!r} is no day; write it as 2026-11-24.") from None


def _list(said: str) -> list[str]:
    return said.replace(",", " ").split()


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == STANDARD_INPUT else Path(file).read_text("utf-8")
    except UnicodeDecodeError as fault:
        raise Invalid(f"{file}: byte {fault.start} is no UTF-8; save the file as UTF-8.") from None
    except OSError as fault:
        raise Invalid(f"{file} cannot be read: {fault.strerror}.") from None


def _written(text: str, name: str) -> Document:
    from bahi.calendar.model import read_document  # noqa: PLC0415

    return read_document(text, name=name)


def _answered(text: str, broker: str, year: int | None) -> Document:
    """Read what a broker answered when it was asked for its holidays."""
    import json  # noqa: PLC0415

    from bahi.brokers.openalgo import calendar as openalgo  # noqa: PLC0415
    from bahi.brokers.upstox import calendar as upstox  # noqa: PLC0415
    from bahi.calendar.model.document import document_of  # noqa: PLC0415

    readers = {BrokerSlug.UPSTOX: upstox.market_days, BrokerSlug.OPENALGO: openalgo.market_days}
    slug = parse(BrokerSlug, broker, field="--from")
    if slug not in readers:
        raise Invalid(f"--from: {slug} answers no list of holidays; upstox and openalgo do.")
    try:
        said = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        raise Invalid(f"This is no answer of {slug}: it is no JSON.") from None
    read = readers[slug](said, complete=year)
    return document_of(read["days"], source=read["source"])


def _say_what_came(came: Imported, *, as_json: bool) -> None:
    if as_json:
        show_json(
            {
                "added": came.added,
                "changed": came.changed,
                "same": came.same,
                "kept": [{"date": str(it.day), "segment": it.segment} for it in came.kept],
                "years": [{"year": it.year, "segment": it.segment} for it in came.years],
            }
        )
        return
    typer.echo(f"{came.added} added, {came.changed} changed, {came.same} as they were.")
    for year in sorted({it.year for it in came.years}):
        markets = ", ".join(it.segment for it in came.years if it.year == year)
        typer.echo(f"The list of {year} is complete for {markets}.")
    for it in came.kept:
        say(f"{it.day} of {it.segment} says otherwise here, and was kept: {it.description}.")


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
        "verified": it.is_verified,
    }


def _spans(it: MarketDay) -> str:
    if it.sessions is None:
        return "not known"
    ordered = sorted(it.sessions, key=lambda s: s.starts)
    return ", ".join(f"{s.starts:%H:%M}-{s.ends:%H:%M} {s.phase}" for s in ordered)


def _show_states(found: list[tuple[Segment, MarketState, MarketState | None]]) -> None:
    """Show states in colours: open green, unknown red."""
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table("segment", "now", "why", "until (IST)", box=None, pad_edge=False)
    for segment, state, other in found:
        for it in [state] if other is None else [state, other]:
            named = segment if it is state else f"{segment} (in the auction)"
            until = (when(it.next_change) or "")[:16]
            why = it.reason if it.is_verified else f"{it.reason} (not confirmed)"
            table.add_row(named, Text(it.phase, COLOURS[it.is_open]), why, until)
    Console(markup=False, highlight=False, emoji=False).print(table)
