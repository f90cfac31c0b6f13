"""ICICI Breeze's security master: a zip of one text for each exchange's part."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date
from typing import BinaryIO, Final, NamedTuple

from bahi.brokers import wire
from bahi.brokers.wire import member_of, refused, rows, zip_of
from bahi.kernel import symbols
from bahi.kernel.listings import BadLine, Line, Lines, Listing
from bahi.kernel.money import Price
from bahi.kernel.words import InstrumentType, OptionType, Segment

cells = wire.cells

EXPECTED: Final = "ICICI Breeze's security master"

SECURITIES: Final = ("Token", "ShortName", "Series", "CompanyName", "ISINCode", "ExchangeCode")
CONTRACTS: Final = (
    "Token",
    "InstrumentName",
    "ShortName",
    "CompanyName",
    "ExpiryDate",
    "StrikePrice",
    "OptionType",
    "LotSize",
    "TickSize",
    "LowPriceRange",
    "HighPriceRange",
    "ExchangeCode",
)
COMMODITIES: Final = (*CONTRACTS, "QuantityUnit", "PriceUnit")

SENSEX: Final = "SENSEX"  # stands in the place of its token
GRAMS: Final = {"GRMS": 1, "KGS": 1000, "MT": 1_000_000}
COMMODITY_INDICES: Final = ("FUTIDX", "OPTIDX")

_SCRIP_CODE: Final = re.compile(r"[1-9]\d{5}", re.ASCII)
_PRICE_UNIT: Final = re.compile(r"RS/(\d+)([A-Za-z]+)", re.ASCII)
_INDEX: Final = re.compile(r"NIFTY.*|INDIA VIX", re.IGNORECASE)

# ICICI writes an index in the place of its exchange code; this one shorter than anybody.
_ROOTS: Final = {"NIFTY MIDCAP": "MIDCPNIFTY"}


class BreezeMaster:
    """Fulfils Master for ICICI Breeze.

    Of securities the texts say neither lot nor tick: the lot is 1 on every line, even of those that
    trade in 100; NSE's tick is 0.01 on every line (Maruti's is 1.00), and BSE's column of that name
    holds the upper end of the price band.
    """

    addresses: tuple[str, ...] = (
        "https://directlink.icicidirect.com/NewSecurityMaster/SecurityMaster.zip",
    )

    def listings(self, file: BinaryIO) -> Lines:
        """Yield the lines of each text, numbered within it."""
        with zip_of(file, EXPECTED) as archive:
            names = archive.namelist()
            if missing := [name for name in PARTS if name not in names]:
                raise refused(EXPECTED, f"the zip holds no {', '.join(missing)}")
            for name, (columns, segment, read) in PARTS.items():
                with member_of(archive, name, EXPECTED) as text:
                    # The texts end without a line's end; the zip's checksum says they are whole.
                    lines = rows(text, f"{name} of {EXPECTED}", columns, may_end_open=True)
                    told: Lines = (
                        _named(name, BadLine(line, fault))
                        if fault
                        else _named(name, cells.told(line, read, segment, row))
                        for line, row, fault in lines
                    )
                    if segment is Segment.BSE_EQ:
                        told = cells.one_each(told, _youngest_first)
                    yield from told


def _named(name: str, told: Line) -> Line:
    if isinstance(told, BadLine):
        return BadLine(told.line, cells.shortened(f"{name}: {told.reason}"))
    return told


def _youngest_first(listing: Listing) -> tuple[bool, int]:
    """Rank who bears a symbol that BSE gave again: shares before bonds, then the latest code."""
    return listing.isin[7:9] != "01", -int(listing.security_id or 0)


def _of_nse(line: int, segment: Segment, row: Sequence[str]) -> Listing:
    token, short, series, company, *_ = row
    if series in ("0", ""):
        if not _INDEX.fullmatch(token):
            raise cells.NotOurs("NSE_INDEX", "an index that NSE does not reckon")
        return _index(line, Segment.NSE_INDEX, token, short, company)
    if not token.isdigit() or token[0] == "0":
        raise cells.NotOurs(segment, "no token: not listed any more, or an offer for sale")
    return _security(line, segment, row)


def _of_bse(line: int, segment: Segment, row: Sequence[str]) -> Listing:
    token, short, _, company, _, code = row
    if token == SENSEX:
        return _index(line, Segment.BSE_INDEX, token, short, company)
    if not _SCRIP_CODE.fullmatch(token):
        raise cells.NotOurs(segment, "no scrip code of six digits: an offer for sale, or gone")
    if not code.strip():
        raise cells.NotOurs(segment, "no exchange code: not listed any more")
    return _security(line, segment, row)._replace(series="")  # DR and C: how it settles


def _index(line: int, segment: Segment, token: str, short: str, company: str) -> Listing:
    return Listing(
        line,
        segment,
        symbols.index(token),
        short,
        token,
        InstrumentType.INDEX,
        trading_symbol=token,
        name=company,
    )


def _security(line: int, segment: Segment, row: Sequence[str]) -> Listing:
    token, short, series, company, isin, code = row
    cells.refuse_test(segment, code)
    return Listing(
        line,
        segment,
        symbols.equity(code, series, segment),
        short,
        token,
        InstrumentType.EQUITY,
        exchange_token=cells.number_of("Token", token),
        trading_symbol=code,
        name=company,
        series=series,
        isin=cells.isin_of(isin),
    )


class _Terms(NamedTuple):
    """What a line says of its contract."""

    kind: str
    root: str
    expiry: date
    strike: Price | None
    right: OptionType | None


def _terms(row: Sequence[str]) -> _Terms:
    kind, expiry, strike, right_text, code = row[1], row[4], row[5], row[6], row[11]
    if kind[:3] not in ("FUT", "OPT"):
        raise cells.unknown("InstrumentName", kind)
    right = cells.right_of("OptionType", right_text) if kind[:3] == "OPT" else None
    if right is None and right_text not in ("", "XX"):
        raise cells.Unreadable(f"OptionType: {right_text[:12]!r} on a future.")
    return _Terms(
        kind,
        code,
        cells.worded_day("ExpiryDate", expiry),
        cells.strike("StrikePrice", strike, right),
        right,
    )


def _of_shares(line: int, segment: Segment, row: Sequence[str]) -> Listing:
    if row[1].startswith("UND"):
        raise cells.NotOurs(segment, "what contracts stand on, and no contract")
    terms = _terms(row)
    index = terms.kind[3:] in ("IDX", "IND")
    if index:
        terms = terms._replace(root=_ROOTS.get(terms.root) or symbols.index(terms.root))
    lot = cells.units("LotSize", row[7])
    return _contract(line, segment, row, terms, index=index, lot=lot)


def _of_currency(line: int, segment: Segment, row: Sequence[str]) -> Listing:
    if row[1].startswith("UND"):
        raise cells.NotOurs(segment, "what contracts stand on, and no contract")
    del line
    # No file with contracts was ever seen here; its ticks would be in rupees, as its rates are.
    raise cells.NotOurs(segment, "contracts of a text that was never seen with any")


def _of_commodities(line: int, segment: Segment, row: Sequence[str]) -> Listing:
    terms = _terms(row)
    index = terms.kind in COMMODITY_INDICES or symbols.is_index(terms.root)
    lot = _quoted_units(cells.units("LotSize", row[7]), row[12], row[13])
    return _contract(line, segment, row, terms, index=index, lot=lot)


def _quoted_units(lot: int | None, unit: str, price_unit: str) -> int | None:
    """Return how often what the price is for goes into a lot: 1 KGS at RS/10GRMS is 100."""
    found = _PRICE_UNIT.fullmatch(price_unit)
    if lot is None or found is None:
        return None
    per, quoted = int(found[1]), found[2]
    if unit != quoted:
        if unit not in GRAMS or quoted not in GRAMS:
            return None
        lot, per = lot * GRAMS[unit], per * GRAMS[quoted]
    return lot // per if per and lot % per == 0 else None


def _contract(
    line: int,
    segment: Segment,
    row: Sequence[str],
    terms: _Terms,
    *,
    index: bool,
    lot: int | None,
) -> Listing:
    cells.refuse_test(segment, terms.root)
    return Listing(
        line,
        segment,
        symbols.contract(terms.root, terms.expiry, terms.strike, terms.right),
        row[2],
        row[0],
        cells.kind_of(segment, option=terms.right is not None, index=index, root=terms.root),
        root=terms.root,
        exchange_token=cells.number_of("Token", row[0]),
        name=row[3],
        expiry=terms.expiry,
        strike=terms.strike,
        option_type=terms.right,
        lot_size=lot,
        broker_lot=cells.units("LotSize", row[7]),
        # Ticks are in paise beside strikes and bands in rupees.
        tick_size=cells.tick("TickSize", row[8], cells.paise),
        lower_band=cells.band("LowPriceRange", row[9]),
        upper_band=cells.band("HighPriceRange", row[10]),
    )


_Read = Callable[[int, Segment, Sequence[str]], Listing]

PARTS: Final[dict[str, tuple[tuple[str, ...], Segment, _Read]]] = {
    "NSEScripMaster.txt": (SECURITIES, Segment.NSE_EQ, _of_nse),
    "BSEScripMaster.txt": (SECURITIES, Segment.BSE_EQ, _of_bse),
    "FONSEScripMaster.txt": (CONTRACTS, Segment.NSE_FNO, _of_shares),
    "FOBSEScripMaster.txt": (CONTRACTS, Segment.BSE_FNO, _of_shares),
    "CDNSEScripMaster.txt": (CONTRACTS, Segment.NSE_CURRENCY, _of_currency),
    "MCXScripMaster.txt": (COMMODITIES, Segment.MCX_COMM, _of_commodities),
}
