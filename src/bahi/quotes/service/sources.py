"""Where prices come from: one port, and what the house does with whatever fulfils it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Coroutine
from typing import Final, Protocol

from bahi.kernel.clock import Clock
from bahi.kernel.errors import BahiError
from bahi.kernel.ports import Feed, Tick
from bahi.quotes.model.quote import DEPTH, Quote
from bahi.quotes.service.board import Board
from bahi.quotes.service.rows import BadPrices

AGAIN_AFTER_S: Final = 1.0
AGAIN_AT_MOST_S: Final = 30.0

Pause = Callable[[float], Awaitable[None]]
"""How a source waits; tests hand in another."""

log = logging.getLogger("bahi.quotes")


class PriceSource(Protocol):
    """Brings prices in: a broker's stream, a file that is replayed, a simulated market."""

    @property
    def name(self) -> str:
        """What stands as the source of its quotes."""

    async def watch(self, instrument_ids: Collection[int]) -> None:
        """Bring exactly these from now on; those that it does not know are left out."""

    def quotes(self) -> AsyncIterator[Quote]:
        """Yield prices until the source has ended; raise where it was lost."""


async def pump(
    source: PriceSource, board: Board, tell: Callable[[Quote], None] | None = None
) -> None:
    """Bring what is followed from a source to the board, until the source has ended."""
    wanted = asyncio.Event()
    wanted.set()
    board.on_demand(wanted.set)

    async def watch() -> None:
        while True:
            await wanted.wait()
            wanted.clear()
            await source.watch(board.demand)

    async def read() -> None:
        async for quote in source.quotes():
            board.publish(quote)
            if tell is not None:
                tell(quote)

    try:
        await first_of(watch(), read())
    finally:
        board.off_demand(wanted.set)


async def first_of(*works: Coroutine[object, object, None]) -> None:
    """Do several things until one of them ends or fails, and stop the others."""
    tasks = [asyncio.create_task(it) for it in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def keep_pumping(
    source: PriceSource,
    board: Board,
    tell: Callable[[Quote], None] | None = None,
    *,
    pause: Pause = asyncio.sleep,
) -> None:
    """Do so again whenever the source was lost, later each time; end where it ended by itself."""
    wait_s = AGAIN_AFTER_S
    while True:
        before = board.published
        try:
            await pump(source, board, tell)
        except BadPrices as fault:  # a file is no lost stream: it says the same each time
            log.error("the prices of %s end here: %s", source.name, fault)  # noqa: TRY400 - said
            return
        except BahiError as fault:
            if board.published > before:
                wait_s = AGAIN_AFTER_S
            log.warning("the prices of %s were lost: %s", source.name, fault)
            await pause(wait_s)
            wait_s = min(2 * wait_s, AGAIN_AT_MOST_S)
        else:
            return


class BrokerPrices:
    """A broker's feed as a source: its tokens turned into our instruments and back.

    `token_of` says how the broker calls an instrument; None: it does not trade it.
    """

    def __init__(
        self, name: str, feed: Feed, token_of: Callable[[int], str | None], clock: Clock
    ) -> None:
        self._name, self._feed = name, feed
        self._token_of, self._clock = token_of, clock
        self._instruments: dict[str, int] = {}

    @property
    def name(self) -> str:
        """The broker."""
        return self._name

    async def watch(self, instrument_ids: Collection[int]) -> None:
        """Ask the broker for exactly these."""
        named = {self._token_of(it): it for it in instrument_ids}
        self._instruments = {token: it for token, it in named.items() if token is not None}
        await self._feed.subscribe(self._instruments.keys())

    async def quotes(self) -> AsyncIterator[Quote]:
        """Yield what the broker tells."""
        async for tick in self._feed.ticks():
            if (instrument_id := self._instruments.get(tick.broker_token)) is not None:
                yield self._quote(instrument_id, tick)

    async def ask(self, instrument_ids: Collection[int]) -> tuple[Quote, ...]:
        """Fetch prices once, for whoever does not follow them."""
        named = {self._token_of(it): it for it in instrument_ids}
        tokens = {token: it for token, it in named.items() if token is not None}
        ticks = await self._feed.ask(tokens.keys()) if tokens else ()
        return tuple(
            self._quote(tokens[it.broker_token], it) for it in ticks if it.broker_token in tokens
        )

    def _quote(self, instrument_id: int, tick: Tick) -> Quote:
        return Quote(
            instrument_id=instrument_id,
            last=tick.last_price,
            at=tick.at,
            received_at=self._clock(),
            source=self._name,
            bids=tick.bids[:DEPTH],
            asks=tick.asks[:DEPTH],
            open=tick.open,
            high=tick.high,
            low=tick.low,
            previous_close=tick.previous_close,
            volume=tick.volume,
            open_interest=tick.open_interest,
        )
