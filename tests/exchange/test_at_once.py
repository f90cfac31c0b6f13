"""Several processes at one instrument at once: what was quoted is taken once, nothing is lost."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter

import sqlalchemy as sa

from bahi.config import Settings
from bahi.db.stores import Stores
from bahi.db.tx import Row, Tx
from bahi.exchange.tables import paper_fills, paper_orders
from tests.exchange.trader import LEVEL, NAMES, SHARED, STEPS, TICK, asks_of, bids_of


def _journal(tx: Tx) -> tuple[list[Row], list[Row]]:
    o, f = paper_orders.c, paper_fills.c
    orders = tx.rows(
        sa.select(o.id, o.client_id, o.tag, o.side, o.quantity, o.filled_qty, o.filled_value,
                  o.status, o.price)
    )  # fmt: skip
    return orders, tx.rows(sa.select(f.order_id, f.sequence, f.quantity, f.price))


async def _read(url: str) -> tuple[list[Row], list[Row]]:
    stores = Stores({"sandbox": url}, lambda: 1)
    found = await stores["sandbox"].read(_journal, fresh=True)
    await stores.close()
    return found


def test_each_quantity_of_depth_is_taken_once_whoever_trades(home: dict[str, str]) -> None:
    urls = Settings.from_environment(home).urls
    program = [sys.executable, "-W", "error", "-m", "tests.exchange.trader"]
    subprocess.run([*program, urls["main"], urls["sandbox"]], check=True)
    orders, fills = asyncio.run(_read(urls["sandbox"]))
    assert len(orders) == len(NAMES) * STEPS * 2 * 3 + SHARED
    assert len({(client, tag) for _, client, tag, *_ in orders}) == len(orders)

    of_order: dict[int, list[tuple[int, int, int]]] = {}
    taken: Counter[tuple[str, int]] = Counter()
    side_of = {it[0]: it[3] for it in orders}
    for order_id, sequence, quantity, price in fills:
        of_order.setdefault(order_id, []).append((sequence, quantity, price))
        taken[side_of[order_id], price] += quantity
    for identity, _, _, side, quantity, filled, value, status, limit in orders:
        own = sorted(of_order.get(identity, []))
        assert [it[0] for it in own] == list(range(1, len(own) + 1))
        assert (sum(it[1] for it in own), sum(it[1] * it[2] for it in own)) == (filled, value)
        assert filled <= quantity
        assert (status == "EXECUTED") == (filled == quantity)
        assert all(price <= limit if side == "BUY" else price >= limit for _, _, price in own)

    for side, levels_of in (("BUY", asks_of), ("SELL", bids_of)):
        for step in range(STEPS):
            for level in levels_of(step):
                assert taken[side, level.price] <= LEVEL
        whole = sum(many for (way, _), many in taken.items() if way == side)
        assert 0 < whole <= STEPS * 2 * LEVEL
        resting = [many for (way, at), many in taken.items() if way == side and at // TICK % 2]
        assert resting  # the market went through some that waited
