"""What several words mean together: a name, or the contracts of a root that fit the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Final

from bahi.instruments.model.instrument import Entry
from bahi.instruments.model.search import wishes
from bahi.instruments.model.search.names import Names
from bahi.instruments.model.search.nicknames import FORMER, FORMER_BEGUN, full_name
from bahi.instruments.model.search.shelves import Contracts, Expiry
from bahi.instruments.model.search.spelling import Spelling
from bahi.instruments.model.search.wishes import Wish, squeezed
from bahi.kernel.money import SCALE
from bahi.kernel.symbols import MONTHS

_WEEKLY: Final = re.compile(r"(\d\d)([1-9OND])(\d\d)(\d+(?:\.\d+)?)(CE|PE)", re.ASCII)
_WEEKLY_MONTHS: Final = "123456789OND"
_ROOTS_MEANT: Final = 5  # that a half-typed name may stand for, where contracts are asked for
_FUTURES_SHOWN: Final = 3  # right behind the share or index that was named
_LONGEST_WORD: Final = 32  # what is longer is no misspelt word


class Meanings:
    """Reads words as people mean them."""

    def __init__(self, names: Names, contracts: Contracts) -> None:
        self._names = names
        self._contracts = contracts

    def prepare(self) -> None:
        """Make what is otherwise made when it is first needed."""
        _ = self._spelling, self._struck

    def root_of(self, key: str) -> str:
        """Return the root that something squeezed names; itself where it names none."""
        if key in self._contracts.roots:
            return key
        name = full_name(key)
        if name in self._contracts.roots:
            return name
        return next((it.symbol for it in self._names.called(key) if self._is_root(it)), name)

    def called(self, key: str) -> Iterator[Entry]:
        """Yield what is called exactly so, by its own name or by a nickname."""
        for name in FORMER.get(key) or (full_name(key),):
            if name != key:
                yield from self._names.called(squeezed(name))
        yield from self._names.called(key)

    def formerly(self, begun: str) -> Iterator[Entry]:
        """Yield what had a symbol that begins so before it was renamed."""
        for name in FORMER_BEGUN.get(begun, ()):
            yield from self._names.called(squeezed(name))

    def named(self, key: str, day: str) -> Iterator[Entry]:
        """Yield what is called exactly so, and the next of its futures."""
        yield from self.called(key)
        yield from islice(self._contracts.futures(self.root_of(key), day), _FUTURES_SHOWN)

    def of(self, words: Sequence[str], day: str) -> Iterator[Entry]:
        """Yield what words mean: what they name whole, then contracts, then what has the words."""
        if not words:
            return
        whole = squeezed("".join(words))
        yield from self._whole(whole, day)
        wish = wishes.read([part for word in words for part in self._apart(word)], self.is_name)
        if wish.is_of_contracts:
            yield from self._contracts_meant(wish, day)
        else:
            yield from self._named(wish, day)
        yield from self._names.of_words([squeezed(word) for word in words])

    def _whole(self, key: str, day: str) -> Iterator[Entry]:
        if self.is_name(key):
            yield from self.named(key, day)
            yield from self._rest_of_root(self.root_of(key), day)

    def _rest_of_root(self, root: str, day: str) -> Iterator[Entry]:
        for expiry in self._contracts.of(root, day):
            yield from expiry.entries

    def _named(self, wish: Wish, day: str) -> Iterator[Entry]:
        """Yield names without a term of a contract; an exchange that was named narrows them."""
        within = wish.segments
        key = squeezed("".join(wish.words))
        for found in (self._whole(key, day), self._names.of_words([*map(squeezed, wish.words)])):
            yield from (it for it in found if within is None or it.segment in within)

    def _contracts_meant(self, wish: Wish, day: str) -> Iterator[Entry]:
        within = wish.segments
        if not wish.words:
            found = self._fitting(wish, self._days_with(wish.strikes), day)
        else:
            found = (
                entry
                for root in self._roots(wish.words)
                for entry in self._fitting(wish, self._contracts.of(root, day), day)
            )
        yield from (it for it in found if within is None or it.segment in within)

    def _roots(self, words: Sequence[str]) -> list[str]:
        """Return the roots that words may stand for, the likeliest first."""
        key = squeezed("".join(words))
        if (root := self.root_of(key)) in self._contracts.roots:
            return [root]
        if begun := self._contracts.roots_beginning(key):
            return begun
        found = self._names.of_words([squeezed(word) for word in words])
        roots = dict.fromkeys(it.symbol for it in found if self._is_root(it))
        return list(roots)[:_ROOTS_MEANT]

    def _is_root(self, entry: Entry) -> bool:
        return entry.symbol in self._contracts.roots

    def is_name(self, key: str) -> bool:
        """Say whether anything, or a root, is called exactly this."""
        return (
            key in self._contracts.roots
            or self._names.is_called(key)
            or (name := full_name(key)) in self._contracts.roots
            or self._names.is_called(name)
        )

    def _apart(self, word: str) -> Iterator[str]:
        """Take a word apart that has its root and terms in one, as brokers write them."""
        if self.is_name(squeezed(word)):
            yield word
            return
        for root in self._contracts.begun(word):
            tail = word[len(root) :]
            if weekly := _WEEKLY.fullmatch(tail):
                year, month, day, strike, right = weekly.groups()
                named = f"{day}{MONTHS[_WEEKLY_MONTHS.index(month)]}{year}"
                if any(it.stem == root + named for it in self._contracts.roots[root]):
                    yield from (root, named, strike, right)
                    return
            if tail and (parts := wishes.parts(tail)):
                yield from (root, *parts)
                return
        yield word

    @cached_property
    def _all_days(self) -> list[Expiry]:
        """Every day of every root: of indices before others, the nearest first."""
        days = list(self._contracts.days)
        return sorted(days, key=lambda it: not it.is_of_index)

    @cached_property
    def _struck(self) -> dict[int, list[Expiry]]:
        found: dict[int, list[Expiry]] = {}
        for expiry in self._all_days:
            for strike in expiry.strikes:
                found.setdefault(strike, []).append(expiry)
        return found

    def _days_with(self, strikes: Sequence[int]) -> list[Expiry]:
        return self._struck.get(strikes[0], []) if strikes else self._all_days

    def _fitting(self, wish: Wish, days: Sequence[Expiry], today: str) -> Iterator[Entry]:
        """Yield the contracts of some days that fit a wish."""
        meant = _allowed(wish, days)
        if not meant and wish.days:  # there is no such day: `idea dec 10 ce` is a strike
            wish.strikes += [it * SCALE for it in wish.days]
            wish.days = []
            meant = _allowed(wish, days)
        if not wish.strikes and not wish.right and not wish.options:
            yield from (
                entry for it in _in_turn(wish, meant, today, futures=True) for entry in it.futures
            )
        if not wish.futures:
            yield from self._options(wish, _in_turn(wish, meant, today, futures=False))

    def _options(self, wish: Wish, days: Sequence[Expiry]) -> Iterator[Entry]:
        right = wish.right
        if not wish.strikes:
            for expiry in days:
                yield from (
                    it for it in expiry.entries
                    if it.strike is not None and right in (None, it.option_type)
                )  # fmt: skip
            return
        is_listed = False
        for strike in wish.strikes:
            for expiry in days:
                if strike not in expiry.strikes:
                    continue
                for entry in expiry.at(strike):
                    if right in (None, entry.option_type):
                        is_listed = True
                        yield entry
        if not is_listed:
            yield from self._near(wish, days)

    def _near(self, wish: Wish, days: Sequence[Expiry]) -> Iterator[Entry]:
        """Yield the strikes nearest to one that is not listed."""
        strike = wish.strikes[-1]
        for expiry in days:
            for listed in sorted(expiry.strikes, key=lambda it: (abs(it - strike), it)):
                for entry in expiry.at(listed):
                    if wish.right in (None, entry.option_type):
                        yield entry

    @cached_property
    def _spelling(self) -> Spelling:
        best = dict(self._names.vocabulary.firsts())
        return Spelling(best | dict.fromkeys(self._contracts.roots, -1))

    def corrected(self, words: Iterable[str]) -> list[str]:
        """Return words as they may have been meant, those left as they are that are known."""
        return [self._correction(word) for word in words]

    def _correction(self, word: str) -> str:
        key = squeezed(word)
        if len(key) > _LONGEST_WORD or self._is_known(word, key):
            return word
        return next(iter(self._spelling.corrections(key)), word)

    def _is_known(self, word: str, key: str) -> bool:
        wish = wishes.read([word], self.is_name)
        return not wish.words or self.is_name(key) or self._names.vocabulary.begins(key)

    def nearly(self, words: Sequence[str]) -> Iterator[Entry]:
        """Yield what has most of the words, each corrected where it is not known."""
        return self._names.of_most_words([squeezed(it) for it in self.corrected(words)])


def _allowed(wish: Wish, days: Sequence[Expiry]) -> Sequence[Expiry]:
    """Return the days that are meant; most are of another month, which is seen at once."""
    if wish.month is None:
        return days
    month = f"{wish.month:02}"
    return [it for it in days if it.day[5:7] == month and wish.allows(it.day)]


def _in_turn(wish: Wish, days: Sequence[Expiry], today: str, *, futures: bool) -> list[Expiry]:
    """Order days: the nearest first; where a month is meant, its last, which is the month's own."""
    having = [it for it in days if (it.has_futures if futures else it.strikes)]
    last_of = {(it.root, it.day[:7]): it.day for it in having}
    own = [it for it in having if it.day == last_of[it.root, it.day[:7]]]
    if wish.monthly:
        having = own
    elif wish.month is not None:
        others = [it for it in having if it.day != last_of[it.root, it.day[:7]]]
        having = sorted([*own, *others], key=lambda it: (it.day < today, it.day[:4]))
    return having[1:] if wish.later else having
