"""What time alone does to an order: it is released, taken back, or expires."""

from __future__ import annotations

from bahi.calendar.model import Phase
from bahi.exchange.model.order import (
    CANCELLED,
    EXPIRED,
    OF_ONE_DAY,
    Auction,
    PaperOrder,
    PlacedBy,
)
from bahi.exchange.model.protecting import is_beyond_band
from bahi.exchange.model.refusing import beyond_protection
from bahi.exchange.model.situation import Situation, next_due
from bahi.kernel.altered import altered
from bahi.kernel.clock import ist_text
from bahi.kernel.words import AmoTime


def on_time(order: PaperOrder, it: Situation) -> PaperOrder:
    """Return an order after what is due by now; the calendar may have changed since it came."""
    if order.is_amo:
        return _released(order, it)
    day = it.day
    is_over = day is None or it.now >= day.closes or day.day != (order.session_day or day.day)
    if day is None or is_over:
        return order.ended(EXPIRED, it.now, remark=_why_expired(order))
    is_clients = order.placed_by is PlacedBy.CLIENT
    if order.trigger_pending and day.stops_purged_at and it.now >= day.stops_purged_at:
        why = f"Stops end at {ist_text(day.stops_purged_at)}, when the closing auction begins."
        return order.ended(CANCELLED, it.now, reject_code="STOP_PURGED", remark=why)
    if (
        is_clients
        and order.product in OF_ONE_DAY
        and day.square_off_at
        and it.now >= day.square_off_at
    ):
        why = f"Intraday orders end at {ist_text(day.square_off_at)}, when positions are closed."
        return order.ended(CANCELLED, it.now, reject_code="SQUARE_OFF", remark=why)
    due = next_due(order, day, it.now)
    return altered(order, due_at=due, updated_at=it.now)  # nothing that its client is told of


def _released(order: PaperOrder, it: Situation) -> PaperOrder:
    day, wanted = it.day, order.amo_time or AmoTime.OPEN
    if day is None or it.now >= day.closes:
        if it.next_day is None:
            return order.refused("AMO", "The next trading day is not known.", it.now)
        due = it.next_day.released_at(wanted)
        return order.changed(it.now, session_day=it.next_day.day, due_at=due)
    if it.now < day.released_at(wanted):
        return order.changed(it.now, session_day=day.day, due_at=day.released_at(wanted))
    waits = Auction.OPENING if it.phase is Phase.PRE_OPEN else None
    now = order.changed(it.now, is_amo=False, auction=waits, session_day=day.day)
    now = altered(now, due_at=next_due(now, day, it.now))
    if now.price is not None and is_beyond_band(it.instrument, now.price):
        return now.refused("BAND", "The price is outside the day's circuit limits.", it.now)
    if not now.trigger_pending and (refused := next(beyond_protection(now, it), None)):
        return now.refused(*refused, it.now)
    return now


def _why_expired(order: PaperOrder) -> str:
    if order.placed_by is PlacedBy.EXCHANGE:
        return "The square-off failed: what is left of the position is carried."
    return "The session is over."
