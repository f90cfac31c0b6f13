"""`bahi instruments`: the symbol master, how it comes in, and what is found in it."""

from __future__ import annotations

import shutil
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bahi.cli.named import ME, cells, when
from bahi.cli.terminal import AsJson, in_house, progress, say, show_json, show_table
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import Price, parse_price, plain
from bahi.kernel.words import BrokerSlug, parse

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.instruments.model.catalogue import Catalogue
    from bahi.instruments.model.chain import Rung
    from bahi.instruments.model.instrument import Entry, Instrument
    from bahi.instruments.model.loads import Load, Wanted

app = typer.Typer(help="The symbol master.", no_args_is_help=True)

STANDARD_INPUT: Final = "-"
BAD_SHOWN: Final = 10

Exchange = Annotated[str, typer.Option("--exchange", help="NSE, NFO, BSE, BFO, CDS, MCX, ...")]
OnDay = Annotated[str | None, typer.Option("--on", help="2026-11-24; without it, today.")]


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
    from bahi.instruments.model.loads import Wanted  # noqa: PLC0415 - for who loads

    wanted = Wanted(
        broker=parse(BrokerSlug, broker, field="broker"),
        source=source,
        day=_day(day),
        is_part=part,
        is_checked=checked,
    )
    done = in_house(lambda house: _load(house, wanted))
    if as_json:
        show_json(_told(done))
    else:
        _show(done)


