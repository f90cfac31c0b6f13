"""Dhan's instrument file: a compact CSV, and a detailed one with ISINs and price bands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import BinaryIO, Final, NamedTuple

from bahi.brokers import wire
from bahi.brokers.wire import head_of, refused, rows
from bahi.kernel import symbols
from bahi.kernel.listings import BadLine, Lines, Listing, Skipped
from bahi.kernel.words import InstrumentType, Segment

cells = wire.cells

EXPECTED: Final = "Dhan's instrument file"
COMPACT: Final = (
    "SEM_EXM_EXCH_ID",
    "SEM_SEGMENT",
    "SEM_SMST_SECURITY_ID",
    "SEM_INSTRUMENT_NAME",
    "SEM_TRADING_SYMBOL",
    "SEM_SERIES",
    "SEM_LOT_UNITS",
    "SEM_EXPIRY_DATE",
    "SEM_STRIKE_PRICE",
    "SEM_OPTION_TYPE",
    "SEM_TICK_SIZE",
    "SM_SYMBOL_NAME",
    "SEM_CUSTOM_SYMBOL",
)
DETAILED: Final = (
    "EXCH_ID",
    "SEGMENT",
    "SECURITY_ID",
    "INSTRUMENT",
    "UNDERLYING_SYMBOL",
    "SERIES",
    "LOT_SIZE",
    "SM_EXPIRY_DATE",
    "STRIKE_PRICE",
    "OPTION_TYPE",
    "TICK_SIZE",
    "SYMBOL_NAME",
    "DISPLAY_NAME",
    "ISIN",
    "SM_LOWER_LIMIT",
    "SM_UPPER_LIMIT",
)
SEGMENTS: Final = {
    ("NSE", "E"): Segment.NSE_EQ,
    ("NSE", "D"): Segment.NSE_FNO,
    ("NSE", "C"): Segment.NSE_CURRENCY,
    ("NSE", "I"): Segment.NSE_INDEX,
    ("BSE", "E"): Segment.BSE_EQ,
    ("BSE", "D"): Segment.BSE_FNO,
    ("BSE", "C"): Segment.BSE_CURRENCY,
    ("BSE", "I"): Segment.BSE_INDEX,
    ("MCX", "M"): Segment.MCX_COMM,
    ("MCX", "I"): Segment.MCX_INDEX,
}
ELSEWHERE: Final = {("NSE", "M"): "NSE_COM", ("BSE", "M"): "BSE_COM", ("NCDEX", "M"): "NCDEX"}

# NATIONALUM-Feb2026-390-CE, CRUDEOILM-19Mar2026-FUT: the root stands before the last month.
_ROOT: Final = re.compile(r"(.+)-(?:\d\d)?[A-Z][a-z]{2}\d{4}-(?:FUT|[\d.]+-[CP]E)")


class _Words(NamedTuple):
    """What both files say of a line."""

    exchange: str
    part: str
    security_id: str
    instrument: str
    written: str
    series: str
    lot: str
    expiry: str
    strike: str
    right: str
    tick: str
    name: str
    shown: str
    isin: str = ""
    lower: str = ""
    upper: str = ""


class DhanMaster:
    """Fulfils Master for Dhan."""

    addresses: tuple[str, ...] = ("https://images.dhan.co/api-data/api-scrip-master.csv",)

    def listings(self, file: BinaryIO) -> Lines:
        """Yield the lines of the file."""
        head = head_of(file, EXPECTED)
        if COMPACT[0].encode() in head:
            # Dhan ends the compact file without a line's end.
            lines = rows(file, EXPECTED, COMPACT, may_end_open=True)
        elif DETAILED[0].encode() in head or not head.strip():
            lines = rows(file, EXPECTED, DETAILED)
        else:
            raise refused(EXPECTED, f"it has neither {COMPACT[0]} nor {DETAILED[0]}", head)
        return _once_each(
            BadLine(line, fault) if fault else cells.told(line, _listing, row)
            for line, row, fault in lines
        )


def _once_each(lines: Lines) -> Lines:
    """Skip an index whose symbol an earlier line bears: CAPINS stands there twice."""
    borne: dict[tuple[Segment, str], int] = {}
    for line in lines:
        if isinstance(line, Listing) and line.instrument_type is InstrumentType.INDEX:
            first = borne.setdefault((line.segment, line.symbol), line.line)
            if first != line.line:
                yield Skipped(line.line, line.segment, "another line bears its symbol")
                continue
        yield line


def _listing(line: int, row: Sequence[str]) -> Listing:
    words = _Words._make((*row, "", "", "")[:16])
    place = (words.exchange, words.part)
    segment = SEGMENTS.get(place)
    if segment is None:
        if place in ELSEWHERE:
            raise cells.NotOurs(ELSEWHERE[place], f"{ELSEWHERE[place]} has no home here")
        raise cells.unknown("segment", f"{words.exchange}:{words.part}")
    if words.instrument == "INDEX":
        return _index(line, words, segment)
    cells.number_of("security id", words.security_id)
    if words.instrument == "EQUITY":
        return _security(line, words, segment)
    return _contract(line, words, segment)


def _index(line: int, words: _Words, segment: Segment) -> Listing:
    if not segment.endswith("_INDEX"):
        raise cells.Unreadable(f"instrument: an INDEX in segment {words.part}.")
    return Listing(
        line,
        segment,
        symbols.index(words.written),
        words.written,
        cells.number_of("security id", words.security_id),
        InstrumentType.INDEX,
        trading_symbol=words.written,
        name=words.shown or words.name,
    )


def _security(line: int, words: _Words, segment: Segment) -> Listing:
    if not segment.endswith("_EQ"):
        raise cells.Unreadable(f"instrument: an EQUITY in segment {words.part}.")
    cells.refuse_test(segment, words.written)
    if words.expiry or words.strike:
        raise cells.Unreadable("expiry or strike: not empty on a security.")
    lot = cells.units("lot", words.lot)
    return Listing(
        line,
        segment,
        symbols.equity(words.written, words.series, segment),
        words.written,
        words.security_id,
        InstrumentType.EQUITY,
        exchange_token=words.security_id,
        trading_symbol=words.written,
        name=words.name,
        series=words.series,
        isin=cells.isin_of(words.isin),
        lot_size=lot,
        broker_lot=lot,
        tick_size=cells.tick("tick", words.tick, cells.paise),
        lower_band=cells.band("lower limit", words.lower),
        upper_band=cells.band("upper limit", words.upper),
    )


def _contract(line: int, words: _Words, segment: Segment) -> Listing:
    found = _ROOT.fullmatch(words.written)
    root = found[1] if found else words.written
    cells.refuse_test(segment, root)
    kind = words.instrument[:3]
    if kind not in ("FUT", "OPT"):
        raise cells.unknown("instrument", words.instrument)
    right = cells.right_of("option type", words.right) if kind == "OPT" else None
    if kind == "FUT" and words.right not in ("", "XX"):
        raise cells.Unreadable(f"option type: {words.right[:12]!r} on a future.")
    expiry = cells.iso_day("expiry", words.expiry)
    strike = cells.strike("strike", words.strike, right)
    lot = cells.units("lot", words.lot)
    return Listing(
        line,
        segment,
        symbols.contract(root, expiry, strike, right),
        words.written,
        words.security_id,
        cells.kind_of(
            segment, option=kind == "OPT", index=words.instrument[3:] == "IDX", root=root
        ),
        root=root,
        exchange_token=words.security_id,
        name=words.shown,
        expiry=expiry,
        strike=strike,
        option_type=right,
        # In currency and commodities Dhan counts whole lots, and says 1 of every lot.
        lot_size=lot if segment in cells.COUNTED_IN_UNITS else None,
        broker_lot=lot,
        tick_size=cells.tick("tick", words.tick, cells.paise),
        lower_band=cells.band("lower limit", words.lower),
        upper_band=cells.band("upper limit", words.upper),
    )
