"""Writing down what came of a meeting, under the lock of the instrument's depth."""

from __future__ import annotations

from collections.abc import Mapping

from bahi.db.tx import Tx
from bahi.exchange.model.matching import Depth, Meeting, reach_of
from bahi.exchange.model.order import PaperOrder
from bahi.exchange.model.situation import Situation
from bahi.exchange.repository import depth as depths
from bahi.exchange.repository import order as rows
from bahi.kernel.ports import Fill

Fills = tuple[Fill, ...]


def concerned(tx: Tx, it: Situation) -> list[PaperOrder]:
    """Return the resting orders that the market can move now."""
    if it.quote is None or not it.is_continuous:
        return []
    reach = reach_of(it.quote, it.rules.queue)
    return rows.concerned(tx, it.instrument.segment, it.instrument.symbol, reach)


def write_down(
    tx: Tx, meeting: Meeting, left: Depth, it: Situation, origin: Mapping[int, PaperOrder]
) -> dict[int, Fills]:
    """Write orders, fills and what is left; `origin` has the orders as they stand in the journal.

    Return all fills of the orders that had some. What has no origin is new and was written already.
    """
    fills: dict[int, Fills] = {}
    for order_id, (_, after) in sorted(meeting.moved.items()):
        before = origin.get(order_id)
        if before is not None and before is not after:
            rows.save(tx, before, after)
    for order_id, some in meeting.fills.items():
        before = origin.get(order_id)
        known = before if before is not None else meeting.moved[order_id][0]
        fills[order_id] = rows.add_fills(tx, known, some, it.now)
    for order_id, ahead in meeting.queues.items():
        rows.note_queue(tx, order_id, ahead)
    if meeting.depth != left:
        depths.save(tx, it.instrument.segment, it.instrument.symbol, meeting.depth, it.now)
    return fills
