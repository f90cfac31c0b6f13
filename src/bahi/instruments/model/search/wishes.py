"""What people type, read as a wish: `nifty 26000 dec ce` is a root, strike, month and right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bahi.kernel.money import SCALE
from bahi.kernel.symbols import MONTHS
from bahi.kernel.words import OptionType, Segment

LONGEST: Final = 100  # characters that are read; nobody types more to find something
WORDS_AT_MOST: Final = 12

_TOKEN: Final = re.compile(r"[A-Z0-9]+(?:[.&'*_-]+[A-Z0-9]+)*", re.ASCII)
_THOUSANDS: Final = re.compile(r"(?<=[0-9]),(?=[0-9])")
_NOT_ALNUM: Final = re.compile(r"[^A-Z0-9]+", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,4})?", re.ASCII)
_THOUSANDS_MEANT: Final = re.compile(r"\d{1,4}(?:\.\d{1,4})?K", re.ASCII)
_NTH_DAY: Final = re.compile(r"(\d{1,2})(?:ST|ND|RD|TH)", re.ASCII)
_MONTH: Final = (
    "JAN(?:UARY)?|FEB(?:RUARY)?|MAR(?:CH)?|APR(?:IL)?|MAY|JUNE?|JULY?|AUG(?:UST)?|SEPT?(?:EMBER)?"
    "|OCT(?:OBER)?|NOV(?:EMBER)?|DEC(?:EMBER)?"
)
_DATED: Final = re.compile(rf"(\d\d?)?({_MONTH})(\d{{4}}|\d\d)?", re.ASCII)
_ISO_DAY: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])-(\d\d)", re.ASCII)
_STRUCK: Final = re.compile(r"(\d{1,9}(?:\.\d{1,4})?K?)(CE|PE|CALL|PUT|C|P)", re.ASCII)
_PARTS: Final = re.compile(
    rf"{_MONTH}|FUTURES?|FUT|CE|PE|CALLS?|PUTS?|\d{{1,9}}(?:\.\d{{1,4}})?K?", re.ASCII
)
_GLUED: Final = re.compile(f"(?:{_PARTS.pattern})+", re.ASCII)

_RIGHTS: Final = {
    **dict.fromkeys(("CE", "CALL", "CALLS", "C"), OptionType.CE),
    **dict.fromkeys(("PE", "PUT", "PUTS", "P"), OptionType.PE),
}
_RIGHT_WORDS: Final = frozenset(_RIGHTS) - {"C", "P"}  # alone, these are letters of a name
_FUTURES: Final = frozenset({"FUT", "FUTURE", "FUTURES", "FUTS"})
_OPTIONS: Final = frozenset({"OPT", "OPTION", "OPTIONS", "OPTS", "STRADDLE", "STRANGLE"})
_FILLERS: Final = frozenset({"STRIKE", "EXPIRY", "EXP", "CONTRACT", "SHARE", "SHARES"})
_WEEKLY: Final = frozenset({"WEEK", "WEEKLY"})
_MONTHLY: Final = frozenset({"MONTH", "MONTHLY"})

_CASH: Final = frozenset({Segment.NSE_EQ, Segment.BSE_EQ})
_INDICES: Final = frozenset({Segment.NSE_INDEX, Segment.BSE_INDEX, Segment.MCX_INDEX})
_EXCHANGE_WORDS: Final[Mapping[str, frozenset[Segment]]] = {
    **{segment.value: frozenset({segment}) for segment in Segment},
    **{
        exchange: frozenset(segment for segment in Segment if segment.startswith(exchange))
        for exchange in ("NSE", "BSE", "MCX")
    },
    "NFO": frozenset({Segment.NSE_FNO}),
    "BFO": frozenset({Segment.BSE_FNO}),
    "CDS": frozenset({Segment.NSE_CURRENCY}),
    "BCD": frozenset({Segment.BSE_CURRENCY}),
    "EQ": _CASH,
    "CASH": _CASH,
    "INDEX": _INDICES,
}


KINDS: Final = ("-INDEX", "-EQ")
"""What terminals put behind a symbol."""


@dataclass
class Wish:
    """A text taken apart; `months` and `numbers` of a date stand apart from strikes."""

    words: list[str] = field(default_factory=list)
    month: int | None = None
    days: list[int] = field(default_factory=list)  # each is the day of the month or the year
    strikes: list[int] = field(default_factory=list)
    right: OptionType | None = None
    futures: bool = False
    options: bool = False
    weekly: bool = False
    monthly: bool = False
    later: bool = False  # not this week or month, the next
    exchange_words: list[str] = field(default_factory=list)

    @property
    def is_of_contracts(self) -> bool:
        """Does it say something that only a contract has?"""
        return bool(
            self.month or self.strikes or self.right or self.futures or self.options
            or self.weekly or self.monthly
        )  # fmt: skip

    @property
    def segments(self) -> frozenset[Segment] | None:
        """Where the words that name an exchange say that it is listed."""
        found: frozenset[Segment] | None = None
        for word in self.exchange_words:
            if word == "INDEX" and self.is_of_contracts:
                continue  # `nifty index fut` is no index
            named = _EXCHANGE_WORDS[word]
            found = named if found is None else (found & named or found | named)
        return found

    def allows(self, expiry: str) -> bool:
        """Say whether a contract that ends on this day (2026-12-29) is meant."""
        if self.month is None:
            return True
        if int(expiry[5:7]) != self.month:
            return False
        said = (int(expiry[8:]), int(expiry[2:4]), int(expiry[:4]))
        return all(number in said for number in self.days)


def squeezed(text: str) -> str:
    """Leave out what people write differently: `M&M`, `Bajaj-Auto` and `BAJAJ AUTO` of a name."""
    return _NOT_ALNUM.sub("", text.upper())


def plainly(asked: str) -> str:
    """Write `NSE:NIFTY50-INDEX`, as terminals name things, in words: `NIFTY50 NSE INDEX`."""
    exchange, _, symbol = map(str.strip, asked.rpartition(":"))
    if exchange and exchange not in _EXCHANGE_WORDS:
        return asked
    kind = next((it for it in KINDS if symbol.endswith(it)), "")
    named = symbol.removesuffix(kind)
    return " ".join(filter(None, (named, exchange, kind[1:]))) if named else asked


def tokens(text: str) -> list[str]:
    """Cut a text into words; `and` is no word, as names have & or nothing there."""
    plain = _THOUSANDS.sub("", text[:LONGEST].upper())
    return [word for word in _TOKEN.findall(plain) if word != "AND"][:WORDS_AT_MOST]


def parts(tail: str) -> list[str] | None:
    """Cut what stands behind a root in one word, `25NOV26000CE`; None: that is no contract."""
    return _PARTS.findall(tail) if _GLUED.fullmatch(tail) else None


def read(words: Sequence[str], is_name: Callable[[str], bool]) -> Wish:
    """Read words as a wish; `is_name` says which run of words is something's whole name."""
    wish = Wish()
    spread = list(_spread(words))
    place = 0
    while place < len(spread):
        place += _take(wish, spread, place, is_name)
    if not wish.words and wish.exchange_words:  # BSE and MCX are shares, too
        wish.words, wish.exchange_words = wish.exchange_words, []
    return wish


