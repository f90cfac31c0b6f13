"""Killed at any point between door and ledger: nothing lost, nothing sent twice, books that agree.

What one process left behind the next ones settle while they trade and are killed themselves; in the
end a last one comes and settles the rest.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bahi.bootstrap import House, build
from bahi.bootstrap.trading import driver_of
from bahi.config import Settings
from bahi.kernel.ports import Broker
from bahi.kernel.words import OrderStatus
from bahi.orders.model.order import Order
from bahi.orders.service.sweeping import Grounds, Sweep, settle_account, unsettled_orders
from tests.orders.balance import assert_balanced
from tests.orders.broker_server import Server, SocketBroker
from tests.orders.desks import OPEN, paper_desk
from tests.orders.dying import EVERYWHERE, IN_THE_DRIVER, FastClock, Trader
from tests.orders.stand import around_the_clock

SECONDS = timedelta(seconds=120)


class Ordeal:
    """A house that is killed again and again, and settled in the end."""

    def __init__(self, home: dict[str, str], port: int, trader: Trader) -> None:
        self._environ, self._port, self._trader = home, port, trader
        self._begun = time.time()
        self._folder = Path(home["BAHI_HOME"])
        (self._folder / "environ.json").write_text(json.dumps(home), "utf-8")
        self.answered: set[str] = set()

    def prepare(self) -> None:
        """Open the account once, so that no child has to."""

        async def story(house: House) -> None:
            await paper_desk(house)

        self._live(story)

    def die(self, name: str, point: str, nth: int, strike: int = 0) -> list[str]:
        """Let a child trade until it dies at a point, or is killed at its n-th answer."""
        words = (self._folder, name, point.replace(" ", "+"), nth, self._begun, self._port)
        self._trader.go(*words)
        points, count = [], 0
        for word, what in self._trader.lines():
            if word == "at":
                points.append(what.replace("+", " "))
                continue
            self.answered.add(what)
            count += 1
            if count == strike:
                self._trader.kill()
        return points

    def settle(self) -> tuple[list[Order], dict[str, tuple[int, OrderStatus]]]:
        """Come as the last one; return our orders, and by tag what the broker has of each."""
        kept: dict[str, Any] = {}

        async def story(house: House) -> None:
            desk = await paper_desk(house)
            broker: Broker = SocketBroker(self._port) if self._port else desk.broker
            await house.floor.renew()
            grounds = Grounds(
                store=desk.store,
                broker_of=lambda _: broker,
                terms_of=house.floor.terms_of,
                listed=house.floor.market.instrument,
                clock=house.clock,
                has_reopened=around_the_clock,
            )
            sweep = Sweep(grounds)
            if not self._port:
                driver = await driver_of(house)
                while await driver.tell():
                    pass
            for _ in range(4):
                await sweep.round()
            await settle_account(grounds, desk.account_id)
            assert await unsettled_orders(desk.store, house.clock()) == []
            kept["ours"] = await desk.store.read(assert_balanced, desk.account_id, fresh=True)
            book = await broker.order_book()
            kept["theirs"] = {it.tag: (it.filled_quantity, it.status) for it in book}
            kept["tags"] = Counter(it.tag for it in book)

        self._live(story, SECONDS)
        assert set(kept["tags"].values()) <= {1}
        return kept["ours"], kept["theirs"]

    def _live(self, story: Callable[[House], Any], ahead: timedelta = timedelta()) -> None:
        async def whole() -> None:
            settings = Settings.from_environment(self._environ | OPEN)
            house = build(settings, clock=FastClock(self._begun, ahead))
            try:
                await story(house)
            finally:
                await house.close()

        asyncio.run(whole())


def _assert_settled(ordeal: Ordeal) -> list[Order]:
    ours, theirs = ordeal.settle()
    named = {it.client_order_id for it in ours}
    assert ordeal.answered <= named, "an order that was answered is not in the book"
    known = {it.tag: it for it in ours}
    assert set(theirs) <= set(known), "the broker has an order whose intent is lost"
    for tag, (filled, status) in theirs.items():
        assert (known[tag].filled, known[tag].status) == (filled, status)
    for order in ours:
        if order.tag not in theirs:
            assert (order.status, order.filled) == (OrderStatus.REJECTED, 0)
    return ours


def _assert_as_in_the_journal(server: Server, ours: list[Order]) -> None:
    """Hold the book against what the broker's own process wrote into its own file."""
    calls: Counter[str] = Counter()
    filled: defaultdict[str, int] = defaultdict(int)
    for line in server.lines():
        if "call" in line:
            calls[line["call"]] += 1
        else:
            filled[line["tag"]] += line["filled"]
    assert set(calls.values()) <= {1}, "an order was sent twice"
    known = {it.tag: it for it in ours}
    assert {tag: known[tag].filled for tag in calls} == {tag: filled[tag] for tag in calls}


@pytest.fixture(scope="module")
def trader() -> Iterator[Trader]:
    with Trader() as warm:
        yield warm


@pytest.mark.torture
@pytest.mark.parametrize("is_apart", [False, True], ids=["same process", "broker apart"])
def test_killed_anywhere_the_book_settles_to_what_the_broker_has(
    home: dict[str, str],
    trader: Trader,
    tmp_path: Path,
    is_apart: bool,
    rounds: Callable[[int], int],
) -> None:
    points = EVERYWHERE if is_apart else (*EVERYWHERE, IN_THE_DRIVER)
    dice = random.Random(17)
    with ExitStack() as stack:
        server = stack.enter_context(Server(tmp_path / "journal")) if is_apart else None
        ordeal = Ordeal(home, server.port if server else 0, trader)
        ordeal.prepare()
        for number in range(rounds(1)):
            for point in points:
                nth = dice.randint(1, 2)
                reached = ordeal.die(f"p{number}{points.index(point)}", point, nth)
                assert reached == [point]
        for number in range(rounds(25) - rounds(len(points))):
            ordeal.die(f"r{number}", "nowhere", 0, strike=dice.randint(1, 8))
        ours = _assert_settled(ordeal)
        if server is not None:
            _assert_as_in_the_journal(server, ours)
