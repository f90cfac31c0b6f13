"""Orders by where a position is to be: a target, or nothing. What is missing is seen under lock."""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import replace
from typing import NamedTuple

from bahi.db.lanes import Lane
from bahi.db.tx import Tx
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import Deadline
from bahi.kernel.errors import BahiError, Conflict, NotSent, Rejected
from bahi.kernel.words import OrderType, Product, Segment, Side
from bahi.orders.model.naming import taken
from bahi.orders.model.order import REJECTED, TRANSIT, Order
from bahi.orders.model.slices import slices_of
from bahi.orders.model.wishes import WHOLE, Part, PlaceOrder, check, check_name
from bahi.orders.repository.working import working_on
from bahi.orders.service.awaiting import outcome_of
from bahi.orders.service.cancelling import cancel_order
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import (
    SEND_WITHIN_S,
    Intent,
    intent_of,
    named,
    record_intent,
    send,
)
from bahi.orders.service.several import pause_of
from bahi.portfolio.model.position import Key
from bahi.portfolio.service.books import lock_book, position_of, positions_of


class Aim(NamedTuple):
    """What was found when a position was to be brought somewhere; no order: it is there already."""

    orders: tuple[Order, ...]
    net: int
    working: int
    fault: BahiError | None = None

    @property
    def order(self) -> Order | None:
        """The order for what was missing; of several slices the first."""
        return next(iter(self.orders), None)


class Closed(NamedTuple):
    """What became of one position that was to be closed."""

    key: Key
    orders: tuple[Order, ...]
    fault: BahiError | None


async def place_smart(desk: Desk, wish: PlaceOrder, target: int) -> Aim:
    """Bring a position to a target (negative: short) by an order for what is missing.

    The wish says all but side and quantity. What works already counts as done, so that the same
    target asked for twice, or by two at once, is one order. What the exchange does not take in one
    goes in slices; one that is refused ends it: what was placed stays, and is said.
    """
    desk.look(wish.segment, wish.symbol)
    await desk.freshen()
    return await desk.errands.see_through(_bring(desk, wish, target))


async def _bring(desk: Desk, wish: PlaceOrder, target: int) -> Aim:
    group = wish.client_order_id or secrets.token_hex(8)
    aim = await _aim(desk, replace(wish, part=Part(slices=group)), target)
    largest = desk.look(wish.segment, wish.symbol).instrument.largest_order
    rest = [] if aim.order is None else _rest_of(wish, aim.order, largest)
    pause_s = await pause_of(desk, 1 + len(rest))
    for one in rest:
        if aim.orders[-1].status is REJECTED:
            break
        await asyncio.sleep(pause_s)
        try:
            more = await _aim(desk, one, target)
        except BahiError as fault:
            return aim._replace(fault=fault)
        aim = aim._replace(orders=(*aim.orders, *more.orders))
    return aim


async def _aim(desk: Desk, wish: PlaceOrder, target: int) -> Aim:
    deadline = Deadline(SEND_WITHIN_S)
    intent = intent_of(desk, wish, desk.look(wish.segment, wish.symbol))
    with desk.errands.trying((desk.account_id, wish.client_order_id)):
        aim, is_new = await desk.store.write(
            record_aim, intent, target, lane=Lane.INTENT, account=desk.account_id
        )
        if aim.order is None or aim.order.status is not TRANSIT:
            return aim
        if is_new:
            order = await send(desk, aim.order, deadline)
            desk.wake()
            return aim._replace(orders=(order,))
    return aim._replace(orders=(await outcome_of(desk, aim.order),))


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
        if known.key != key:
            raise taken(wish.client_order_id or "", known, "position")
        return Aim((known,), net, working), False
    asked = _asked(wish, side, missing, it)
    if asked is None:
        return Aim((), net, working), False
    check(asked, intent.seen)
    order, is_new = record_intent(tx, replace(intent, wish=asked))
    return Aim((order,), net, working), is_new


def _asked(wish: PlaceOrder, side: Side, missing: int, it: Instrument) -> PlaceOrder | None:
    """Return the order for what is missing, or the slice of it that the exchange takes at once."""
    if missing <= 0:
        return None
    part, size = wish.part, it.largest_order or missing
    if part.slice_index is not None and part.whole_quantity is not None:
        mine = min(missing, size, part.whole_quantity - size * (part.slice_index - 1))
        return replace(wish, quantity=mine) if side is wish.side and mine > 0 else None
    if missing <= size:
        return replace(wish, side=side, quantity=missing, part=WHOLE)
    count = len(slices_of(missing, size, it.lot_size))
    if wish.client_order_id is not None:
        check_name(f"{wish.client_order_id}/{count}")  # as the last slice will be called
    part = replace(part, slice_index=1, whole_quantity=missing)
    return replace(wish, side=side, quantity=size, part=part)


def _rest_of(wish: PlaceOrder, first: Order, largest: int | None) -> list[PlaceOrder]:
    """Return the slices behind the first, which says for how many; itself it may be changed."""
    whole, group = first.slice_total_quantity, first.slice_group_id
    if whole is None or first.slice_index != 1 or largest is None:
        return []
    return [
        replace(
            wish,
            side=first.side,
            part=Part(slices=group, slice_index=place, whole_quantity=whole),
            client_order_id=f"{group}/{place}",
        )
        for place in range(2, 1 + -(-whole // largest))
    ]


def _working(tx: Tx, account_id: int, key: Key, side: Side) -> int:
    """Return how much orders of one side would still move a position that way.

    Those of the other side may never fill, and are no reason to ask for more. The exits of guarded
    orders wait for a price and shrink with what is open: they do not count either.
    """
    return sum(
        it.remaining
        for it in working_on(tx, account_id, key)
        if it.side is side and it.parent_order_id is None
    )


async def close_position(
    desk: Desk, segment: Segment, symbol: str, product: Product, name: str | None = None
) -> Aim:
    """Close a position at the market: its exits are taken back, the rest is sent, then entries."""
    key = Key(segment, symbol, product)
    net = (await desk.store.read(position_of, desk.account_id, key, fresh=True)).net
    out = Side.SELL if net > 0 else Side.BUY
    working = await desk.store.read(working_on, desk.account_id, key, fresh=True)
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
            outcomes.append(Closed(it.key, aim.orders, aim.fault))
        except BahiError as fault:
            outcomes.append(Closed(it.key, (), fault))
    return outcomes
