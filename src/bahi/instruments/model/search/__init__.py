"""Finding an instrument by what people type: symbols, pieces of them, names, and misspelt ones.

One pass over the entries tells contracts from the rest, which is all that exact symbols and
prefixes need. What the other ways need is made when the first of them is asked for; `prepare` makes
it beforehand, in the thread that loads a master.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from functools import cached_property
from itertools import chain, islice
from typing import Final

from bahi.instruments.model.instrument import Entry
from bahi.instruments.model.search import wishes
from bahi.instruments.model.search.meanings import Meanings
from bahi.instruments.model.search.names import Names, in_order
from bahi.instruments.model.search.pieces import Pieces
from bahi.instruments.model.search.shelves import Contracts
from bahi.instruments.model.search.wishes import squeezed
from bahi.kernel.words import Segment

__all__ = ["MOST", "Search"]

MOST: Final = 100  # found at once


class Search:
    """Finds entries by text; built once of a master, and never changed."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        self._contracts = Contracts()
        others = [entry for entry in entries if not self._contracts.take(entry)]
        self._contracts.close()
        self._names = Names(in_order(others, self._contracts.roots))

    def prepare(self) -> None:
        """Make what is otherwise made when it is first needed."""
        self._names.prepare()
        self._meanings.prepare()
        _ = self._pieces, self._numbered, self._shared

    def find(
        self,
        text: str,
        *,
        today: date,
        segments: Collection[Segment] | None = None,
        limit: int = 20,
    ) -> list[Entry]:
        """Return what a text may mean, best first, from all segments or only from these.

        What begins with the text, or has words that do, hides what merely contains it, and that
        hides what is only spelt like it.
        """
        most = max(0, min(limit, MOST))
        asked = text[: wishes.LONGEST].strip().upper()
        if ":" in asked or asked.endswith(wishes.KINDS):
            asked = wishes.plainly(asked)
        if not asked or not most:
            return []
        day = today.isoformat()
        if segments is None:  # a contract's symbol, which is most of what programs ask for
            beginning, dated = self._contracts.dated(asked, day)
            if beginning not in self._shared and (found := [*islice(dated, most)]):
                return found
        within = None if segments is None else frozenset(segments)
        for stage in self._stages(asked, day):
            if found := _first(stage, most, within):
                return found
        return []

    def _stages(self, asked: str, day: str) -> Iterator[Iterator[Entry]]:
        if " " not in asked:
            yield self._of_one_word(asked, day)
        words = wishes.tokens(asked)
        yield self._meanings.of(words, day)
        if len(asked) > 1:
            yield chain(self._names.containing(asked), self._pieces.containing(asked))
        yield self._meanings.of(self._meanings.corrected(words), day)
        yield self._meanings.nearly(words)

    def _of_one_word(self, asked: str, day: str) -> Iterator[Entry]:
        """Yield what is named exactly so, its futures, and what begins so."""
        named, begun = self._names.shelf.found(asked)
        yield from named
        _, dated = self._contracts.dated(asked, day)
        if (contract := next(dated, None)) is not None:
            yield from chain([contract] if contract.symbol == asked else [], begun, [contract])
            yield from dated
            return
        if asked.isdecimal():
            yield from self._of_number(asked)
        key = squeezed(asked)
        if self._meanings.is_name(key):
            yield from self._meanings.named(key, day)
        yield from begun
        yield from self._contracts.beginning(asked, day)
        if key:
            yield from self._names.of_words([key])
            yield from self._meanings.formerly(key)

    @cached_property
    def _shared(self) -> frozenset[str]:
        """The beginnings of contracts that are beginnings of other names as well: NIFTY10."""
        begins = self._names.shelf.begins
        return frozenset(it for it in self._contracts.beginnings if begins(it))

    @cached_property
    def _meanings(self) -> Meanings:
        return Meanings(self._names, self._contracts)

    @cached_property
    def _pieces(self) -> Pieces:
        return Pieces(self._contracts)

    @cached_property
    def _numbered(self) -> list[Entry]:
        numbered = [entry for entry in self._entries if entry.exchange_token]
        return sorted(numbered, key=_number)

    def _of_number(self, number: str) -> Iterator[Entry]:
        """Yield what has this number at an exchange; what is no contract first."""
        place, found = bisect_left(self._numbered, number, key=_number), list[Entry]()
        while place < len(self._numbered) and self._numbered[place].exchange_token == number:
            found.append(self._numbered[place])
            place += 1
        return iter(sorted(found, key=lambda it: (it.expiry or "", it.segment, it.symbol)))


def _number(entry: Entry) -> str:
    return entry.exchange_token or ""


def _first(found: Iterator[Entry], most: int, within: frozenset[Segment] | None) -> list[Entry]:
    """Return the first entries, each once, and only from some segments where so asked."""
    if within is not None:
        found = (entry for entry in found if entry.segment in within)
    kept = {id(entry): entry for entry in islice(found, most)}
    while len(kept) < most and (entry := next(found, None)) is not None:
        kept[id(entry)] = entry
    return list(kept.values())
