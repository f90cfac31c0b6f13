"""One account at the paper exchange, behind the same port as every broker."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bahi.exchange.service.floor import PaperExchange, Seen
from bahi.kernel.errors import (
    Busy,
    Conflict,
    InDoubt,
    Invalid,
    NotCommitted,
    NotFound,
    NotSent,
    Rejected,
)
from bahi.kernel.errors import Silent as NoAnswer
from bahi.kernel.ports import Change, Ticket, Update
from bahi.kernel.words import OrderType

T = TypeVar("T")
Pause = Callable[[float], Awaitable[None]]

LIMITED = {
    OrderType.MARKET: OrderType.LIMIT,
    OrderType.STOP_LOSS_MARKET: OrderType.STOP_LOSS,
}
"""How brokers report a MARKET order once it has its protected limit."""


class PaperBroker:
    """A client of the paper exchange; what it says takes as long as the exchange's rules say."""

    def __init__(
        self, exchange: PaperExchange, client_id: int, pause: Pause = asyncio.sleep
    ) -> None:
        self._exchange, self._client_id, self._pause = exchange, client_id, pause

    async def place(self, ticket: Ticket) -> Update:
        """See `Broker`."""
        await self._travel("place", ticket.tag)
        return update_of(await heard(self._exchange.place(self._client_id, ticket)))

    async def modify(self, change: Change) -> Update:
        """See `Broker`."""
        _require_ours(change.broker_order_id)
        await self._travel("modify", change.broker_order_id)
        return update_of(await heard(self._exchange.modify(self._client_id, change)))

    async def cancel(self, broker_order_id: str) -> Update:
        """See `Broker`."""
        _require_ours(broker_order_id)
        await self._travel("cancel", broker_order_id)
        return update_of(await heard(self._exchange.cancel(self._client_id, int(broker_order_id))))

    async def order_book(self) -> tuple[Update, ...]:
        """See `Broker`."""
        return tuple(update_of(it) for it in await heard(self._exchange.book(self._client_id)))

    async def _travel(self, what: str, which: str) -> None:
        if delay_s := self._exchange.rules.latency_s(f"{what} {which}"):
            await self._pause(delay_s)


def _require_ours(broker_order_id: str) -> None:
    if not broker_order_id.isdecimal():
        raise Rejected(f"{broker_order_id!r} is no order of the paper exchange.")


def update_of(seen: Seen) -> Update:
    """Say what the exchange has in the words of the port."""
    order, fills = seen
    kind = order.order_type
    if order.price is not None:
        kind = LIMITED.get(kind, kind)
    return Update(
        broker_order_id=str(order.id),
        broker_status="AMO RECEIVED" if order.is_amo and order.is_working else str(order.status),
        status=order.status,
        quantity=order.quantity,
        filled_quantity=order.filled,
        tag=order.tag,
        price=order.price,
        trigger_price=order.trigger_price,
        average_price=order.average_price,
        trigger_pending=order.trigger_pending,
        reason=order.reject_message or order.remark or "",
        at=order.updated_at,
        fills=fills,
        asked=Ticket(
            tag=order.tag or "",
            segment=order.segment,
            symbol=order.symbol,
            side=order.side,
            order_type=kind,
            product=order.product,
            validity=order.validity,
            quantity=order.quantity,
            price=order.price,
            trigger_price=order.trigger_price,
            disclosed_quantity=order.disclosed or 0,
            amo_time=order.amo_time,
        ),
    )


async def heard(call: Awaitable[T]) -> T:
    """Say what became of a transaction at the exchange as of a call on the wire."""
    try:
        return await call
    except NotFound as fault:
        raise Rejected(str(fault)) from None
    except (NotCommitted, Busy, Invalid, Conflict) as fault:
        raise NotSent(str(fault)) from None
    except InDoubt as fault:
        raise NoAnswer(str(fault)) from None
