"""What people enter in the calendar, change in it and remove from it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import typer

from bahi.cli.calendar_named import (
    Segments,
    check_year,
    day_of,
    markets_of,
    named,
    written_day,
)
from bahi.cli.named import ME
from bahi.cli.terminal import AsJson, Yes, confirm, in_house, say, show_json
from bahi.kernel.errors import Invalid
from bahi.kernel.words import BrokerSlug, Segment, parse

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.calendar.model import Document, SquareOffFact
    from bahi.calendar.service import Imported, Removed

STANDARD_INPUT: Final = "-"
YEAR_DIGITS: Final = 4

Broker = Annotated[str, typer.Argument(help="kite, upstox, dhan, breeze, openalgo.")]


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
    hours_on: Annotated[
        str | None,
        typer.Option("--hours-on", metavar="DAY", help="With --from openalgo: a day's hours."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Bring in the days of a file, all of them or none; a broker's answer replaces nothing."""
    text = _read(file)
    name = "standard input" if file == STANDARD_INPUT else Path(file).name
    document = _answered(text, answer_of, year, hours_on) if answer_of else _written(text, name)

    async def bring(house: House) -> Imported:
        from bahi.calendar.service import import_days  # noqa: PLC0415

        await house.furnish()
        main, at = house.stores["main"], house.clock()
        return await main.write(
            lambda tx: import_days(tx, ME, document, at, replacing=answer_of is None)
        )

    _say_what_came(in_house(bring), as_json=as_json)


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
        "segments": list(markets_of(segment)),
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


def remove(
    day: Annotated[str, typer.Argument(help="2026-11-08; or 2027, a year whose list is complete.")],
    segment: Segments,
    *,
    yes: Yes = False,
) -> None:
    """Take back what was entered of a day, or that the list of a year is complete.

    What a person entered of a day gives way to what came with Bahi; removed once more, the day has
    the hours of its weekday.
    """
    markets = markets_of(segment)
    if len(day) == YEAR_DIGITS and day.isascii() and day.isdigit():
        _remove_year(check_year(int(day)), markets, yes=yes)
        return

    async def forget(house: House) -> tuple[Removed, ...]:
        from bahi.calendar.service import remove_day  # noqa: PLC0415

        await house.furnish()
        wanted, at = day_of(day, house), house.clock()
        return await house.stores["main"].write(remove_day, ME, markets, wanted, at)

    confirm(f"Remove what is entered of {day} for {named(markets)}?", yes=yes)
    removed = in_house(forget)
    if gone := tuple(it.was.segment for it in removed if it.now is None):
        typer.echo(f"{day} has the hours of its weekday for {named(gone)}.")
    for why in dict.fromkeys(it.now.description for it in removed if it.now is not None):
        back = tuple(it.was.segment for it in removed if it.now and it.now.description == why)
        typer.echo(f"{day} is again what came with Bahi for {named(back)}: {why}.")


def _remove_year(year: int, markets: tuple[Segment, ...], *, yes: bool) -> None:
    async def forget(house: House) -> tuple[Segment, ...]:
        from bahi.calendar.service import remove_year  # noqa: PLC0415

        await house.furnish()
        return await house.stores["main"].write(remove_year, ME, markets, year, house.clock())

    confirm(f"Take back that the list of {year} is complete for {named(markets)}?", yes=yes)
    removed = in_house(forget)
    typer.echo(f"The list of {year} is not complete any more for {', '.join(removed)}.")


