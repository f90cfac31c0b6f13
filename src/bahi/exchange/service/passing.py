"""The passing of time at the exchange: releases, ends, auctions, and what it closes by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bahi.calendar.model import Phase
from bahi.db.tx import Tx
from bahi.exchange.model.matching import Depth, Meeting, close_at, meet
from bahi.exchange.model.order import EXPIRED, OPEN, Auction, PaperOrder, PlacedBy
from bahi.exchange.model.passing import on_time
from bahi.exchange.model.rules import QueueModel
from bahi.exchange.model.situation import Situation
from bahi.exchange.repository import depth as depths
from bahi.exchange.repository import order as rows
from bahi.exchange.repository import positions
from bahi.exchange.service.writing import concerned, write_down
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import plain
from bahi.kernel.words import OrderType, Product, Segment, Side, Validity

TRADING = frozenset({Phase.OPEN, Phase.CLOSING_AUCTION})
CARRIED = {Segment.NSE_EQ: Product.CNC, Segment.BSE_EQ: Product.CNC}
"""What an intraday position becomes that could not be closed; elsewhere MARGIN."""


def match(tx: Tx, it: Situation) -> int:
    """Match what rests on an instrument; return how many orders moved."""
    segment, symbol = it.instrument.segment, it.instrument.symbol
    left = depths.lock(tx, segment, symbol, it.now)
    resting = concerned(tx, it)
    meeting = meet(resting, left, it)
    if meeting.moved or it.rules.queue is QueueModel.QUEUE:  # a queue counts what was traded
        write_down(tx, meeting, left, it, {at.id: at for at in resting})
    return len(meeting.moved)


def waits_for_close(it: Situation) -> bool:
    """Say whether a closing auction is over and its price is not known yet."""
    day = it.day
    if day is None or day.auction is None or it.now < day.closes:
        return False
    return it.known is None or it.known.at < day.auction.entry_ends


def pass_time(tx: Tx, it: Situation) -> int:
    """Do what is due on an instrument by now: the auction first, then each order's own."""
    segment, symbol = it.instrument.segment, it.instrument.symbol
    left = depths.lock(tx, segment, symbol, it.now)
    resting = rows.resting(tx, segment, symbol)
    meeting = _auctioned(resting, left, it)
    released = set()
    for order in resting:
        now = meeting.now(order)
        if now.is_working and now.due_at is not None and now.due_at <= it.now:
            after = on_time(now, it)
            meeting.move(order, after)
            if now.is_amo and not after.is_amo and after.auction is None:
                released.add(order.id)
    if released or any(at.auction is Auction.OPENING for at in resting):
        met = meet((meeting.now(at) for at in resting), meeting.depth, it, frozenset(released))
        moved, fills = meeting.moved | met.moved, meeting.fills | met.fills
        meeting = replace(met, moved=moved, fills=fills)
    write_down(tx, meeting, left, it, {at.id: at for at in resting})
    return len(meeting.moved)


def _auctioned(resting: list[PaperOrder], left: Depth, it: Situation) -> Meeting:
    """Match at the closing auction's price, once it is over and its price is known."""
    day, quote = it.day, it.known
    if day is None or day.auction is None or it.now < day.closes or waits_for_close(it):
        return Meeting(left)
    if quote is None or exchange_day(quote.at) != day.day:
        return Meeting(left)
    most = None
    if left.volume is not None and quote.volume is not None and left.quoted_at is not None:
        most = max(0, quote.volume - left.volume)
    return close_at(resting, quote.last, most, left, it.now)


def end_unlisted(tx: Tx, where: tuple[Segment, str], now: datetime) -> int:
    """End what is due of an instrument that is listed no longer."""
    depths.lock(tx, *where, now)
    due = [at for at in rows.resting(tx, *where) if at.due_at is not None and at.due_at <= now]
    for order in sorted(due, key=lambda at: at.id):
        rows.save(tx, order, order.ended(EXPIRED, now, remark="It is listed no longer."))
    return len(due)


def square_off(tx: Tx, held: positions.Held, it: Situation) -> int:
    """Close what is open of a client's intraday position, by the exchange's own orders.

    What its orders already work on is not asked for again. Where nothing can trade any more the
    order is refused, which tells that the position is carried.
    """
    where = (held.segment, held.symbol)
    left = depths.lock(tx, *where, it.now)
    stands = positions.covered(tx, held.client_id, where, held.product, held.day)
    is_open = stands.net + stands.working
    if not is_open or stands.has_failed:
        return 0
    most = it.instrument.largest_order or abs(is_open)
    sizes = [min(most, abs(is_open) - done) for done in range(0, abs(is_open), most)]
    side = Side.SELL if is_open > 0 else Side.BUY
    orders = [
        _squaring(tx.new_id(), held, (side, size), stands.squared + place, it)
        for place, size in enumerate(sizes)
    ]
    if it.phase not in TRADING:
        becomes = CARRIED.get(held.segment, Product.MARGIN)
        why = f"The market is closed: the position was not squared off and is carried as {becomes}."
        orders = [replace(at.refused("CARRIED", why, it.now), fee=None) for at in orders]
        return sum(rows.add(tx, at) for at in orders)
    resting = concerned(tx, it)
    meeting = meet([*resting, *orders], left, it, frozenset(at.id for at in orders))
    for order in orders:
        rows.add(tx, meeting.now(order))
    origin = {at.id: at for at in resting}
    write_down(tx, meeting, left, it, origin)
    return len(orders)


def _squaring(
    identity: int, held: positions.Held, what: tuple[Side, int], number: int, it: Situation
) -> PaperOrder:
    fee = it.rules.square_off_fee
    day = it.day
    return PaperOrder(
        id=identity,
        client_id=held.client_id,
        tag=f"SQ-{held.day:%y%m%d}-{it.instrument.id}-{held.product}-{number}",
        segment=held.segment,
        symbol=held.symbol,
        instrument_id=it.instrument.id,
        placed_by=PlacedBy.EXCHANGE,
        side=what[0],
        product=held.product,
        order_type=OrderType.MARKET,
        validity=Validity.DAY,
        quantity=what[1],
        price=None,
        status=OPEN,
        fee=fee,
        remark=f"Squared off by the broker; its fee is {plain(fee)} rupees with GST.",
        session_day=held.day,
        expires_on=it.instrument.expiry,
        due_at=None if day is None else day.closes,
        priority=identity,
        placed_at=it.now,
        updated_at=it.now,
    )
