"""What finding a symbol costs: begun, in pieces and misspelt, each beside the plain way of it.

The floors do less: they know one way each and no names, and answer in no order that anybody wants.
A search and its floor are asked the same texts, and answer with twenty.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice
from pathlib import Path

from bahi.brokers import masters
from bahi.instruments.model.instrument import Entry
from bahi.instruments.model.search import Search
from bahi.kernel import symbols
from bahi.kernel.listings import Listing
from bahi.kernel.money import Price
from bahi.kernel.words import BrokerSlug, InstrumentType, OptionType, Segment

ENTRIES = 200_000
ASKED = 1_000
LIMIT = 20
TODAY = date(2026, 8, 17)
FILES = (
    (BrokerSlug.UPSTOX, "upstox/complete_2026-08.json.gz"),
    (BrokerSlug.DHAN, "dhan/api-scrip-master_2026-02.csv.gz"),
)
LAST = "\U0010ffff"

Find = Callable[[str], object]


class SearchBench:
    """A master of two hundred thousand entries, and every way of searching it."""

    def __init__(self) -> None:
        self.entries = list(islice(_entries(), ENTRIES))
        self._in_order = sorted(self.entries, key=lambda entry: entry.symbol)
        self._symbols = [entry.symbol for entry in self._in_order]
        self._search = Search(self.entries)
        self._search.prepare()
        drawn = random.Random(4)
        chosen = drawn.sample(self._symbols, ASKED)
        shares = [it.symbol for it in self.entries if it.expiry is None and it.symbol.isalpha()]
        self._prefixes = [it[: drawn.randint(3, len(it))] for it in chosen if len(it) > 3]
        self._pieces = [_piece(drawn, it) for it in chosen if len(it) > 5]
        self._misspelt = [_misspelt(drawn, drawn.choice(shares)) for _ in range(ASKED)]
        self._threes = _threes_of(self._symbols)
        self._fts = sqlite3.connect(":memory:")
        self._fts.execute("CREATE VIRTUAL TABLE found USING fts5(symbol, tokenize='trigram')")
        self._fts.executemany("INSERT INTO found VALUES (?)", ((it,) for it in self._symbols))

    def contestants(self) -> dict[str, Callable[[], float]]:
        """Return each way by its name, to be measured in turns."""
        return {
            "search: bisect": lambda: _rate(self._bisect, self._prefixes),
            "search: prefix": lambda: _rate(self._find, self._prefixes),
            "search: FTS5 trigram": lambda: _rate(self._fts5, self._pieces),
            "search: substring": lambda: _rate(self._find, self._pieces),
            "search: trigram counts": lambda: _rate(self._counts, self._misspelt),
            "search: misspelt": lambda: _rate(self._find, self._misspelt),
        }

    def built(self) -> float:
        """Measure how often a second this master is made ready for symbols and prefixes."""
        started = time.perf_counter()
        Search(self.entries)
        return 1 / (time.perf_counter() - started)

    def prepared(self) -> float:
        """Measure how often a second it is made ready for all that people type."""
        started = time.perf_counter()
        Search(self.entries).prepare()
        return 1 / (time.perf_counter() - started)

    def _find(self, text: str) -> list[Entry]:
        return self._search.find(text, today=TODAY, limit=LIMIT)

    def _bisect(self, text: str) -> list[Entry]:
        asked = text.upper()
        first = bisect_left(self._symbols, asked)
        last = bisect_left(self._symbols, asked + LAST, first)
        return self._in_order[first : min(last, first + LIMIT)]

    def _fts5(self, text: str) -> list[tuple[str]]:
        asked = text.replace('"', '""')
        return self._fts.execute(
            "SELECT symbol FROM found WHERE symbol MATCH ? LIMIT ?", (f'"{asked}"', LIMIT)
        ).fetchall()

    def _counts(self, text: str) -> list[str]:
        counts: Counter[int] = Counter()
        for three in {text[it : it + 3] for it in range(len(text) - 2)}:
            counts.update(self._threes.get(three, ()))
        return [self._symbols[place] for place, _ in counts.most_common(LIMIT)]


RATIOS = [
    ("search: prefix", "search: bisect", 1 / 3),
    ("search: substring", "search: FTS5 trigram", 1 / 2),
    ("search: misspelt", "search: trigram counts", 1 / 2),
]


def _rate(find: Find, texts: Sequence[str]) -> float:
    started = time.perf_counter()
    for text in texts:
        find(text)
    return len(texts) / (time.perf_counter() - started)


def _threes_of(texts: Sequence[str]) -> dict[str, array[int]]:
    found: dict[str, array[int]] = {}
    for place, text in enumerate(texts):
        for three in {text[it : it + 3] for it in range(len(text) - 2)}:
            found.setdefault(three, array("i")).append(place)
    return found


def _piece(drawn: random.Random, symbol: str) -> str:
    first = drawn.randint(1, len(symbol) - 4)
    return symbol[first : first + drawn.randint(4, 10)]


def _misspelt(drawn: random.Random, symbol: str) -> str:
    at = drawn.randrange(1, max(2, len(symbol) - 1))
    turned = symbol[:at] + symbol[at : at + 2][::-1] + symbol[at + 2 :]
    return drawn.choice((turned, symbol[:at] + symbol[at + 1 :], symbol[:at] + "X" + symbol[at:]))


def _entries() -> Iterator[Entry]:
    """Yield those of the real files where they are, and made-up ones after them."""
    known: set[tuple[str, str]] = set()
    for number, it in enumerate((*_real(), *_made_up()), 1):
        if (place := (it.segment, it.symbol)) not in known:
            known.add(place)
            yield it._replace(id=number)


def _real() -> Iterator[Entry]:
    beside = Path(__file__).parents[2] / "shared"
    folder = Path(os.environ.get("BAHI_SHARED") or beside) / "data" / "instruments"
    for broker, name in FILES:
        if (path := folder / name).exists():
            with path.open("rb") as file:
                for line in masters()[broker].listings(file):
                    if isinstance(line, Listing):
                        yield _entry(line)


def _entry(it: Listing) -> Entry:
    expiry = it.expiry.isoformat() if it.expiry else None
    terms = (it.lot_size, it.tick_size, it.freeze_qty, it.lower_band, it.upper_band, None)
    return Entry(
        0, it.segment, it.symbol, it.root or None, it.trading_symbol, it.name, it.instrument_type,
        it.isin, expiry, it.strike, it.option_type, *terms, it.series, it.exchange_token,
    )  # fmt: skip


def _made_up() -> Iterator[Entry]:
    """Yield shares of two exchanges, then contracts of some hundred roots, without an end."""
    drawn = random.Random(7)
    parts = ("BHAR", "TATA", "SURYA", "INDO", "GUJ", "KRISH", "LAX", "MAHA", "NAV", "OM", "PRA")
    ends = ("STEEL", "BANK", "CHEM", "POWER", "TEX", "INFRA", "AUTO", "FIN", "CEM", "PHARMA")
    shares = [
        f"{one}{other}{drawn.choice('ABCDEFGHJKLMNPRSTVW')}{n or ''}"
        for n in range(110) for one in parts for other in ends
    ]  # fmt: skip
    for place, symbol in enumerate(shares):
        for segment in (Segment.NSE_EQ, Segment.BSE_EQ):
            token = str(place + (500_000 if segment is Segment.BSE_EQ else 1))
            security = (symbol, f"{symbol} LIMITED", InstrumentType.EQUITY.value)
            yield Entry(
                0, segment, symbol, None, *security, None, None, None, None, 1, 500, None, None,
                None, None, "EQ", token,
            )  # fmt: skip
    for week in range(1_000):
        expiry = TODAY + timedelta(days=7 * (week % 8) + week // 8)
        for place, root in enumerate(("NIFTY", "BANKNIFTY", *shares[:150])):
            for step in range(12):
                strike = Price((100 + place * 50 + step * 50) * 10_000)
                for right in OptionType:
                    yield Entry(
                        0, Segment.NSE_FNO, symbols.option(root, expiry, strike, right), root,
                        None, root, InstrumentType.OPTSTK, None, expiry.isoformat(), strike,
                        right, 50, 500, None, None, None, None, None, None,
                    )  # fmt: skip
