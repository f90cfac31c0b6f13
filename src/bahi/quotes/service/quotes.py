"""Prices as doors, desks and the paper exchange ask for them: one object, whatever is behind it.

A price is told with its source and its time, or not at all. Where the market is simulated, every
process reckons it; where a feed brings prices, they stand on the board, and what nobody follows yet
is asked for and waited for within a bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import Clock
from bahi.kernel.errors import Invalid, TooMuch
from bahi.quotes.model.candles import Candle, Interval
from bahi.quotes.model.quote import NoPrice, Quote, fresh
from bahi.quotes.service.board import Board, Closed, Subscription
from bahi.quotes.service.market import LiveMarket

ASKED_AT_MOST: Final = 1_000
"""Instruments in one question."""
FIRST_WITHIN_S: Final = 2.0
"""How long who asks for what nobody follows waits for its first price."""

Ask = Callable[[Collection[int]], Awaitable[Sequence[Quote]]]
"""Fetches prices once (`BrokerPrices.ask`)."""


class History(Protocol):
    """Keeps candles of what was followed."""

    async def candles(
        self, instrument: Instrument, interval: Interval, first: datetime, last: datetime
    ) -> tuple[Candle, ...]:
        """Return the candles that begin within a while, oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How far prices can be trusted now: how many there are of how many, and how old."""

    asked: int
    known: int
    newest: timedelta | None
    oldest: timedelta | None
    sources: tuple[str, ...]


class Quotes:
    """Where prices are asked for."""

    def __init__(
        self,
        board: Board,
        clock: Clock,
        *,
        market: LiveMarket | None = None,
        ask: Ask | None = None,
        history: History | None = None,
        source: str = "off",
        first_within_s: float = FIRST_WITHIN_S,
    ) -> None:
        self.board, self._clock = board, clock
        self._market, self._ask, self._history = market, ask, history
        self.source, self._first_within_s = source, first_within_s

    def latest(self, instrument: Instrument) -> Quote:
        """Return the newest price that is known here, without waiting: for who holds a desk."""
        found = self._known(instrument)
        if found is None:
            raise self._no_price(instrument)
        return found

    async def quote(self, instrument: Instrument, *, within: timedelta | None = None) -> Quote:
        """Return a price, at most so old where that is asked for; NoPrice where there is none."""
        found = (await self.quotes([instrument])).get(instrument.id)
        if found is None:
            raise self._no_price(instrument)
        return found if within is None else fresh(found, instrument.symbol, self._clock(), within)

    async def quotes(self, instruments: Iterable[Instrument]) -> dict[int, Quote]:
        """Return prices by instrument; what has none is left out."""
        asked = list(instruments)
        if len(asked) > ASKED_AT_MOST:
            raise TooMuch(f"Ask for {ASKED_AT_MOST:,} prices at a time; these are {len(asked):,}.")
        if self._market is not None:
            await self._market.now()
        found = {it.id: quote for it in asked if (quote := self._known(it)) is not None}
        missing = [it.id for it in asked if it.id not in found]
        if missing and self._market is None and self.source != "off":
            found |= await self._fetch(missing)
        return found

    async def depth(self, instrument: Instrument) -> Quote:
        """Return a price with its book; an index has none, and a closed market's is empty."""
        if not instrument.is_tradable:
            raise NoPrice(f"{instrument.symbol} is an index: there is no order book of it.")
        return await self.quote(instrument)

    async def history(
        self, instrument: Instrument, interval: Interval, first: datetime, last: datetime
    ) -> tuple[Candle, ...]:
        """Return the candles that begin within a while, oldest first; none of the future."""
        if first > last:
            raise Invalid(f"{first} comes after {last}; give the earlier time first.")
        last = min(last, self._clock())
        if last < first:
            return ()
        if self._market is not None:
            return await self._market.candles(instrument, interval, first, last)
        if self._history is None:
            return ()
        return await self._history.candles(instrument, interval, first, last)

    def subscribe(self, name: str, instruments: Iterable[Instrument] = ()) -> Subscription:
        """Follow instruments; the subscription tells their newest prices and what was missed."""
        return self.board.subscribe(name, [it.id for it in instruments])

    def freshness(self, instruments: Collection[Instrument]) -> Freshness:
        """Say how old the prices of some instruments are."""
        now = self._clock()
        found = [quote for it in instruments if (quote := self._known(it)) is not None]
        ages = [it.age(now) for it in found]
        return Freshness(
            asked=len(instruments),
            known=len(found),
            newest=min(ages, default=None),
            oldest=max(ages, default=None),
            sources=tuple(sorted({it.source for it in found})),
        )

    def _known(self, instrument: Instrument) -> Quote | None:
        if self._market is None:
            return self.board.latest(instrument.id)
        if self._market.newest is None:
            return None
        return self._market.quote(instrument, self._clock())

    async def _fetch(self, instrument_ids: Collection[int]) -> dict[int, Quote]:
        """Ask the broker once, or follow for a moment what only a stream can tell."""
        if self._ask is not None:
            for quote in await self._ask(instrument_ids):
                self.board.publish(quote)
            return self._on_board(instrument_ids)
        follow = self.board.subscribe("asked once", instrument_ids)
        with follow as subscription, suppress(TimeoutError, Closed):
            async with asyncio.timeout(self._first_within_s):
                while len(self._on_board(instrument_ids)) < len(instrument_ids):
                    await subscription.news()
        return self._on_board(instrument_ids)

    def _on_board(self, instrument_ids: Collection[int]) -> dict[int, Quote]:
        return {it: quote for it in instrument_ids if (quote := self.board.latest(it)) is not None}

    def _no_price(self, instrument: Instrument) -> NoPrice:
        if self.source == "off":
            why = "no source of prices is set; see BAHI_MARKET"
        elif self._market is not None:
            why = "the simulated market does not know it, or it has expired"
        else:
            why = f"{self.source} has told none so far"
        return NoPrice(f"There is no price of {instrument.symbol} ({instrument.exchange}): {why}.")
