"""What a broker's instrument file says, line by line, in our words; and where two files differ."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from bahi.kernel.errors import BahiError
from bahi.kernel.money import Price
from bahi.kernel.words import InstrumentType, OptionType, Segment

LONGEST_REASON: Final = 120
MOVED_DAYS: Final = 10  # an exchange that moves its expiry day moves it by less


class NotAMaster(BahiError):
    """That is not the instrument file it should be."""

    code = "not_a_master"


class Listing(NamedTuple):
    """One line of a broker's instrument file; None and "" are what the file does not say.

    `lot_size` counts what the price is quoted for, so that price times quantity is rupees in every
    segment (a lot of GOLD is 100 times ten grams); `broker_lot` is what the broker's own orders
    count a lot as, where the file says it (1 where it counts whole lots).
    """

    line: int
    segment: Segment
    symbol: str
    broker_symbol: str
    security_id: str
    instrument_type: InstrumentType
    root: str = ""
    exchange_token: str = ""
    trading_symbol: str = ""
    name: str = ""
    series: str = ""
    isin: str = ""
    expiry: date | None = None
    strike: Price | None = None
    option_type: OptionType | None = None
    lot_size: int | None = None
    broker_lot: int | None = None
    tick_size: Price | None = None
    freeze_qty: int | None = None
    lower_band: Price | None = None
    upper_band: Price | None = None
    cas_eligible: bool | None = None


class Skipped(NamedTuple):
    """A line that is right and has no home here."""

    line: int
    segment: str
    reason: str


class BadLine(NamedTuple):
    """A line that cannot be right, and why."""

    line: int
    reason: str


Line = Listing | Skipped | BadLine
Lines = Iterator[Line]


class Difference(StrEnum):
    """Why two files say different things of one exchange token."""

    EXPIRED = "expired"  # one contract had ended, and the exchange used its token again
    ADJUSTED = "adjusted"  # terms that a corporate action or the exchange changed
    RENAMED = "renamed"  # the same thing by another name, or in another series
    UNIT = "unit"  # a factor of a hundred: one of the two was misread
    REUSED = "reused"  # nothing in common: the token was given on before its first bearer ended


class Disagreement(NamedTuple):
    """How one token differs between two files, and in which fields."""

    kind: Difference
    fields: tuple[str, ...]


def disagreement(ours: Listing, theirs: Listing, day: date) -> Disagreement | None:
    """Say how two listings of one segment and exchange token differ on a day; None: they agree.

    What either does not say is no difference. `day` is that of the later file.
    """
    fields = tuple(name for name, differs in _compared(ours, theirs) if differs)
    return Disagreement(_kind(ours, theirs, fields, day), fields) if fields else None


def _compared(ours: Listing, theirs: Listing) -> Iterator[tuple[str, bool]]:
    if ours.root or theirs.root:  # a contract: its symbol is its terms once more
        yield "root", ours.root != theirs.root
        yield "expiry", ours.expiry != theirs.expiry
        yield "strike", ours.strike != theirs.strike
        yield "option_type", ours.option_type != theirs.option_type
    else:
        yield "symbol", _bare(ours) != _bare(theirs)
        yield "series", ours.segment is Segment.NSE_EQ and _differ(ours.series, theirs.series)
        yield "isin", _differ(ours.isin, theirs.isin)
    yield "lot_size", _differ(ours.lot_size, theirs.lot_size)
    yield "tick_size", _differ(ours.tick_size, theirs.tick_size)


def _kind(ours: Listing, theirs: Listing, fields: tuple[str, ...], day: date) -> Difference:
    if _has_ended(ours, theirs, day):
        return Difference.EXPIRED
    if not set(fields) & {"root", "option_type", "symbol"} and _scaled(ours, theirs):
        return Difference.UNIT
    if ours.expiry and theirs.expiry:
        return _kind_of_contract(ours, theirs, fields)
    if "symbol" in fields and "isin" in fields:
        return Difference.REUSED
    return Difference.RENAMED if {"symbol", "series"} & set(fields) else Difference.ADJUSTED


def _kind_of_contract(ours: Listing, theirs: Listing, fields: tuple[str, ...]) -> Difference:
    if "option_type" in fields or not _near(ours.expiry, theirs.expiry):
        return Difference.REUSED
    if "root" not in fields:
        return Difference.ADJUSTED
    return Difference.REUSED if "strike" in fields else Difference.RENAMED


def _has_ended(ours: Listing, theirs: Listing, day: date) -> bool:
    if ours.expiry is None or theirs.expiry is None:
        return False
    return min(ours.expiry, theirs.expiry) < day and (
        ours.expiry != theirs.expiry or max(ours.expiry, theirs.expiry) < day
    )


def _near(one: date | None, other: date | None) -> bool:
    return one is not None and other is not None and abs((one - other).days) <= MOVED_DAYS


def _scaled(ours: Listing, theirs: Listing) -> bool:
    pairs: list[tuple[int | None, int | None]] = [
        (ours.strike, theirs.strike),
        (ours.tick_size, theirs.tick_size),
    ]
    if ours.root:  # of a security, an exchange does turn a lot of 100 into one of 1
        pairs.append((ours.lot_size, theirs.lot_size))
    return any(
        a and b and max(a, b) in (100 * min(a, b), 1000 * min(a, b), 10_000 * min(a, b))
        for a, b in pairs
    )


def _differ(one: object, other: object) -> bool:
    return one not in ("", None) and other not in ("", None) and one != other


def _bare(listing: Listing) -> str:
    return listing.symbol.removesuffix(f"-{listing.series}") if listing.series else listing.symbol
