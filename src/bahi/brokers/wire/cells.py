"""The words of an instrument file, each read exactly or refused with a sentence that names it.

Files repeat themselves: a few hundred dates and some thousand prices make a quarter of a million
lines, so each reader remembers what it read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from bahi.kernel.clock import exchange_day, from_micros
from bahi.kernel.errors import Invalid
from bahi.kernel.listings import LONGEST_REASON, BadLine, Lines, Listing, Skipped
from bahi.kernel.money import LARGEST, Price, parse_price
from bahi.kernel.symbols import MONTHS, YEARS
from bahi.kernel.words import InstrumentType, OptionType, Segment

REMEMBERED: Final = 1 << 15
LONGEST_TEXT: Final = 200
LARGEST_COUNT: Final = 10**15  # of anything: units in a lot, a price in ten-thousandths
SHOWN: Final = 24  # characters of a refused value that its reason repeats

COUNTED_IN_UNITS: Final = (Segment.NSE_FNO, Segment.BSE_FNO)
"""Where a broker's lot is what the price is quoted for; elsewhere it counts lots, or tonnes."""

_NUMBER: Final = re.compile(r"-?\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?", re.ASCII)
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d)?", re.ASCII)
_WORDED: Final = re.compile(r"(\d\d)-([A-Za-z]{3})-(\d\d|\d{4})", re.ASCII)
_TEST: Final = re.compile(r"\w{0,4}[NB]SETEST", re.ASCII)
_ISIN: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d", re.ASCII)
_PAIR: Final = re.compile(r"[A-Z]{6}", re.ASCII)
_MILLISECOND_DIGITS: Final = 13  # to the year 2286


class Unreadable(Exception):
    """A cell that cannot be right; it never leaves the reader, and becomes a BadLine."""


class NotOurs(Exception):
    """A line without a home here; it never leaves the reader, and becomes a Skipped."""

    def __init__(self, segment: str, reason: str) -> None:
        super().__init__(reason)
        self.segment = segment


def told(line: int, read: Callable[..., Listing], *given: Any) -> Listing | Skipped | BadLine:
    """Read one line, and say why where that cannot be done."""
    try:
        return _sound(read(line, *given))
    except NotOurs as other:
        return Skipped(line, other.segment[:SHOWN], str(other))
    except (Unreadable, Invalid) as wrong:
        return BadLine(line, shortened(str(wrong)))


def _sound(listing: Listing) -> Listing:
    """Refuse what no store, page or terminal should be handed: a NUL, an escape, a whole book."""
    texts = (
        listing.name, listing.symbol, listing.broker_symbol, listing.security_id,
        listing.trading_symbol, listing.root,
    )  # fmt: skip
    if not "".join(texts).isprintable():
        raise Unreadable("a name or symbol has characters that cannot be shown.")
    if max(map(len, texts)) > LONGEST_TEXT:
        raise Unreadable(f"a name or symbol is longer than {LONGEST_TEXT} characters.")
    counts = (listing.lot_size, listing.broker_lot, listing.freeze_qty, listing.strike)
    if max(count or 0 for count in counts) > LARGEST_COUNT:
        raise Unreadable("a count or strike is larger than anything that is listed.")
    return listing


def shortened(reason: str) -> str:
    """Keep a reason to its bound."""
    return reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 3]}..."


@lru_cache(maxsize=REMEMBERED)
def rupees(column: str, text: str) -> Price:
    """Read a price in rupees."""
    try:
        return parse_price(_decimal(column, text))
    except Invalid:
        raise _unreadable(column, text, "no price of at most four decimals") from None


@lru_cache(maxsize=REMEMBERED)
def paise(column: str, text: str) -> Price:
    """Read a price in paise: `0.25` of a currency is 0.0025 rupees."""
    price, rest = divmod(rupees(column, text), 100)
    if rest:
        raise _unreadable(column, text, "no price in paise of at most two decimals")
    return Price(price)


def tick(column: str, text: str, unit: Callable[[str, str], Price] = rupees) -> Price | None:
    """Read the step of a price; none where the file leaves it empty or at zero."""
    step = unit(column, text) if text else 0
    if step < 0:
        raise _unreadable(column, text, "no step of a price")
    return Price(step) or None


def band(column: str, text: str) -> Price | None:
    """Read the end of a price band; none where the file leaves it empty or at zero."""
    return tick(column, text)


@lru_cache(maxsize=REMEMBERED)
def units(column: str, text: str) -> int | None:
    """Read a count such as `3750.0`; none where the file leaves it empty or at zero."""
    if not text:
        return None
    count = _decimal(column, text)
    if count < 0 or count.adjusted() > len(str(LARGEST)) or count != int(count):
        raise _unreadable(column, text, "no whole number")
    return int(count) or None


