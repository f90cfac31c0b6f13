"""How orders meet the quoted depth.

Depth is taken and not given back until a newer quote comes, so that what one order took is not
there for the next: partial fills happen, and nothing fills twice. An order that comes takes what it
reaches, best price first. One that rests is filled at its own price, when the market trades through
it (or as the rules of the queue say); that its price was touched is nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from bahi.exchange.model.order import CANCELLED, Auction, PaperFill, PaperOrder
from bahi.exchange.model.protecting import protected
from bahi.exchange.model.refusing import beyond_protection
from bahi.exchange.model.rules import QueueModel
from bahi.exchange.model.situation import Situation, next_due
from bahi.kernel.altered import altered
from bahi.kernel.clock import exchange_day
from bahi.kernel.money import LARGEST, Price
from bahi.kernel.ports import Level
from bahi.kernel.words import OrderType, Side, Validity
from bahi.quotes.model.quote import Quote


class Depth(NamedTuple):
    """What is left of an instrument's quoted book, best first, and what its day traded so far."""

    quoted_at: datetime | None
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    volume: int | None = None

    def against(self, side: Side) -> tuple[Level, ...]:
        """Return what an order of a side can take."""
        return self.asks if side is Side.BUY else self.bids

    def beside(self, side: Side) -> tuple[Level, ...]:
        """Return what an order of a side waits with."""
        return self.bids if side is Side.BUY else self.asks

    def without(self, side: Side, left: tuple[Level, ...]) -> Depth:
        """Return it with what an order of a side has left of the other."""
        return self._replace(asks=left) if side is Side.BUY else self._replace(bids=left)


@dataclass(slots=True)
class Meeting:
    """What came of it when orders met the market once; `queues` is where some wait now."""

    depth: Depth
    moved: dict[int, tuple[PaperOrder, PaperOrder]] = field(default_factory=dict)
    fills: dict[int, list[PaperFill]] = field(default_factory=dict)
    queues: dict[int, int | None] = field(default_factory=dict)

    def now(self, order: PaperOrder) -> PaperOrder:
        """Return an order as it is by now."""
        return self.moved[order.id][1] if order.id in self.moved else order

    def move(self, order: PaperOrder, after: PaperOrder) -> None:
        """Take down what an order became; `order` is how it came."""
        if after is not order:
            self.moved[order.id] = (order, after)

    def fill(self, order: PaperOrder, fills: list[PaperFill], at: datetime) -> None:
        """Take down fills of an order."""
        if fills:
            self.fills.setdefault(order.id, []).extend(fills)
            self.move(order, self.now(order).filled_by(fills, at))


class Reach(NamedTuple):
    """From which price on a resting order is concerned by a quote: a BUY's least, a SELL's most."""

    buys_from: int
    sells_to: int
    last: int


def reach_of(quote: Quote, queue: QueueModel) -> Reach:
    """Return which of the orders that rest a quote can fill."""
    asked, paid = [quote.ask], [quote.bid]
    if queue is QueueModel.THROUGH:
        asked = [None if at is None else Price(at + 1) for at in asked]
        paid = [None if at is None else Price(at - 1) for at in paid]
    if queue is QueueModel.QUEUE:
        asked, paid = [*asked, quote.last], [*paid, quote.last]
    return Reach(
        buys_from=min((at for at in asked if at is not None), default=LARGEST),
        sells_to=max((at for at in paid if at is not None), default=-1),
        last=quote.last,
    )


def refreshed(depth: Depth, quote: Quote) -> tuple[Depth, int]:
    """Return the depth of a quote if it is newer, and how much was traded in between."""
    if depth.quoted_at is not None and depth.quoted_at >= quote.at:
        return depth, 0
    traded = 0
    if quote.volume is not None and depth.volume is not None and depth.quoted_at is not None:
        is_one_day = exchange_day(depth.quoted_at) == exchange_day(quote.at)
        traded = max(0, quote.volume - depth.volume) if is_one_day else 0
    return Depth(quote.at, quote.bids, quote.asks, quote.volume), traded


