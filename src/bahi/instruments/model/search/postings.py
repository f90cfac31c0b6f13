"""Words, and the places where each is found, in three flat rows."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

_LAST: Final = "\U0010ffff"  # behind every word that goes on


class Postings:
    """Finds places by a word or by the beginning of one; far smaller than a list for each word."""

    def __init__(self, found: Mapping[str, Sequence[int]]) -> None:
        self.words = sorted(found)
        self._starts = array("i", [0])
        self._places = array("i")
        for word in self.words:
            self._places.extend(found[word])
            self._starts.append(len(self._places))

    @classmethod
    def of_each(cls, words_of_places: Iterable[Iterable[str]]) -> Postings:
        """Make them of the words of each place in turn."""
        found: dict[str, list[int]] = {}
        for place, words in enumerate(words_of_places):
            for word in words:
                found.setdefault(word, []).append(place)
        found.pop("", None)
        return cls(found)

    def of(self, word: str) -> Sequence[int]:
        """Return the places of a word."""
        it = bisect_left(self.words, word)
        if it == len(self.words) or self.words[it] != word:
            return ()
        return self._places[self._starts[it] : self._starts[it + 1]]

    def beginning(self, prefix: str) -> set[int]:
        """Return the places of all words that begin so."""
        return set(self._places[self._range(prefix)])

    def count(self, prefix: str) -> int:
        """Return how many places words that begin so have, counted again for each word."""
        found = self._range(prefix)
        return found.stop - found.start

    def _range(self, prefix: str) -> slice[int, int, None]:
        first = bisect_left(self.words, prefix)
        last = bisect_left(self.words, prefix + _LAST, first)
        return slice(self._starts[first], self._starts[last])

    def begins(self, prefix: str) -> bool:
        """Say whether any word begins so."""
        it = bisect_left(self.words, prefix)
        return it < len(self.words) and self.words[it].startswith(prefix)

    def firsts(self) -> Iterator[tuple[str, int]]:
        """Yield each word and its first place."""
        for it, word in enumerate(self.words):
            yield word, self._places[self._starts[it]]
