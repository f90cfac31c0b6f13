"""Canonical symbols, written in this one place, as OpenAlgo writes them: NIFTY28OCT2526000CE."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple

from bahi.kernel.errors import Invalid
from bahi.kernel.money import SCALE, Price
from bahi.kernel.words import OptionType, Segment

MONTHS: Final = (
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"
)  # fmt: skip
LONGEST: Final = 48
YEARS: Final = range(2000, 2100)  # a symbol has room for two digits of the year

_WHOLE: Final = "EQ"  # the series that a bare NSE symbol is of
_PLAIN: Final = re.compile(r"[A-Z0-9][!-~]*", re.ASCII)
_ALNUM: Final = re.compile(r"[^A-Z0-9]")
_CONTRACT: Final = re.compile(
    rf"(?P<root>.+)(?P<day>\d\d)(?P<month>{'|'.join(MONTHS)})(?P<year>\d\d)"
    r"(?:FUT|(?P<rupees>[1-9]\d*|0)(?:\.(?P<decimals>\d{0,3}[1-9]))?(?P<right>CE|PE))",
    re.ASCII,
)
_SPACED: Final = re.compile(
    rf"(?P<root>\S+) (?:(?P<strike>[\d.]*) )?(?P<what>FUT|CE|PE)"
    rf" (?P<day>\d\d) (?P<month>{'|'.join(MONTHS)}) (?P<year>\d\d)",
    re.ASCII,
)
_WEEKLY_MONTHS: Final = "123456789OND"  # how an exchange writes the month of a weekly contract

_INDEX_NAMES: Final = {
    "NIFTY50": "NIFTY",
    "NIFTYBANK": "BANKNIFTY",
    "NIFTYFINSERVICE": "FINNIFTY",
    "NIFTYFINANCIAL": "FINNIFTY",
    "NIFTYFINANCIALSERVICES": "FINNIFTY",
    "NIFTYMIDSELECT": "MIDCPNIFTY",
    "NIFTYMIDCAPSELECT": "MIDCPNIFTY",
    "NIFTYNEXT50": "NIFTYNXT50",
    "NIFTYFPI150": "NIFTYFPI",
    "NIFTYMCAP50": "NIFTYMIDCAP50",
    "NIFTYMID100FREE": "NIFTYMIDCAP100",
    "BSESENSEX": "SENSEX",
    "BSEBANKEX": "BANKEX",
    "SNSX50": "SENSEX50",
    "BSESENSEX50": "SENSEX50",
}
_INDEX_ROOTS: Final = frozenset(
    {"BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "SENSEX", "SENSEX50", "BANKEX", "FOCIT", "MCXBULLDEX",
     "MCXMETLDEX", "MCXENRGDEX"}
)  # fmt: skip


class Contract(NamedTuple):
    """What the symbol of a derivative says; a future has neither strike nor right."""

    root: str
    expiry: date
    strike: Price | None = None
    right: OptionType | None = None


def equity(symbol: str, series: str, segment: Segment = Segment.NSE_EQ) -> str:
    """Name a security: bare in NSE's series EQ and at BSE, else with its series (`RELIANCE-T0`)."""
    name = _checked(symbol.replace(" ", "").upper())  # BSE has a few such: `12 MFLS3`
    if segment is not Segment.NSE_EQ or series in ("", _WHOLE):
        return name
    return _checked(f"{name}-{series}")


def index(name: str) -> str:
    """Name an index by what a broker calls it: `NIFTY 50` is NIFTY, `Nifty IT` is NIFTYIT."""
    squeezed = _ALNUM.sub("", name.upper())
    return _checked(_INDEX_NAMES.get(squeezed, squeezed))


def future(root: str, expiry: date) -> str:
    """Name a future: NIFTY28OCT25FUT."""
    return _checked(f"{_root(root)}{dated(expiry)}FUT")


def option(root: str, expiry: date, strike: Price, right: OptionType) -> str:
    """Name an option: NIFTY28OCT2526000CE, USDINR28MAR2582.25CE."""
    return _checked(f"{_root(root)}{dated(expiry)}{strike_text(strike)}{right}")


