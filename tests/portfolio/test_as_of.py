"""The books as they were recorded once, against copies that were taken then."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from bahi.db.tx import Tx
from bahi.kernel.errors import Conflict, Invalid
from bahi.portfolio.model.position import Position
from bahi.portfolio.model.recorded import Dealt
from bahi.portfolio.repository.position import of_account
from bahi.portfolio.service.as_of import money_as_of, positions_as_of, trades_as_of
from tests.portfolio.books import ACCOUNT, NOON, Desk, at_a_desk
from tests.portfolio.stories import DEEDS

STEPS = 30
SECOND = timedelta(seconds=1)


def now(tx: Tx) -> list[Position]:
    found = of_account(tx, ACCOUNT)
    return sorted(found, key=lambda it: (it.key.symbol, it.key))


async def pages(desk: Desk, at: Any, size: int) -> list[Dealt]:
    found: list[Dealt] = []
    behind = None
    while True:
        page = await desk.store.read(trades_as_of, ACCOUNT, at, behind, size, fresh=True)
        found += page.trades
        behind = page.next
        if behind is None:
            return found


@pytest.mark.parametrize("seed", range(2))
def test_as_of_any_instant_is_the_copy_that_was_taken_then(
    home: dict[str, str], seed: int, rounds: Callable[[int], int]
) -> None:
    async def story(desk: Desk) -> None:
        random = Random(seed)
        copies = []
        for _ in range(rounds(STEPS)):
            desk.clock.advance(timedelta(minutes=random.randint(0, 300), seconds=1))
            with suppress(Conflict):  # a conversion of what is not there
                await random.choice(DEEDS)(desk, random)
            page = await desk.page()
            traded = await pages(desk, desk.clock(), 500)
            kept = await desk.store.read(now, fresh=True)
            copies.append((desk.clock(), kept, (page.cash, page.margin_used), traded))
        for at, kept, money, traded in copies:
            for later in (timedelta(0), SECOND / 2):
                then = await desk.store.read(positions_as_of, ACCOUNT, at + later, fresh=True)
                assert [differing(a, b) for a, b in zip(kept, then, strict=True)] == [
                    [] for _ in kept
                ]
                assert await desk.store.read(money_as_of, ACCOUNT, at + later, fresh=True) == money
            assert await pages(desk, at, 3) == traded

    at_a_desk(home, story)


def differing(one: Position, other: Position) -> list[str]:
    return [
        f"{it.name}: {getattr(one, it.name)} {getattr(other, it.name)}"
        for it in fields(Position)
        if getattr(one, it.name) != getattr(other, it.name)
    ]


def test_before_its_book_an_account_had_nothing_that_could_be_told(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(10, "800")
        before = NOON - SECOND
        assert await desk.store.read(money_as_of, ACCOUNT, before, fresh=True) is None
        assert await desk.store.read(positions_as_of, ACCOUNT, before, fresh=True) == []
        assert await pages(desk, before, 10) == []
        with pytest.raises(Invalid, match="501"):
            await desk.store.read(trades_as_of, ACCOUNT, NOON, None, 501, fresh=True)

    at_a_desk(home, story)


def test_a_fill_that_was_told_late_counts_from_when_we_knew_of_it(home: dict[str, str]) -> None:
    async def story(desk: Desk) -> None:
        await desk.buys(10, "800")
        desk.clock.advance(timedelta(hours=1))
        known = desk.clock()
        await desk.buys(5, "790", order=2, at=NOON - timedelta(minutes=5))
        (then,) = await desk.store.read(positions_as_of, ACCOUNT, known - SECOND, fresh=True)
        (later,) = await desk.store.read(positions_as_of, ACCOUNT, known, fresh=True)
        assert (then.net, later.net) == (10, 15)

    at_a_desk(home, story)
