"""Candles: what a while of trading came to, built from ticks in whatever order they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from bahi.kernel.errors import Invalid
from bahi.kernel.money import Price

SECOND: Final = timedelta(seconds=1)


class Interval(StrEnum):
    """How long a candle is, as OpenAlgo writes it."""

    M1 = "1m"
    M3 = "3m"
    M5 = "5m"
    M10 = "10m"
    M15 = "15m"
    M30 = "30m"
    H1 = "1h"
    D1 = "D"

    @property
    def minutes(self) -> int | None:
        """Its length; None: the whole trading day."""
        return _MINUTES[self]


_MINUTES: Final = {
    Interval.M1: 1,
    Interval.M3: 3,
    Interval.M5: 5,
    Interval.M10: 10,
    Interval.M15: 15,
    Interval.M30: 30,
    Interval.H1: 60,
    Interval.D1: None,
}


def parse_interval(said: str) -> Interval:
    """Return the interval that was meant: `5m`, `1h`, `D`, and `1d` for the day."""
    word = said.strip().casefold()
    if word == "1d":
        return Interval.D1
    for it in Interval:
        if word == it.casefold():
            return it
    raise Invalid(f"interval: {said[:20]!r} is not known; there are {', '.join(Interval)}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """What a while came to; `at` is its beginning. None: not known."""

    at: datetime
    open: Price
    high: Price
    low: Price
    close: Price
    volume: int | None = None
    open_interest: int | None = None


class Trade(NamedTuple):
    """One tick as candles need it; `volume` is the day's so far."""

    at: datetime
    price: Price
    volume: int | None = None
    open_interest: int | None = None


def begin_of(at: datetime, opens: datetime, interval: Interval) -> datetime:
    """Return where the candle begins that an instant lies in; candles are laid from the open.

    What is traded before the open (an auction) belongs to the first one.
    """
    if interval.minutes is None or at < opens:
        return opens
    length = timedelta(minutes=interval.minutes)
    return opens + (at - opens) // length * length


def fold(candles: Iterable[Candle], opens: datetime, interval: Interval) -> Iterator[Candle]:
    """Put shorter candles of one day, which come in order, together to longer ones."""
    whole: Candle | None = None
    for it in candles:
        begins = begin_of(it.at, opens, interval)
        if whole is not None and whole.at == begins:
            whole = replace(
                whole,
                high=max(whole.high, it.high),
                low=min(whole.low, it.low),
                close=it.close,
                volume=_sum(whole.volume, it.volume),
                open_interest=_later(it.open_interest, whole.open_interest),
            )
            continue
        if whole is not None:
            yield whole
        whole = replace(it, at=begins)
    if whole is not None:
        yield whole


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _later(one: int | None, other: int | None) -> int | None:
    return other if one is None else one


@dataclass(slots=True)
class _Minute:
    """A minute under construction: its first and last tick, its extremes."""

    first: Trade
    last: Trade
    high: Price
    low: Price
    most: int | None
    """The greatest volume of the day that a tick of this minute told."""

    @classmethod
    def of(cls, tick: Trade) -> _Minute:
        return cls(tick, tick, tick.price, tick.price, tick.volume)

    def take(self, tick: Trade) -> None:
        self.first = min(self.first, tick, key=_rank)
        self.last = max(self.last, tick, key=_rank)
        self.high = max(self.high, tick.price)
        self.low = min(self.low, tick.price)
        if tick.volume is not None:
            self.most = max(tick.volume, self.most or 0)


def _rank(tick: Trade) -> tuple[datetime, int, int, int]:
    """Order ticks of one instant by what was traded until then, so that none depends on luck."""
    volume = -1 if tick.volume is None else tick.volume
    interest = -1 if tick.open_interest is None else tick.open_interest
    return (tick.at, volume, tick.price, interest)


class DayOfCandles:
    """One instrument's minutes of one trading day, from ticks late, twice or in any order.

    What was traded in a minute is the difference of the day's volume: between minutes that nobody
    saw it all falls to the one that follows. Of the first one that is seen, only what came after
    its first tick is known, unless `from_the_open` says that nothing was missed.
    """

    def __init__(
        self, opens: datetime, ends: datetime | None = None, *, from_the_open: bool = False
    ) -> None:
        self.opens, self.ends, self._from_the_open = opens, ends, from_the_open
        self._minutes: dict[datetime, _Minute] = {}

    def take(self, tick: Trade) -> None:
        """Take in a tick; what is made at the very end belongs to the last minute."""
        at = tick.at
        if self.ends is not None and at >= self.ends:
            at = self.ends - SECOND
        begins = begin_of(at, self.opens, Interval.M1)
        if (minute := self._minutes.get(begins)) is None:
            self._minutes[begins] = _Minute.of(tick)
        else:
            minute.take(tick)

    def candles(self, interval: Interval = Interval.M1) -> tuple[Candle, ...]:
        """Return what the day came to so far."""
        return tuple(fold(self._ones(), self.opens, interval))

    def _ones(self) -> Iterator[Candle]:
        seen = 0 if self._from_the_open else None
        for at in sorted(self._minutes):
            it = self._minutes[at]
            before = it.first.volume if seen is None else seen
            volume = None if it.most is None or before is None else max(0, it.most - before)
            yield Candle(
                at=at,
                open=it.first.price,
                high=it.high,
                low=it.low,
                close=it.last.price,
                volume=volume,
                open_interest=it.last.open_interest,
            )
            seen = max(seen or 0, it.most) if it.most is not None else seen


def between(candles: Sequence[Candle], first: datetime, last: datetime) -> tuple[Candle, ...]:
    """Return the candles that begin within a while, both ends included."""
    return tuple(it for it in candles if first <= it.at <= last)
