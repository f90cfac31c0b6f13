"""Words that were meant, where a word is misspelt."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping
from typing import Final

_CLOSELY_COMPARED: Final = 8
_FIGURES_AT_MOST: Final = 2  # a bond's name is mostly figures, and nobody misspells it
CORRECTIONS: Final = 3


class Spelling:
    """Finds the known words that share most threes of letters with a word, then fewest slips."""

    def __init__(self, words: Mapping[str, int]) -> None:
        """`words` says of each word how much it is wanted: the less, the more."""
        self._words = [word for word in words if _can_be_misspelt(word)]
        self._wanted = [words[word] for word in self._words]
        found: dict[str, list[int]] = {}
        for place, word in enumerate(self._words):
            for three in _threes(word):
                found.setdefault(three, []).append(place)
        self._places = {three: array("i", places) for three, places in found.items()}

    def corrections(self, word: str) -> list[str]:
        """Return the words that may have been meant, the likeliest first."""
        counts: Counter[int] = Counter()
        threes = _threes(word)
        for three in threes:
            counts.update(self._places.get(three, ()))
        allowed = _slips_allowed(word)
        close = []
        for place, shared in counts.most_common(4 * _CLOSELY_COMPARED):
            known = self._words[place]
            if abs(len(known) - len(word)) <= allowed or known.startswith(word[:3]):
                close.append((-shared / (len(threes) + len(known)), place))
        close.sort()
        found = []
        for _, place in close[:_CLOSELY_COMPARED]:
            known = self._words[place]
            slips = _slips(word, known, allowed)
            if slips <= allowed:
                found.append((slips, known[:1] != word[:1], self._wanted[place], known))
        return [known for *_, known in sorted(found)[:CORRECTIONS]]


def _can_be_misspelt(word: str) -> bool:
    return len(word) > 2 and sum(map(str.isdigit, word)) <= _FIGURES_AT_MOST


def _threes(word: str) -> set[str]:
    edged = f" {word} "
    return {edged[it : it + 3] for it in range(len(edged) - 2)}


def _slips_allowed(word: str) -> int:
    return 1 if len(word) < 5 else 2 if len(word) < 9 else 3


def _slips(word: str, known: str, most: int) -> float:
    """Count letters too many, missing, wrong, or two the wrong way round.

    A word that is not typed to its end counts as half a slip more.
    """
    if len(known) > len(word) + 1:
        return _distance(word, known[: len(word)], most) + 0.5
    return _distance(word, known, most)


def _distance(word: str, known: str, most: int) -> int:
    before: list[int] = []
    row = list(range(len(known) + 1))
    for place, letter in enumerate(word, 1):
        older, before, row = before, row, [place]
        for other, meant in enumerate(known, 1):
            least = min(before[other] + 1, row[-1] + 1, before[other - 1] + (letter != meant))
            if place > 1 < other and letter == known[other - 2] and word[place - 2] == meant:
                least = min(least, older[other - 2] + 1)
            row.append(least)
        if min(row) > most:
            break
    return min(row) if min(row) > most else row[-1]
