"""A long random story of one account: after every chapter the books are what their facts make."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest

from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import Conflict
from bahi.kernel.words import Side
from bahi.portfolio.model.gains import summed
from bahi.portfolio.service.notes import Day, settle_day
from bahi.portfolio.service.reports import Period, gains
from bahi.portfolio.service.verifying import verify
from tests.portfolio.books import ACCOUNT, ACTOR, KITE, MONDAY, Desk, at_a_desk
from tests.portfolio.stories import DEEDS, THINGS, deal

CHAPTERS = 4
STEPS = 12


@pytest.mark.parametrize("seed", range(2))
def test_whatever_happens_the_books_are_what_their_facts_make_them(
    home: dict[str, str], seed: int, rounds: Callable[[int], int]
) -> None:
    async def story(desk: Desk) -> None:
        random = Random(seed)
        for _ in range(rounds(CHAPTERS)):
            for _ in range(STEPS):
                desk.clock.advance(timedelta(minutes=random.randint(0, 90)))
                with suppress(Conflict):  # a conversion of what is not there
                    await random.choice(DEEDS)(desk, random)
            assert [it async for it in verify(desk.store)] == []
        await desk.page()

    at_a_desk(home, story)


@pytest.mark.parametrize("seed", range(2))
def test_net_of_all_days_is_what_the_account_gained_once_all_is_flat(
    home: dict[str, str], seed: int
) -> None:
    async def story(desk: Desk) -> None:
        random = Random(seed)
        for _ in range(20):
            desk.clock.advance(timedelta(minutes=random.randint(0, 400)))
            await deal(desk, random)
        for key, contract in THINGS:
            net = (await desk.position(key)).net
            if net:
                side = Side.SELL if net > 0 else Side.BUY
                await desk.deals(side, abs(net), "777.7", key=key, contract=contract, order=99)
        last = exchange_day(desk.clock())
        day = MONDAY
        while day <= last:
            await desk.store.write(settle_day, ACTOR, Day(ACCOUNT, day, {}), KITE, desk.clock())
            day += timedelta(days=1)
        found = await gains(desk.store, ACCOUNT, Period(MONDAY, last))
        (total,) = summed(found, lambda it: it.account_id).values()
        assert total.net == await desk.cash()
        assert total.net_cash == total.gross  # only now: nothing is open

    at_a_desk(home, story)
