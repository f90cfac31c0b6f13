"""One tradable contract, as orders, prices and books know it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

from bahi.kernel.errors import NotFound
from bahi.kernel.money import Price
from bahi.kernel.words import InstrumentType, OptionType, Segment

EXCHANGES: Final[Mapping[str, Segment]] = {
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
"""The segments as OpenAlgo's users call them."""
EXCHANGE_OF: Final = {segment: name for name, segment in EXCHANGES.items()}


def segment_of(exchange: str) -> Segment:
    """Return the segment that people mean, whether they write NFO or NSE_FNO."""
    word = exchange.strip().upper()
    found = EXCHANGES.get(word) or (Segment(word) if word in Segment.__members__ else None)
    if found is None:
        raise NotFound(f"There is no exchange {exchange!r}; there are {', '.join(EXCHANGES)}.")
    return found


@dataclass(frozen=True, slots=True)
class Instrument:
    """A contract and the terms that hold for it now."""

    id: int
    segment: Segment
    symbol: str
    root: str
    trading_symbol: str
    name: str
    kind: InstrumentType
    isin: str
    expiry: date | None
    strike: Price | None
    option_type: OptionType | None
    lot_size: int
    tick_size: Price | None
    freeze_qty: int | None
    lower_band: Price | None
    upper_band: Price | None
    cas_eligible: bool
    series: str
    exchange_token: str

    @property
    def exchange(self) -> str:
        """Its segment as OpenAlgo's users call it."""
        return EXCHANGE_OF[self.segment]

    @property
    def is_tradable(self) -> bool:
        """Can it be bought? An index is only looked at."""
        return self.kind is not InstrumentType.INDEX

    @property
    def largest_order(self) -> int | None:
        """The most that one order may ask for: the freeze quantity, rounded down to the lot."""
        return None if self.freeze_qty is None else largest_order(self.freeze_qty, self.lot_size)


def largest_order(freeze_qty: int, lot_size: int) -> int:
    """Round a freeze quantity down to whole lots; the exchange refuses what lies above it."""
    return freeze_qty // lot_size * lot_size


@dataclass(frozen=True, slots=True)
class Terms:
    """What held for an instrument from one day to another."""

    valid_from: date
    lot_size: int | None
    tick_size: Price | None
    freeze_qty: int | None
    lower_band: Price | None
    upper_band: Price | None
    strike: Price | None
    source: str

    @property
    def largest_order(self) -> int | None:
        """See `Instrument`."""
        if self.freeze_qty is None:
            return None
        return largest_order(self.freeze_qty, self.lot_size or 1)


class Entry(NamedTuple):
    """An instrument in the plain values of its row; the index keeps hundreds of thousands."""

    id: int
    segment: str
    symbol: str
    root: str | None
    trading_symbol: str | None
    name: str | None
    kind: str
    isin: str | None
    expiry: str | None
    strike: int | None
    option_type: str | None
    lot_size: int | None
    tick_size: int | None
    freeze_qty: int | None
    lower_band: int | None
    upper_band: int | None
    cas_eligible: int | None
    series: str | None
    exchange_token: str | None


def instrument_of(entry: Entry) -> Instrument:
    """Make an instrument of an entry."""
    return Instrument(
        id=entry.id,
        segment=Segment(entry.segment),
        symbol=entry.symbol,
        root=entry.root or "",
        trading_symbol=entry.trading_symbol or "",
        name=entry.name or "",
        kind=InstrumentType(entry.kind),
        isin=entry.isin or "",
        expiry=date.fromisoformat(entry.expiry) if entry.expiry else None,
        strike=None if entry.strike is None else Price(entry.strike),
        option_type=OptionType(entry.option_type) if entry.option_type else None,
        lot_size=entry.lot_size or 1,
        tick_size=None if entry.tick_size is None else Price(entry.tick_size),
        freeze_qty=entry.freeze_qty,
        lower_band=None if entry.lower_band is None else Price(entry.lower_band),
        upper_band=None if entry.upper_band is None else Price(entry.upper_band),
        cas_eligible=bool(entry.cas_eligible),
        series=entry.series or "",
        exchange_token=entry.exchange_token or "",
    )
