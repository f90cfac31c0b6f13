"""One wish, several orders: slices of a large one, and baskets; each order has its own outcome."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from bahi.kernel.errors import BahiError
from bahi.kernel.words import Side
from bahi.orders.model.order import REJECTED, Order
from bahi.orders.model.slices import Whole, slices_of, whole_of
from bahi.orders.model.wishes import Part, PlaceOrder
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import place_or_find
from bahi.portfolio.service.books import page_of
from bahi.risk.model.verdict import pause_between


class Sliced(NamedTuple):
    """A large order as its slices: what they come to, each of them, and what broke it off.

    `is_new` says whether one of them was written just now.
    """

    whole: Whole
    slices: tuple[Order, ...]
    fault: BahiError | None = None
    is_new: bool = True


class Answer(NamedTuple):
    """What became of one order of a basket: the order, and if it is new, or why there is none."""

    order: Order | None
    fault: BahiError | None
    is_new: bool = False


async def place_sliced(
    desk: Desk, wish: PlaceOrder, size: int | None = None, *, loosely: bool = False
) -> Sliced:
    """Place an order in parts: of a size, or as large as the exchange takes.

    The first part is judged for all. One that is refused ends it: what was placed stays, and is
    said. The same client_order_id again finds the same parts; `loosely` as for one order.
    """
    it = desk.look(wish.segment, wish.symbol).instrument
    largest = min(filter(None, (size, it.largest_order)), default=wish.quantity)
    parts = slices_of(wish.quantity, largest, it.lot_size)
    group = wish.client_order_id or secrets.token_hex(8)
    placed: list[Order] = []
    any_new = False
    pause_s = await pause_of(desk, len(parts))
    for place, quantity in enumerate(parts, 1):
        part = Part(slices=group, slice_index=place, whole_quantity=wish.quantity)
        one = replace(wish, quantity=quantity, part=part, client_order_id=f"{group}/{place}")
        try:
            order, is_new = await place_or_find(desk, one, loosely=loosely)
        except BahiError as fault:
            if not placed:
                raise
            return Sliced(whole_of(group, wish.quantity, placed), tuple(placed), fault, any_new)
        placed.append(order)
        any_new |= is_new
        if order.status is REJECTED:
            break
        await asyncio.sleep(pause_s)
    return Sliced(whole_of(group, wish.quantity, placed), tuple(placed), is_new=any_new)


async def place_basket(desk: Desk, wishes: Sequence[PlaceOrder]) -> list[Answer]:
    """Place several orders, what is bought first: it may cover what is sold. Answers in order."""
    answers: dict[int, Answer] = {}
    pause_s = await pause_of(desk, len(wishes))
    for place in bought_first(wishes):
        try:
            order, is_new = await place_or_find(desk, wishes[place])
            answers[place] = Answer(order, None, is_new)
        except BahiError as fault:
            answers[place] = Answer(None, fault)
        await asyncio.sleep(pause_s)
    return [answers[place] for place in range(len(wishes))]


def bought_first(wishes: Sequence[PlaceOrder]) -> list[int]:
    """Return the places of a basket's wishes in the order in which they are placed."""
    return sorted(range(len(wishes)), key=lambda place: wishes[place].side is Side.SELL)


async def pause_of(desk: Desk, how_many: int) -> float:
    """Return how long to wait between orders, so that the account's rate refuses none of them."""
    page = await desk.store.read(page_of, desk.account_id, fresh=True)
    return pause_between(page, how_many, desk.clock())
