"""What brokers tell of orders, whichever way it came, becomes the book in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Final

from bahi.db.tx import Tx
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import BahiError, Invalid, NotFound
from bahi.kernel.ids import from_tag
from bahi.kernel.money import Money
from bahi.kernel.ports import Update
from bahi.kernel.words import EventSource, EventType, OrderStatus, OrderType, Product, Segment, Side
from bahi.orders.model.hearing import Booking, Told, heard, to_book
from bahi.orders.model.order import REJECTED, Order
from bahi.orders.repository import order as rows
from bahi.portfolio.model import margin
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.money import Block
from bahi.portfolio.model.position import Key
from bahi.portfolio.model.trade import Trade
from bahi.portfolio.service.books import block, book_trade, lock_book, save_book, told_of

_NAMES: Final = {
    OrderStatus.OPEN: EventType.OPEN,
    OrderStatus.PARTIAL: EventType.PARTIAL,
    OrderStatus.EXECUTED: EventType.EXECUTED,
    OrderStatus.CANCELLED: EventType.CANCELLED,
    OrderStatus.REJECTED: EventType.REJECTED,
    OrderStatus.EXPIRED: EventType.EXPIRED,
    OrderStatus.UNKNOWN: EventType.UNKNOWN,
    OrderStatus.TRANSIT: EventType.TRANSIT,
}


class NotOurs(BahiError):
    """The broker told of an order without saying what it is, so it cannot be adopted."""

    code = "not_ours"


def ingest(tx: Tx, account_id: int, told: tuple[Update, EventSource], now: datetime) -> Order:
    """Take in what a broker said of one order, however often and late; return the order."""
    update, source = told
    before = lock_book(tx, account_id)
    book = before.on(exchange_day(now))
    known = _find(tx, account_id, update)
    if known is None:
        known = _adopted(tx, account_id, update, now)
        rows.add(tx, known, now, source)
        book = replace(book, open_orders=book.open_orders + 1)
    booked = to_book(known, update, Told(*told_of(tx, known.id)), now)
    after = heard(known, update, booked, now)
    for booking in booked:
        book = _book_trade(tx, book, known, booking, now)
    if after is not known:
        book = _moved(tx, book, (known, after), source, now)
    if book != before:
        save_book(tx, before, book, now)
    return after


def close_unsent(tx: Tx, order: Order, why: str, now: datetime) -> Order:
    """End an order that never reached the wire."""
    return _ended(tx, order, lambda known: known.unsent(why, now), now)


def refuse(tx: Tx, order: Order, why: str, now: datetime) -> Order:
    """End an order that its broker refused without writing it down."""
    refused = {"acked_at": now, "error_message": why}
    return _ended(tx, order, lambda known: known.moved(REJECTED, now, **refused), now)


def _ended(tx: Tx, order: Order, move: Callable[[Order], Order], now: datetime) -> Order:
    before = lock_book(tx, order.account_id)
    known = rows.find(tx, order.id)
    if known is None:
        raise NotFound(f"There is no order {order.id}.")
    after = move(known)
    book = _moved(tx, before.on(exchange_day(now)), (known, after), EventSource.SYSTEM, now)
    save_book(tx, before, book, now)
    return after


def _find(tx: Tx, account_id: int, update: Update) -> Order | None:
    """Find an order by its tag, which is our own id, or by the broker's name for it."""
    if update.tag:
        try:
            order = rows.find(tx, from_tag(update.tag))
        except Invalid:  # somebody else's tag
            order = None
        if order is not None and order.account_id == account_id:
            return order
    return rows.find_by_broker_id(tx, account_id, update.broker_order_id)


def _adopted(tx: Tx, account_id: int, update: Update, now: datetime) -> Order:
    """Make an order of ours of one that others placed at the broker."""
    asked = update.asked
    if asked is None:
        raise NotOurs
    return Order(
        id=tx.new_id(),
        account_id=account_id,
        broker_order_id=update.broker_order_id,
        segment=Segment(asked.segment),
        symbol=asked.symbol,
        side=Side(asked.side),
        product=Product(asked.product),
        order_type=OrderType(asked.order_type),
        quantity=asked.quantity,
        price=asked.price,
        trigger_price=asked.trigger_price,
        status=OrderStatus.TRANSIT,
        actor="external",
        is_external=True,
        placed_at=update.at or now,
        updated_at=now,
    )


def _book_trade(tx: Tx, book: Book, order: Order, booking: Booking, now: datetime) -> Book:
    trade = Trade(
        id=tx.new_id(),
        account_id=order.account_id,
        order_id=order.id,
        name=booking.name,
        told_as=booking.told_as,
        instrument_id=order.instrument_id,
        key=Key(order.segment, order.symbol, order.product),
        side=order.side,
        order_type=str(order.order_type),
        quantity=booking.quantity,
        price=booking.price,
        value=booking.value,
        at=booking.at,
    )
    contract = margin.Contract(order.option_type is not None, order.strike)
    return book_trade(tx, book, trade, contract, now).book


def _moved(
    tx: Tx, book: Book, move: tuple[Order, Order], source: EventSource, now: datetime
) -> Book:
    """Write an order's next version, and free what it blocks no more."""
    before, after = move
    name = EventType.MODIFIED if after.status is before.status else _NAMES[after.status]
    if after.status is before.status and after.filled != before.filled:
        name = _NAMES[after.status]
    rows.save(tx, before, after, (name, source), now)
    key = Key(after.segment, after.symbol, after.product)
    freed = after.margin - before.margin
    book = block(tx, book, Block(after.id, key, Money(freed), f"the order is {after.status}"), now)
    ended = int(before.is_active) - int(after.is_active)
    return replace(book, open_orders=book.open_orders - ended)
