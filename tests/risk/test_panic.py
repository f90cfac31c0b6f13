"""Panic: entries stop, what works is taken back, what is open is closed."""

from __future__ import annotations

import pytest

from bahi.bootstrap import House, panic
from bahi.bootstrap.trading import driver_of
from bahi.kernel.words import OrderStatus, Side
from bahi.orders.service.placing import place_order
from bahi.portfolio.service.books import positions_of
from bahi.risk.model.control import Scope, Whom
from tests.living import live_in, stopped
from tests.orders.balance import assert_balanced
from tests.orders.desks import ACTOR, NOON, OPEN, away, limit, paper_desk

EVERYBODY = Whom(scope=Scope.GLOBAL)


@pytest.fixture
def market(home: dict[str, str]) -> dict[str, str]:
    return home | OPEN


def test_everything_is_stopped_taken_back_and_closed(market: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk, driver = await paper_desk(house), await driver_of(house)
        await place_order(desk, limit(desk, Side.BUY, 30))
        resting = await place_order(desk, limit(desk, price=away(desk, Side.BUY)))

        async def a_while(_: float) -> None:
            await driver.round()

        (out,) = await panic.stop(
            house, ACTOR, EVERYBODY, "the exchange is mad", flat=True, pause=a_while
        )
        assert [(it.order_id, it.fault) for it in out.cancelled] == [(resting.id, None)]
        assert [it.left for it in out.flattened] == [0]
        assert await desk.store.read(positions_of, desk.account_id, fresh=True) == []
        refused = await place_order(desk, limit(desk, Side.BUY, 1))
        assert (refused.status, refused.error_code) == (OrderStatus.REJECTED, "KILL_SWITCH")
        await desk.store.read(assert_balanced, desk.account_id, fresh=True)

    live_in(market, story, clock)