async def _load(house: House, wanted: Wanted) -> Load:
    from bahi.bootstrap.masters import (  # noqa: PLC0415 - for who loads
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
        more = held.enter_context(progress(f"reading the file of {wanted.broker}", None))
        lines = _Lines(more)
        source = wanted.source
        if not source or "://" in source:
            shown = replace(wanted, source=source.partition("?")[0] or str(wanted.broker))
            return await load_published(
                house, ME, wanted.broker, source, wanted=shown, tell=lines.seen
            )
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
        return await load_file(house, ME, named, file, lines.seen)


class _Lines:
    """Turns the line that was read last into how many came since."""

    def __init__(self, more: Any) -> None:
        self._more, self._last = more, 0

    def seen(self, line: int) -> None:
        """Show how far the file is read; several texts of a zip count anew."""
        self._more(line - self._last if line > self._last else line)
        self._last = line


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


# Looking


async def _catalogue(house: House) -> Catalogue:
    await house.furnish()  # a house that is new finds the small master
    return await house.instruments.catalogue()


@app.command()
def search(
    text: Annotated[list[str], typer.Argument(help="As people say it: nifty 26000 dec ce.")],
    *,
    exchange: Annotated[
        list[str] | None, typer.Option("--exchange", help="NSE, NFO, ...; again for more.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100)] = 20,
    as_json: AsJson = False,
) -> None:
    """Find instruments by what people type, best first."""
    from bahi.instruments.model.instrument import segment_of  # noqa: PLC0415 - for who asks

    segments = [segment_of(it) for it in exchange] if exchange else None

    async def look(house: House) -> tuple[list[Instrument], date]:
        catalogue, today = await _catalogue(house), exchange_day(house.clock())
        asked = " ".join(text)
        return catalogue.search(asked, today=today, segments=segments, limit=limit), today

    _show_instruments(*in_house(look), as_json=as_json)


@app.command()
def show(
    symbol: str, *, exchange: Exchange = "NSE", on: OnDay = None, as_json: AsJson = False
) -> None:
    """Show one instrument: its terms on a day, and what each broker calls it."""

    async def look(house: House) -> dict[str, Any]:
        it = (await _catalogue(house)).get(symbol, exchange)
        day = _day(on) or exchange_day(house.clock())
        try:
            terms = await house.instruments.terms_on(it.id, day)
        except NotFound:
            since = (
                await house.instruments.terms_on(it.id, exchange_day(house.clock()))
            ).valid_from
            raise NotFound(
                f"What held for {it.symbol} on {day} is not known; it is from {since} on."
            ) from None
        named = {}
        for broker in BrokerSlug:
            if name := (await house.instruments.names(broker)).of(it.id):
                named[str(broker)] = {"symbol": name.broker_symbol, "token": name.security_id}
        return {
            **_of(it),
            "has_ended": it.expiry is not None and it.expiry < exchange_day(house.clock()),
            "on": str(day),
            "terms_since": str(terms.valid_from),
            "lot_size": terms.lot_size,
            "tick_size": _rupees(terms.tick_size),
            "freeze_qty": terms.freeze_qty,
            "largest_order": terms.largest_order,
            "lower_band": _rupees(terms.lower_band),
            "upper_band": _rupees(terms.upper_band),
            "brokers": named,
        }

    found = in_house(look)
    if as_json:
        show_json(found)
        return
    brokers = found.pop("brokers")
    rows = [cells(name.replace("_", " "), value) for name, value in found.items()]
    rows += [
        cells(f"at {it}", f"{said['symbol']} ({said['token']})") for it, said in brokers.items()
    ]
    show_table(("what", "value"), rows)


@app.command()
def expiries(
    root: Annotated[str, typer.Argument(help="NIFTY, RELIANCE, CRUDEOIL, ...")],
    *,
    exchange: Exchange = "NFO",
    ended: Annotated[
        bool, typer.Option("--ended", help="Also those that a master still lists and that ended.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List when contracts of an underlying end."""

    async def look(house: House) -> dict[str, list[str]]:
        catalogue, today = await _catalogue(house), exchange_day(house.clock())
        return {
            kind: [
                str(it)
                for it in catalogue.expiries(root, exchange, is_option=is_option)
                if ended or it >= today
            ]
            for kind, is_option in (("futures", False), ("options", True))
        }

    found = in_house(look)
    if as_json:
        show_json(found)
        return
    rows = [cells(day, kind) for kind, days in found.items() for day in days]
    show_table(("ends on", "kind"), sorted(rows))


@app.command()
def chain(
    root: Annotated[str, typer.Argument(help="NIFTY, BANKNIFTY, SENSEX, ...")],
    *,
    price: Annotated[
        str | None, typer.Option("--price", help="Of the underlying; without it, its last price.")
    ] = None,
    expiry: Annotated[
        str | None, typer.Option("--expiry", help="2026-11-24; without it, the nearest.")
    ] = None,
    exchange: Exchange = "NFO",
    around: Annotated[int, typer.Option("--around", min=0, max=200)] = 10,
    as_json: AsJson = False,
) -> None:
    """Show the strikes around a price, with the call and the put of each."""

    async def look(house: House) -> tuple[date, Price, list[Rung]]:
        catalogue, today = await _catalogue(house), exchange_day(house.clock())
        options = catalogue.chain(root, exchange)
        ahead = [it for it in options.expiries if it >= today]
        wished = _day(expiry) or (ahead[0] if ahead else None)
        if wished is None:
            raise NotFound(_why_none(root, options.expiries))
        at = parse_price(price) if price else await _last_price(house, catalogue, root, exchange)
        return wished, at, options.at(wished, at, around)

    day, at, rungs = in_house(look)
    if as_json:
        each = [
            {
                "strike": plain(it.strike),
                "call": _symbol(it.call),
                "call_label": it.call_label,
                "put": _symbol(it.put),
                "put_label": it.put_label,
            }
            for it in rungs
        ]
        show_json({"expiry": str(day), "price": plain(at), "strikes": each})
        return
    rows = [
        cells(it.call_label, _symbol(it.call), plain(it.strike), _symbol(it.put), it.put_label)
        for it in rungs
    ]
    show_table(("", "call", "strike", "put", ""), rows)
    say(f"Options of {root.upper()} that end on {day}, around {plain(at)}.")
    if rungs and not any(it.call_label or it.put_label for it in rungs):
        say("None of the strikes is near that price, so none is at the money.")


def _why_none(root: str, expiries: list[date]) -> str:
    """Say why a chain has no day to come."""
    if not expiries:
        return f"{root.upper()} has no options."
    last = expiries[-1]
    return f"All options of {root.upper()} have ended, the last on {last}; load a newer master."


async def _last_price(house: House, catalogue: Catalogue, root: str, exchange: str) -> Price:
    """Return where the underlying stands."""
    from bahi.instruments.model.instrument import instrument_of  # noqa: PLC0415 - for who asks

    contract = instrument_of(catalogue.contracts(root, exchange)[0])
    underlying = catalogue.underlying_of(contract)
    if underlying is None:
        raise Invalid(f"{root.upper()} has no price of its own; say --price.")
    return (await house.quotes.quote(underlying)).last


def _symbol(entry: Entry | None) -> str | None:
    return None if entry is None else entry.symbol


def _ends(it: Instrument, today: date) -> str:
    if it.expiry is None:
        return ""
    return f"{it.expiry} (ended)" if it.expiry < today else str(it.expiry)


def _show_instruments(found: list[Instrument], today: date, *, as_json: bool) -> None:
    if as_json:
        show_json([_of(it) for it in found])
        return
    rows = [
        cells(it.symbol, it.exchange, it.name, _ends(it, today), it.lot_size, _rupees(it.tick_size))
        for it in found
    ]
    show_table(("symbol", "exchange", "name", "ends on", "lot", "tick"), rows)
    if not found:
        say("Nothing is listed that this could mean.")


def _of(it: Instrument) -> dict[str, Any]:
    return {
        "id": str(it.id),
        "symbol": it.symbol,
        "exchange": it.exchange,
        "name": it.name,
        "kind": it.kind,
        "root": it.root,
        "isin": it.isin,
        "expiry": None if it.expiry is None else str(it.expiry),
        "strike": _rupees(it.strike),
        "option_type": it.option_type,
        "lot_size": it.lot_size,
        "tick_size": _rupees(it.tick_size),
        "freeze_qty": it.freeze_qty,
        "largest_order": it.largest_order,
    }


def _rupees(price: int | None) -> str | None:
    return None if price is None else plain(price)


def _day(word: str | None) -> date | None:
    if word is None:
        return None
    try:
        return date.fromisoformat(word)
    except ValueError:
        raise Invalid(f"{word[:24]!r} is no day; write it like 2026-11-24.") from None
