"""Orders by where a position is to be: a target, or nothing. What is missing is seen under lock."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from bahi.db.lanes import Lane
from bahi.db.tx import Tx
from bahi.kernel.clock import Deadline
from bahi.kernel.errors import BahiError, Conflict, NotSent, Rejected
from bahi.kernel.words import OrderType, Product, Segment, Side
from bahi.orders.model.order import TRANSIT, Order
from bahi.orders.model.wishes import PlaceOrder, check
from bahi.orders.repository.working import working_on
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import SEND_WITHIN_S, Intent, named, record_intent, send
from bahi.portfolio.model.position import Key
from bahi.portfolio.service.books import lock_book, position_of, positions_of


class Aim(NamedTuple):
    """What was found when a position was to be brought somewhere; no order: it is there already."""

    order: Order | None
    net: int
    working: int


class Closed(NamedTuple):
    """What became of one position that was to be closed."""

    key: Key
    order: Order | None
    fault: BahiError | None


async def place_smart(desk: Desk, wish: PlaceOrder, target: int) -> Aim:
    """Bring a position to a target (negative: short) by one order for what is missing.

    The wish says all but side and quantity. What works already counts as done, so that the same
    target asked for twice, or by two at once, is one order.
    """
    seen = desk.look(wish.segment, wish.symbol)
    await desk.freshen()
    intent = Intent(
        actor=desk.actor,
        account_id=desk.account_id,
        wish=wish,
        seen=seen,
        terms=desk.terms,
        now=desk.clock(),
        needs_approval=desk.needs_approval(wish.strategy),
    )
    return await desk.errands.see_through(_aim(desk, intent, target))


async def _aim(desk: Desk, intent: Intent, target: int) -> Aim:
    deadline = Deadline(SEND_WITHIN_S)
    aim, is_new = await desk.store.write(
        record_aim, intent, target, lane=Lane.INTENT, account=desk.account_id
    )
    if aim.order is None or not is_new or aim.order.status is not TRANSIT:
        return aim
    order = await send(desk, aim.order, deadline)
    desk.wake()
    return aim._replace(order=order)


def record_aim(tx: Tx, intent: Intent, target: int) -> tuple[Aim, bool]:
    """Write the order that brings a position to its target, if one is missing."""
    lock_book(tx, intent.account_id)
    wish, it = intent.wish, intent.seen.instrument
    key = Key(it.segment, it.symbol, wish.product)
    net = position_of(tx, intent.account_id, key).net
    side = Side.BUY if target > net else Side.SELL
    working = _working(tx, intent.account_id, key, side)
    missing = abs(target - net) - working
    if known := named(tx, intent):
        return Aim(known, net, working), False
    if missing <= 0:
        return Aim(None, net, working), False
    asked = replace(wish, side=side, quantity=missing)
    check(asked, intent.seen)
    order, is_new = record_intent(tx, replace(intent, wish=asked))
    return Aim(order, net, working), is_new


def _working(tx: Tx, account_id: int, key: Key, side: Side) -> int:
    """Return how much orders of one side would still move a position that way.

    Those of the other side may never fill, and are no reason to ask for more. The exits of guarded
    orders wait for a price and shrink with what is open: they do not count either.
    """
    return sum(
        it.remaining
        for it in _working_on(tx, account_id, key)
        if it.side is side and it.parent_order_id is None
    )


async def close_position(
    desk: Desk, segment: Segment, symbol: str, product: Product, name: str | None = None
) -> Aim:
    """Close a position at the market: its exits are taken back, the rest is sent, then entries."""
    key = Key(segment, symbol, product)
    net = (await desk.store.read(position_of, desk.account_id, key, fresh=True)).net
    out = Side.SELL if net > 0 else Side.BUY
    working = await desk.store.read(_working_on, desk.account_id, key, fresh=True)
    await _take_back(desk, [it for it in working if it.side is out])
    aim = await _close(desk, key, name)
    await _take_back(desk, [it for it in working if it.side is not out])
    return aim


async def _take_back(desk: Desk, orders: list[Order]) -> None:
    """Cancel what can be; of what cannot, nobody knows where it is, and the rest goes on."""
    for order in orders:
        with suppress(Conflict, NotSent, Rejected):
            await cancel_order(desk, order.id)


async def _close(desk: Desk, key: Key, name: str | None) -> Aim:
    segment, symbol, product = key
    wish = PlaceOrder(
        segment=segment,
        symbol=symbol,
        side=Side.SELL,
        quantity=0,
        product=product,
        order_type=OrderType.MARKET,
        client_order_id=name,
    )
    return await place_smart(desk, wish, 0)


async def close_all(desk: Desk) -> list[Closed]:
    """Close every position of the account; each has its own outcome."""
    outcomes: list[Closed] = []
    for it in await desk.store.read(positions_of, desk.account_id, fresh=True):
        try:
            aim = await close_position(desk, it.key.segment, it.key.symbol, it.key.product)
            outcomes.append(Closed(it.key, aim.order, None))
        except BahiError as fault:
            outcomes.append(Closed(it.key, None, fault))
    return outcomes


def _working_on(tx: Tx, account_id: int, key: Key) -> list[Order]:
    return [
        it
        for it in working_on(tx, account_id, (key.segment, key.symbol))
        if it.product is key.product
    ]
