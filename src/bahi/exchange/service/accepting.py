"""Accepting, changing and taking back orders, each in one transaction under the depth's lock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from bahi.calendar.model import Phase
from bahi.db.tx import Tx
from bahi.exchange.model.matching import Depth, Meeting, close_at, meet
from bahi.exchange.model.order import (
    CANCELLED,
    EXECUTED,
    MARKETS,
    OF_ONE_DAY,
    OPEN,
    STOPS,
    Auction,
    PaperOrder,
    PlacedBy,
    Seen,
    signed,
)
from bahi.exchange.model.refusing import Refusal, refusal
from bahi.exchange.model.situation import Situation, next_due
from bahi.exchange.repository import depth as depths
from bahi.exchange.repository import order as rows
from bahi.exchange.repository import positions, standing
from bahi.exchange.service.writing import concerned, write_down
from bahi.kernel.altered import altered
from bahi.kernel.errors import NotFound, Rejected
from bahi.kernel.ports import Change, Ticket
from bahi.kernel.words import AmoTime, OrderType, Product, Side, Validity

CHANGES_AT_MOST: Final = 25
"""How often one order may be changed."""
POST_CLOSE_SHARE: Final = 1_000
"""One in so many of the day's volume trades after the close, at most, for one order."""
SECOND: Final = timedelta(seconds=1)
_WAITS_FOR: Final = {
    Phase.PRE_OPEN: Auction.OPENING,
    Phase.CLOSING_AUCTION: Auction.CLOSING,
}


class Wish(NamedTuple):
    """An order as it came over the wire."""

    client_id: int
    ticket: Ticket

    @property
    def amo(self) -> AmoTime | None:
        """When it is released, where it is kept for the next session."""
        return AmoTime(self.ticket.amo_time) if self.ticket.amo_time else None


def accept(tx: Tx, wish: Wish, it: Situation) -> Seen:
    """Write an order and match it in the transaction that accepts it, or write its refusal."""
    left = depths.lock(tx, it.instrument.segment, it.instrument.symbol, it.now)
    order = _wanted(tx.new_id(), wish, it)
    if why := _refused(tx, order, it):
        order = altered(order.refused(*why, it.now), version=1)
        meeting = Meeting(left)
    else:
        meeting = _met(tx, order, left, it)
        order = meeting.now(order)
    order = altered(order, told_version=order.version)  # its client is told by the answer
    if order.id in meeting.queues:
        order = altered(order, queue_ahead=meeting.queues.pop(order.id))
    if not rows.add(tx, order):  # it came before under this mark: what was found is let go
        return _known(tx, wish) or _lost()
    resting = {at: before for at, (before, _) in meeting.moved.items() if at != order.id}
    fills = write_down(tx, meeting, left, it, resting)
    return Seen(order, fills.get(order.id, ()))


def _lost() -> Seen:
    raise Rejected("The exchange has an order of that number already.")


def _known(tx: Tx, wish: Wish) -> Seen | None:
    if not wish.ticket.tag:
        return None
    order = rows.find_by_tag(tx, wish.client_id, wish.ticket.tag)
    return None if order is None else Seen(order, rows.fills_of(tx, order.id))


def _wanted(identity: int, wish: Wish, it: Situation) -> PaperOrder:
    ticket = wish.ticket
    day = it.day if wish.amo is None else it.next_day
    order_type = OrderType(ticket.order_type)
    order = PaperOrder(
        id=identity,
        client_id=wish.client_id,
        tag=ticket.tag or None,
        segment=it.instrument.segment,
        symbol=it.instrument.symbol,
        instrument_id=it.instrument.id,
        side=Side(ticket.side),
        product=Product(ticket.product),
        order_type=order_type,
        validity=Validity(ticket.validity),
        quantity=ticket.quantity,
        disclosed=ticket.disclosed_quantity or None,
        price=None if order_type in MARKETS else ticket.price,
        trigger_price=ticket.trigger_price if order_type in STOPS else None,
        is_amo=wish.amo is not None,
        amo_time=wish.amo,
        auction=None if wish.amo else _WAITS_FOR.get(it.phase),
        status=OPEN,
        session_day=None if day is None else day.day,
        expires_on=it.instrument.expiry,
        priority=identity,
        placed_at=it.now,
        updated_at=it.now,
    )
    return altered(order, due_at=next_due(order, day, it.now))


def _refused(tx: Tx, order: PaperOrder, it: Situation) -> Refusal | None:
    most = it.rules.orders_per_second
    if most and standing.placed_since(tx, order.client_id, it.now - SECOND) >= most:
        return "RATE", f"Too many orders: at most {most} a second are taken."
    return refusal(order, it) or _too_late_in_the_day(tx, order, it)


def _too_late_in_the_day(tx: Tx, order: PaperOrder, it: Situation) -> Refusal | None:
    """Refuse to open an intraday position once the broker closes them."""
    closes = it.day.square_off_at if it.day is not None else None
    if order.product not in OF_ONE_DAY or order.is_amo or closes is None or it.now < closes:
        return None
    where = (order.segment, order.symbol)
    day = it.day.day if it.day is not None else it.now.date()
    stands = positions.covered(tx, order.client_id, where, order.product, day)
    is_open = stands.net + stands.working
    moves = signed(order.side, order.quantity)
    if is_open * moves < 0 and abs(moves) <= abs(is_open):
        return None
    return "INTRADAY", "Intraday positions are being closed: only what reduces one is taken now."