def meet(
    orders: Iterable[PaperOrder],
    depth: Depth,
    it: Situation,
    entering: frozenset[int] = frozenset(),
) -> Meeting:
    """Let all orders of an instrument meet its market; those that are `entering` come just now."""
    meeting = Meeting(depth)
    waiting = [order for order in orders if order.is_working and not order.is_amo]
    if it.quote is None or not it.is_continuous:
        for order in waiting:
            if order.id in entering and order.meets:
                _end_if_ioc(order, it, meeting)
        return meeting
    meeting.depth, traded = refreshed(depth, it.quote)
    comes = set(entering)
    for order in waiting:
        comes |= _roused(order, it, it.quote, meeting)
    comes |= _opened(waiting, it.quote, it, meeting)
    left = dict.fromkeys(Side, traded)
    for order in sorted(waiting, key=lambda order: _turn(meeting.now(order))):
        now = meeting.now(order)
        if not now.meets:
            continue
        if order.id in comes:
            fills, meeting.depth = take(now, meeting.depth)
            meeting.fill(order, fills, it.now)
            _rest(order, it, meeting)
        else:
            _wait(order, it, meeting, left)
    return meeting


def _turn(order: PaperOrder) -> tuple[str, int, int]:
    limit = order.price or 0
    return order.side, -limit if order.side is Side.BUY else limit, order.priority


def _roused(order: PaperOrder, it: Situation, quote: Quote, meeting: Meeting) -> set[int]:
    """Fire a stop that the last price reached, and give a MARKET its price; return who comes."""
    now = order
    if now.trigger_pending:
        if not fires(now, quote.last):
            return set()
        now = now.changed(it.now, is_triggered=True, queue_ahead=None)
        now = altered(now, due_at=next_due(now, it.day, it.now))
        meeting.move(order, now)
        if refused := next(beyond_protection(now, it), None):
            meeting.move(order, now.refused(*refused, it.now))
            return set()
    if now.is_market and now.price is None and now.auction is None:
        now = now.changed(it.now, price=protected(now.side, it))
        meeting.move(order, now)
    return set() if now is order else {order.id}


def fires(order: PaperOrder, last: Price) -> bool:
    """Say whether a price fires a stop."""
    trigger = order.trigger_price
    if trigger is None:
        return False
    return last >= trigger if order.side is Side.BUY else last <= trigger


def _opened(waiting: list[PaperOrder], quote: Quote, it: Situation, meeting: Meeting) -> set[int]:
    """Match what waited for the opening, at its one price; the rest comes, a MARKET at that."""
    comes: set[int] = set()
    price = quote.open
    left = {side: sum(at.quantity for at in meeting.depth.against(side)) for side in Side}
    for order in sorted(waiting, key=_turn_at_one_price):
        if order.auction is not Auction.OPENING:
            continue
        comes.add(order.id)
        stays = order.price if order.price is not None else price
        meeting.move(order, order.changed(it.now, auction=None, price=stays))
        if price is not None and reaches(order.side, order.price, price):
            taken = min(order.remaining, left[order.side])
            left[order.side] -= taken
            meeting.fill(order, [PaperFill(taken, price)] if taken else [], it.now)
    return comes


def close_at(
    orders: Iterable[PaperOrder], price: Price, most: int | None, depth: Depth, now: datetime
) -> Meeting:
    """Match all that reaches the closing auction's one price, up to what was traded in it."""
    meeting = Meeting(depth)
    left = dict.fromkeys(Side, most)
    for order in sorted(orders, key=_turn_at_one_price):
        if not order.meets or not reaches(order.side, order.price, price):
            continue
        room = left[order.side]
        taken = order.remaining if room is None else min(order.remaining, room)
        if room is not None:
            left[order.side] = room - taken
        meeting.fill(order, [PaperFill(taken, price)] if taken else [], now)
    return meeting