def set_square_off(
    broker: Broker,
    segment: Segments,
    *,
    at: Annotated[str | None, typer.Option(help="At which hour: 15:20.")] = None,
    before_close: Annotated[
        int | None, typer.Option("--before-close", help="Or how many minutes before the close.")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="From when on; without it, today.")
    ] = None,
    in_auction: Annotated[
        bool | None,
        typer.Option(
            "--in-auction/--not-in-auction",
            help="Only for what is in the closing auction, or is not; without it, for both.",
        ),
    ] = None,
    source: Annotated[str, typer.Option(help="Who says so.")],
    verified: Annotated[bool, typer.Option("--verified", help="It is confirmed.")] = False,
) -> None:
    """Enter from when on a broker closes intraday positions at another time."""
    slug, markets = parse(BrokerSlug, broker, field="broker"), markets_of(segment)

    async def enter(house: House) -> tuple[SquareOffFact, ...]:
        from bahi.calendar.model import SquareOffFact, parse_hour  # noqa: PLC0415
        from bahi.calendar.service import set_square_offs  # noqa: PLC0415

        await house.furnish()
        facts = [
            SquareOffFact(
                broker=slug,
                segment=it,
                in_closing_auction=in_auction,
                at=None if at is None else parse_hour(at, "--at"),
                minutes_before_close=before_close,
                valid_from=day_of(since, house),
                source=source,
                is_verified=verified,
            )
            for it in markets
        ]
        return await house.stores["main"].write(set_square_offs, ME, facts, house.clock())

    first, *_ = in_house(enter)
    when = f"at {at}" if at is not None else f"{before_close} minutes before the close"
    typer.echo(f"From {first.valid_from} on, {slug} closes positions of {named(markets)} {when}.")


def remove_square_off(
    broker: Broker,
    segment: Segments,
    since: Annotated[str, typer.Option("--from", metavar="DAY", help="As it was entered.")],
    *,
    yes: Yes = False,
) -> None:
    """Take back a time that a person entered: what was so before is so again."""
    slug, markets = parse(BrokerSlug, broker, field="broker"), markets_of(segment)

    async def forget(house: House) -> tuple[Segment, ...]:
        from bahi.calendar.service import TimesOf, remove_square_offs  # noqa: PLC0415

        await house.furnish()
        whose, day, at = TimesOf(slug, frozenset(markets)), day_of(since, house), house.clock()
        return await house.stores["main"].write(remove_square_offs, ME, whose, day, at)

    confirm(f"Remove what was entered of {slug} from {since} on for {named(markets)}?", yes=yes)
    typer.echo(f"What was entered of {slug} from {since} on is gone for {named(in_house(forget))}.")


def _list(said: str) -> list[str]:
    return said.replace(",", " ").split()


def _read(file: str) -> str:
    try:
        if file == STANDARD_INPUT:
            read = _bounded(sys.stdin.buffer, "standard input")
        else:
            with Path(file).open("rb") as opened:
                read = _bounded(opened, file)
        return read.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise Invalid(f"{file}: byte {fault.start} is no UTF-8; save the file as UTF-8.") from None
    except OSError as fault:
        raise Invalid(f"{file} cannot be read: {fault.strerror}.") from None


def _bounded(opened: BinaryIO, name: str) -> bytes:
    """Read a file that is no larger than a calendar can be; a device would never end."""
    from bahi.calendar.model.document import BYTES_AT_MOST  # noqa: PLC0415

    read = opened.read(BYTES_AT_MOST + 1)
    if len(read) > BYTES_AT_MOST:
        raise Invalid(f"{name}: it is larger than {BYTES_AT_MOST:,} bytes; no list of days is.")
    return read


def _written(text: str, name: str) -> Document:
    from bahi.calendar.model import read_document  # noqa: PLC0415

    return read_document(text, name=name)


def _answered(text: str, broker: str, year: int | None, hours_on: str | None) -> Document:
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
        said = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):  # no JSON, a number without end, or brackets without end
        raise Invalid(f"This is no answer of {slug}: it cannot be read as JSON.") from None
    if hours_on is None:
        read = readers[slug](said, complete=year)
    elif slug is BrokerSlug.OPENALGO and year is None:
        read = openalgo.day_hours(said, written_day(hours_on))
    else:
        raise Invalid("--hours-on: only openalgo answers the hours of a day; no year is its list.")
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
        markets = tuple(it.segment for it in came.years if it.year == year)
        typer.echo(f"The list of {year} is complete for {named(markets)}.")
    for it in came.kept:
        say(f"{it.day} of {it.segment} says otherwise here, and was kept: {it.description}.")
