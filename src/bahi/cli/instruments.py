"""`bahi instruments`: the symbol master, and what is found in it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli import masters
from bahi.cli.named import cells, day_of
from bahi.cli.terminal import AsJson, in_house, say, show_json, show_table
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import Price, parse_price, plain
from bahi.kernel.words import BrokerSlug

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.instruments.model.catalogue import Catalogue
    from bahi.instruments.model.chain import Rung
    from bahi.instruments.model.instrument import Entry, Instrument

app = typer.Typer(help="The symbol master.", no_args_is_help=True)
app.add_typer(masters.app)

Exchange = Annotated[str, typer.Option("--exchange", help="NSE, NFO, BSE, BFO, CDS, MCX, ...")]
OnDay = Annotated[str | None, typer.Option("--on", help="2026-11-24; without it, today.")]


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
        today = exchange_day(house.clock())
        day = day_of(on) or today
        try:
            terms = await house.instruments.terms_on(it.id, day)
        except NotFound:
            since = (await house.instruments.terms_on(it.id, today)).valid_from
            raise NotFound(
                f"What held for {it.symbol} on {day} is not known; it is from {since} on."
            ) from None
        named = {}
        for broker in BrokerSlug:
            if name := (await house.instruments.names(broker)).of(it.id):
                named[str(broker)] = {"symbol": name.broker_symbol, "token": name.security_id}
        return {
            **_of(it),
            "has_ended": it.expiry is not None and it.expiry < today,
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
        wished = day_of(expiry) or (ahead[0] if ahead else None)
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
