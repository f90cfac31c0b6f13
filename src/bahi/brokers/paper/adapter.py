"""One account at the paper exchange, behind the same port as every broker."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from bahi.exchange.service.floor import PaperExchange, Seen
from bahi.kernel.errors import Busy, InDoubt, Invalid, NotCommitted, NotFound, NotSent, Rejected
from bahi.kernel.errors import Silent as NoAnswer
from bahi.kernel.ports import Change, Ticket, Update

T = TypeVar("T")


class PaperBroker:
    """A client of the paper exchange."""

    def __init__(self, exchange: PaperExchange, client_id: int) -> None:
        self._exchange, self._client_id = exchange, client_id

    async def place(self, ticket: Ticket) -> Update:
        """See `Broker`."""
        return update_of(await _heard(self._exchange.place(self._client_id, ticket)))

    async def modify(self, change: Change) -> Update:
        """See `Broker`."""
        raise Rejected(f"The paper exchange cannot change order {change.broker_order_id} yet.")

    async def cancel(self, broker_order_id: str) -> Update:
        """See `Broker`."""
        if not broker_order_id.isdecimal():
            raise Rejected(f"{broker_order_id!r} is no order of the paper exchange.")
        try:
            seen = await _heard(self._exchange.cancel(self._client_id, int(broker_order_id)))
        except NotFound as fault:
            raise Rejected(str(fault)) from None
        return update_of(seen)

    async def order_book(self) -> tuple[Update, ...]:
        """See `Broker`."""
        return tuple(update_of(it) for it in await _heard(self._exchange.book(self._client_id)))


def update_of(seen: Seen) -> Update:
    """Say what the exchange has in the words of the port."""
    order, fills = seen
    return Update(
        broker_order_id=str(order.id),
        broker_status=str(order.status),
        status=order.status,
        quantity=order.quantity,
        filled_quantity=order.filled,
        tag=order.tag,
        price=order.price,
        average_price=order.average_price,
        reason=order.reject_message or "",
        at=order.updated_at,
        fills=fills,
        asked=Ticket(
            tag=order.tag or "",
            segment=order.segment,
            symbol=order.symbol,
            side=order.side,
            order_type=order.order_type,
            product=order.product,
            validity=order.validity,
            quantity=order.quantity,
            price=order.price,
        ),
    )


async def _heard(call: Awaitable[T]) -> T:
    """Say what became of a transaction at the exchange as of a call on the wire."""
    try:
        return await call
    except (NotCommitted, Busy, Invalid) as fault:
        raise NotSent(str(fault)) from None
    except InDoubt as fault:
        raise NoAnswer(str(fault)) from None
