"""Killed at any moment, the book holds every acknowledged unit whole, and no other in part."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import pytest

from tests.databases import Database
from tests.db.ledger import balances, create, notes, open_store
from tests.db.worker import Worker, whole_units


def look(url: str) -> tuple[set[str], tuple[list[int], list[int]]]:
    async def ask() -> tuple[set[str], tuple[list[int], list[int]]]:
        stores, store = open_store(url)
        try:
            return await store.read(notes), await store.read(balances)
        finally:
            await stores.close()

    return asyncio.run(ask())


@pytest.mark.torture
def test_a_kill_loses_nothing_acknowledged_and_leaves_nothing_half_done(
    empty_database: Database, rounds: Callable[[int], int]
) -> None:
    create(empty_database.url)
    dice = random.Random(11)
    acknowledged: set[str] = set()
    with Worker() as worker:
        for round_no in range(rounds(50)):
            worker.go(empty_database.url, 16, f"r{round_no}")
            strike = dice.randrange(1, 160)
            for n, (word, note) in enumerate(worker.lines(), start=1):
                assert word == "ack"
                acknowledged.add(note)
                if n == strike:
                    worker.kill()
    found, (said, summed) = look(empty_database.url)
    assert acknowledged <= whole_units(found)
    assert said == summed
