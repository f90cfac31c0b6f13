"""`bahi quote`: what things cost now, and what they cost before."""

from __future__ import annotations

import asyncio
import csv
import json
import sys
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from typer.core import TyperGroup

from bahi.cli.market import Exchange, instruments_named, prices_come_in
from bahi.cli.named import cells, day_of, when
from bahi.cli.price_table import (
    console,
    price_table,
    show_depth,
    sources_of,
    told,
    told_candle,
    warning,
)
from bahi.cli.terminal import AsJson, in_house, say, show_json, show_table
from bahi.kernel.clock import IST, exchange_day
from bahi.kernel.errors import Invalid
from bahi.kernel.symbols import YEARS

if TYPE_CHECKING:
    from bahi.bootstrap import House
    from bahi.instruments.model.instrument import Instrument
    from bahi.quotes.model.candles import Candle
    from bahi.quotes.model.quote import Quote

    Priced = list[tuple[Instrument, Quote | None]]


class _ShownFirst(TyperGroup):
    """`bahi quote SBIN` is `bahi quote show SBIN`; a symbol of that name is written SHOW."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the command's name where somebody left it out."""
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_ShownFirst,
    help="What things cost: `bahi quote SYMBOL...` now, `bahi quote history SYMBOL` before.",
    no_args_is_help=True,
)

REDRAWN_EVERY_S: Final = 0.5


@app.command()
def show(
    symbols: Annotated[list[str], typer.Argument(help="RELIANCE, NIFTY, NIFTY24NOV2626000CE, ...")],
    *,
    exchange: Exchange = None,
    depth: Annotated[
        bool, typer.Option("--depth", help="With the five best of each side.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on; Ctrl-C ends it. With --json a line a change.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show what things cost now; how old that is, and who says so."""
    if watch:
        _watch(symbols, exchange, depth=depth, as_json=as_json)
        return

    async def look(house: House) -> tuple[Priced, datetime, str]:
        instruments = await instruments_named(house, symbols, exchange)
        async with prices_come_in(house):
            found = await house.quotes.quotes(instruments)
            if not found:
                await house.quotes.quote(instruments[0])  # says why there is none
        priced = [(it, found.get(it.id)) for it in instruments]
        return priced, house.clock(), house.quotes.source

    priced, now, source = in_house(look)
    if as_json:
        show_json([told(*it, now) for it in priced])
        return
    console().print(price_table(priced, now))
    if depth:
        for it, quote in priced:
            show_depth(it, quote)
    for it, quote in priced:
        if quote is None:
            say(f"There is no price of {it.symbol} ({it.exchange}) at {source}.")
    if line := warning(sources_of(priced)):
        say(line)


def _watch(symbols: list[str], exchange: str | None, *, depth: bool, as_json: bool) -> None:
    if depth and not as_json:
        raise Invalid("--watch draws one table; leave out --depth, or add --json.")
    if not as_json and not console().is_terminal:
        raise Invalid("--watch draws on a terminal, and this is none; add --json for a program.")
    try:
        in_house(lambda house: _go_on(house, symbols, exchange, as_json=as_json))
    except KeyboardInterrupt:
        sys.exit(0)  # that is how one stops it


async def _go_on(house: House, symbols: list[str], exchange: str | None, *, as_json: bool) -> None:
    instruments = await instruments_named(house, symbols, exchange)
    await house.revisions.look()
    house.revisions.start()  # so that the calendar is not read anew with every price
    with house.quotes.subscribe("terminal", instruments) as subscription:
        async with prices_come_in(house):
            if as_json:
                named = {it.id: it for it in instruments}
                while True:
                    for quote in (await subscription.news()).quotes:
                        line = told(named[quote.instrument_id], quote, house.clock())
                        typer.echo(json.dumps(line, ensure_ascii=False))
            await _draw(house, instruments)


async def _draw(house: House, instruments: list[Instrument]) -> None:
    from rich.console import Group  # noqa: PLC0415 - for who looks at a table
    from rich.live import Live  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    with Live(console=console(), auto_refresh=False) as live:
        while True:
            found = await house.quotes.quotes(instruments)
            priced = [(it, found.get(it.id)) for it in instruments]
            below = f"{warning(sources_of(priced))} Ctrl-C ends it.".strip()
            live.update(Group(price_table(priced, house.clock()), Text(below, "dim")), refresh=True)
            await asyncio.sleep(REDRAWN_EVERY_S)


@app.command()
def watch(
    symbols: Annotated[list[str], typer.Argument(help="RELIANCE, NIFTY, NIFTY24NOV2626000CE, ...")],
    *,
    exchange: Exchange = None,
    as_json: AsJson = False,
) -> None:
    """Show what things cost, and go on; Ctrl-C ends it. With --json a line for each change."""
    _watch(symbols, exchange, depth=False, as_json=as_json)


@app.command()
def history(
    symbol: str,
    *,
    exchange: Exchange = None,
    interval: Annotated[str, typer.Option("--interval", help="1m 3m 5m 10m 15m 30m 1h D")] = "D",
    since: Annotated[
        str | None, typer.Option("--from", help="2026-11-20; without it, today.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="The last day, itself included; without it, today.")
    ] = None,
    as_csv: Annotated[bool, typer.Option("--csv", help="Answer in CSV, for spreadsheets.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show what something cost before: candles the oldest first."""
    from bahi.quotes.model.candles import parse_interval  # noqa: PLC0415 - for who asks

    wanted = parse_interval(interval)

    async def look(house: House) -> tuple[tuple[Candle, ...], str]:
        (instrument,) = await instruments_named(house, [symbol], exchange)
        today = exchange_day(house.clock())
        first, last = _midnight(day_of(since) or today), _midnight(day_of(until) or today)
        if first > last:
            raise Invalid("--from comes after --to; give the earlier day first.")
        end = last + timedelta(days=1, microseconds=-1)
        return await house.quotes.history(instrument, wanted, first, end), house.quotes.source

    candles, source = in_house(look)
    rows = [told_candle(it) for it in candles]
    both = list(zip(candles, rows, strict=True))
    if as_json:
        show_json(rows)
        return
    names = ("at", "open", "high", "low", "close", "volume", "open_interest")
    if as_csv:
        lines = csv.writer(sys.stdout, lineterminator="\n")
        lines.writerows([names, *([row[name] for name in names] for row in rows)])
    else:
        shown = [cells(when(it.at), *(row[name] for name in names[1:])) for it, row in both]
        show_table(("at (IST)", *names[1:6], "open interest"), shown)
    if not candles:
        say("Nothing is known of these days: the market was closed, or nobody followed it.")
    elif line := warning({source}):
        say(line)


def _midnight(day: date) -> datetime:
    if day.year not in YEARS:
        raise Invalid(f"{day} is no day of this century; write one like 2026-11-24.")
    return datetime.combine(day, time(), IST)
