"""Entries laid out so that those whose symbols begin alike are found at once, best first.

Two hundred thousand contracts have a few hundred roots and a few thousand expiries: a contract is
found by its root, then its day, then its strike, and what orders the contracts of one day is made
when somebody first asks for that day.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from operator import attrgetter
from typing import Final

from bahi.instruments.model.instrument import Entry
from bahi.kernel.money import Price
from bahi.kernel.symbols import MONTHS, is_index, strike_text

_LAST: Final = "\U0010ffff"  # behind every symbol that goes on
DATE: Final = 7  # characters of 28OCT25
_DAY: Final = re.compile(rf"\d\d(?:{'|'.join(MONTHS)})\d\d", re.ASCII)
_SCANNED: Final = 12  # where looking at entries in their order costs as much as ordering some
EXCHANGE_PLACES: Final = {"NSE": 0, "BSE": 1, "MCX": 2}


def exchange_place(entry: Entry) -> int:
    """NSE comes before BSE, and BSE before MCX, where nothing else tells two apart."""
    return EXCHANGE_PLACES[entry.segment[:3]]


class Shelf:
    """Entries in the order in which people want them, found by how their symbols begin."""

    __slots__ = ("_names", "_places", "entries")

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries
        named = sorted((entry.symbol, place) for place, entry in enumerate(entries))
        self._names = [name for name, _ in named]
        self._places = array("i", [place for _, place in named])

    def named(self, symbol: str) -> list[Entry]:
        """Return what has exactly this symbol."""
        first = place = bisect_left(self._names, symbol)
        while place < len(self._names) and self._names[place] == symbol:
            place += 1
        return [self.entries[it] for it in self._places[first:place]]

    def begins(self, prefix: str) -> bool:
        """Say whether any symbol begins so."""
        first = bisect_left(self._names, prefix)
        return first < len(self._names) and self._names[first].startswith(prefix)

    def beginning(self, prefix: str) -> Iterator[Entry]:
        """Yield what has a symbol that begins so, best first."""
        return self.found(prefix)[1]

    def found(self, text: str) -> tuple[list[Entry], Iterator[Entry]]:
        """Return what has exactly this symbol, and all that has one that begins so, best first."""
        names, entries = self._names, self.entries
        first = after = bisect_left(names, text)
        if first == len(names) or not names[first].startswith(text):
            return [], iter(())
        while after < len(names) and names[after] == text:
            after += 1
        last = bisect_left(names, text + _LAST, after)
        exact = [entries[place] for place in self._places[first:after]]
        if (last - first) ** 2 > _SCANNED * len(entries):  # so many that the best are met at once
            return exact, (entry for entry in entries if entry.symbol.startswith(text))
        return exact, map(entries.__getitem__, sorted(self._places[first:last]))


class Expiry:
    """The contracts of one root that end on one day."""

    def __init__(self, root: str, day: str) -> None:
        self.root = root
        self.day = day
        self.stem = f"{root}{day[8:]}{MONTHS[int(day[5:7]) - 1]}{day[2:4]}"
        self._added: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Put a contract in; only while everything is built."""
        self._added.append(entry)

    @cached_property
    def shelf(self) -> Shelf:
        """Its futures, then its options from the middle of the strikes outwards, then by exchange.

        Exchanges list strikes around the price, so that the middle one is a fair guess at it.
        """
        strikes = sorted(self.strikes)
        middle = strikes[len(strikes) // 2] if strikes else 0

        def wanted(entry: Entry) -> tuple[int, int, str, int]:
            away = -1 if entry.strike is None else abs(entry.strike - middle)
            return away, entry.strike or 0, entry.option_type or "", exchange_place(entry)

        self._added.sort(key=wanted)
        return Shelf(self._added)

    @property
    def unsorted(self) -> Sequence[Entry]:
        """All of them, as they came."""
        return self._added

    @cached_property
    def entries(self) -> list[Entry]:
        """All of them, best first."""
        _ = self.shelf  # which orders them
        return self._added

    @property
    def is_of_index(self) -> bool:
        """Do its contracts settle on an index?"""
        return is_index(self.root)

    @cached_property
    def has_futures(self) -> bool:
        """Has it a future, which not every day of options has?"""
        return any(it.strike is None for it in self._added)

    @cached_property
    def futures(self) -> list[Entry]:
        """Those without a strike."""
        return [entry for entry in self.entries if entry.strike is None]

    @property
    def options(self) -> list[Entry]:
        """Those with a strike, which come after the futures."""
        return self.entries[len(self.futures) :]

    @cached_property
    def strikes(self) -> frozenset[int]:
        """The strikes of its options; to look whether one is there needs no order."""
        return frozenset(it.strike for it in self._added if it.strike is not None)

    def at(self, strike: int) -> Iterator[Entry]:
        """Yield its options at a strike."""
        begun = self.shelf.beginning(self.stem + strike_text(Price(strike)))
        return (it for it in begun if it.strike == strike)


_ENTRIES: Final = attrgetter("entries")


class Contracts:
    """All contracts, by root and by the day on which they end."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, str], Expiry] = {}
        self.roots: dict[str, list[Expiry]] = {}
        self._stems: dict[str, Expiry] = {}
        self._days_beginning: dict[str, list[Expiry]] = {}
        self._roots_beginning: dict[str, list[str]] = {}
        self._longest = 0

    def take(self, entry: Entry) -> bool:
        """Put an entry in, if it is a contract whose symbol says root and day as ours do."""
        root, day = entry.root, entry.expiry
        if root is None or day is None:
            return False
        found = self._days.get((root, day))
        if found is None:
            found = self._days[root, day] = Expiry(root, day)
        if not entry.symbol.startswith(found.stem):
            return False
        found.add(entry)
        return True

    def close(self) -> None:
        """Lay out the days of each root, and how roots and days begin, when all are in."""
        for (root, _), expiry in sorted(self._days.items(), key=lambda item: item[0][1]):
            self.roots.setdefault(root, []).append(expiry)
            stem = expiry.stem
            for cut in range(len(root) + 1, len(stem) + 1):
                self._days_beginning.setdefault(stem[:cut], []).append(expiry)
        for root in sorted(self.roots, key=lambda root: (len(root), root)):
            for cut in range(1, len(root) + 1):
                self._roots_beginning.setdefault(root[:cut], []).append(root)
        self._stems = {expiry.stem: expiry for expiry in self._days.values()}
        self._longest = max(map(len, self.roots), default=0)

    @property
    def days(self) -> Iterator[Expiry]:
        """Every day of every root, the nearest first."""
        return iter(sorted(self._days.values(), key=lambda it: (it.day, len(it.root), it.root)))

    @property
    def beginnings(self) -> Iterator[str]:
        """Yield every text that is a root and the beginning of one of its days."""
        return iter(self._days_beginning)

    def of(self, root: str, today: str) -> list[Expiry]:
        """Return the days of a root, the nearest first and those that have ended last."""
        return _in_turn(self.roots.get(root, []), today)

    def futures(self, root: str, today: str) -> Iterator[Entry]:
        """Yield the futures of a root, the nearest first."""
        for expiry in self.of(root, today):
            yield from expiry.futures

    def begun(self, text: str) -> Iterator[str]:
        """Yield the roots that are a beginning of a text, the longest first."""
        for length in range(min(len(text), self._longest), 0, -1):
            if text[:length] in self.roots:
                yield text[:length]

    def roots_beginning(self, text: str) -> list[str]:
        """Return the roots that begin so, the shortest first."""
        return self._roots_beginning.get(text, [])

    def beginning(self, text: str, today: str) -> Iterator[Entry]:
        """Yield the contracts whose roots begin so: futures before options, nearer days first."""
        for root in self.roots_beginning(text):
            days = self.of(root, today)
            for expiry in days:
                yield from expiry.futures
            for expiry in days:
                yield from expiry.options

    def dated(self, text: str, today: str) -> tuple[str, Iterator[Entry]]:
        """Find those whose symbols begin so, where the text goes on behind a root, best first.

        Before them stands what of the text is a root and (the beginning of) a day.
        """
        if (days := self._days_beginning.get(text)) is not None:
            return text, chain.from_iterable(map(_ENTRIES, _in_turn(days, today)))
        for said in _DAY.finditer(text):
            if (one := self._stems.get(stem := text[: said.end()])) is not None:
                return stem, one.shelf.beginning(text)
        return "", iter(())


def _in_turn(days: list[Expiry], today: str) -> list[Expiry]:
    """Return days that are in their order with those that have ended last."""
    if not days or days[0].day >= today:
        return days
    ended = bisect_left(days, today, key=lambda it: it.day)
    return days[ended:] + days[:ended]
