"""A process that loads a file and is killed at a point: `python -m tests.instruments.dying POINT`.

A point is the number of pieces that were written, or `swap` (all is done and not committed), or
`swapped` (it is committed), or `undoing` (a refused file is half taken back).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

from bahi.bootstrap import House, build
from bahi.config import Settings
from bahi.instruments.model.loads import Wanted
from bahi.instruments.repository import loads
from bahi.instruments.service import loading
from bahi.kernel.actor import the_house
from bahi.kernel.words import BrokerSlug
from tests.instruments.makers import DAY, numbered, pieces
from tests.instruments.worlds import NEW, PIECE
from tests.living import stopped


def die(*_: Any) -> None:
    """End as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(point: str) -> None:
    """Have the process die inside the swap, behind it, or while it takes a file back."""
    if point == "swap":
        real = loading.put_in_force

        def swap(*args: Any) -> Any:
            real(*args)
            die()

        loading.put_in_force = swap
    if point == "swapped":
        loading._remove_what_is_over = die
    if point == "undoing":
        loading.REMOVED_AT_ONCE = PIECE
        remove = loads.remove_arrived

        calls = iter((False, True))

        def remove_one(*args: Any) -> int:
            if next(calls):
                die()
            return remove(*args)

        loads.remove_arrived = remove_one


async def load(house: House, point: str) -> None:
    """Load the new file."""
    lines = numbered(NEW if point != "undoing" else [it for it in NEW if it.expiry])
    done = iter(range(1, 1_000))

    def tell(_line: int) -> None:
        if str(next(done)) == point:
            die()

    wanted = Wanted(broker=BrokerSlug.UPSTOX, source="cut short", day=DAY)
    actor, store = the_house("test"), house.stores["main"]
    await loading.load_master(
        store, actor, wanted, pieces(lines, PIECE), house.clock, tell=tell, at_once=PIECE
    )


if __name__ == "__main__":
    kill_at(sys.argv[1])
    asyncio.run(load(build(Settings.from_environment(os.environ), clock=stopped()), sys.argv[1]))
