"""The archive mover: whole families, nothing lost, nothing twice, no name given again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.kernel.errors import Conflict
from bahi.kernel.money import Price
from bahi.kernel.words import LegType, OrderStatus, Side
from bahi.orders.model.order import Order
from bahi.orders.model.wishes import Part
from bahi.orders.repository import archive as rows
from bahi.orders.service import looking
from bahi.orders.service.archiving import archive_orders
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import place_order
from tests.living import live_in, stopped
from tests.orders.balance import orders_of
from tests.orders.desks import NOON, OPEN, away, limit, paper_desk
from tests.test_office import do

LONG = timedelta(days=31)


@pytest.fixture
def market(home: dict[str, str]) -> dict[str, str]:
    return home | OPEN


async def _kept(house: House, desk: Desk) -> dict[str, set[int]]:
    return {
        name: {
            it.id for it in await house.stores[name].read(orders_of, desk.account_id, fresh=True)
        }
        for name in ("sandbox", "archive")
    }


async def _some(desk: Desk) -> tuple[Order, Order, Order, Order]:
    """Return one that filled, one cancelled with a leg still working, that leg, one resting."""
    filled = await place_order(desk, limit(desk, Side.BUY, 10, name="mine"))
    parent = await place_order(desk, limit(desk, price=away(desk, Side.BUY)))
    leg = await place_order(
        desk,
        replace(
            limit(desk, price=away(desk, Side.BUY)),
            part=Part(of_order=parent.id, leg=LegType.TARGET),
        ),
    )
    await cancel_order(desk, parent.id)
    resting = await place_order(desk, limit(desk, price=Price(away(desk, Side.BUY))))
    return filled, parent, leg, resting


def test_what_ended_long_ago_moves_whole_and_what_hangs_on_the_living_stays(
    market: dict[str, str],
) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        sandbox, archive = house.stores["sandbox"], house.stores["archive"]
        filled, parent, leg, resting = await _some(desk)
        life = await sandbox.read(looking.timeline_of, desk.account_id, filled.id, fresh=True)
        assert await archive_orders(sandbox, archive, clock() - LONG, clock()) == 0
        clock.advance(LONG + timedelta(days=1))
        told: list[int] = []
        assert (
            await archive_orders(sandbox, archive, clock() - LONG, clock(), tell=told.append) == 1
        )
        assert told == [1]
        kept = await _kept(house, desk)
        assert kept == {"sandbox": {parent.id, leg.id, resting.id}, "archive": {filled.id}}
        moved = await archive.read(looking.timeline_of, desk.account_id, filled.id, fresh=True)
        assert moved == life
        with pytest.raises(Conflict, match=f"'mine' names order {filled.id}, which is archived"):
            await place_order(desk, limit(desk, Side.BUY, 10, name="mine"))

        await cancel_order(desk, leg.id)
        clock.advance(LONG + timedelta(days=1))
        assert await archive_orders(sandbox, archive, clock() - LONG, clock()) == 2
        kept = await _kept(house, desk)
        assert kept["archive"] == {filled.id, parent.id, leg.id}
        assert await archive_orders(sandbox, archive, clock() - LONG, clock()) == 0

    live_in(market, story, clock)


def test_a_move_that_broke_off_behind_the_copy_goes_on(market: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        sandbox, archive = house.stores["sandbox"], house.stores["archive"]
        filled, *_ = await _some(desk)
        clock.advance(LONG + timedelta(days=1))
        await archive.write(rows.copy_in, await sandbox.read(rows.read, [filled.id], fresh=True))
        assert await archive_orders(sandbox, archive, clock() - LONG, clock()) == 1
        assert (await _kept(house, desk))["archive"] == {filled.id}

    live_in(market, story, clock)


def test_what_did_not_arrive_as_it_was_stays(
    market: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        sandbox, archive = house.stores["sandbox"], house.stores["archive"]
        filled, *_ = await _some(desk)
        clock.advance(LONG + timedelta(days=1))
        await archive.write(rows.copy_in, await sandbox.read(rows.read, [filled.id], fresh=True))

        def spoil(tx: Tx) -> None:
            tx.change(sa.text("UPDATE orders SET quantity = quantity + 1"))

        await archive.write(spoil)
        assert await archive_orders(sandbox, archive, clock() - LONG, clock()) == 0
        assert filled.id in (await _kept(house, desk))["sandbox"]
        assert "did not arrive" in caplog.text

    live_in(market, story, clock)


def test_an_order_that_moved_while_it_was_copied_stays(market: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        sandbox = house.stores["sandbox"]
        filled, *_ = await _some(desk)
        assert filled.status is OrderStatus.EXECUTED
        older = [(filled.id, filled.version - 1)]
        assert await sandbox.write(rows.let_go, older, clock()) == 0
        assert filled.id in (await _kept(house, desk))["sandbox"]

    live_in(market, story, clock)


def test_the_job_moves_what_is_as_old_as_the_settings_say(market: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk = await paper_desk(house)
        filled, *_ = await _some(desk)
        clock.advance(LONG + timedelta(days=1))
        would = await do(house, "orders_archive", dry_run=True)
        assert would == {"main": 0, "sandbox": 1, "dry_run": True}
        assert await do(house, "orders_archive") == {"main": 0, "sandbox": 1}
        assert (await _kept(house, desk))["archive"] == {filled.id}

    live_in(market, story, clock)
