"""The options of one underlying, laid out by strike, and counted from the price as OpenAlgo does.

At the money is the strike nearest to the price, the lower one where two are equally near; where the
price lies beyond the chain by more than a step, nothing is. For a
call the strikes below it are in the money and those above it out of the money; for a put it is the
other way round. ITM2 is the second strike that is listed, however far the strikes lie apart, and
each side counts the strikes that it has itself.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from bahi.instruments.model.instrument import Entry
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import Price, plain
from bahi.kernel.symbols import YEARS, dated, strike_text
from bahi.kernel.words import OptionType, Segment

NAMED_AT_MOST: Final = 3  # expiries that an error names beside the one that is not there

_OFFSET: Final = re.compile(r"ATM|(?P<side>ITM|OTM)(?P<steps>[1-9]\d{0,3})", re.ASCII)
_Side = Mapping[Price, Entry]


class Rung(NamedTuple):
    """One strike of a chain: the call and the put that are listed at it, and what each is."""

    strike: Price
    call: Entry | None
    put: Entry | None
    call_label: str | None
    put_label: str | None


class Offset(NamedTuple):
    """How many listed strikes from the money: in it above zero, out of it below."""

    steps: int

    @classmethod
    def parse(cls, text: str) -> Offset:
        """Read ATM, ITM3 or OTM12."""
        found = _OFFSET.fullmatch(text.strip().upper())
        if found is None:
            raise Invalid(f"offset: {text[:24]!r} is none; write ATM, ITM1 or OTM1 and so on.")
        steps = int(found["steps"] or 0)
        return cls(steps if found["side"] == "ITM" else -steps)

    def __str__(self) -> str:
        if not self.steps:
            return "ATM"
        return f"ITM{self.steps}" if self.steps > 0 else f"OTM{-self.steps}"


def expiries(entries: Iterable[Entry]) -> list[date]:
    """Return the days on which these contracts end, the nearest first."""
    return [date.fromisoformat(day) for day in sorted({it.expiry for it in entries if it.expiry})]


class Chain:
    """The options of one underlying in one segment; whatever else is among the entries is left out.

    Expired ones are in it where they are handed in: it knows no today.
    """

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._days: dict[str, dict[OptionType, dict[Price, Entry]]] = defaultdict(
            lambda: {OptionType.CE: {}, OptionType.PE: {}}
        )
        segments = set()
        self._root = "it"
        for entry in entries:
            if entry.expiry is None or entry.strike is None or entry.option_type is None:
                continue
            segments.add((entry.segment, entry.root))
            self._root = entry.root or self._root
            side = self._days[entry.expiry][OptionType(entry.option_type)]
            side[Price(entry.strike)] = entry
        if len(segments) > 1:
            raise Invalid("A chain is of one underlying in one segment; these entries are of more.")
        self._segment = next((Segment(segment) for segment, _ in segments), Segment.NSE_FNO)

    @property
    def segment(self) -> Segment:
        """Where its options are listed."""
        return self._segment

    @property
    def expiries(self) -> list[date]:
        """The days on which its options end, the nearest first."""
        return [date.fromisoformat(day) for day in sorted(self._days)]

    def at(self, expiry: date, price: Price, around: int = 10) -> list[Rung]:
        """Return the strike that is nearest to a price and so many on either side, lowest first."""
        if around < 0:
            raise Invalid(f"around: {around} strikes on either side cannot be; take 0 or more.")
        calls, puts = self._sides(expiry)
        call_labels, put_labels = _labels(calls, price, 1), _labels(puts, price, -1)
        strikes = sorted({*calls, *puts})
        middle = nearest(strikes, _real(price))
        return [
            Rung(
                strike,
                calls.get(strike),
                puts.get(strike),
                call_labels.get(strike),
                put_labels.get(strike),
            )
            for strike in strikes[max(0, middle - around) : middle + around + 1]
        ]

    def at_the_money(self, expiry: date, price: Price) -> Price:
        """Return the strike that is nearest to a price."""
        calls, puts = self._sides(expiry)
        strikes = sorted({*calls, *puts})
        self._require_money(strikes, price)
        return strikes[nearest(strikes, price)]

    def _require_money(self, strikes: Sequence[Price], price: Price) -> None:
        if not has_money(strikes, _real(price)):
            raise NotFound(
                f"The strikes of {self._root} go from {strike_text(strikes[0])} to"
                f" {strike_text(strikes[-1])}, and none is near the price of {plain(price)}."
            )

    def by_offset(
        self, expiry: date, price: Price, offset: str | Offset, right: OptionType
    ) -> Entry:
        """Return the option that lies so many strikes from the money."""
        wanted = offset if isinstance(offset, Offset) else Offset.parse(offset)
        side = self._sides(expiry)[right is not OptionType.CE]
        strikes = sorted(side)
        if not strikes:
            raise NotFound(f"{self._root} has no {right} that ends on {_said(expiry)}.")
        self._require_money(strikes, price)
        up = -wanted.steps if right is OptionType.CE else wanted.steps
        place = nearest(strikes, price) + up
        if not 0 <= place < len(strikes):
            raise NotFound(
                f"{wanted} lies beyond the chain: the {right} strikes of {self._root} that end on "
                f"{_said(expiry)} go from {strike_text(strikes[0])} to {strike_text(strikes[-1])}, "
                f"and the money is at {strike_text(strikes[place - up])}."
            )
        return side[strikes[place]]

    def _sides(self, expiry: date) -> tuple[_Side, _Side]:
        sides = self._days.get(expiry.isoformat())
        if sides is None:
            raise NotFound(
                f"No option of {self._root} ends on {_said(expiry)}; {self._others(expiry)}."
            )
        return sides[OptionType.CE], sides[OptionType.PE]

    def _others(self, expiry: date) -> str:
        days = sorted(self.expiries, key=lambda day: (abs((day - expiry).days), day))
        if not days:
            return "it has no options at all"
        return f"the nearest are {', '.join(_said(day) for day in sorted(days[:NAMED_AT_MOST]))}"


def nearest(strikes: Sequence[Price], price: Price) -> int:
    """Return the place of the strike nearest to a price; of two equally near, the lower one's."""
    above = bisect_left(strikes, price)
    if above == 0:
        return 0
    if above == len(strikes):
        return above - 1
    return above - (price - strikes[above - 1] <= strikes[above] - price)


def has_money(strikes: Sequence[Price], price: Price) -> bool:
    """Say whether a price lies within the strikes, or beyond them by a step at most."""
    if len(strikes) == 1:
        return strikes[0] == price
    below, above = strikes[1] - strikes[0], strikes[-1] - strikes[-2]
    return strikes[0] - below <= price <= strikes[-1] + above


def _real(price: Price) -> Price:
    if price <= 0:
        raise Invalid(f"price: {plain(price)} cannot be; an underlying is worth more than nothing.")
    return price


def _labels(side: _Side, price: Price, in_below: int) -> dict[Price, str]:
    strikes = sorted(side)
    if not strikes or not has_money(strikes, price):
        return {}
    middle = nearest(strikes, price)
    return {
        strike: str(Offset((middle - place) * in_below)) for place, strike in enumerate(strikes)
    }


def _said(expiry: date) -> str:
    return dated(expiry) if expiry.year in YEARS else expiry.isoformat()