def strike(column: str, text: str, right: OptionType | None) -> Price | None:
    """Read a strike; of a future it is empty, zero, or the -0.01 that some files put there."""
    price = rupees(column, text) if text else Price(0)
    if right is None:
        if price not in (0, -100):
            raise _unreadable(column, text, "a strike on what is no option")
        return None
    if price <= 0:
        raise _unreadable(column, text, "no strike of an option")
    return price


@lru_cache(maxsize=REMEMBERED)
def iso_day(column: str, text: str) -> date:
    """Read `2026-02-24`, or the day of `2026-02-24 14:30:00`."""
    if _ISO.fullmatch(text):
        try:
            return _in_reach(column, text, date.fromisoformat(text[:10]))
        except ValueError:
            pass  # the 30th of February: said below
    raise _unreadable(column, text, "no day like 2026-02-24")


@lru_cache(maxsize=REMEMBERED)
def worded_day(column: str, text: str) -> date:
    """Read `29-Sep-2026` or `29-SEP-26`."""
    if found := _WORDED.fullmatch(text):
        day, month, year = found.groups()
        try:
            whole = int(year) + (2000 if len(year) == 2 else 0)
            return _in_reach(column, text, date(whole, MONTHS.index(month.upper()) + 1, int(day)))
        except ValueError:
            pass  # no such month or day: said below
    raise _unreadable(column, text, "no day like 29-Sep-2026")


@lru_cache(maxsize=REMEMBERED)
def epoch_day(column: str, text: str) -> date:
    """Read milliseconds since 1970 as the day that they fall on at the exchange."""
    if text.isascii() and text.isdigit() and len(text) <= _MILLISECOND_DIGITS:
        return _in_reach(column, text, exchange_day(from_micros(int(text) * 1000)))
    raise _unreadable(column, text, "no milliseconds since 1970")


def number_of(column: str, text: str) -> str:
    """Read the exchange's own number of an instrument."""
    if text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0:
        return text
    raise _unreadable(column, text, "no number that an exchange gives")


def isin_of(text: str) -> str:
    """Read an ISIN; nothing where the file has a dummy or a slip of the pen."""
    return text if _ISIN.fullmatch(text) else ""


def right_of(column: str, text: str) -> OptionType:
    """Read which right an option gives."""
    if text == "CE":
        return OptionType.CE
    if text == "PE":
        return OptionType.PE
    raise _unreadable(column, text, "neither CE nor PE")


def kind_of(segment: Segment, *, option: bool, index: bool, root: str) -> InstrumentType:
    """Say what kind of contract this is, by where it trades and what it stands on."""
    if segment in (Segment.NSE_CURRENCY, Segment.BSE_CURRENCY):
        what = "CUR" if _PAIR.fullmatch(root) else "IRC"
    elif index:
        what = "IDX"
    elif segment is Segment.MCX_COMM:
        what = "FUT" if option else "COM"
    else:
        what = "STK"
    return InstrumentType(("OPT" if option else "FUT") + what)


def refuse_test(segment: str, name: str) -> None:
    """Skip what an exchange lists only to test its systems: 011NSETEST."""
    if "SETEST" in name and _TEST.fullmatch(name):
        raise NotOurs(segment, "a test of the exchange's systems")


def unknown(column: str, text: str) -> Unreadable:
    """Make the reason for a word that nobody knows."""
    return _unreadable(column, text, "not known here")


def one_each(lines: Lines, rank: Callable[[Listing], Any]) -> Lines:
    """Give a symbol that several lines bear to the one that ranks first; the others are skipped.

    Holds all of them until the last was read: for a cash segment, never for a whole file.
    """
    bearers: dict[str, Listing] = {}
    rest: list[Skipped | BadLine] = []
    for line in lines:
        if not isinstance(line, Listing):
            rest.append(line)
            continue
        other = bearers.setdefault(line.symbol, line)
        if other is not line:
            bearers[line.symbol], last = sorted((line, other), key=rank)
            rest.append(Skipped(last.line, last.segment, "another line bears its symbol"))
    return chain(bearers.values(), rest)


def _decimal(column: str, text: str) -> Decimal:
    if len(text) <= 40 and _NUMBER.fullmatch(text):
        return Decimal(text)
    raise _unreadable(column, text, "no number")


def _in_reach(column: str, text: str, day: date) -> date:
    if day.year in YEARS:
        return day
    raise _unreadable(column, text, "no day of this century")


def _unreadable(column: str, text: object, what: str) -> Unreadable:
    shown = repr(text)
    shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
    return Unreadable(f"{column}: {shown} is {what}.")
