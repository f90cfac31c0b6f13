"""What happened to orders since, in every account: for who tells others of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from bahi.db import since
from bahi.db.tx import Tx
from bahi.kernel.clock import from_micros
from bahi.kernel.words import EventType
from bahi.orders.model.order import Order
from bahi.orders.repository.order import SELECT, order_of
from bahi.orders.tables import order_events, orders


class Happened(NamedTuple):
    """One event of an order, and the order as it stands now.

    `sequence` is the order's version that the event made: the order may be further by now.
    """

    id: int
    kind: EventType
    sequence: int
    recorded_at: datetime
    order: Order


def happened(tx: Tx, above: int, known: Collection[int], at_most: int) -> since.Part[Happened]:
    """Return events above an id that are not known yet; of orders in the archive, none."""
    it = order_events.c
    found: list[Happened] = []
    fresh = since.added(tx, it.id, above, known, at_most)
    for ids in since.in_parts(fresh.rows):
        events = sa.select(it.id, it.order_id, it.event_type, it.sequence, it.recorded_at).where(
            it.id.in_(ids)
        )
        rows = tx.rows(events.order_by(it.id))
        of_them = SELECT.where(orders.c.id.in_({row[1] for row in rows}))
        by_id = {order.id: order for order in map(order_of, tx.rows(of_them))}
        found += [
            Happened(row[0], EventType(row[2]), row[3], from_micros(row[4]), by_id[row[1]])
            for row in rows
            if row[1] in by_id
        ]
    return since.Part(found, fresh.cut)


def newest_event(tx: Tx) -> int:
    """Return the id of the newest event, 0 where there is none."""
    return since.newest(tx, order_events.c.id)
