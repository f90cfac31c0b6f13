"""Switches and limits as they were recorded: held against copies that were taken at the time."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest

from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.kernel.errors import Conflict
from bahi.kernel.money import SCALE, Money
from bahi.portfolio.service.books import page_of
from bahi.risk.model.control import Held, Scope, Switch, Whom
from bahi.risk.model.limits import Limits
from bahi.risk.repository import control
from bahi.risk.service import as_of
from bahi.risk.service.switching import engage, hold, release
from tests.living import MORNING, live_in, stopped
from tests.orders.desks import ACTOR, NOON, OPEN, paper_desk

STEPS = 40
Copy = tuple[list[Switch], list[Held]]


@pytest.fixture
def furnished_at() -> datetime:
    """Have these houses furnished on the morning of their day."""
    return MORNING


def _copied(tx: Tx, account_id: int) -> Copy:
    """Copy what stands now."""
    user = page_of(tx, account_id).user_id
    return (
        [it for it in control.switches(tx) if it.whom.binds(account_id, user)],
        [it for it in control.limits(tx) if it.whom.binds(account_id, user)],
    )


def test_switches_and_limits_are_told_as_they_were_recorded_at_any_instant(
    home: dict[str, str],
) -> None:
    clock, chance = stopped(NOON), random.Random(5)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        store, account = desk.store, desk.account_id
        whoever = [
            Whom(scope=Scope.GLOBAL),
            Whom(scope=Scope.ACCOUNT, account_id=account),
            Whom(scope=Scope.STRATEGY, strategy="trend"),
            Whom(scope=Scope.USER, user_id=12345),  # another's, who never binds this account
        ]
        copies: list[tuple[datetime, Copy]] = []
        for _ in range(STEPS):
            clock.advance(timedelta(minutes=chance.randint(1, 400)))
            whom, value = chance.choice(whoever), Money(chance.randint(1, 9) * 1000 * SCALE)
            match chance.randint(0, 2):
                case 0:
                    await engage([store], ACTOR, whom, "a test", clock())
                case 1:
                    try:
                        await release([store], ACTOR, whom, "a test", clock())
                    except Conflict:
                        continue
                case _:
                    await hold([store], ACTOR, (whom, Limits(order_value=value)), clock())
            copies.append((clock(), await store.read(_copied, account, fresh=True)))
        for number, (at, (switches, limits)) in enumerate(copies):
            following = copies[number + 1][0] if number + 1 < len(copies) else at
            for instant in {at, max(at, following - timedelta(microseconds=1))}:
                then = await store.read(as_of, account, instant, fresh=True)
                assert (list(then.switches), list(then.limits)) == (switches, limits)
                binding = [
                    it.limits.order_value
                    for it in limits
                    if it.since <= instant and it.whom.strategy is None and it.limits.order_value
                ]
                assert (then.in_force.order_value is None) == (not binding)

    live_in(home | OPEN, story, clock)
