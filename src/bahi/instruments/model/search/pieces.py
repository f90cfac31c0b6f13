"""Finding a piece of text anywhere in many texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from bahi.instruments.model.instrument import Entry
from bahi.instruments.model.search.postings import Postings
from bahi.instruments.model.search.shelves import DATE, Contracts, Expiry

_TOGETHER: Final = 32  # texts that are looked through at once
_TAILS_AT_MOST: Final = 64


class Pile:
    """Texts in blocks; a bit for every block says whether three letters in a row occur in it."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._blocks: list[str] = []
        self._bits: dict[str, int] = {}
        found: dict[str, list[int]] = {}
        for first in range(0, len(texts), _TOGETHER):
            place = len(self._blocks)
            block = "\n".join(texts[first : first + _TOGETHER]) + "\n"
            self._blocks.append(block)
            for three in {block[it : it + 3] for it in range(len(block) - 2)}:
                found.setdefault(three, []).append(place)
        room = len(self._blocks) // 8 + 1
        for three, places in found.items():
            bits = bytearray(room)
            for place in places:
                bits[place >> 3] |= 1 << (place & 7)
            self._bits[three] = int.from_bytes(bits, "little")

    def containing(self, piece: str) -> Iterator[int]:
        """Yield the places of the texts that the piece is in, in their order."""
        if not piece or "\n" in piece:
            return
        bits = (1 << len(self._blocks)) - 1
        for it in range(len(piece) - 2):
            bits &= self._bits.get(piece[it : it + 3], 0)
        while bits:
            lowest = bits & -bits
            bits ^= lowest
            place = lowest.bit_length() - 1
            block = self._blocks[place]
            at, lines, counted = block.find(piece), 0, 0
            while at >= 0:
                lines += block.count("\n", counted, at)
                yield place * _TOGETHER + lines
                counted = block.index("\n", at)
                at = block.find(piece, counted)


class Pieces:
    """Finds a piece of a contract's symbol, which is a stem (root and day) and a tail.

    The few stems and tails are looked through, not the many symbols.
    """

    def __init__(self, contracts: Contracts) -> None:
        self._days: list[Expiry] = list(contracts.days)
        self._stems = Pile([expiry.stem for expiry in self._days])
        self._ending: dict[str, list[Expiry]] = {}
        tails: dict[str, list[int]] = {}
        for place, expiry in enumerate(self._days):
            for length in range(1, DATE + 1):
                self._ending.setdefault(expiry.stem[-length:], []).append(expiry)
            cut = len(expiry.stem)
            for tail in {entry.symbol[cut:] for entry in expiry.unsorted}:
                tails.setdefault(tail, []).append(place)
        self._with_tail = Postings(tails)
        self._tail_texts = sorted(tails, key=lambda tail: (len(tail), tail))
        self._tails = Pile(self._tail_texts)

    def containing(self, piece: str) -> Iterator[Entry]:
        """Yield the contracts with the piece anywhere in their symbols, nearer days first."""
        for place in self._stems.containing(piece):
            yield from self._days[place].entries
        yield from self._spanning(piece)
        tails = [*islice(self._tails.containing(piece), _TAILS_AT_MOST)]
        found = [
            place * _TAILS_AT_MOST + number
            for number, tail in enumerate(tails)
            for place in self._with_tail.of(self._tail_texts[tail])
        ]
        for it in sorted(found):
            place, number = divmod(it, _TAILS_AT_MOST)
            expiry = self._days[place]
            yield from expiry.shelf.named(expiry.stem + self._tail_texts[tails[number]])

    def _spanning(self, piece: str) -> Iterator[Entry]:
        """Yield those where the piece begins in the stem and ends in the tail."""
        for cut in range(1, len(piece)):
            end, rest = piece[:cut], piece[cut:]
            for expiry in self._with_both(end[-DATE:], rest):
                if expiry.stem.endswith(end):
                    yield from expiry.shelf.beginning(expiry.stem + rest)

    def _with_both(self, end: str, rest: str) -> Sequence[Expiry]:
        """Return the days whose stems end so, or those with tails that begin so: the fewer."""
        ending = self._ending.get(end, [])
        if not ending or self._with_tail.count(rest) > len(ending):
            return ending
        return [self._days[it] for it in sorted(self._with_tail.beginning(rest))]
