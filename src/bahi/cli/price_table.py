"""How prices are shown: a table for people, exact text for programs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import typer

from bahi.cli.named import cells
from bahi.cli.terminal import show_table
from bahi.kernel.clock import IST
from bahi.kernel.money import grouped, plain

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table
    from rich.text import Text

    from bahi.instruments.model.instrument import Instrument
    from bahi.kernel.ports import Level
    from bahi.quotes.model.candles import Candle
    from bahi.quotes.model.quote import Quote

    Priced = list[tuple[Instrument, Quote | None]]

PIPED_WIDTH: Final = 200
"""Columns where there is no terminal: enough that no line is folded."""
HEADINGS: Final = (
    "symbol", "at", "last", "change", "%", "bid", "ask", "volume", "age", "source",
)  # fmt: skip
IN_NUMBERS: Final = HEADINGS[2:-1]
LEFT_OUT: Final = ("volume", "change", "at", "bid", "ask", "%")
"""What a narrow terminal does without, in this order; a price has its age and source always."""
SHORTENED: Final = "symbol"
SHORTEST: Final = 6
GAP: Final = 1


def console() -> Console:
    """Make where a table is drawn: a terminal, or a pipe that folds no line."""
    from rich.console import Console  # noqa: PLC0415 - for who looks at a table

    made = Console(markup=False, highlight=False, emoji=False)
    if not made.is_terminal:
        made.width = PIPED_WIDTH
    return made


class PriceTable:
    """Prices as a table, one line each; where it is narrow, columns are left out, none is cut."""

    def __init__(self, priced: Priced, now: datetime) -> None:
        self._rows = [_row(it, quote, now) for it, quote in priced]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw it in the width that there is at the moment."""
        yield self.within(options.max_width)

    def within(self, width: int) -> Table:
        """Return the table in so many columns; a symbol is shortened where nothing else helps."""
        from rich.table import Table  # noqa: PLC0415 - for who looks at a table

        shown = self._fitting(width)
        others = sum(self._width(it) + GAP for it in shown if it != SHORTENED)
        table = Table(box=None, padding=(0, GAP, 0, 0), header_style="bold", pad_edge=False)
        for heading in shown:
            is_number = heading in IN_NUMBERS
            table.add_column(
                heading,
                justify="right" if is_number else "left",
                no_wrap=True,
                max_width=max(SHORTEST, width - others) if heading == SHORTENED else None,
            )
        for row in self._rows:
            table.add_row(*(row[it] for it in shown))
        return table

    def _fitting(self, width: int) -> list[str]:
        shown = list(HEADINGS)
        for heading in LEFT_OUT:
            if sum(self._width(it) + GAP for it in shown) - GAP <= width:
                break
            shown.remove(heading)
        return shown

    def _width(self, heading: str) -> int:
        return max(len(heading), *(row[heading].cell_len for row in self._rows), 0)


def price_table(priced: Priced, now: datetime) -> PriceTable:
    """Lay prices out; how far each moved has a sign as well as a colour."""
    return PriceTable(priced, now)


def _row(it: Instrument, quote: Quote | None, now: datetime) -> dict[str, Text]:
    from rich.text import Text  # noqa: PLC0415 - for who looks at a table

    from bahi.quotes.model.quote import told_age  # noqa: PLC0415

    row = dict.fromkeys(HEADINGS, Text())
    row |= {"symbol": Text(it.symbol), "at": Text(it.exchange), "last": Text("no price")}
    if quote is None:
        return row
    change, percent, colour = _changed(quote)
    return row | {
        "last": Text(grouped(quote.last), "bold"),
        "change": Text(change, colour),
        "%": Text(percent, colour),
        "bid": Text(_amount(quote.bid)),
        "ask": Text(_amount(quote.ask)),
        "volume": Text("" if quote.volume is None else f"{quote.volume:,}"),
        "age": Text(told_age(quote.age(now))),
        "source": Text(quote.source, "yellow" if quote.is_simulated else ""),
    }


def _changed(quote: Quote) -> tuple[str, str, str]:
    """Write how far it moved since the previous close, with a sign for who sees no colours."""
    change, before = _change(quote), quote.previous_close
    if change is None or not before:
        return "", "", ""
    colour = "green" if change > 0 else "red" if change < 0 else ""
    sign = "+" if change > 0 else ""
    return f"{sign}{grouped(change)}", f"{sign}{100 * change / before:.2f}%", colour


def _change(quote: Quote) -> int | None:
    return None if quote.previous_close is None else quote.last - quote.previous_close


def show_depth(it: Instrument, quote: Quote | None) -> None:
    """Show an order book, the best prices first, or say why there is none."""
    typer.echo(f"\n{it.symbol} ({it.exchange})")
    if quote is None or not (quote.bids or quote.asks):
        why = "an index has none" if not it.is_tradable else "nobody bids or offers now"
        typer.echo(f"no order book: {why}")
        return
    rows = []
    for n in range(max(len(quote.bids), len(quote.asks))):
        bid, ask = (_level(side[n : n + 1]) for side in (quote.bids, quote.asks))
        rows.append((*bid, *reversed(ask)))
    show_table(("orders", "quantity", "bid", "ask", "quantity", "orders"), rows)


def _level(side: tuple[Level, ...]) -> tuple[str, ...]:
    for it in side:
        return cells(it.orders, f"{it.quantity:,}", grouped(it.price))
    return cells(None, None, None)


def sources_of(priced: Priced) -> set[str]:
    """Return who told some prices."""
    return {quote.source for _, quote in priced if quote is not None}


def warning(sources: set[str]) -> str:
    """Say that prices are simulated, where they are; else nothing."""
    from bahi.quotes.model.quote import SIMULATED  # noqa: PLC0415 - for who asks

    if SIMULATED not in sources:
        return ""
    return "These prices are simulated: no market made them. BAHI_MARKET says where they come from."


def _amount(price: int | None) -> str:
    return "" if price is None else grouped(price)


def _rupees(price: int | None) -> str | None:
    return None if price is None else plain(price)


def told(it: Instrument, quote: Quote | None, now: datetime) -> dict[str, Any]:
    """Tell a program: prices as exact text, what is not known as null."""
    named = {"symbol": it.symbol, "exchange": it.exchange}
    if quote is None:
        return {**named, "last": None}
    change, before = _change(quote), quote.previous_close
    return {
        **named,
        "last": plain(quote.last),
        "change": _rupees(change),
        "change_percent": None if change is None or not before else round(100 * change / before, 2),
        "open": _rupees(quote.open),
        "high": _rupees(quote.high),
        "low": _rupees(quote.low),
        "previous_close": _rupees(before),
        "bid": _rupees(quote.bid),
        "ask": _rupees(quote.ask),
        "volume": quote.volume,
        "open_interest": quote.open_interest,
        "at": quote.at.astimezone(IST).isoformat(),
        "age_s": round(quote.age(now).total_seconds(), 3),
        "source": quote.source,
        "is_simulated": quote.is_simulated,
        "bids": [_of_level(level) for level in quote.bids],
        "asks": [_of_level(level) for level in quote.asks],
    }


def _of_level(it: Level) -> dict[str, Any]:
    return {"price": plain(it.price), "quantity": it.quantity, "orders": it.orders}


def told_candle(it: Candle) -> dict[str, Any]:
    """Tell a program of a candle."""
    return {
        "at": it.at.astimezone(IST).isoformat(),
        "open": plain(it.open),
        "high": plain(it.high),
        "low": plain(it.low),
        "close": plain(it.close),
        "volume": it.volume,
        "open_interest": it.open_interest,
    }
