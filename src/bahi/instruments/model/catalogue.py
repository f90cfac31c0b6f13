"""All that is listed, in memory: what an order, a page or a price asks for is found here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Final, NamedTuple

from bahi.instruments.model.chain import Chain, expiries
from bahi.instruments.model.instrument import (
    EXCHANGE_OF,
    Entry,
    Instrument,
    instrument_of,
    segment_of,
)
from bahi.instruments.model.search import Search
from bahi.kernel.errors import NotFound
from bahi.kernel.words import Segment

SUGGESTED: Final = 3
_DERIVED: Final = {
    Segment.NSE_INDEX: Segment.NSE_FNO,
    Segment.NSE_EQ: Segment.NSE_FNO,
    Segment.BSE_INDEX: Segment.BSE_FNO,
    Segment.BSE_EQ: Segment.BSE_FNO,
    Segment.MCX_INDEX: Segment.MCX_COMM,
}
"""Where contracts on something are listed, by where the thing itself is."""


class BrokerName(NamedTuple):
    """What a broker calls an instrument."""

    instrument_id: int
    broker_symbol: str
    security_id: str
    broker_lot: int | None


class BrokerNames:
    """How one broker names what it lists."""

    def __init__(self, rows: Iterable[tuple[str, BrokerName]]) -> None:
        self._named: dict[int, BrokerName] = {}
        self._by_id: dict[str, int | None] = {}
        for segment, it in rows:
            self._named[it.instrument_id] = it
            for key in (f"{segment}|{it.security_id}", it.security_id):
                # Two things may share a number (NSE and BSE count alike): then the bare one is none
                self._by_id[key] = None if key in self._by_id else it.instrument_id

    def __len__(self) -> int:
        return len(self._named)

    def of(self, instrument_id: int) -> BrokerName | None:
        """Return what the broker calls an instrument, if it lists it."""
        return self._named.get(instrument_id)

    def instrument_id(self, security_id: str, segment: Segment | None = None) -> int | None:
        """Return which instrument a broker's token stands for."""
        key = security_id if segment is None else f"{segment}|{security_id}"
        return self._by_id.get(key)


class Catalogue:
    """One master, whole, as it stood at one moment; never changed, only replaced."""

    def __init__(self, entries: Sequence[Entry] = ()) -> None:
        self._by_id: dict[int, Entry] = {}
        self._by_symbol: dict[str, dict[str, Entry]] = defaultdict(dict)
        self._by_root: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in entries:
            self._by_id[entry.id] = entry
            self._by_symbol[entry.segment][entry.symbol] = entry
            if entry.root and entry.expiry:
                self._by_root[entry.segment, entry.root].append(entry)
        self._entries = entries
        self._made: dict[int, Instrument] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries)

    def by_id(self, instrument_id: int) -> Instrument | None:
        """Return an instrument that is listed, by our id."""
        made = self._made.get(instrument_id)
        if made is None and (entry := self._by_id.get(instrument_id)) is not None:
            made = self._made[instrument_id] = instrument_of(entry)
        return made

    def find(self, symbol: str, segment: Segment) -> Instrument | None:
        """Return an instrument by its symbol, if it is listed."""
        entry = self._by_symbol[segment].get(symbol) if segment in self._by_symbol else None
        return None if entry is None else self.by_id(entry.id)

    def get(self, symbol: str, exchange: str | Segment) -> Instrument:
        """Return an instrument; an unknown one is refused with what may be meant."""
        segment = exchange if isinstance(exchange, Segment) else segment_of(exchange)
        word = symbol.strip().upper()
        found = self.find(word, segment)
        if found is None:
            where = EXCHANGE_OF[segment]
            raise NotFound(f"{symbol[:48]!r} is not listed at {where}.{self._or(word)}")
        return found

    def _or(self, word: str) -> str:
        elsewhere = [
            f"{word} at {EXCHANGE_OF[Segment(segment)]}"
            for segment, here in self._by_symbol.items()
            if word in here
        ]
        return f" There is {', '.join(elsewhere[:SUGGESTED])}." if elsewhere else ""

    def search(
        self,
        text: str,
        *,
        today: date,
        segments: Collection[Segment] | None = None,
        limit: int = 20,
    ) -> list[Instrument]:
        """Return what a text may mean, best first."""
        found = self._search.find(text, today=today, segments=segments, limit=limit)
        return [instrument_of(entry) for entry in found]

    def prepare(self) -> None:
        """Make ready what a first search would otherwise wait for."""
        self._search.prepare()

    @cached_property
    def _search(self) -> Search:
        return Search(self._entries)

    def expiries(
        self, root: str, exchange: str | Segment, *, is_option: bool | None = None
    ) -> list[date]:
        """Return when contracts of an underlying end, nearest first: futures, options or all."""
        return expiries(
            it
            for it in self.contracts(root, exchange)
            if is_option is None or is_option is (it.option_type is not None)
        )

    def contracts(self, root: str, exchange: str | Segment) -> list[Entry]:
        """Return the contracts of an underlying, whether people say NSE, NFO or NSE_INDEX."""
        segment = exchange if isinstance(exchange, Segment) else segment_of(exchange)
        found = self._by_root.get((_DERIVED.get(segment, segment), root.strip().upper()))
        if not found:
            raise NotFound(f"No contract on {root[:48]!r} is listed at {EXCHANGE_OF[segment]}.")
        return found

    def chain(self, root: str, exchange: str | Segment) -> Chain:
        """Return the options of an underlying."""
        return Chain(self.contracts(root, exchange))

    def option_roots(self, exchange: str | Segment) -> list[str]:
        """Return what there are options on, by name, whether people say NSE, NFO or NSE_INDEX."""
        segment = exchange if isinstance(exchange, Segment) else segment_of(exchange)
        where = _DERIVED.get(segment, segment)
        return sorted(
            root
            for (listed_at, root), here in self._by_root.items()
            if listed_at == where and any(it.option_type for it in here)
        )

    def underlying_of(self, instrument: Instrument) -> Instrument | None:
        """Return what a contract settles on; None where it is not listed itself (goods, money)."""
        for segment, derived in _DERIVED.items():
            if derived is instrument.segment and (found := self.find(instrument.root, segment)):
                return found
        return None

    def listed_at(self, segment: Segment) -> Collection[Entry]:
        """Return all that is listed in a segment."""
        return self._by_symbol[segment].values() if segment in self._by_symbol else ()

    def counts(self) -> Mapping[Segment, int]:
        """Return how many are listed in each segment."""
        return {Segment(segment): len(here) for segment, here in self._by_symbol.items()}
