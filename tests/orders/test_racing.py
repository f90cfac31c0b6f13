"""Many at once, from several processes: one book, right at every commit."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bahi.bootstrap import House
from bahi.bootstrap.trading import driver_of
from bahi.db.tx import Tx
from bahi.kernel.words import Side
from bahi.portfolio.repository.position import of_account
from tests.living import live_in
from tests.orders.balance import assert_balanced, orders_of
from tests.orders.broker_server import Server
from tests.orders.desks import OPEN, paper_desk
from tests.orders.dying import FastClock
from tests.orders.racing import Racers

PROCESSES, CLIENTS, EACH = 4, 16, 3
AT_ONCE = 8


@pytest.fixture(scope="module")
def racers() -> Iterator[Racers]:
    with Racers() as warm:
        yield warm


class Course:
    """A house that several processes trade in, while its own one looks on."""

    def __init__(self, home: dict[str, str], racers: Racers) -> None:
        self._environ, self._racers, self._begun = home, racers, time.time()
        self._folder = Path(home["BAHI_HOME"])
        (self._folder / "environ.json").write_text(json.dumps(home), "utf-8")

    def live(self, story: Callable[[House], Any]) -> None:
        live_in(self._environ | OPEN, story, FastClock(self._begun))

    def run(self, count: int, work: str, *words: object) -> Counter[tuple[str, str]]:
        self._racers.go(count, work, self._folder, self._begun, *words)
        said = Counter(self._racers.lines())
        assert not [it for it in said if it[0] == "failed"]
        return said


def _exact(tx: Tx, account_id: int) -> int:
    return len(assert_balanced(tx, account_id, folds=False))


@pytest.mark.torture
def test_64_clients_of_four_processes_keep_one_exact_book(
    home: dict[str, str],
    racers: Racers,
    rounds: Callable[[int], int],
) -> None:
    course = Course(home, racers)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        each = rounds(EACH)
        racing = asyncio.create_task(
            asyncio.to_thread(course.run, PROCESSES, "mixed", CLIENTS, each)
        )
        looks: list[int] = []
        while not racing.done():  # every snapshot is one commit's, and each has to be exact
            looks.append(await desk.store.read(_exact, desk.account_id, fresh=True))
        said = await racing
        assert len(set(looks)) > 5, "it was looked at while it ran"
        placed = PROCESSES * CLIENTS * each
        assert len(said) == placed

        while await (await driver_of(house)).tell():
            pass
        ours = await desk.store.read(assert_balanced, desk.account_id, fresh=True)
        assert len(ours) == placed
        theirs = {it.tag: it for it in await desk.broker.order_book()}
        assert {it.tag for it in ours} == set(theirs)
        for order in ours:
            journal = theirs[order.tag]
            assert (order.status, order.filled) == (journal.status, journal.filled_quantity)
            assert journal.fills is not None
            assert order.filled == sum(it.quantity for it in journal.fills)
        signs = {Side.BUY: 1, Side.SELL: -1}
        (held,) = await desk.store.read(of_account, desk.account_id, fresh=True)
        assert held.net == sum(signs[it.side] * it.filled for it in ours)
        assert any(it.filled for it in ours)

    course.live(story)


def test_one_name_from_eight_processes_at_once_is_one_order_one_call_and_one_answer(
    home: dict[str, str], racers: Racers, tmp_path: Path
) -> None:
    course = Course(home, racers)
    with Server(tmp_path / "journal", takes_s=0.3) as server:

        async def prepare(house: House) -> None:
            await paper_desk(house)

        course.live(prepare)
        said = course.run(AT_ONCE, "same", server.port)
        assert len(said) == 1
        assert sum(said.values()) == 4 * AT_ONCE
        ((_, answer),) = said
        assert not answer.endswith("/TRANSIT")  # who asked again waited for the answer
        calls = [it for it in server.lines() if "call" in it]
        assert len(calls) == 1

        async def look(house: House) -> None:
            desk = await paper_desk(house)
            (order,) = await desk.store.read(orders_of, desk.account_id, fresh=True)
            assert calls == [{"call": order.tag}]

        course.live(look)
