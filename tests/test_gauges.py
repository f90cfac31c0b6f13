"""Limits as gauges: what is used of each, who set it, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bahi.bootstrap import House
from bahi.bootstrap.gauges import Unit, gauges_of, recent_violations
from bahi.bootstrap.looking import look_at, worth_at
from bahi.bootstrap.risks import hold
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Invalid, NotFound
from bahi.kernel.money import SCALE, Money
from bahi.kernel.words import OrderStatus
from bahi.orders.service.placing import place_order
from bahi.portfolio.model.worth import unrealized
from bahi.risk.model.control import Scope, Whom
from bahi.risk.model.limits import Limits
from bahi.risk.model.rate import Window
from tests.living import live_in, stopped
from tests.orders.desks import ACTOR, NOON, OPEN, limit, paper_desk

LIMITS = Limits(
    daily_loss=Money(50_000 * SCALE),
    position_value=Money(1_00_000 * SCALE),
    order_value=Money(20_000 * SCALE),
    orders_a_day=5,
    rates=(Window(10, 60),),
)


def test_each_limit_shows_its_use_and_who_set_it(home: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        mine = desk.account_id
        assert await gauges_of(house, ACTOR, mine) == []
        whom = Whom(scope=Scope.ACCOUNT, account_id=mine)
        await hold(house, ACTOR, whom, LIMITS, at_once="A test holds it")
        desk = await paper_desk(house)
        await place_order(desk, limit(desk))
        shown = {it.name: it for it in await gauges_of(house, ACTOR, mine)}
        day = shown["orders today"]
        assert (day.used, day.most, day.percent, day.unit) == (1, 5, 20, Unit.ORDERS)
        assert (day.source, day.set_by) == (f"account {mine}", "bahi:test")
        assert shown["orders a minute"].used == 1
        each = shown["one order"]
        assert (each.used, each.percent, bool(each.why)) == (None, None, True)
        largest = shown["the largest position"].used
        assert largest is not None
        assert largest > 0
        clock.advance(timedelta(minutes=5))
        later = {it.name: it for it in await gauges_of(house, ACTOR, mine)}
        lost = later["the day's loss before charges"].used
        worth = await worth_at(house, await look_at(house, ACTOR, mine))
        assert lost == max(0, -(unrealized(worth) or 0))  # by the newest price
        assert later["orders a minute"].used == 0

        everybody = Whom(scope=Scope.GLOBAL)
        await hold(house, ACTOR, everybody, Limits(orders_a_day=2), at_once="A test holds it")
        tight = {it.name: it for it in await gauges_of(house, ACTOR, mine)}["orders today"]
        assert (tight.most, tight.percent, tight.source) == (2, 50, "all accounts")

        desk = await paper_desk(house)
        for _ in range(3):
            refused = await place_order(desk, replace(limit(desk), quantity=1_000))
            assert refused.status is OrderStatus.REJECTED
        first = await recent_violations(house, ACTOR, limit=2)
        rest = await recent_violations(house, ACTOR, before=first[-1].id)
        assert [len(first), len(rest)] == [2, 1]
        assert {it.account_id for it in (*first, *rest)} == {mine}
        stranger = Actor(name="someone", user_id=99)
        assert await recent_violations(house, stranger) == []
        with pytest.raises(NotFound):
            await gauges_of(house, stranger, mine)
        with pytest.raises(Invalid):
            await recent_violations(house, ACTOR, limit=0)

    live_in(home | OPEN, story, clock)