def _turn_at_one_price(order: PaperOrder) -> tuple[str, bool, int, int]:
    """MARKET goes before any limit."""
    is_limited = order.order_type is OrderType.LIMIT
    side, limit, priority = _turn(order)
    return side, is_limited, limit if is_limited else 0, priority


def _rest(order: PaperOrder, it: Situation, meeting: Meeting) -> None:
    """Leave what remains of an order that came: it ends if it was IOC, or takes its place."""
    _end_if_ioc(order, it, meeting)
    now = meeting.now(order)
    if now.is_working and it.rules.queue is QueueModel.QUEUE:
        meeting.queues[order.id] = _ahead(now, meeting.depth)


def _end_if_ioc(order: PaperOrder, it: Situation, meeting: Meeting) -> None:
    now = meeting.now(order)
    if now.is_working and now.validity is Validity.IOC:
        meeting.move(order, now.ended(CANCELLED, it.now, remark="What an IOC order left."))


def _ahead(order: PaperOrder, depth: Depth) -> int | None:
    """Return what waits before an order that comes now; None: nobody sees so deep."""
    beside = depth.beside(order.side)
    for level in beside:
        if level.price == order.price:
            return level.quantity
        if reaches(order.side, order.price, level.price):  # its own price is the better one
            return 0
    return None


def _wait(order: PaperOrder, it: Situation, meeting: Meeting, left: dict[Side, int]) -> None:
    """Fill an order that rests, at its own price, as far as the market came to it."""
    now, quote = meeting.now(order), it.quote
    if now.price is None or quote is None:
        return
    fills, meeting.depth = take_at_its_price(
        now, meeting.depth, through=it.rules.queue is not QueueModel.TOUCH
    )
    meeting.fill(order, fills, it.now)
    ahead, now = now.queue_ahead, meeting.now(order)
    if it.rules.queue is not QueueModel.QUEUE or ahead is None or quote.last != now.price:
        return
    traded = left[now.side]
    if not traded or not now.is_working:
        return
    taken = min(now.remaining, max(0, traded - ahead))
    left[now.side] -= taken
    meeting.queues[order.id] = max(0, ahead - traded)
    meeting.fill(order, [PaperFill(taken, now.price)] if taken else [], it.now)


def reaches(side: Side, limit: Price | None, price: Price) -> bool:
    """Say whether an order with a limit may trade at a price."""
    if limit is None:
        return True
    return price <= limit if side is Side.BUY else price >= limit


def take(order: PaperOrder, depth: Depth) -> tuple[list[PaperFill], Depth]:
    """Take what an order can have, best price first; return its fills and what is left."""
    wanted, fills, left = order.remaining, [], []
    for level in depth.against(order.side):
        here = level.quantity
        if wanted and reaches(order.side, order.price, level.price):
            taken = min(wanted, here)
            fills.append(PaperFill(taken, level.price))
            wanted, here = wanted - taken, here - taken
        if here:
            left.append(level._replace(quantity=here))
    return fills, depth.without(order.side, tuple(left))


def take_at_its_price(
    order: PaperOrder, depth: Depth, *, through: bool
) -> tuple[list[PaperFill], Depth]:
    """Take what comes to an order's own price (beyond it, if the market has to trade through)."""
    price = order.price
    if price is None:
        return [], depth
    wanted, left = order.remaining, []
    for level in depth.against(order.side):
        here = level.quantity
        comes = reaches(order.side, price, level.price) and (level.price != price or not through)
        if wanted and comes:
            taken = min(wanted, here)
            wanted, here = wanted - taken, here - taken
        if here:
            left.append(level._replace(quantity=here))
    taken = order.remaining - wanted
    return [PaperFill(taken, price)] if taken else [], depth.without(order.side, tuple(left))
