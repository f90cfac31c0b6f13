"""`bahi verify`, as whoever runs it sees it."""

from __future__ import annotations

import json

import sqlalchemy as sa

from bahi.bootstrap import House
from bahi.db.permits import permitted
from bahi.db.tx import Tx
from bahi.kernel.words import Side
from bahi.orders.service.placing import place_order
from tests.cli.here import Terminal
from tests.living import live_in
from tests.orders.desks import OPEN, limit, paper_desk


def test_books_in_order_are_said_to_be_and_a_fault_is_named(terminal: Terminal) -> None:
    async def trade(house: House) -> None:
        desk = await paper_desk(house)
        for side in (Side.BUY, Side.SELL, Side.BUY):
            await place_order(desk, limit(desk, side))

    live_in(terminal.environ | OPEN, trade)
    said = terminal("verify")
    assert said.out == "Every book, order and trail is what its facts make it.\n"
    assert terminal.json("verify") == {"good": True, "findings": []}

    async def spoil(house: House) -> None:
        def take(tx: Tx) -> None:
            with permitted(tx, "a fault for a test"):
                tx.change(sa.text("UPDATE orders SET quantity = quantity + 1"))
                tx.change(sa.text("UPDATE funds SET cash = cash + 1"))

        await house.stores["sandbox"].write(take)

    live_in(terminal.environ | OPEN, spoil)
    wrong = terminal("verify")
    assert wrong.code == 1
    assert "sandbox: ORDER_IS_NOT_ITS_EVENTS: Order " in wrong.out
    assert "sandbox: CASH_IS_NOT_ITS_LEDGER: cash is " in wrong.out
    assert wrong.err.endswith(" findings.\n")
    faults = {it["fault"] for it in json.loads(terminal("verify", "--json").out)["findings"]}
    assert {"ORDER_IS_NOT_ITS_EVENTS", "CASH_IS_NOT_ITS_LEDGER"} <= faults