def _met(tx: Tx, order: PaperOrder, left: Depth, it: Situation) -> Meeting:
    if order.is_amo:
        return Meeting(left)
    if it.phase is Phase.POST_CLOSE and it.known is not None:
        most = None if it.known.volume is None else it.known.volume // POST_CLOSE_SHARE
        return close_at([order], it.known.last, most, left, it.now)
    return meet([*concerned(tx, it), order], left, it, frozenset({order.id}))


def modify(tx: Tx, client_id: int, change: Change, it: Situation) -> Seen:
    """Change an order that works, and match it where it comes anew."""
    left = depths.lock(tx, it.instrument.segment, it.instrument.symbol, it.now)
    order = _own(tx, client_id, int(change.broker_order_id))
    changes = _changes(order, change)
    if not order.is_working:
        raise Rejected(f"The order is {order.status}: there is nothing left to change.")
    if order.modifications >= CHANGES_AT_MOST:
        raise Rejected(f"An order can be changed {CHANGES_AT_MOST} times; cancel it instead.")
    if changes.get("quantity", order.quantity) < order.filled:
        raise Rejected(f"{order.filled} are filled already; the quantity cannot be less.")
    if not changes:
        return Seen(order, rows.fills_of(tx, order.id))
    wanted = _changed(tx, order, changes, it)
    if why := refusal(wanted, it):
        raise Rejected(why[1])
    comes = bool(changes.keys() - {"quantity", "trigger_price"})
    meeting = Meeting(left)
    if wanted.filled == wanted.quantity:
        wanted = altered(wanted, status=EXECUTED, completed_at=it.now, due_at=None)
    elif not wanted.is_amo:
        others = [at for at in concerned(tx, it) if at.id != wanted.id]
        meeting = meet([*others, wanted], left, it, frozenset({wanted.id} if comes else ()))
    after = meeting.now(wanted)
    after = altered(after, told_version=after.version)
    meeting.moved[wanted.id] = (wanted, after)
    origin = {at: before for at, (before, _) in meeting.moved.items()} | {order.id: order}
    fills = write_down(tx, meeting, left, it, origin)
    return Seen(after, fills.get(after.id) or rows.fills_of(tx, after.id))


def _changes(order: PaperOrder, change: Change) -> dict[str, Any]:
    """Return what would be different."""
    asked = {
        "quantity": change.quantity,
        "price": change.price,
        "trigger_price": change.trigger_price,
        "order_type": change.order_type and OrderType(change.order_type),
        "validity": change.validity and Validity(change.validity),
    }
    kind = asked["order_type"] or order.order_type
    if kind in MARKETS:
        asked["price"] = None
    changes = {
        name: it for name, it in asked.items() if it is not None and it != getattr(order, name)
    }
    if "trigger_price" in changes and order.is_triggered and kind is order.order_type:
        raise Rejected("The stop has fired: its trigger cannot be changed any more.")
    return changes


def _changed(tx: Tx, order: PaperOrder, changes: dict[str, Any], it: Situation) -> PaperOrder:
    """Return the next version; a new price or type, or more of it, goes to the end of its queue."""
    more = changes.get("quantity", 0) > order.quantity
    wanted = order.changed(it.now, modifications=order.modifications + 1, **changes)
    if "order_type" in changes:
        kept = wanted.trigger_price if wanted.order_type in STOPS else None
        price = None if wanted.is_market else wanted.price
        wanted = altered(wanted, is_triggered=False, trigger_price=kept, price=price)
    if more or changes.keys() & {"price", "order_type"}:
        wanted = altered(wanted, priority=tx.new_id(), queue_ahead=None)
    if wanted.is_amo:
        return wanted
    return altered(wanted, due_at=next_due(wanted, it.day, it.now) or order.due_at)


def cancel(tx: Tx, client_id: int, order_id: int, now: datetime) -> Seen:
    """Take back what is left of an order."""
    order = _own(tx, client_id, order_id)
    depths.lock(tx, order.segment, order.symbol, now)
    order = _own(tx, client_id, order_id)
    if not order.is_working:
        raise Rejected(f"The order is {order.status}: there is nothing left to cancel.")
    ended = order.ended(CANCELLED, now)
    rows.save(tx, order, ended)
    return Seen(ended, rows.fills_of(tx, order_id))


def _own(tx: Tx, client_id: int, order_id: int) -> PaperOrder:
    order = rows.find(tx, order_id)
    if order is None or order.client_id != client_id:
        raise NotFound(f"The paper exchange has no order {order_id} of yours.")
    if order.placed_by is PlacedBy.EXCHANGE:
        raise Rejected("The broker placed this order to square off: it cannot be changed.")
    return order


def convert(tx: Tx, wish: positions.Conversion, now: datetime) -> bool:
    """Make another product of a part of a position; the same mark again changes nothing."""
    where = (wish.segment, wish.symbol)
    depths.lock(tx, *where, now)
    if positions.is_converted(tx, wish.client_id, wish.tag):
        return False
    if wish.of in OF_ONE_DAY:
        stands = positions.covered(tx, wish.client_id, where, wish.of, wish.day)
        is_open = stands.net + stands.working
        if is_open * wish.moves <= 0 or abs(wish.moves) > abs(is_open):
            raise Rejected(f"There are {abs(is_open)} {wish.symbol} {wish.of} open to convert.")
    positions.add_conversion(tx, wish, now)
    return True