def contract(root: str, expiry: date, strike: Price | None, right: OptionType | None) -> str:
    """Name a future, or an option where there are a strike and a right."""
    if strike is None or right is None:
        return future(root, expiry)
    return option(root, expiry, strike, right)


def parse(symbol: str) -> Contract | None:
    """Read the symbol of a derivative back; None for one that names no contract."""
    found = _CONTRACT.fullmatch(symbol)
    if found is None:
        return None
    day, month, year = found["day"], MONTHS.index(found["month"]) + 1, found["year"]
    try:
        expiry = date(2000 + int(year), month, int(day))
    except ValueError:
        return None  # a day that no calendar has: no contract
    if found["right"] is None:
        return Contract(found["root"], expiry)
    decimals = (found["decimals"] or "").ljust(4, "0")
    strike = Price(int(found["rupees"]) * SCALE + int(decimals))
    return Contract(found["root"], expiry, strike, OptionType(found["right"])) if strike else None


@lru_cache(maxsize=16_384)
def spaced(symbol: str) -> str:
    """Write a symbol as a person reads it: `NIFTY 26000 CE 28 OCT 25`; a share's as it is."""
    it = parse(symbol)
    if it is None:
        return symbol
    what = "FUT" if it.strike is None else f"{strike_text(it.strike)} {it.right}"
    ends = f"{it.expiry.day:02d} {MONTHS[it.expiry.month - 1]} {it.expiry.year % 100:02d}"
    return f"{it.root} {what} {ends}"


def unspaced(words: str) -> str:
    """Return the symbol that words mean which are written so; other words as they are."""
    found = _SPACED.fullmatch(words)
    if found is None:
        return words
    said = found.groupdict(default="")
    return "".join(said[part] for part in ("root", "day", "month", "year", "strike", "what"))


def root_of(
    written: str, expiry: date, strike: Price | None = None, right: OptionType | None = None
) -> str | None:
    """Return the root of a contract as an exchange writes it, or None where its terms say else.

    A monthly one is NIFTY25SEP25000CE, a weekly one NIFTY25O0725000CE or NIFTY2590925000CE.
    """
    tail = "FUT" if strike is None or right is None else f"{strike_text(strike)}{right}"
    for middle in _middles(expiry):
        if len(written) > len(middle) + len(tail) and written.endswith(middle + tail):
            return written[: -len(middle) - len(tail)]
    return None


def is_index(root: str) -> bool:
    """Say whether contracts on this root settle on an index."""
    return root in _INDEX_ROOTS or root.startswith("NIFTY")


@lru_cache(maxsize=1024)
def dated(expiry: date) -> str:
    """Write an expiry as symbols do: 28OCT25."""
    if expiry.year not in YEARS:
        raise Invalid(f"expiry: {expiry} cannot stand in a symbol; years are 2000 to 2099.")
    return f"{expiry.day:02d}{MONTHS[expiry.month - 1]}{expiry.year % 100:02d}"


@lru_cache(maxsize=16_384)
def strike_text(strike: Price) -> str:
    """Write a strike without zeros at its end: 26000, 82.25."""
    if strike <= 0:
        raise Invalid(f"strike: {strike} cannot stand in a symbol; a strike is above zero.")
    rupees, decimals = divmod(strike, SCALE)
    return f"{rupees}.{decimals:04d}".rstrip("0") if decimals else str(rupees)


@lru_cache(maxsize=1024)
def _middles(expiry: date) -> tuple[str, str]:
    year = f"{expiry.year % 100:02d}"
    month = expiry.month - 1
    return f"{year}{MONTHS[month]}", f"{year}{_WEEKLY_MONTHS[month]}{expiry.day:02d}"


@lru_cache(maxsize=4096)
def _root(root: str) -> str:
    if not root or "." in root:  # NIFTY.5 would read as another root and strike
        raise Invalid(f"root: {root[:40]!r} cannot begin the symbol of a contract.")
    return root


def _checked(symbol: str) -> str:
    if len(symbol) <= LONGEST and _PLAIN.fullmatch(symbol) and symbol == symbol.upper():
        return symbol
    raise Invalid(
        f"symbol: {symbol[:40]!r} cannot be one; symbols are up to {LONGEST} capitals, digits and"
        " marks without a space."
    )
