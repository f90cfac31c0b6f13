"""What may not be traded freely: bans and surveillance, by dated lists and by series.

Of each list the newest that has begun holds. Whoever is on one may always be exited.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.errors import Invalid
from bahi.kernel.words import EQUITY, Product, Segment

LINES_AT_MOST: Final = 20_000
SYMBOL: Final = re.compile(r"[A-Z0-9][A-Z0-9&_.-]{0,39}")
DERIVATIVES: Final = frozenset({Segment.NSE_FNO, Segment.BSE_FNO})
TRADE_TO_TRADE: Final = frozenset({"BE", "BZ"})
"""Series of shares that are delivered trade by trade."""
HEADINGS: Final = ("symbol", "security", "scrip", "symbol name", "underlying")


class ListName(StrEnum):
    """Which list."""

    FNO_BAN = "FNO_BAN"
    ASM = "ASM"
    GSM = "GSM"
    TRADE_TO_TRADE = "TRADE_TO_TRADE"
    NOT_INTRADAY = "NOT_INTRADAY"
    NOT_MTF = "NOT_MTF"


class KeptOff(NamedTuple):
    """Why an instrument may not be entered as some products."""

    products: frozenset[Product]
    why: str


_ALL: Final = frozenset(Product)
_OF_A_DAY: Final = frozenset({Product.INTRADAY, Product.CO, Product.BO})
_FOR_DELIVERY: Final = _OF_A_DAY | {Product.MTF}
_RULES: Final[Mapping[ListName, KeptOff]] = {
    ListName.FNO_BAN: KeptOff(_ALL, "it is in the F&O ban; what is open may only be closed"),
    ListName.ASM: KeptOff(_FOR_DELIVERY, "it is under additional surveillance (ASM); ask for CNC"),
    ListName.GSM: KeptOff(_FOR_DELIVERY, "it is under graded surveillance (GSM); ask for CNC"),
    ListName.TRADE_TO_TRADE: KeptOff(_OF_A_DAY, "it is traded for delivery only; ask for CNC"),
    ListName.NOT_INTRADAY: KeptOff(_OF_A_DAY, "it is not for INTRADAY; ask for CNC"),
    ListName.NOT_MTF: KeptOff(frozenset({Product.MTF}), "it is not for MTF; ask for CNC"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedList:
    """One list as it holds from a day on, and who says so."""

    id: int = 0
    name: ListName
    since: date
    source: str
    symbols: frozenset[str]
    loaded_at: datetime | None = None

    def checked(self) -> DatedList:
        """Return it, or say what would be right."""
        if not self.source.strip():
            raise Invalid("source: say who published the list.")
        for symbol in sorted(self.symbols):
            if not SYMBOL.fullmatch(symbol):
                raise Invalid(f"symbols: {symbol[:40]!r} is no symbol; write it as SBIN.")
        return self


Lists = Mapping[ListName, DatedList]


def in_force(every: Iterable[DatedList], day: date) -> dict[ListName, DatedList]:
    """Return of each list the one that holds on a day; of two of a day the later loaded."""
    begun = (it for it in every if it.since <= day)
    return {it.name: it for it in sorted(begun, key=lambda it: (it.since, it.id))}


def kept_off(it: Instrument, lists: Lists) -> tuple[KeptOff, ...]:
    """Return why an instrument may not be entered, and as what."""
    found = []
    for name, of in lists.items():
        if it.segment in DERIVATIVES:
            concerned = name is ListName.FNO_BAN and it.root in of.symbols
        else:
            is_share = it.segment in EQUITY and name is not ListName.FNO_BAN
            concerned = is_share and it.symbol in of.symbols
        if concerned:
            products, why = _RULES[name]
            found.append(KeptOff(products, f"{why} ({of.source}, {of.since})"))
    if it.segment in EQUITY and it.series in TRADE_TO_TRADE:
        products, why = _RULES[ListName.TRADE_TO_TRADE]
        found.append(KeptOff(products, f"{why} (series {it.series})"))
    return tuple(found)


def read_csv(text: str) -> frozenset[str]:
    """Read the symbols of a list as exchanges publish it: by its heading, or numbered names."""
    lines = [[cell.strip() for cell in line] for line in csv.reader(text.splitlines())]
    if len(lines) > LINES_AT_MOST:
        raise Invalid(f"The list has {len(lines)} lines; at most {LINES_AT_MOST} are read.")
    column: int | None = None
    found: set[str] = set()
    for number, line in enumerate(lines, 1):
        heads = [cell.lower() for cell in line]
        place = next((heads.index(name) for name in HEADINGS if name in heads), None)
        if column is None and place is not None:
            column = place
        elif any(line) and (cell := _symbol_in(line, column)) is not None:
            if not SYMBOL.fullmatch(cell):
                raise Invalid(f"line {number}: {cell[:40]!r} is no symbol; write it as SBIN.")
            found.add(cell)
    says_more = any(any(line) and line != ["NIL"] for line in lines[1:])
    if not found and column is None and says_more:
        raise Invalid("No symbol was found; have a column named SYMBOL, or lines of `1,SBIN`.")
    return frozenset(found)


def _symbol_in(line: list[str], column: int | None) -> str | None:
    """Return the symbol of a line; a line that only says something has none."""
    if column is not None:
        return line[column].upper() if column < len(line) else None
    if len(line) > 1 and line[0].isdecimal():
        return line[1].upper()
    return None
