"""Trades booked since, in every account, with the positions that they moved."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from bahi.db import since
from bahi.db.tx import Tx
from bahi.kernel.clock import from_micros
from bahi.kernel.money import Price
from bahi.kernel.words import Product, Segment, Side
from bahi.portfolio.model.position import Key, Position
from bahi.portfolio.repository.position import find
from bahi.portfolio.tables import trades


class Moved(NamedTuple):
    """A trade, and the position that it moved as that stands now."""

    id: int
    account_id: int
    order_id: int | None
    side: Side
    quantity: int
    price: Price
    booked_at: datetime
    position: Position


def moved(tx: Tx, above: int, known: Collection[int], at_most: int) -> since.Part[Moved]:
    """Return trades above an id that are not known yet."""
    it = trades.c
    columns = (
        it.id, it.account_id, it.order_id, it.side, it.quantity, it.price, it.created_at,
        it.exchange_segment, it.symbol, it.product,
    )  # fmt: skip
    found: list[Moved] = []
    positions: dict[tuple[int, Key], Position | None] = {}
    fresh = since.added(tx, it.id, above, known, at_most)
    for ids in since.in_parts(fresh.rows):
        for row in tx.rows(sa.select(*columns).where(it.id.in_(ids)).order_by(it.id)):
            key = Key(Segment(row[7]), row[8], Product(row[9]))
            if (row[1], key) not in positions:
                positions[row[1], key] = find(tx, row[1], key)
            found.append(
                Moved(
                    id=row[0],
                    account_id=row[1],
                    order_id=row[2],
                    side=Side(row[3]),
                    quantity=row[4],
                    price=Price(row[5]),
                    booked_at=from_micros(row[6]),
                    position=positions[row[1], key] or Position(key=key),
                )
            )
    return since.Part(found, fresh.cut)


def newest_trade(tx: Tx) -> int:
    """Return the id of the newest trade, 0 where there is none."""
    return since.newest(tx, trades.c.id)
