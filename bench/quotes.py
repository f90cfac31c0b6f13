"""Prices: how many the simulated market reckons, and how many reach fifty who follow them.

The floor of the board is what it cannot do without: one dictionary entry for the newest price, and
one for each follower.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import timedelta

from tests.quotes.names import CALL, RELIANCE, a_market, at

from bahi.instruments.model.instrument import Instrument
from bahi.kernel.money import Price
from bahi.quotes.model.candles import Interval
from bahi.quotes.model.quote import Quote
from bahi.quotes.service.board import Board, Closed

QUOTES = 10_000
INSTRUMENTS = 200
FOLLOWERS = 50
BEGIN = at("2026-11-20 11:00:00")
SECOND = timedelta(seconds=1)


def _quotes() -> list[Quote]:
    first = Quote(instrument_id=0, last=Price(500), at=BEGIN, received_at=BEGIN, source="bench")
    return [
        replace(first, instrument_id=n % INSTRUMENTS, last=Price(500 + n)) for n in range(QUOTES)
    ]


def board_floor() -> float:
    """Dictionary entries alone: quotes a second."""
    quotes = _quotes()
    latest: dict[int, Quote] = {}
    waiting: list[dict[int, Quote]] = [{} for _ in range(FOLLOWERS)]
    begin = time.perf_counter()
    for quote in quotes:
        latest[quote.instrument_id] = quote
        for it in waiting:
            it[quote.instrument_id] = quote
    return QUOTES / (time.perf_counter() - begin)


def board() -> float:
    """Through the board to fifty, one of them asleep: quotes a second until all are read."""
    return asyncio.run(_board(_quotes()))


async def _board(quotes: list[Quote]) -> float:
    board = Board()

    async def read() -> None:
        with board.subscribe("reader", range(INSTRUMENTS)) as subscription:
            try:
                while subscription.told + subscription.missed < QUOTES:
                    await subscription.news()
            except Closed:
                return

    board.subscribe("asleep", range(INSTRUMENTS))
    readers = [asyncio.create_task(read()) for _ in range(FOLLOWERS - 1)]
    await asyncio.sleep(0)
    begin = time.perf_counter()
    for number, quote in enumerate(quotes):
        board.publish(quote)
        if number % 100 == 99:  # as many as come in one breath of a feed
            await asyncio.sleep(0)
    await asyncio.gather(*readers)
    return QUOTES / (time.perf_counter() - begin)


def simulated_share() -> float:
    """Quotes of a share, second by second: so many a second."""
    return _simulated(RELIANCE)


def simulated_option() -> float:
    """Quotes of an option, second by second: so many a second."""
    return _simulated(CALL)


def _simulated(instrument: Instrument) -> float:
    market = a_market()
    begin = time.perf_counter()
    for n in range(2_000):
        market.quote(instrument, BEGIN + n * SECOND)
    return 2_000 / (time.perf_counter() - begin)


def simulated_days() -> float:
    """Days of one-minute candles of an option, laid out from nothing: so many a second."""
    days = 10
    begin = time.perf_counter()
    for _ in range(days):
        a_market().candles(CALL, Interval.M1, at("2026-11-19 09:15:00"), at("2026-11-19 23:00:00"))
    return days / (time.perf_counter() - begin)


if __name__ == "__main__":
    for measure in (board_floor, board, simulated_share, simulated_option, simulated_days):
        print(f"{measure.__name__:20} {measure():12,.0f} a second")
