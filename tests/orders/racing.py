"""Processes that trade on one account at once, forked from a warm one.

For each `go <count> <work> <words>` that many children do the work at once (see `WORK`), each with
its number; what they say comes back on one pipe, and `ended` when the last one is done.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from bahi.bootstrap import House, build
from bahi.bootstrap.trading import driver_of
from bahi.config import Settings
from bahi.kernel.clock import Clock, StoppedClock
from bahi.kernel.words import OrderType, Side
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.placing import place_order
from tests.forking import Forking, say
from tests.orders.broker_server import SocketBroker
from tests.orders.desks import OPEN, away, limit, paper_desk
from tests.orders.dying import FastClock


def house_at(folder: str, clock: Clock) -> House:
    """Build the house of a folder."""
    environ = json.loads((Path(folder) / "environ.json").read_text("utf-8"))
    return build(Settings.from_environment(environ | OPEN), clock=clock)


async def mixed(number: int, folder: str, begun: str, clients: str, each: str) -> None:
    """Place market and limit orders from many clients at once, and cancel some."""
    house = house_at(folder, FastClock(float(begun)))  # all of its processes share it
    desk = await paper_desk(house)
    driver = await driver_of(house)

    async def client(name: str) -> None:
        dice = random.Random(name)
        for turn in range(int(each)):
            side = dice.choice(list(Side))
            wish = limit(desk, side, dice.randint(1, 20), name=f"{name}-{turn}")
            if (kind := dice.randrange(3)) == 0:
                wish = replace(wish, order_type=OrderType.MARKET, price=None)
            elif kind == 1:
                wish = replace(wish, price=away(desk, side))
            order = await place_order(desk, wish)
            say(f"placed {order.id}")
            if order.is_active and turn % 2:
                await cancel_order(desk, order.id)
        await driver.tell()

    await asyncio.gather(*(client(f"{number}-{it}") for it in range(int(clients))))
    await house.close()


async def same(number: int, folder: str, begun: str, port: str) -> None:
    """Ask for one and the same order, from some clients at once; patience is as in the world."""
    house = house_at(folder, StoppedClock(FastClock(float(begun))()))
    desk = await paper_desk(house)
    desk = replace(desk, broker=SocketBroker(int(port)))
    wishes = [limit(desk, name="the one") for _ in range(4)]
    for order in await asyncio.gather(*(place_order(desk, it) for it in wishes)):
        say(f"placed {order.id}/{order.status}")
    await house.close()


Work = Callable[..., Coroutine[Any, Any, None]]
WORK: dict[str, Work] = {"mixed": mixed, "same": same}


class Racers(Forking):
    """Such processes, from the test's side."""

    def __init__(self) -> None:
        super().__init__("tests.orders.racing")


def main() -> None:
    """Fork children for every `go`, and wait for them all."""
    for line in sys.stdin:
        _, count, work, *words = line.split()
        children = []
        for number in range(int(count)):
            child = os.fork()
            if child == 0:
                asyncio.run(WORK[work](number, *words))
                os._exit(0)
            children.append(child)
        say(f"pid {children[0]}")
        for child in children:
            _, status = os.waitpid(child, 0)
            if status:
                say(f"failed {child}")
        say(f"ended {children[0]}")


if __name__ == "__main__":
    main()
