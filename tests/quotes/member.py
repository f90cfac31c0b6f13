"""A process with a part in the feed of a data folder: says what it does and hears, line by line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Collection
from pathlib import Path

from bahi.kernel.clock import SystemClock
from bahi.kernel.money import Price
from bahi.quotes.model.quote import Quote
from bahi.quotes.service.board import Board
from bahi.quotes.service.feed import FeedMember


class Counting:
    """A source that counts; its name tells whose process it is."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._watched: Collection[int] = ()
        self._asked = asyncio.Event()

    async def watch(self, instrument_ids: Collection[int]) -> None:
        self._watched = instrument_ids
        self._asked.set()

    async def quotes(self) -> AsyncIterator[Quote]:
        await self._asked.wait()
        count = 0
        while True:
            count += 1
            now = SystemClock()()
            for it in sorted(self._watched):
                yield Quote(
                    instrument_id=it, last=Price(count), at=now, received_at=now, source=self.name
                )
            await asyncio.sleep(0.01)


async def main(home: Path, name: str, *instruments: str) -> None:
    board = Board()
    member = FeedMember(home, board, lambda: Counting(name))
    running = asyncio.create_task(member.run())
    heard = ""
    with board.subscribe(name, [int(it) for it in instruments]) as subscription:
        while not running.done():
            news = await subscription.news()
            source = news.quotes[-1].source
            if source != heard:  # a line for each change only
                heard = source
                print(f"{name} hears {source}", flush=True)
    await running


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
