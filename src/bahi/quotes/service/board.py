"""The board: the newest price of every instrument, and who is told when it changes.

Whoever subscribes names instruments. What waits for a subscriber is the newest price of each of
these and nothing else, so it never holds more than was named: one who does not read misses what
came between, is told how much, and delays nobody. Everything here runs in one event loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from bahi.kernel.errors import TooMuch
from bahi.quotes.model.quote import Quote

INSTRUMENTS_AT_MOST: Final = 5_000
"""What one subscriber may follow."""
SUBSCRIBERS_AT_MOST: Final = 1_000
KEPT_AT_MOST: Final = 50_000
"""Prices that are kept; beyond them those that nobody follows are forgotten."""


@dataclass(frozen=True, slots=True)
class News:
    """What changed since a subscriber last looked: each instrument's newest price, once.

    `missed` counts the prices that came between and were replaced by newer ones.
    """

    quotes: tuple[Quote, ...]
    missed: int


class Closed(Exception):
    """The subscription has ended; there is nothing more to come."""


class Subscription:
    """One who follows some instruments."""

    def __init__(self, board: Board, name: str, at_most: int) -> None:
        self._board, self.name, self._at_most = board, name, at_most
        self.instruments: frozenset[int] = frozenset()
        self.told = 0
        self.missed = 0
        self._waiting: dict[int, Quote] = {}
        self._missed_now = 0
        self._has_news = asyncio.Event()
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many prices wait to be read: never more than instruments are followed."""
        return len(self._waiting)

    def follow(self, instrument_ids: Iterable[int]) -> None:
        """Follow exactly these from now on; the newest price of each new one comes at once."""
        wanted = frozenset(instrument_ids)
        if len(wanted) > self._at_most:
            raise TooMuch(
                f"A subscriber may follow {self._at_most:,} instruments, and these are "
                f"{len(wanted):,}."
            )
        if not self._is_closed:
            self._board.change(self, wanted)

    def offer(self, quote: Quote) -> None:
        """Take in a price to be read; one of the same instrument that waits is replaced."""
        if quote.instrument_id in self._waiting:
            self._missed_now += 1
            self.missed += 1
        self._waiting[quote.instrument_id] = quote
        self._has_news.set()

    def forget(self, instrument_ids: Iterable[int]) -> None:
        """Drop what waits of instruments that are not followed any more."""
        for it in instrument_ids:
            self._waiting.pop(it, None)

    async def news(self) -> News:
        """Wait until there is any, then return all of it; raise Closed at the end."""
        while not self._waiting:
            if self._is_closed:
                raise Closed
            self._has_news.clear()
            await self._has_news.wait()
        return self.take()

    def take(self) -> News:
        """Return what waits, without waiting for more."""
        found = News(tuple(self._waiting.values()), self._missed_now)
        self._waiting.clear()
        self._missed_now = 0
        self.told += len(found.quotes)
        return found

    def close(self) -> None:
        """End it; whoever waits for news is told."""
        self._is_closed = True
        self._waiting.clear()
        self._board.remove(self)
        self._has_news.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


class Board:
    """The newest price of every instrument that somebody follows, or followed."""

    def __init__(self) -> None:
        self._latest: dict[int, Quote] = {}
        self._followers: dict[int, set[Subscription]] = {}
        self._subscribers: set[Subscription] = set()
        self._demand_changed: list[Callable[[], None]] = []
        self.published = 0

    def latest(self, instrument_id: int) -> Quote | None:
        """Return an instrument's newest price; None: there never was one."""
        return self._latest.get(instrument_id)

    @property
    def demand(self) -> frozenset[int]:
        """What is followed by anybody."""
        return frozenset(self._followers)

    @property
    def subscribers(self) -> tuple[Subscription, ...]:
        """Everybody who follows anything."""
        return tuple(self._subscribers)

    @property
    def followers(self) -> Counter[int]:
        """How many follow each instrument."""
        return Counter({it: len(them) for it, them in self._followers.items()})

    def subscribe(
        self,
        name: str,
        instrument_ids: Collection[int] = (),
        *,
        at_most: int = INSTRUMENTS_AT_MOST,
    ) -> Subscription:
        """Let somebody follow instruments, until they close the subscription."""
        if len(self._subscribers) >= SUBSCRIBERS_AT_MOST:
            raise TooMuch(f"There are {SUBSCRIBERS_AT_MOST:,} subscribers already.")
        subscription = Subscription(self, name, at_most)
        self._subscribers.add(subscription)
        try:
            subscription.follow(instrument_ids)
        except TooMuch:
            subscription.close()
            raise
        return subscription

    def publish(self, quote: Quote) -> bool:
        """Tell a price to those who follow it; one that is older than what is known is left out."""
        known = self._latest.get(quote.instrument_id)
        if known is not None and quote.at < known.at and quote.source == known.source:
            return False
        if known is None and len(self._latest) >= KEPT_AT_MOST:
            self.forget()
        self._latest[quote.instrument_id] = quote
        self.published += 1
        for subscription in self._followers.get(quote.instrument_id, ()):
            subscription.offer(quote)
        return True

    def forget(self) -> None:
        """Forget the prices that nobody follows, so that the board does not grow for ever."""
        self._latest = {it: q for it, q in self._latest.items() if it in self._followers}

    def on_demand(self, changed: Callable[[], None]) -> None:
        """Have something called whenever what is followed changes."""
        self._demand_changed.append(changed)

    def off_demand(self, changed: Callable[[], None]) -> None:
        """Have it called no more."""
        self._demand_changed.remove(changed)

    def change(self, subscription: Subscription, wanted: frozenset[int]) -> None:
        """Let a subscriber follow something else."""
        before, subscription.instruments = subscription.instruments, wanted
        appeared = disappeared = False
        for it in before - wanted:
            followers = self._followers[it]
            followers.discard(subscription)
            if not followers:
                del self._followers[it]
                disappeared = True
        subscription.forget(before - wanted)
        for it in wanted - before:
            appeared = appeared or it not in self._followers
            self._followers.setdefault(it, set()).add(subscription)
            if (known := self._latest.get(it)) is not None:
                subscription.offer(known)
        if appeared or disappeared:
            for changed in self._demand_changed:
                changed()

    def remove(self, subscription: Subscription) -> None:
        """Take a subscriber off the board."""
        self.change(subscription, frozenset())
        self._subscribers.discard(subscription)
