"""Upstox's instrument file: JSON today, and the CSV that it published before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, Final, NamedTuple

from bahi.brokers import wire
from bahi.brokers.wire import entries, head_of, refused, rows
from bahi.kernel import symbols
from bahi.kernel.listings import BadLine, Lines, Listing
from bahi.kernel.words import InstrumentType, OptionType, Segment

cells = wire.cells

EXPECTED: Final = "Upstox's instrument file"
COLUMNS: Final = (
    "instrument_key",
    "exchange_token",
    "tradingsymbol",
    "name",
    "expiry",
    "strike",
    "tick_size",
    "lot_size",
    "instrument_type",
    "option_type",
    "exchange",
)
SEGMENTS: Final = {
    "NSE_EQ": Segment.NSE_EQ,
    "BSE_EQ": Segment.BSE_EQ,
    "NSE_INDEX": Segment.NSE_INDEX,
    "BSE_INDEX": Segment.BSE_INDEX,
    "MCX_INDEX": Segment.MCX_INDEX,
    "NSE_FO": Segment.NSE_FNO,
    "BSE_FO": Segment.BSE_FNO,
    "NCD_FO": Segment.NSE_CURRENCY,
    "BCD_FO": Segment.BSE_CURRENCY,
    "MCX_FO": Segment.MCX_COMM,
}
CURRENCY: Final = (Segment.NSE_CURRENCY, Segment.BSE_CURRENCY)
COUNTED_IN_LOTS: Final = (*CURRENCY, Segment.MCX_COMM)
SHARE_OR_UNIT: Final = ("01", "23", "25")  # in an ISIN: a share; a trust's unit


class _Named(NamedTuple):
    """What every entry says of itself, whatever it is."""

    line: int
    segment: Segment
    key: str
    written: str
    number: str = ""  # an index has none of the exchange's


class UpstoxMaster:
    """Fulfils Master for Upstox."""

    addresses: tuple[str, ...] = (
        "https://assets.upstox.com/market-quote/instruments/exchange/complete.json.gz",
    )

    def listings(self, file: BinaryIO) -> Lines:
        """Yield the lines of the file; of JSON, the entries, numbered from one."""
        head = head_of(file, EXPECTED)
        if head.lstrip()[:1] == b"[":
            return _of_json(file, head)
        return _of_csv(file)


def _of_json(file: BinaryIO, head: bytes) -> Lines:
    if b'"instrument_key"' not in head:
        raise refused(EXPECTED, "it names no instrument_key", head)
    for line, entry in entries(file, EXPECTED):
        if isinstance(entry, dict):
            yield cells.told(line, _entry, entry)
        else:
            yield BadLine(line, "it is no JSON object")


def _entry(line: int, entry: Mapping[str, Any]) -> Listing:
    word = _text(entry, "segment")
    segment = _segment(word, "segment")
    written = _text(entry, "trading_symbol")
    cells.refuse_test(word, written)
    named = _Named(line, segment, _key(word, _text(entry, "instrument_key"), "segment"), written)
    if segment.endswith("_INDEX"):
        return _index(named, entry)
    number = cells.number_of("exchange_token", _text(entry, "exchange_token"))
    read = _security if segment.endswith("_EQ") else _contract
    return read(named._replace(number=number), entry)


def _index(named: _Named, entry: Mapping[str, Any]) -> Listing:
    line, segment, key, written, _ = named
    return Listing(
        line,
        segment,
        symbols.index(written),
        written,
        key,
        InstrumentType.INDEX,
        trading_symbol=written,
        name=_text(entry, "name"),
        cas_eligible=_flag(entry, "cas_eligible"),
    )


def _security(named: _Named, entry: Mapping[str, Any]) -> Listing:
    line, segment, key, written, number = named
    series = _text(entry, "instrument_type")
    lot = cells.units("lot_size", _text(entry, "lot_size"))
    return Listing(
        line,
        segment,
        symbols.equity(written, series, segment),
        written,
        key,
        InstrumentType.EQUITY,
        exchange_token=number,
        trading_symbol=written,
        name=_text(entry, "name"),
        series=series,
        isin=cells.isin_of(_text(entry, "isin")),
        lot_size=lot,
        broker_lot=lot,
        tick_size=cells.tick("tick_size", _text(entry, "tick_size"), cells.paise),
        freeze_qty=cells.units("freeze_quantity", _text(entry, "freeze_quantity")),
        cas_eligible=_flag(entry, "cas_eligible"),
    )


def _contract(named: _Named, entry: Mapping[str, Any]) -> Listing:
    line, segment, key, written, number = named
    kind = _text(entry, "instrument_type")
    right = None if kind == "FUT" else cells.right_of("instrument_type", kind)
    expiry = cells.epoch_day("expiry", _text(entry, "expiry"))
    strike = cells.strike("strike_price", _text(entry, "strike_price"), right)
    root = _text(entry, "underlying_symbol")
    lot, broker_lot, freeze = _counts(segment, entry)
    return Listing(
        line,
        segment,
        symbols.contract(root, expiry, strike, right),
        written,
        key,
        cells.kind_of(
            segment,
            option=right is not None,
            index=entry.get("underlying_type") == "INDEX",
            root=root,
        ),
        root=root,
        exchange_token=number,
        name=_text(entry, "name"),
        expiry=expiry,
        strike=strike,
        option_type=right,
        lot_size=lot,
        broker_lot=broker_lot,
        tick_size=cells.tick("tick_size", _text(entry, "tick_size"), cells.paise),
        freeze_qty=freeze,
    )


def _counts(
    segment: Segment, entry: Mapping[str, Any]
) -> tuple[int | None, int | None, int | None]:
    """Return the lot in units of the quotation, the lot as Upstox counts it, and the freeze.

    `qty_multiplier` is what a rupee of price is worth in a lot of MCX, and in a unit of currency;
    in both, the freeze is counted in lots.
    """
    broker_lot = cells.units("lot_size", _text(entry, "lot_size"))
    freeze = cells.units("freeze_quantity", _text(entry, "freeze_quantity"))
    if segment not in COUNTED_IN_LOTS:
        return broker_lot, broker_lot, freeze
    worth = cells.units("qty_multiplier", _text(entry, "qty_multiplier"))
    if worth is None or broker_lot is None:
        return None, broker_lot, None
    lot = worth * broker_lot if segment in CURRENCY else worth
    return lot, broker_lot, None if freeze is None else freeze * lot


def _of_csv(file: BinaryIO) -> Lines:
    """Read the old CSV, whose cash lines name no series.

    So where a share and other papers of one company bear one symbol, the share has it; the papers'
    own symbols, and the series of shares that are not in EQ, only a newer file tells.
    """
    held: list[tuple[int, Sequence[str]]] = []
    for line, row, fault in rows(file, EXPECTED, COLUMNS):
        if fault:
            yield BadLine(line, fault)
        elif row[-1] == "NSE_EQ":
            held.append((line, row))
        else:
            yield cells.told(line, _row, row)
    yield from cells.one_each((cells.told(line, _row, row) for line, row in held), _shares_first)


def _shares_first(listing: Listing) -> tuple[bool, int]:
    isin = listing.isin
    return not (isin.startswith("INF") or isin[7:9] in SHARE_OR_UNIT), listing.line


def _row(line: int, row: Sequence[str]) -> Listing:
    key, token, written, name, expiry, strike, tick, lot, kind, _, word = row
    segment = _segment(word, "exchange")
    cells.refuse_test(word, written)
    key = _key(word, key, "exchange")
    if segment.endswith("_INDEX"):
        return Listing(
            line,
            segment,
            symbols.index(written),
            written,
            key,
            InstrumentType.INDEX,
            trading_symbol=written,
            name=name,
        )
    number = cells.number_of("exchange_token", token)
    if not segment.endswith("_EQ"):
        return _row_of_contract(line, row, segment, number)
    if kind != "EQUITY" or expiry or strike:
        raise cells.unknown("instrument_type", kind)
    count = cells.units("lot_size", lot)
    return Listing(
        line,
        segment,
        symbols.equity(written, "", segment),
        written,
        key,
        InstrumentType.EQUITY,
        exchange_token=number,
        trading_symbol=written,
        name=name,
        isin=cells.isin_of(key.partition("|")[2]),
        lot_size=count,
        broker_lot=count,
        tick_size=cells.tick("tick_size", tick),
    )


def _row_of_contract(line: int, row: Sequence[str], segment: Segment, number: str) -> Listing:
    key, _, written, name, expiry_text, strike_text, tick, lot, kind, right_text, _ = row
    right: OptionType | None = None
    if right_text != "FF":
        right = cells.right_of("option_type", right_text)
    if kind[:3] != ("FUT" if right is None else "OPT"):
        raise cells.unknown("instrument_type", f"{kind} {right_text}")
    expiry = cells.iso_day("expiry", expiry_text)
    strike = cells.strike("strike", strike_text, right)
    root = symbols.root_of(written, expiry, strike, right)
    if root is None:
        raise cells.Unreadable(f"tradingsymbol: {written[:32]!r} does not say the row's terms.")
    in_lots = segment in COUNTED_IN_LOTS
    count = cells.units("lot_size", lot)
    return Listing(
        line,
        segment,
        symbols.contract(root, expiry, strike, right),
        written,
        key,
        cells.kind_of(segment, option=right is not None, index=kind[3:] == "IDX", root=root),
        root=root,
        exchange_token=number,
        trading_symbol=written,
        name=name,
        expiry=expiry,
        strike=strike,
        option_type=right,
        lot_size=None if in_lots else count,
        broker_lot=count,
        # The CSV quotes shares and their derivatives in rupees, and these in paise.
        tick_size=cells.tick("tick_size", tick, cells.paise if in_lots else cells.rupees),
    )


def _segment(word: str, column: str) -> Segment:
    if segment := SEGMENTS.get(word):
        return segment
    if word in ("NSE_COM", "MCX_COM", "NSE_MF", "BSE_MF") or word.startswith("GLOBAL"):
        raise cells.NotOurs(word, f"{word} has no home here")
    raise cells.unknown(column, word)


def _key(word: str, key: str, column: str) -> str:
    if key.startswith(f"{word}|") and len(key) > len(word) + 1:
        return key
    raise cells.Unreadable(f"instrument_key: {key[:32]!r} is not of its {column} {word}.")


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name, "")
    if isinstance(value, str):
        return value
    raise cells.Unreadable(f"{name}: {str(value)[:24]!r} is neither text nor a number.")


def _flag(entry: Mapping[str, Any], name: str) -> bool:
    """Read a flag that the file leaves out where it is false."""
    value = entry.get(name, False)
    if isinstance(value, bool):
        return value
    raise cells.Unreadable(f"{name}: {str(value)[:24]!r} is neither true nor false.")
