"""What is not a contract (shares, funds, bonds, indices) by the words of its symbol and name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Final

from bahi.instruments.model.instrument import Entry
from bahi.instruments.model.search.pieces import Pile
from bahi.instruments.model.search.postings import Postings
from bahi.instruments.model.search.shelves import Shelf, exchange_place
from bahi.instruments.model.search.wishes import squeezed, tokens

_MAIN_SERIES: Final = frozenset({"", "EQ", "A", "B"})  # A and B are the groups of BSE's shares
_SHARE_SERIES: Final = frozenset({"BE", "BZ", "SM", "ST", "X", "XT", "T", "M", "MT", "Z", "E"})


def in_order(entries: Iterable[Entry], roots: Iterable[str]) -> list[Entry]:
    """Order entries as people want them: with contracts first, NSE before BSE, EQ, the shorter."""
    traded = frozenset(roots)

    def wanted(entry: Entry) -> tuple[bool, int, int, int, str]:
        series = entry.series or ""
        place = 0 if series in _MAIN_SERIES else 1 if series in _SHARE_SERIES else 2
        symbol = entry.symbol
        return symbol not in traded, place, exchange_place(entry), len(symbol), symbol

    return sorted(entries, key=wanted)


class Names:
    """Finds entries by their symbols, and by the words of their names."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.shelf = Shelf(entries)

    @property
    def entries(self) -> Sequence[Entry]:
        """All of them, best first."""
        return self.shelf.entries

    def prepare(self) -> None:
        """Make what is otherwise made when it is first needed."""
        _ = self._known, self.vocabulary, self._pile

    @cached_property
    def _keys(self) -> Postings:
        return Postings.of_each(map(_keys, self.entries))

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self._keys.words)

    @cached_property
    def vocabulary(self) -> Postings:
        """Every word of every symbol and name, and what has it."""
        return Postings.of_each(map(_words, self.entries))

    def called(self, key: str) -> Iterator[Entry]:
        """Yield what is called exactly this, squeezed, or has it for its ISIN."""
        return map(self.entries.__getitem__, self._keys.of(key))

    def is_called(self, key: str) -> bool:
        """Say whether anything is called exactly this."""
        return key in self._known

    def of_words(self, words: Sequence[str]) -> Iterator[Entry]:
        """Yield what has a word that begins like each of these; names that begin so come first."""
        if not words:
            return iter(())
        found = set.intersection(*map(self.vocabulary.beginning, words))
        return map(self.entries.__getitem__, self._ordered(found, words))

    def of_most_words(self, words: Sequence[str]) -> Iterator[Entry]:
        """Yield what has half of these words or more, those with most of them first."""
        counts: dict[int, int] = {}
        for word in words:
            for place in self.vocabulary.beginning(word):
                counts[place] = counts.get(place, 0) + 1
        enough = {place: count for place, count in counts.items() if 2 * count >= len(words)}
        ordered = sorted(enough, key=lambda place: (-enough[place], place))
        return map(self.entries.__getitem__, ordered)

    def _ordered(self, found: Iterable[int], words: Sequence[str]) -> list[int]:
        if len(words) == 1:
            return sorted(found)
        begun = "".join(words[:1])
        whole = [frozenset(self.vocabulary.of(word)) for word in words]

        def wanted(place: int) -> tuple[int, bool, int]:
            entry = self.entries[place]
            begins = squeezed(entry.name or "").startswith(begun) or entry.symbol.startswith(begun)
            return -sum(place in it for it in whole), not begins, place

        return sorted(found, key=wanted)

    @cached_property
    def _pile(self) -> Pile:
        return Pile(
            [
                f"{it.symbol}\t{it.trading_symbol or ''}\t{it.name or ''}".upper().replace(
                    "\n", " "
                )
                for it in self.entries
            ]
        )

    def containing(self, piece: str) -> Iterator[Entry]:
        """Yield what has a piece of text anywhere in its symbol, trading symbol or name."""
        return map(self.entries.__getitem__, self._pile.containing(piece))


def _keys(entry: Entry) -> set[str]:
    written = (entry.symbol, entry.trading_symbol or "", entry.name or "")
    return {*map(squeezed, written), entry.isin or ""}


def _words(entry: Entry) -> set[str]:
    text = f"{entry.symbol} {entry.trading_symbol or ''} {entry.name or ''}"
    return {squeezed(word) for word in tokens(text)}
