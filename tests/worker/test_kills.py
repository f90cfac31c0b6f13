"""A thousand jobs over several processes: none is lost, and none done twice at once.

Processes are killed at random moments. Others only stand still until somebody else has their job,
and then go on as if they still had it: these are the ones that the fence is for.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from bahi.config import Settings
from bahi.db.stores import Stores
from bahi.db.tx import Tx
from bahi.jobs import service
from bahi.kernel.clock import SystemClock
from tests.cli.processes import PATIENCE_S, Environment
from tests.worker.hand import (
    HANDLERS,
    STORES,
    Hand,
    effects,
    keyed,
    lay_tables,
    lines,
    stores_of,
)

JOBS = 1000
NOW = SystemClock()


def ask_many(tx: Tx, numbers: range) -> list[str]:
    kinds = itertools.cycle(HANDLERS)
    return [service.enqueue(tx, "test", next(kinds), {"n": n}, NOW()).job_id for n in numbers]


def left(tx: Tx) -> int:
    return service.waiting(tx, NOW()) + len(service.get_running_jobs(tx))


def proofs(tx: Tx) -> dict[str, Any]:
    told = tx.rows(sa.select(lines.c.job_id, lines.c.fence).order_by(lines.c.job_id, lines.c.n))
    return {
        "lines": [(job_id, fence) for job_id, fence in told],
        "effects": Counter(row[0] for row in tx.rows(sa.select(effects.c.job_id))),
        "keyed": Counter(row[0] for row in tx.rows(sa.select(keyed.c.job_id))),
    }


class Crew:
    """Hands that are struck at random moments, each replaced at once, until the work is done."""

    def __init__(self, env: Environment, size: int, *, kills: int, stalls: int) -> None:
        self._stack = ExitStack()
        self._hands = [self._stack.enter_context(Hand(env)) for _ in range(size)]
        self._nodes, self._dice = itertools.count(1), random.Random(29)
        self._kills_left, self._stalls_left, self._one_stalls = kills, stalls, False
        self._turn, self._done = threading.Condition(), False
        self.begun: Counter[str] = Counter()
        self.killed = self.overtaken = 0

    def _keep_at_it(self, hand: Hand) -> None:
        while not self._done:
            strike = self._go(hand)
            for n, (word, job_id) in enumerate(hand.lines(), start=1):
                with self._turn:
                    if word == "stalled":
                        self._wait_until_overtaken(hand, job_id)
                    else:
                        self.begun[job_id] += 1
                        self._turn.notify_all()
                    if n == strike and not self._done:
                        self.killed += 1
                        hand.send(signal.SIGKILL)

    def _go(self, hand: Hand) -> int:
        """Let a hand begin, one of them to stall; return after how many lines to kill it."""
        with self._turn:
            stalls = self._stalls_left > 0 and not self._one_stalls
            self._stalls_left -= stalls
            self._one_stalls |= stalls
            hand.go(next(self._nodes), "stall" if stalls else "work")
            strike = self._dice.randrange(3, 20) if self._kills_left else 0
            self._kills_left -= bool(strike)
            return strike

    def _wait_until_overtaken(self, hand: Hand, job_id: str) -> None:
        so_far = self.begun[job_id]
        assert self._turn.wait_for(lambda: self.begun[job_id] > so_far or self._done, PATIENCE_S)
        self.overtaken += 1
        hand.send(signal.SIGCONT)
        self._one_stalls = False

    def work(self, is_done: Callable[[], bool]) -> None:
        ears = [threading.Thread(target=self._keep_at_it, args=(hand,)) for hand in self._hands]
        for ear in ears:
            ear.start()
        try:
            assert is_done()
        finally:
            with self._turn:
                self._done = True
                self._turn.notify_all()
            for hand in self._hands:
                hand.send(signal.SIGKILL)
            for ear in ears:
                ear.join(PATIENCE_S)
            self._stack.close()


async def all_done(stores: Stores) -> bool:
    async with asyncio.timeout(3 * PATIENCE_S):
        while True:
            waits = [await stores[name].read(left, fresh=True) for name in STORES]
            if not any(waits):
                return True
            await asyncio.sleep(0.1)


@pytest.mark.torture
def test_of_a_thousand_jobs_none_is_lost_and_none_done_twice(
    env: Environment, rounds: Callable[[int], int]
) -> None:
    lay_tables(env)
    size = 4 if Settings.from_environment(env).main.startswith("postgresql") else 2
    asked: dict[str, list[str]] = {name: [] for name in STORES}

    async def ask() -> None:
        stores = stores_of(env, 900)
        for name, numbers in (("main", range(JOBS * 4 // 5)), ("sandbox", range(JOBS // 5))):
            asked[name] = await stores[name].write(ask_many, numbers)
        await stores.close()

    async def look() -> dict[str, dict[str, Any]]:
        stores = stores_of(env, 901)
        try:
            return {name: await stores[name].read(proofs, fresh=True) for name in STORES}
        finally:
            await stores.close()

    async def wait() -> bool:
        stores = stores_of(env, 902)
        try:
            return await all_done(stores)
        finally:
            await stores.close()

    asyncio.run(ask())
    crew = Crew(env, size, kills=rounds(16), stalls=rounds(3))
    crew.work(lambda: asyncio.run(wait()))
    found = asyncio.run(look())

    assert sum(len(names) for names in asked.values()) == JOBS
    assert set(crew.begun) <= {job_id for names in asked.values() for job_id in names}
    for name in STORES:
        done = found[name]["effects"] + found[name]["keyed"]
        assert done == Counter(asked[name])  # every one, exactly once
        for (job, fence), (next_job, next_fence) in pairwise(found[name]["lines"]):
            assert job != next_job or fence <= next_fence  # once taken over, never heard of again
        assert {job for job, _ in found[name]["lines"]} == set(asked[name])
    assert crew.killed > size
    assert crew.overtaken > 0
