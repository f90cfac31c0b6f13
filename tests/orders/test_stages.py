"""How long orders took on their way: counted by stage, live and paper apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from bahi.bootstrap.stages import order_stages
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.words import AccountMode
from bahi.orders.model.stages import Stage
from bahi.orders.repository.order import add
from bahi.orders.service.placing import place_order
from tests.orders.balance import orders_of
from tests.orders.desks import ACTOR, limit
from tests.orders.stand import Stand, Story

DAY = timedelta(days=1)


def test_every_stage_of_our_orders_is_counted(at_a_stand: Callable[[Story], None]) -> None:
    async def story(stand: Stand) -> None:
        now, house = stand.clock(), stand.house
        for _ in range(3):
            await place_order(stand.desk, limit(stand.desk))
        kept = await stand.desk.store.read(orders_of, stand.desk.account_id, fresh=True)
        first = kept[0]

        def add_one(tx: Tx) -> None:
            """An order with stamps of its own: 5 ms out, 30 ms to the answer, 200 ms to fill."""
            at = first.placed_at
            stamps: dict[str, Any] = {
                "intent_at": at,
                "sent_at": at + timedelta(milliseconds=5),
                "acked_at": at + timedelta(milliseconds=35),
                "first_fill_at": at + timedelta(milliseconds=235),
            }
            names = {"id": tx.new_id(), "client_order_id": None, "broker_order_id": "b-x"}
            add(tx, replace(first, version=1, **(names | stamps)), at)

        await stand.desk.store.write(add_one)
        found = await order_stages(house, ACTOR, now - DAY, now + DAY)
        assert list(found) == [AccountMode.PAPER]
        spreads = {it.stage: it.spread for it in found[AccountMode.PAPER]}
        assert spreads[Stage.TO_THE_WIRE].many == 4
        assert spreads[Stage.TO_THE_WIRE].most == 5_000
        assert spreads[Stage.AT_THE_BROKER].most == 30_000
        assert spreads[Stage.TO_THE_FIRST_FILL].most == 200_000
        assert spreads[Stage.WHOLE].percentile(100) == 235_000
        later = await order_stages(house, ACTOR, now + DAY, now + 2 * DAY)
        assert later == {AccountMode.PAPER: []}
        stranger = Actor(name="someone", user_id=99)
        assert await order_stages(house, stranger, now - DAY, now + DAY) == {}

    at_a_stand(story)
