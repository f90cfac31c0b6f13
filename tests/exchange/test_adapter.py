"""The paper exchange as a broker: what comes over the wire, how long it takes, what is a no."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bahi.brokers.paper import PaperBroker
from bahi.kernel.errors import Rejected
from bahi.kernel.ports import Change, Ticket
from bahi.kernel.words import OrderStatus
from tests.calendars.known import at
from tests.exchange.floor import SBIN, Floor, rupees, trade

TICKET = Ticket(
    tag="mine",
    segment="NSE_EQ",
    symbol="SBIN",
    side="BUY",
    order_type="STOP_LOSS",
    product="CNC",
    validity="DAY",
    quantity=10,
    price=rupees("806"),
    trigger_price=rupees("805"),
)


def test_every_word_of_an_order_comes_back(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        broker = PaperBroker(floor.exchange, floor.client)
        floor.tell(SBIN, "800", {"799.95": 100}, {"800.05": 100})
        placed = await broker.place(TICKET)
        assert placed.asked == TICKET
        assert (placed.trigger_pending, placed.status) == (True, OrderStatus.OPEN)
        floor.later()
        changed = await broker.modify(
            Change(broker_order_id=placed.broker_order_id, order_type="MARKET")
        )
        assert (changed.status, changed.filled_quantity) == (OrderStatus.EXECUTED, 10)
        assert changed.price == rupees("824.05")
        assert changed.asked is not None
        assert changed.asked.order_type == "LIMIT"  # as brokers report a protected MARKET
        assert await broker.order_book() == (changed,)
        again = await broker.place(TICKET)
        assert again.broker_order_id == placed.broker_order_id

    trade(home, story)


def test_a_no_is_definite(home: dict[str, str]) -> None:
    async def story(floor: Floor) -> None:
        broker = PaperBroker(floor.exchange, floor.client)
        floor.tell(SBIN, "800", {"799.95": 100}, {"800.05": 100})
        placed = await broker.place(TICKET)
        other = PaperBroker(floor.exchange, 8)
        for number in ("abc", "123", placed.broker_order_id):
            with pytest.raises(Rejected):
                await other.cancel(number)
            with pytest.raises(Rejected):
                await other.modify(Change(broker_order_id=number, quantity=5))
        with pytest.raises(Rejected, match="NOBODY is not listed"):
            await broker.place(replace(TICKET, symbol="NOBODY"))
        await floor.place(SBIN, "SELL", 10)
        floor.clock.set(at("2026-11-25 15:20"))
        await floor.exchange.drive()
        squares = next(it for it in await broker.order_book() if (it.tag or "").startswith("SQ-"))
        with pytest.raises(Rejected, match="to square off"):
            await broker.cancel(squares.broker_order_id)

    trade(home, story)


def test_the_wire_takes_its_time_where_the_rules_say_so(home: dict[str, str]) -> None:
    waited: list[float] = []

    async def pause(seconds: float) -> None:
        waited.append(seconds)

    async def story(floor: Floor) -> None:
        broker = PaperBroker(floor.exchange, floor.client, pause)
        floor.tell(SBIN, "800", {"799.95": 100}, {"800.05": 100})
        placed = await broker.place(TICKET)
        await broker.cancel(placed.broker_order_id)
        assert [0.05 <= it <= 0.3 for it in waited] == [True, True]
        await broker.place(TICKET)
        assert waited[2] == waited[0]

    trade(home, story, latency_ms=(50, 300))