def _spread(words: Sequence[str]) -> Iterator[str]:
    """Yield words, those with hyphens in pieces where a piece is a month or the like."""
    for word in words:
        pieces = word.split("-")
        if len(pieces) > 1 and (_ISO_DAY.fullmatch(word) or not any(map(_is_term, pieces))):
            yield word
        else:
            yield from filter(None, pieces)


def _is_term(word: str) -> bool:
    return word in _FUTURES or word in ("CE", "PE") or _DATED.fullmatch(word) is not None


def _take(wish: Wish, words: Sequence[str], place: int, is_name: Callable[[str], bool]) -> int:
    """Read the word at a place into the wish, and say how many were read."""
    word = words[place]
    if word in ("NEXT", "THIS", "CURRENT") and words[place + 1 : place + 2]:
        if words[place + 1] in _WEEKLY | _MONTHLY | _FILLERS:
            wish.later = word == "NEXT"
            wish.weekly |= words[place + 1] not in _MONTHLY
            wish.monthly |= words[place + 1] in _MONTHLY
            return 2
    elif _take_kind(wish, word) or _take_date(wish, words, place):
        return 1
    elif number := _NTH_DAY.fullmatch(word) or _NUMBER.fullmatch(word):
        _take_number(wish, words, place, number[number.lastindex or 0], is_name)
        return 1
    elif _THOUSANDS_MEANT.fullmatch(word):
        wish.strikes.append(_price(word))
        return 1
    elif struck := _STRUCK.fullmatch(word):
        wish.strikes.append(_price(struck[1]))
        wish.right = _RIGHTS[struck[2]]
        return 1
    wish.words.append(word)
    return 1


def _take_kind(wish: Wish, word: str) -> bool:
    if word in _RIGHT_WORDS:
        wish.right = _RIGHTS[word]
    elif word in _FUTURES:
        wish.futures = True
    elif word in _OPTIONS:
        wish.options = True
    elif word in _WEEKLY:
        wish.weekly = True
    elif word in _MONTHLY:
        wish.monthly = True
    elif word in _EXCHANGE_WORDS:
        wish.exchange_words.append(word)
    else:
        return word in _FILLERS
    return True


def _take_date(wish: Wish, words: Sequence[str], place: int) -> bool:
    if iso := _ISO_DAY.fullmatch(words[place]):
        wish.month, wish.days = int(iso[2]), [int(iso[1]), int(iso[3])]
        return True
    dated = _DATED.fullmatch(words[place])
    if dated is None or wish.month is not None:
        return False
    wish.month = MONTHS.index(dated[2][:3]) + 1
    wish.days += [int(number) for number in (dated[1], dated[3]) if number]
    return True


def _take_number(
    wish: Wish, words: Sequence[str], place: int, number: str, is_name: Callable[[str], bool]
) -> None:
    """Take a number for the end of a name, a piece of the date beside a month, or a strike."""
    if wish.words and is_name(squeezed("".join(wish.words) + number)):
        wish.words.append(number)  # nifty 50
    elif "." not in number and _is_of_date(wish, words, place, int(number)):
        wish.days.append(int(number))
    else:
        wish.strikes.append(_price(number))


def _is_of_date(wish: Wish, words: Sequence[str], place: int, number: int) -> bool:
    if number <= 31:
        following = words[place + 1 : place + 2]
        if following and wish.month is None and _DATED.fullmatch(following[0]):
            return True
    before = words[max(0, place - 2) : place]
    if wish.month is None or not any(map(_DATED.fullmatch, before)):
        return False
    return number <= 99 or (2000 <= number < 2100 and bool(wish.strikes or not wish.right))


def _price(number: str) -> int:
    """Read rupees, or thousands of them: `25K`."""
    rupees, _, decimals = number.rstrip("K").partition(".")
    price = int(rupees) * SCALE + int(decimals.ljust(4, "0"))
    return price * 1_000 if number.endswith("K") else price
