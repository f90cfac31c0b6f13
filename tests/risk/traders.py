"""A process that places orders for one account until it has placed enough: `-m ... <how many>`."""

from __future__ import annotations

import asyncio
import os
import sys

from bahi.bootstrap import House
from bahi.kernel.errors import Busy
from bahi.kernel.words import Side
from bahi.orders.service.placing import place_order
from tests.living import live_in
from tests.orders.desks import limit, paper_desk

AT_ONCE = 16


def main() -> None:
    """Say `ready`, wait for a line, place; say each outcome."""
    how_many = int(sys.argv[1])

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        left = iter(range(how_many))

        async def trade() -> None:
            for _ in left:
                try:
                    order = await place_order(desk, limit(desk, Side.BUY, 1))
                    print(order.status, flush=True)
                except Busy:
                    print("BUSY", flush=True)

        await asyncio.gather(*(trade() for _ in range(AT_ONCE)))

    live_in(dict(os.environ), story)


if __name__ == "__main__":
    main()
