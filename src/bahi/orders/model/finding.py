"""What a check of orders can find, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from typing import Final

from bahi.kernel.money import plain
from bahi.orders.model.order import FIELDS, Order
from bahi.portfolio.model.finding import Finding

SHOWN: Final = 10
"""Events that are named at most."""


class Fault(StrEnum):
    """What of an order is not as its facts make it."""

    EVENTS_ARE_MISSING = "EVENTS_ARE_MISSING"
    ORDER_IS_NOT_ITS_EVENTS = "ORDER_IS_NOT_ITS_EVENTS"
    FILLED_IS_NOT_ITS_TRADES = "FILLED_IS_NOT_ITS_TRADES"
    ORDER_MARGIN_IS_NOT_ITS_BLOCKS = "ORDER_MARGIN_IS_NOT_ITS_BLOCKS"
    OPEN_ORDERS_ARE_MISCOUNTED = "OPEN_ORDERS_ARE_MISCOUNTED"


def check_order(
    order: Order,
    sequences: Sequence[int],
    folded: Order | None,
    traded: tuple[int, int],
    blocked: int,
) -> Iterator[Finding]:
    """Yield what of an order is not as its events, its trades and its blocks make it."""
    subject = f"order {order.id}"
    if list(sequences) != list(range(1, order.version + 1)) or folded is None:
        yield Finding(
            Fault.EVENTS_ARE_MISSING,
            order.account_id,
            subject,
            f"Order {order.id} is at version {order.version} and has the events "
            f"{_shown(sequences)}.",
        )
    elif folded != order:
        wrong = [name for name in FIELDS if getattr(order, name) != getattr(folded, name)]
        said = ", ".join(
            f"{it} is {getattr(order, it)} and should be {getattr(folded, it)}" for it in wrong[:5]
        )
        yield Finding(
            Fault.ORDER_IS_NOT_ITS_EVENTS, order.account_id, subject, f"Order {order.id}: {said}."
        )
    if (order.filled, order.traded_value) != traded:
        yield Finding(
            Fault.FILLED_IS_NOT_ITS_TRADES,
            order.account_id,
            subject,
            f"Order {order.id} has {order.filled} filled for {plain(order.traded_value)}, its "
            f"trades come to {traded[0]} for {plain(traded[1])}.",
        )
    if order.margin != blocked:
        yield Finding(
            Fault.ORDER_MARGIN_IS_NOT_ITS_BLOCKS,
            order.account_id,
            subject,
            f"Order {order.id} blocks {plain(order.margin)}, its blocks come to {plain(blocked)}.",
        )


def _shown(sequences: Sequence[int]) -> str:
    listed = ", ".join(str(it) for it in sequences[:SHOWN]) or "none"
    more = len(sequences) - SHOWN
    return f"{listed} and {more} more" if more > 0 else listed
