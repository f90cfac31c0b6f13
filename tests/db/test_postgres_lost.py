"""PostgreSQL killed, cut off at COMMIT, and replaced by its standby, always under load."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, Self

import pytest

from bahi.db.stores import Store
from bahi.kernel.errors import InDoubt, NotCommitted
from tests.clusters import Cluster
from tests.db.ledger import create, open_store
from tests.db.test_kill import look
from tests.db.worker import enter_pair, whole_units
from tests.proxy import Proxy, When

MakeCluster = Callable[..., Cluster]
WRITERS = 8
ACCOUNTS = 3
"""Fewer than writers, so that some units wait together and share a transaction."""


@dataclass
class Ends:
    """How each unit ended, as its caller was told."""

    acknowledged: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)

    def agree_with(self, url: str) -> None:
        """Hold what callers were told against what the database holds."""
        found, (said, summed) = look(url)
        units = whole_units(found)
        assert self.acknowledged <= units, "an acknowledged unit is gone"
        assert not self.refused & units, "a unit that was refused is there"
        assert units <= self.acknowledged | self.doubtful
        assert said == summed


class Load:
    """Writers that go on through everything, counting what they were told."""

    def __init__(self, store: Store) -> None:
        self.ends = Ends()
        self._store = store
        self._stop = asyncio.Event()
        self._moved = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._writers = [asyncio.ensure_future(self._write(n)) for n in range(WRITERS)]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        await asyncio.gather(*self._writers)

    async def _write(self, writer: int) -> None:
        n = 0
        while not self._stop.is_set():
            n += 1
            note = f"{writer}-{n}"
            try:
                account = writer % ACCOUNTS
                await self._store.write(enter_pair, note, 1 + account, account=account)
            except InDoubt:
                self.ends.doubtful.add(note)
            except NotCommitted:
                self.ends.refused.add(note)
            else:
                self.ends.acknowledged.add(note)
            async with self._moved:
                self._moved.notify_all()

    async def further(self, units: int) -> None:
        """Wait until so many more units were acknowledged."""
        goal = len(self.ends.acknowledged) + units
        async with asyncio.timeout(90), self._moved:
            await self._moved.wait_for(lambda: len(self.ends.acknowledged) >= goal)


def run_under_load(url: str, story: Callable[[Load], Any]) -> Ends:
    """Run a story while writers write, and close the store; no restart of ours in between."""

    async def whole() -> Ends:
        stores, store = open_store(url)
        async with AsyncExitStack() as stack:
            stack.push_async_callback(stores.close)
            load = await stack.enter_async_context(Load(store))
            await story(load)
        return load.ends

    return asyncio.run(whole())


@pytest.mark.torture
def test_a_server_killed_under_load_loses_nothing_acknowledged(
    make_cluster: MakeCluster, rounds: Callable[[int], int]
) -> None:
    cluster = make_cluster()
    url = cluster.create_database("desk")
    create(url)

    async def story(load: Load) -> None:
        for _ in range(rounds(3)):
            await load.further(150)
            cluster.kill()
            await asyncio.to_thread(cluster.start)
        await load.further(150)

    run_under_load(url, story).agree_with(url)


@pytest.mark.torture
@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_a_connection_cut_during_commit_leaves_no_doubt(
    make_cluster: MakeCluster, when: When, rounds: Callable[[int], int]
) -> None:
    cluster = make_cluster()
    url = cluster.create_database("desk")
    create(url)

    async def story(load: Load) -> None:
        await load.further(20)
        proxy.cut_at_commit(when, chance=0.1, seed=7)
        await load.further(rounds(200))
        proxy.let_commits_pass()
        await load.further(20)

    with Proxy(url) as proxy:
        ends = run_under_load(proxy.url, story)
        assert proxy.cuts > 5
    assert not ends.doubtful, "the server could be asked"
    ends.agree_with(url)


@pytest.mark.torture
def test_connections_cut_in_the_middle_of_whatever_is_said_leave_no_doubt(
    make_cluster: MakeCluster, rounds: Callable[[int], int]
) -> None:
    cluster = make_cluster()
    url = cluster.create_database("desk")
    create(url)
    dice = random.Random(7)

    async def story(load: Load) -> None:
        for _ in range(rounds(40)):
            await load.further(dice.randint(1, 8))
            await asyncio.to_thread(proxy.cut)
        await load.further(20)

    with Proxy(url) as proxy:
        ends = run_under_load(proxy.url, story)
    assert not ends.doubtful, "the server could be asked"
    ends.agree_with(url)


@pytest.mark.torture
def test_a_promoted_standby_has_all_that_was_acknowledged(make_cluster: MakeCluster) -> None:
    primary = make_cluster()
    url = primary.create_database("desk")
    create(url)
    standby = make_cluster(standby_of=primary, synchronous=True)
    both = _either(url, standby.url("desk"))

    async def story(load: Load) -> None:
        await load.further(150)
        primary.kill()
        await asyncio.to_thread(standby.promote)
        await load.further(150)

    ends = run_under_load(both, story)
    ends.agree_with(standby.url("desk"))


def _either(first: str, second: str) -> str:
    """Return one address for two servers: whichever takes writes."""
    hosts = [url.rpartition("@")[2].partition("/")[0] for url in (first, second)]
    user = first.removeprefix("postgresql://").rpartition("@")[0]
    return f"postgresql://{user}@{','.join(hosts)}/desk?target_session_attrs=read-write"
