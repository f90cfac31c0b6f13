"""Prices as lines of a file: how they are written down, and read again exactly.

    at, exchange, symbol, last, open, high, low, previous_close, volume, open_interest, bids, asks

`at` is an instant (2026-11-20T09:15:00.250+05:30; without a zone it is India's time), prices are
rupees, and a side of the book is `price:quantity:orders` parted by spaces, the best price first.
Only the first four have to be there; what is empty is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, NamedTuple

from bahi.kernel.clock import IST
from bahi.kernel.errors import BahiError, Invalid
from bahi.kernel.money import Price, parse_price, plain
from bahi.kernel.ports import Level
from bahi.kernel.symbols import YEARS
from bahi.quotes.model.quote import DEPTH, Quote

COLUMNS: Final = (
    "at", "exchange", "symbol", "last", "open", "high", "low", "previous_close", "volume",
    "open_interest", "bids", "asks",
)  # fmt: skip
NEEDED: Final = COLUMNS[:4]
CELL_AT_MOST: Final = 400
COUNT_AT_MOST: Final = 18  # digits


class BadPrices(BahiError):
    """The file of prices cannot be used."""

    code = "bad_prices"


class Row(NamedTuple):
    """One line: whose price it is, and the price, which has no instrument's id yet."""

    exchange: str
    symbol: str
    quote: Quote


def written(exchange: str, symbol: str, quote: Quote) -> list[str]:
    """Write a price down, in the order of the columns."""
    return [
        quote.at.astimezone(IST).isoformat(),
        exchange,
        symbol,
        plain(quote.last),
        *(
            "" if it is None else plain(it)
            for it in (quote.open, quote.high, quote.low, quote.previous_close)
        ),
        *("" if it is None else str(it) for it in (quote.volume, quote.open_interest)),
        *(" ".join(map(_written_level, side)) for side in (quote.bids, quote.asks)),
    ]


def _written_level(level: Level) -> str:
    return f"{plain(level.price)}:{level.quantity}" + (
        "" if level.orders is None else f":{level.orders}"
    )


def read(cells: Mapping[str, str], source: str) -> Row:
    """Read a line; the column that cannot be right is named."""
    at = _instant(cells["at"])
    quote = Quote(
        instrument_id=0,
        last=parse_price(cells["last"], "last"),
        at=at,
        received_at=at,
        source=source,
        bids=_side(cells, "bids"),
        asks=_side(cells, "asks"),
        open=_price(cells, "open"),
        high=_price(cells, "high"),
        low=_price(cells, "low"),
        previous_close=_price(cells, "previous_close"),
        volume=_whole(cells, "volume"),
        open_interest=_whole(cells, "open_interest"),
    )
    if quote.last <= 0:
        raise Invalid(f"last: {cells['last'][:40]!r} is no price; it has to be above zero.")
    exchange, symbol = cells["exchange"].strip(), cells["symbol"].strip()
    if not exchange or not symbol:
        raise Invalid("exchange, symbol: one of them is empty.")
    return Row(exchange, symbol, quote)


def _instant(text: str) -> datetime:
    with suppress(ValueError, OverflowError):  # the latter where a zone leads out of the calendar
        at = datetime.fromisoformat(text.strip())
        at = (at if at.tzinfo else at.replace(tzinfo=IST)).astimezone(UTC)
        if at.year in YEARS:
            return at
    raise Invalid(f"at: {text[:40]!r} is no time; write 2026-11-20T09:15:00+05:30.")


def _price(cells: Mapping[str, str], column: str) -> Price | None:
    said = cells.get(column) or ""
    return parse_price(said, column) if said else None


def _whole(cells: Mapping[str, str], column: str) -> int | None:
    said = cells.get(column) or ""
    if not said:
        return None
    if not _is_count(said):
        raise Invalid(f"{column}: {said[:40]!r} is no whole number.")
    return int(said)


def _is_count(said: str) -> bool:
    return said.isascii() and said.isdigit() and len(said) <= COUNT_AT_MOST


def _side(cells: Mapping[str, str], column: str) -> tuple[Level, ...]:
    said = cells.get(column) or ""
    if len(said) > CELL_AT_MOST:
        raise Invalid(f"{column}: it is longer than {CELL_AT_MOST} characters.")
    found = []
    for it in said.split()[:DEPTH]:
        price, *numbers = it.split(":")
        if not 1 <= len(numbers) <= 2 or not all(map(_is_count, numbers)):
            raise Invalid(f"{column}: {it[:40]!r} is no level; write price:quantity:orders.")
        at, (quantity, *orders) = parse_price(price, column), map(int, numbers)
        if at <= 0:
            raise Invalid(f"{column}: {it[:40]!r} has no price; it has to be above zero.")
        found.append(Level(at, quantity, orders[0] if orders else None))
    return tuple(found)
