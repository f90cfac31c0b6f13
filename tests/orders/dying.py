"""A process that trades until it is killed, or kills itself at a point between door and ledger.

For each `go <home> <name> <point> <nth> <begun> <port>` (`forking.py`) a child trades on the paper
account of the house at that folder; with a port, at the broker that listens there, else at the
paper exchange in its own process. It says `placed <name>` of each order that was answered, and `at
<point>` before it dies there for the n-th time.
"""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bahi.bootstrap import House, build
from bahi.bootstrap.trading import Driver, driver_of
from bahi.config import Settings
from bahi.db.stores import Store
from bahi.kernel.errors import BahiError
from bahi.kernel.money import Price
from bahi.kernel.words import EventSource, Side
from bahi.orders.model.changing import ModifyOrder
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.desk import Desk
from bahi.orders.service.ingesting import Word, ingest
from bahi.orders.service.modifying import modify_order
from bahi.orders.service.placing import Intent, place_order, record_intent
from bahi.orders.service.sweeping import Grounds, Sweep
from tests.forking import Forking, fork_on_demand, say
from tests.orders.broker_server import SocketBroker
from tests.orders.desks import ACTOR, NOON, OPEN, limit, paper_desk
from tests.orders.stand import around_the_clock

SPEED = 50
"""How much faster the clock of these houses goes, so that the sweep's grace is soon over."""
TRADERS = 3
EVERYWHERE = (
    "inside record_intent",
    "after record_intent",
    "before it was sent",
    "sent, not answered",
    "answered, not written",
    "inside ingest",
    "after ingest",
    "after lose",
)
"""The points between door and ledger, each with a name."""
IN_THE_DRIVER = "booked, not marked as told"


class FastClock:
    """A clock that goes faster than the world, the same in every process."""

    def __init__(self, begun: float, ahead: timedelta = timedelta()) -> None:
        self._begun, self._ahead = begun, ahead

    def __call__(self) -> datetime:
        return NOON + self._ahead + timedelta(seconds=(time.time() - self._begun) * SPEED)


class Fate:
    """Where this process dies."""

    def __init__(self, point: str, nth: int) -> None:
        self._point, self._left = point, nth

    def at(self, point: str) -> None:
        """Pass a point, or not."""
        if point != self._point:
            return
        self._left -= 1
        if self._left <= 0:
            say(f"at {point.replace(' ', '+')}")
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # the blow lands on the whole process, in a moment


class DyingStore:
    """A store whose process may die inside a transaction, or just behind its commit."""

    def __init__(self, store: Store, fate: Fate) -> None:
        self._store, self._fate = store, fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, fn: Callable[..., Any], *args: Any, **options: Any) -> Any:
        name = fn.__name__

        @functools.wraps(fn)
        def dying(*given: Any) -> Any:
            result = fn(*given)
            self._fate.at(f"inside {name}")
            return result

        result = await self._store.write(dying, *args, **options)
        self._fate.at(f"after {name}")
        return result


class DyingBroker:
    """The paper exchange in the same process, with the points that a wire has."""

    def __init__(self, broker: Any, fate: Fate) -> None:
        self._broker, self._fate = broker, fate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._broker, name)

    async def place(self, ticket: Any) -> Any:
        self._fate.at("before it was sent")
        update = await self._broker.place(ticket)
        self._fate.at("sent, not answered")
        self._fate.at("answered, not written")
        return update


async def _stand(house: House, fate: Fate, port: int) -> tuple[Desk, Any]:
    """Return a desk that may die, and what is done for it round by round."""
    desk = await paper_desk(house)
    store: Any = DyingStore(desk.store, fate)
    if port:
        broker = SocketBroker(port, fate.at)
        return replace(desk, store=store, broker=broker), await _listener(house, store, broker)
    driver = await driver_of(house)
    _make_mortal(driver, store, fate)
    mortal: Any = DyingBroker(desk.broker, fate)
    return replace(desk, store=store, broker=mortal), driver.round


