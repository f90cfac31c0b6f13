"""A broker in memory that may misbehave in every way that brokers do, and keeps a true journal."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bahi.kernel.clock import Clock
from bahi.kernel.errors import NotSent, Rejected, Silent
from bahi.kernel.money import Price
from bahi.kernel.ports import Change, Fill, Ticket, Update
from bahi.kernel.words import OrderStatus

OPEN, PARTIAL, EXECUTED = OrderStatus.OPEN, OrderStatus.PARTIAL, OrderStatus.EXECUTED
CANCELLED, REJECTED = OrderStatus.CANCELLED, OrderStatus.REJECTED
WORKING = frozenset({OPEN, PARTIAL})

# What becomes of the next call: it works; it never arrives and nobody answers; it arrives and
# nobody answers; the wire was never reached; a definite no.
WELL, LOST, SILENT, UNREACHED, REFUSED = "well", "lost", "silent", "unreached", "refused"
FAULTS = (WELL, LOST, SILENT, UNREACHED, REFUSED)


@dataclass
class Placed:
    """An order as the broker has it."""

    id: str
    ticket: Ticket
    at: datetime
    status: OrderStatus = OPEN
    fills: list[Fill] = field(default_factory=list)
    reason: str = ""

    @property
    def filled(self) -> int:
        return sum(it.quantity for it in self.fills)

    def told(self) -> Update:
        value = sum(it.price * it.quantity for it in self.fills)
        return Update(
            broker_order_id=self.id,
            broker_status=str(self.status),
            status=self.status,
            quantity=self.ticket.quantity,
            filled_quantity=self.filled,
            tag=self.ticket.tag or None,
            price=self.ticket.price,
            trigger_price=self.ticket.trigger_price,
            average_price=Price(value // self.filled) if self.filled else None,
            reason=self.reason,
            at=self.at,
            fills=tuple(self.fills),
            asked=self.ticket,
        )


class MemoryBroker:
    """One account at it; what it says of an order is true when it says it."""

    def __init__(self, clock: Clock, *, by_fill: bool = True) -> None:
        self.by_fill = by_fill  # else it tells only how many in all
        self._clock, self._ids = clock, itertools.count(1)
        self._beats = itertools.count(1)
        self.orders: dict[str, Placed] = {}
        self.calls: Counter[str] = Counter()
        self.news: list[Update] = []
        self.next: deque[str] = deque()
        self.gate: asyncio.Event | None = None
        self.reached = asyncio.Event()
        self.readings = 0
        self.hidden: set[str] = set()  # of these it does not say what they are

    # The port

    async def place(self, ticket: Ticket) -> Update:
        self.calls[ticket.tag] += 1
        self.reached.set()
        if self.gate is not None:
            await self.gate.wait()
        fault = self._fault()
        order = self.accept(ticket)
        if fault == SILENT:
            raise Silent
        return self._said(order)

    async def modify(self, change: Change) -> Update:
        fault = self._fault()
        order = self._working(change.broker_order_id)
        asked = {
            name: value
            for name in ("quantity", "price", "trigger_price", "validity")
            if (value := getattr(change, name)) is not None
        }
        if asked.get("quantity", order.filled + 1) <= order.filled:
            raise Rejected("More than that has filled.")
        order.ticket = replace(order.ticket, **asked)
        self._tell(order)
        if fault == SILENT:
            raise Silent
        return self._said(order)

    async def cancel(self, broker_order_id: str) -> Update:
        self.calls[f"cancel {broker_order_id}"] += 1
        fault = self._fault()
        order = self._working(broker_order_id)
        order.status = CANCELLED
        self._tell(order)
        if fault == SILENT:
            raise Silent
        return self._said(order)

    async def order_book(self) -> tuple[Update, ...]:
        self.readings += 1
        if self._fault() != WELL:
            raise Silent
        return tuple(
            replace(self._said(it), asked=None) if it.id in self.hidden else self._said(it)
            for it in self.orders.values()
        )

    # What happens on its side

    def accept(self, ticket: Ticket) -> Placed:
        order = Placed(f"B{next(self._ids)}", ticket, self._now())
        self.orders[order.id] = order
        self._tell(order)
        return order

    def fill(self, order: Placed, quantity: int) -> None:
        at = self._now()
        number = f"{order.id}.{len(order.fills) + 1}"
        price = order.ticket.price or Price(1_000_000)
        order.fills.append(Fill(trade_id=number, quantity=quantity, price=price, at=at))
        if order.status in WORKING:
            order.status = EXECUTED if order.filled == order.ticket.quantity else PARTIAL
        elif order.filled == order.ticket.quantity:
            order.status = EXECUTED
        self._tell(order)

    def end(self, order: Placed, status: OrderStatus) -> None:
        order.status = status
        self._tell(order)

    @property
    def working(self) -> list[Placed]:
        return [it for it in self.orders.values() if it.status in WORKING]

    def _working(self, name: str) -> Placed:
        order = self.orders[name]
        if order.status not in WORKING:
            raise Rejected(f"It is {order.status}.")
        return order

    def _tell(self, order: Placed) -> None:
        order.at = self._now()
        self.news.append(self._said(order))

    def _said(self, order: Placed) -> Update:
        told = order.told()
        return told if self.by_fill else replace(told, fills=None)

    def _now(self) -> datetime:
        """Every word has an instant of its own, as on a clock of microseconds."""
        return self._clock() + timedelta(microseconds=next(self._beats))

    def _fault(self) -> str:
        fault = self.next.popleft() if self.next else WELL
        if fault == LOST:
            raise Silent
        if fault == UNREACHED:
            raise NotSent
        if fault == REFUSED:
            raise Rejected("No.")
        return fault
