"""Kite's instrument file: a CSV of all exchanges, or of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Final

from bahi.brokers import wire
from bahi.brokers.wire import rows
from bahi.kernel import symbols
from bahi.kernel.listings import BadLine, Lines, Listing
from bahi.kernel.words import InstrumentType, Segment

cells = wire.cells

EXPECTED: Final = "Kite's instrument file"
COLUMNS: Final = (
    "instrument_token",
    "exchange_token",
    "tradingsymbol",
    "name",
    "expiry",
    "strike",
    "tick_size",
    "lot_size",
    "instrument_type",
    "segment",
    "exchange",
)
SEGMENTS: Final = {
    "NSE": Segment.NSE_EQ,
    "BSE": Segment.BSE_EQ,
    "NFO-FUT": Segment.NSE_FNO,
    "NFO-OPT": Segment.NSE_FNO,
    "BFO-FUT": Segment.BSE_FNO,
    "BFO-OPT": Segment.BSE_FNO,
    "CDS-FUT": Segment.NSE_CURRENCY,
    "CDS-OPT": Segment.NSE_CURRENCY,
    "BCD-FUT": Segment.BSE_CURRENCY,
    "BCD-OPT": Segment.BSE_CURRENCY,
    "MCX-FUT": Segment.MCX_COMM,
    "MCX-OPT": Segment.MCX_COMM,
}
INDICES: Final = {
    "NSE": Segment.NSE_INDEX,
    "BSE": Segment.BSE_INDEX,
    "MCX": Segment.MCX_INDEX,
}
ELSEWHERE: Final = frozenset({"NCO", "NCO-FUT", "NCO-OPT", "NSEIX", "GLOBAL"})
TOKEN_HOLDS_EXCHANGE_TOKEN: Final = (Segment.NSE_EQ, Segment.NSE_FNO)  # measured on every row


class KiteMaster:
    """Fulfils Master for Zerodha's Kite."""

    addresses: tuple[str, ...] = ("https://api.kite.trade/instruments",)

    def listings(self, file: BinaryIO) -> Lines:
        """Yield the lines of the file."""
        for line, row, fault in rows(file, EXPECTED, COLUMNS):
            yield BadLine(line, fault) if fault else cells.told(line, _listing, row)


def _listing(line: int, row: Sequence[str]) -> Listing:
    token, number, written, name, *_, segment_word, exchange = row
    cells.refuse_test(segment_word, written)
    if segment_word == "INDICES":
        return _index(line, token, written, name, exchange)
    segment = SEGMENTS.get(segment_word)
    if segment is None:
        if segment_word in ELSEWHERE:
            raise cells.NotOurs(segment_word, f"{segment_word} has no home here")
        raise cells.unknown("segment", segment_word)
    cells.number_of("instrument_token", token)
    cells.number_of("exchange_token", number)
    if segment in TOKEN_HOLDS_EXCHANGE_TOKEN and int(token) >> 8 != int(number):
        raise cells.Unreadable(f"instrument_token: {token} does not hold exchange_token {number}.")
    if segment in (Segment.NSE_EQ, Segment.BSE_EQ):
        return _security(line, row, segment)
    return _contract(line, row, segment)


def _index(line: int, token: str, written: str, name: str, exchange: str) -> Listing:
    if exchange not in INDICES:
        raise cells.NotOurs(f"INDICES {exchange}", f"indices of {exchange} have no home here")
    return Listing(
        line,
        INDICES[exchange],
        symbols.index(written),
        written,
        cells.number_of("instrument_token", token),
        InstrumentType.INDEX,
        trading_symbol=written,
        name=name,
    )


def _security(line: int, row: Sequence[str], segment: Segment) -> Listing:
    token, number, written, name, expiry, strike, tick, lot, kind, _, _ = row
    if kind != "EQ":
        raise cells.unknown("instrument_type", kind)
    if expiry:
        raise cells.Unreadable(f"expiry: {expiry[:20]!r} on a security.")
    cells.strike("strike", strike, None)
    # Kite writes the series behind the symbol, but for EQ; all series have two characters.
    bare, dash, series = written.rpartition("-")
    if segment is not Segment.NSE_EQ or not dash or len(series) != 2:
        bare, series = written, "EQ" if segment is Segment.NSE_EQ else ""
    count = cells.units("lot_size", lot)
    return Listing(
        line,
        segment,
        symbols.equity(bare, series, segment),
        written,
        token,
        InstrumentType.EQUITY,
        exchange_token=number,
        trading_symbol=bare,
        name=name,
        series=series,
        lot_size=count,
        broker_lot=count,
        tick_size=cells.tick("tick_size", tick),
    )


def _contract(line: int, row: Sequence[str], segment: Segment) -> Listing:
    token, number, written, name, expiry_text, strike_text, tick, lot, kind, word, _ = row
    right = None if kind == "FUT" else cells.right_of("instrument_type", kind)
    if word[-3:] != ("FUT" if right is None else "OPT"):
        raise cells.Unreadable(f"instrument_type: {kind} does not belong in segment {word}.")
    expiry = cells.iso_day("expiry", expiry_text)
    strike = cells.strike("strike", strike_text, right)
    root = symbols.root_of(written, expiry, strike, right)
    if root is None:
        raise cells.Unreadable(f"tradingsymbol: {written[:32]!r} does not say the row's terms.")
    count = cells.units("lot_size", lot)
    return Listing(
        line,
        segment,
        symbols.contract(root, expiry, strike, right),
        written,
        token,
        cells.kind_of(segment, option=right is not None, index=symbols.is_index(root), root=root),
        root=root,
        exchange_token=number,
        trading_symbol=written,
        name=name or root,
        expiry=expiry,
        strike=strike,
        option_type=right,
        # In currency and commodities the file does not say what a unit is.
        lot_size=count if segment in cells.COUNTED_IN_UNITS else None,
        broker_lot=count,
        tick_size=cells.tick("tick_size", tick),
    )
