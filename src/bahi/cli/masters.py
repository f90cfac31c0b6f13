"""`bahi instruments load, masters, loads`: instrument files, brought in and looked back at."""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bahi.cli.named import ME, cells, day_of, when
from bahi.cli.terminal import AsJson, in_house, progress, say, show_json, show_table
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.words import BrokerSlug, parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from bahi.bootstrap import House
    from bahi.instruments.model.loads import Load, Wanted

app = typer.Typer()

STANDARD_INPUT: Final = "-"
BAD_SHOWN: Final = 10


@app.command()
def load(
    source: Annotated[str, typer.Argument(help="A file, an address, - for standard input.")] = "",
    *,
    broker: Annotated[
        str, typer.Option("--broker", help="kite, upstox, dhan, breeze or openalgo.")
    ],
    day: Annotated[
        str | None, typer.Option("--day", help="The day that the file is of; without it, today.")
    ] = None,
    part: Annotated[
        bool, typer.Option("--part", help="It holds some segments only; leave the others.")
    ] = False,
    checked: Annotated[
        bool, typer.Option("--checked", help="You looked at its counts, and they are right.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a broker's instrument file into force, all of it or nothing.

    Without a source, the file is fetched from where the broker publishes it.
    """
    from bahi.instruments.model.loads import Covers, Wanted  # noqa: PLC0415 - for who loads

    wanted = Wanted(
        broker=parse(BrokerSlug, broker, field="broker"),
        source=source,
        day=day_of(day),
        covers=Covers.PART if part else Covers.WHOLE,
        is_checked=checked,
    )
    done = in_house(lambda house: _load(house, wanted))
    if as_json:
        show_json(_told(done))
    else:
        _show(done)


async def _load(house: House, wanted: Wanted) -> Load:
    from bahi.bootstrap.masters import (  # noqa: PLC0415 - for who loads
        Told,
        load_file,
        load_published,
        load_shipped,
        room_for_files,
    )

    if wanted.broker is BrokerSlug.PAPER:
        if wanted.source:
            raise Invalid(
                "broker: paper has no file of its own; it takes the small master of Bahi."
            )
        return await load_shipped(house, ME)
    with ExitStack() as held:
        bars = _Bars(held.enter_context(ExitStack()), wanted.broker)
        source = wanted.source
        if not source or "://" in source:
            shown = replace(wanted, source=source.partition("?")[0] or str(wanted.broker))
            told = Told(bars.fetched, bars.read)
            return await load_published(house, ME, wanted.broker, source, wanted=shown, told=told)
        if source == STANDARD_INPUT:
            file = held.enter_context(room_for_files(house)) / "master"
            with file.open("wb") as kept:
                shutil.copyfileobj(sys.stdin.buffer, kept)
            named = replace(wanted, source="standard input")
        else:
            file, named = Path(source), replace(wanted, source=Path(source).name)
            if file.is_dir():
                raise Invalid(f"{source} is a folder; name the file in it.")
            if not file.is_file():
                raise NotFound(f"There is no file {source}.")
        return await load_file(house, ME, named, file, bars.read)


class _Bars:
    """Shows how far a file is: its bytes while it comes, then its lines."""

    def __init__(self, held: ExitStack, broker: BrokerSlug) -> None:
        self._held, self._broker = held, broker
        self._doing, self._last = "", 0
        self._more: Callable[[int], None]

    def fetched(self, came: int, of: int | None) -> None:
        """Show how many bytes came."""
        self._show("fetching", of, came)

    def read(self, line: int) -> None:
        """Show which line was read last."""
        self._show("reading", None, line)

    def _show(self, doing: str, total: int | None, at: int) -> None:
        if doing != self._doing:
            self._held.close()
            title = f"{doing} the file of {self._broker}"
            self._more = self._held.enter_context(progress(title, total))
            self._doing, self._last = doing, 0
        self._more(at - self._last if at > self._last else at)  # each text of a zip counts anew
        self._last = at


def _show(done: Load) -> None:
    report = done.report
    rows = [
        cells(segment, f"{count:,}", f"{report['ended'].get(segment, 0):,}")
        for segment, count in report["listed"].items()
    ]
    show_table(("segment", "listed", "ended before"), rows)
    for name, count in report["skipped"].items():
        say(f"Left out {count:,}: {name}.")
    for kind, count in report["disagreed"].items():
        say(f"{count:,} contracts are said otherwise by another broker: {kind}.")
    for bad in report["bad"][:BAD_SHOWN]:
        say(f"Line {bad['line']:,} was refused: {bad['reason']}.")
    if report["bad_lines"] > BAD_SHOWN:
        say(f"{report['bad_lines']:,} lines were refused in all.")
    changed = ", ".join(f"{count:,} {kind}" for kind, count in report["changed"].items())
    say(
        f"In force: load {done.id}, {done.lines:,} listings of {done.broker}; {report['arrived']:,}"
        f" new, {report['left']:,} gone{f', changed: {changed}' if changed else ''}."
    )


@app.command()
def masters(*, as_json: AsJson = False) -> None:
    """Show which file of each broker is in force."""
    from bahi.instruments.service.records import masters_in_force  # noqa: PLC0415 - for who asks

    async def look(house: House) -> list[list[Any]]:
        found = await house.stores["main"].read(masters_in_force, fresh=True)
        return [
            [it.broker, it.segment, str(it.load_id), it.listings, when(it.since)] for it in found
        ]

    names = ("broker", "segment", "load", "listings", "in force since (IST)")
    found = in_house(look)
    if as_json:
        keys = ("broker", "segment", "load", "listings", "in_force_since")
        show_json([dict(zip(keys, row, strict=True)) for row in found])
    else:
        show_table(names, [cells(*row[:3], f"{row[3]:,}", row[4]) for row in found])


@app.command()
def loads(
    *,
    broker: Annotated[str | None, typer.Option("--broker", help="Of one broker.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=200)] = 20,
    as_json: AsJson = False,
) -> None:
    """List what was loaded or refused, the newest first."""
    from bahi.instruments.service.records import list_loads  # noqa: PLC0415 - for who asks

    slug = None if broker is None else parse(BrokerSlug, broker, field="broker")
    found = in_house(lambda house: house.stores["main"].read(list_loads, slug, limit, fresh=True))
    if as_json:
        show_json([_told(it) for it in found])
        return
    rows = [
        cells(it.id, it.broker, it.trading_day, it.status, f"{it.lines:,}", it.source, it.reason)
        for it in found
    ]
    show_table(("load", "broker", "day", "status", "lines", "source", "why"), rows)


def _told(it: Load) -> dict[str, Any]:
    return {
        "id": str(it.id),
        "broker": it.broker,
        "source": it.source,
        "status": it.status,
        "day": str(it.trading_day),
        "lines": it.lines,
        "reason": it.reason,
        "started_by": it.started_by,
        "started_at": when(it.started_at),
        "ended_at": when(it.ended_at),
        "report": it.report,
    }