def _make_mortal(driver: Driver, store: Any, fate: Fate) -> None:
    """Have the driver write through a store that may die, and die before it marks as told."""
    driver._on = replace(driver._on, store=store)
    driver._sweep = Sweep(driver._on)
    exchange: Any = driver._exchange
    mark_told = exchange.mark_told

    async def marked(told: Any) -> None:
        fate.at(IN_THE_DRIVER)
        await mark_told(told)

    exchange.mark_told = marked


async def _listener(house: House, store: Any, broker: SocketBroker) -> Callable[[], Any]:
    await house.floor.renew()
    sweep = Sweep(
        Grounds(
            store=store,
            broker_of=lambda _: broker,
            terms_of=house.floor.terms_of,
            listed=house.floor.market.instrument,
            clock=house.clock,
            has_reopened=around_the_clock,
        )
    )
    account = (await paper_desk(house)).account_id
    known = int.from_bytes(os.urandom(1)) % 8  # a stream begins somewhere

    async def round_() -> None:
        nonlocal known
        for update in await broker.since(known):
            known += 1
            word = Word(update, EventSource.WEBSOCKET)
            now = house.clock()
            await store.write(
                ingest, account, word, house.floor.terms_of(account), now, account=account
            )
        await sweep.round()

    return round_


async def trade(home: str, name: str, point: str, nth: str, begun: str, port: str = "0") -> None:
    """Trade for ever."""
    environ = json.loads((Path(home) / "environ.json").read_text("utf-8"))
    settings = Settings.from_environment(environ | OPEN)
    house = build(settings, clock=FastClock(float(begun)))
    fate = Fate(point.replace("+", " "), int(nth))
    desk, round_ = await _stand(house, fate, int(port))
    if point == "after+lose":
        await _leave_an_intent(desk)
    dice = random.Random(name)

    async def rounds() -> None:
        while True:
            with suppress(BahiError):
                await round_()
            await asyncio.sleep(0.02)

    async def trader(number: int) -> None:
        for turn in itertools.count(1):
            await _one_order(desk, dice, f"{name}-{number}-{turn}")

    await asyncio.gather(rounds(), *(trader(number) for number in range(TRADERS)))


async def _one_order(desk: Desk, dice: random.Random, name: str) -> None:
    side = dice.choice(list(Side))
    price = None if dice.random() < 0.5 else _close_by(desk, side)
    order = await place_order(desk, limit(desk, side, dice.randint(1, 9), price=price, name=name))
    say(f"placed {name}")
    with suppress(BahiError):
        if order.is_active and dice.random() < 0.3:
            await modify_order(desk, ModifyOrder(order_id=order.id, quantity=order.quantity + 3))
        if order.is_active and dice.random() < 0.5:
            await cancel_order(desk, order.id)


def _close_by(desk: Desk, side: Side) -> Price:
    """Return a limit a little off the market, which comes to it soon or late."""
    seen = desk.look(limit(desk).segment, "SBIN")
    assert seen.price is not None
    tick = seen.instrument.tick_size or Price(1)
    off = 20 * tick
    return Price((seen.price // tick) * tick + (-off if side is Side.BUY else off))


async def _leave_an_intent(desk: Desk) -> None:
    """Leave an order as one whose sender died: committed, and nobody sends it."""
    wish = limit(desk)
    intent = Intent(
        actor=ACTOR,
        account_id=desk.account_id,
        wish=wish,
        seen=desk.look(wish.segment, wish.symbol),
        terms=desk.terms,
        now=desk.clock(),
    )
    await desk.store.write(record_intent, intent)


class Trader(Forking):
    """Such a process, from the test's side."""

    def __init__(self) -> None:
        super().__init__("tests.orders.dying")

    def __exit__(self, *how: object) -> None:
        with suppress(AttributeError):  # a test that failed may leave a child behind
            self.send(signal.SIGKILL)
        super().__exit__(*how)


if __name__ == "__main__":
    fork_on_demand(trade)
