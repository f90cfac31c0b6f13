"""An OpenAlgo host's instruments: one JSON answer for each of its exchanges."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, BinaryIO, Final

from bahi.brokers import wire
from bahi.brokers.wire import enveloped, head_of, refused
from bahi.kernel import symbols
from bahi.kernel.listings import BadLine, Lines, Listing
from bahi.kernel.money import Price
from bahi.kernel.words import InstrumentType, Segment

cells = wire.cells

EXPECTED: Final = "an OpenAlgo host's answer to instruments"
PATH: Final = "/api/v1/instruments"
SEGMENTS: Final = {
    "NSE": Segment.NSE_EQ,
    "BSE": Segment.BSE_EQ,
    "NFO": Segment.NSE_FNO,
    "BFO": Segment.BSE_FNO,
    "CDS": Segment.NSE_CURRENCY,
    "BCD": Segment.BSE_CURRENCY,
    "MCX": Segment.MCX_COMM,
    "NSE_INDEX": Segment.NSE_INDEX,
    "BSE_INDEX": Segment.BSE_INDEX,
    "MCX_INDEX": Segment.MCX_INDEX,
}
CURRENCY: Final = (Segment.NSE_CURRENCY, Segment.BSE_CURRENCY)
ENOUGH_TICKS: Final = 20  # lines of a segment before its ticks can be called paise
_SHORTEST_NAME: Final = 2

_Unit = Callable[[str, str], Price]


class OpenAlgoMaster:
    """Fulfils Master for any OpenAlgo host.

    A host hands on the ticks of the broker behind it, some in rupees and some in paise; which it is
    shows only over a whole segment, so the file is read twice.
    """

    addresses: tuple[str, ...] = ()

    def listings(self, file: BinaryIO) -> Lines:
        """Yield the entries of one answer, numbered from one."""
        head = head_of(file, EXPECTED)
        if b'"brsymbol"' not in head:
            why = "it names no brsymbol" if head.strip() else "it is empty"
            raise refused(EXPECTED, why, head)
        start = file.tell()
        units = _units(file)
        file.seek(start)
        for line, entry in enveloped(file, EXPECTED, "data"):
            if isinstance(entry, dict):
                yield cells.told(line, _entry, entry, units)
            else:
                yield BadLine(line, "it is no JSON object")


def asked(exchange: str) -> Mapping[str, str]:
    """Return what to GET at PATH of the host, beside the `apikey`; each of SEGMENTS is one call."""
    return {"exchange": exchange}


def lists_nothing(status: int, said: bytes) -> bool:
    """Say whether a host answers that its broker has nothing on the exchange asked for.

    It is an empty list, or an error that is about the exchange: older hosts do not know them all.
    """
    try:
        answer = json.loads(said)
    except ValueError:
        return False  # cut off: a list with something in it
    if not isinstance(answer, dict):
        return False
    if status == HTTPStatus.OK:
        return answer.get("status") == "success" and answer.get("data") == []
    message = json.dumps(answer.get("message")).lower()
    return status in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND) and "exchange" in message


def _units(file: BinaryIO) -> Mapping[Segment, _Unit]:
    """Find out which unit each segment's ticks are in; a segment that does not show it has none.

    Every segment trades something whose tick is below a rupee (below a paisa, in currency).
    """
    seen: Counter[Segment] = Counter()
    smallest: dict[Segment, Price] = {}
    for _, entry in enveloped(file, EXPECTED, "data"):
        segment = SEGMENTS.get(str(entry.get("exchange"))) if isinstance(entry, dict) else None
        if segment is None:
            continue
        try:
            tick = cells.tick("tick_size", str(entry.get("tick_size") or ""))
        except cells.Unreadable:
            continue  # said when the entry itself is read
        if tick is not None:
            seen[segment] += 1
            smallest[segment] = min(tick, smallest.get(segment, tick))
    found: dict[Segment, _Unit] = {}
    for segment, tick in smallest.items():
        if tick < (100 if segment in CURRENCY else 10_000):
            found[segment] = cells.rupees
        elif seen[segment] >= ENOUGH_TICKS:
            found[segment] = cells.paise
    return found


def _entry(line: int, entry: Mapping[str, Any], units: Mapping[Segment, _Unit]) -> Listing:
    word, symbol = _text(entry, "exchange"), _text(entry, "symbol")
    segment = SEGMENTS.get(word)
    if segment is None:
        raise cells.NotOurs(word, "an exchange that has no home here")
    cells.refuse_test(word, symbol)
    token = _text(entry, "token")
    if not token:
        raise cells.Unreadable("token: it is empty.")
    if segment.endswith("_INDEX"):
        return Listing(
            line,
            segment,
            symbols.index(symbol),
            symbol,
            token,
            InstrumentType.INDEX,
            trading_symbol=_text(entry, "brsymbol"),
            name=_text(entry, "name"),
        )
    unit = units.get(segment)
    tick = cells.tick("tick_size", _text(entry, "tick_size"), unit) if unit else None
    freeze = cells.units("freeze_qty", _text(entry, "freeze_qty"))
    lot = cells.units("lotsize", _text(entry, "lotsize"))
    if segment.endswith("_EQ"):
        return _security(line, segment, entry, symbol, token)._replace(
            lot_size=lot, broker_lot=lot, tick_size=tick, freeze_qty=freeze
        )
    in_units = segment in cells.COUNTED_IN_UNITS
    return _contract(line, segment, entry, symbol, token)._replace(
        lot_size=lot if in_units else None,
        broker_lot=lot,
        tick_size=tick,
        freeze_qty=freeze if in_units else None,
    )


def _security(
    line: int, segment: Segment, entry: Mapping[str, Any], symbol: str, token: str
) -> Listing:
    if _text(entry, "expiry"):
        raise cells.Unreadable(f"expiry: {_text(entry, 'expiry')[:20]!r} on a security.")
    cells.strike("strike", _text(entry, "strike"), None)
    series = ""
    for written in (symbol, _text(entry, "brsymbol")):  # RELIANCE-EQ, where the broker says it
        bare, _, tail = written.rpartition("-")
        if segment is Segment.NSE_EQ and len(bare) >= _SHORTEST_NAME and len(tail) == 2:
            series = series or tail
    return Listing(
        line,
        segment,
        symbols.equity(symbol.removesuffix(f"-{series}"), series, segment),
        symbol,
        token,
        InstrumentType.EQUITY,
        exchange_token=_exchange_token(token),
        trading_symbol=symbol.removesuffix(f"-{series}"),
        name=_text(entry, "name"),
        series=series,
    )


def _contract(
    line: int, segment: Segment, entry: Mapping[str, Any], symbol: str, token: str
) -> Listing:
    said = symbols.parse(symbol)
    kind = _text(entry, "instrumenttype")
    right = None if kind.startswith("FUT") else cells.right_of("instrumenttype", kind[-2:])
    expiry = cells.worded_day("expiry", _text(entry, "expiry"))
    strike = cells.strike("strike", _text(entry, "strike"), right)
    if said is None or said[1:] != (expiry, strike, right):
        raise cells.Unreadable(f"symbol: {symbol[:40]!r} does not say the entry's terms.")
    return Listing(
        line,
        segment,
        symbols.contract(said.root, expiry, strike, right),
        symbol,
        token,
        cells.kind_of(
            segment,
            option=right is not None,
            index=symbols.is_index(said.root),
            root=said.root,
        ),
        root=said.root,
        exchange_token=_exchange_token(token),
        name=_text(entry, "name"),
        expiry=expiry,
        strike=strike,
        option_type=right,
    )


def _exchange_token(token: str) -> str:
    """Return the exchange's own number where the broker's token shows it: `NSE_FO|71399`."""
    _, mark, number = token.rpartition("|")
    return number if mark and number.isdigit() else ""


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise cells.Unreadable(f"{name}: {str(value)[:24]!r} is neither text nor a number.")
