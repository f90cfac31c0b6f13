"""Waiting out the broker's rate, for who must not stop half way: a spread, a closing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from bahi.orders.model.order import Order
from bahi.orders.service.modifying import ORDER_RATE

T = TypeVar("T")

TRIES: Final = 5
RATE_S: Final = 1.0
"""How often, and how much later, an order is placed that came too soon."""


async def patiently(place: Callable[[], Awaitable[T]], last_of: Callable[[T], Order | None]) -> T:
    """Place an order, and place it again where the broker's rate was used up; not for ever."""
    tries = 0
    while True:
        found = await place()
        last, tries = last_of(found), tries + 1
        if tries == TRIES or last is None or last.error_code != ORDER_RATE:
            return found
        if last.client_order_id is not None:
            return found  # its name is taken by the refusal: the same again would be the same
        await asyncio.sleep(RATE_S)
