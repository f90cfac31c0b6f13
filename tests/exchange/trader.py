"""Processes that trade one instrument at once, each through the same steps.

Every step has a quote of its own, the same in every process, and its levels stand at prices that no
other step has: so what was taken of each level is seen in the fills, whoever took it and when.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from contextlib import suppress
from datetime import timedelta

from bahi.brokers.paper.adapter import PaperBroker
from bahi.db.nodes import take_node
from bahi.db.opening import Database
from bahi.db.stores import Stores
from bahi.exchange.service import PaperExchange
from bahi.kernel.clock import StoppedClock, unix_ms
from bahi.kernel.errors import BahiError
from bahi.kernel.ids import IdMint
from bahi.kernel.money import Price
from bahi.kernel.ports import Change, Level, Ticket
from tests.exchange.floor import NOON, SBIN, Market

NAMES = "abc"
STEPS = 8
SHARED = 3
LEVEL = 40
BASE = 8_000_000
TICK = 500


def asks_of(step: int) -> tuple[Level, ...]:
    """Return what is for sale in a step: two levels, at even ticks that are this step's alone.

    Each step sells for less and pays more, so that the market goes through what rests.
    """
    first = BASE - 4 * TICK * step
    return tuple(Level(Price(at), LEVEL) for at in (first, first + 2 * TICK))


def bids_of(step: int) -> tuple[Level, ...]:
    """Return what is asked for in a step, likewise, and far below all that is for sale."""
    first = BASE - 400 * TICK + 4 * TICK * step
    return tuple(Level(Price(at), LEVEL) for at in (first, first - 2 * TICK))


async def trade(main: str, sandbox: str, name: str) -> None:
    """Place, change, cancel and drive, each at random, from the first step to the last."""
    mint = IdMint(take_node(Database("main", main)), unix_ms)
    stores = Stores({"sandbox": sandbox}, mint.mint)
    clock = StoppedClock(NOON)
    market = Market(clock, (SBIN,))
    exchange = PaperExchange(stores["sandbox"], market, clock)
    chance = random.Random(name)
    for step in range(STEPS):
        clock.set(NOON + timedelta(seconds=step))
        quote = market.tell(SBIN, "800")
        object.__setattr__(quote, "bids", bids_of(step))
        object.__setattr__(quote, "asks", asks_of(step))
        works = [_one(exchange, (client, name, step), chance) for client in (1, 2)]
        shared = [_shared(exchange, number) for number in range(SHARED)]
        await asyncio.gather(*works, *shared, exchange.drive())
    await stores.close()


async def _shared(exchange: PaperExchange, number: int) -> None:
    """Place an order that every process places as well, under the same mark."""
    with suppress(BahiError):
        await PaperBroker(exchange, 9).place(_ticket(f"shared-{number}", "BUY", 7, asks_of(0)))


async def _one(exchange: PaperExchange, who: tuple[int, str, int], chance: random.Random) -> None:
    client, name, step = who
    broker = PaperBroker(exchange, client)
    for number in range(3):
        side = chance.choice(("BUY", "SELL"))
        levels = asks_of(step) if side == "BUY" else bids_of(step)
        placed = await broker.place(
            _ticket(f"{name}-{step}-{number}", side, chance.randint(1, 60), levels)
        )
        with suppress(BahiError):  # what is done cannot be changed
            quantity = placed.filled_quantity + chance.randint(1, 20)
            await broker.modify(Change(broker_order_id=placed.broker_order_id, quantity=quantity))
        if chance.random() < 0.4:
            with suppress(BahiError):
                await broker.cancel(placed.broker_order_id)


def _ticket(tag: str, side: str, quantity: int, levels: tuple[Level, ...]) -> Ticket:
    """Make a limit at an odd tick between the two levels: it takes one, and rests with the rest."""
    one, other = levels[0].price, levels[1].price
    return Ticket(
        tag=tag,
        segment=SBIN.segment,
        symbol=SBIN.symbol,
        side=side,
        order_type="LIMIT",
        product="CNC",
        validity="DAY",
        quantity=quantity,
        price=Price((one + other) // 2),
    )


def trade_at_once(main: str, sandbox: str) -> int:
    """Let several processes trade at once, and wait for them; say how many failed."""
    children = []
    for name in NAMES:
        child = os.fork()
        if child == 0:
            asyncio.run(trade(main, sandbox, name))
            os._exit(0)
        children.append(child)
    return sum(os.waitpid(child, 0)[1] != 0 for child in children)


if __name__ == "__main__":
    sys.exit(trade_at_once(*sys.argv[1:]))
