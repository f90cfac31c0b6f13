"""What brokers tell of orders, whichever way it came, becomes the book in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final, NamedTuple

from bahi.db.tx import Tx
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.altered import altered
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import BahiError, Invalid, NotFound
from bahi.kernel.ids import from_tag
from bahi.kernel.money import NOTHING, Money, Price
from bahi.kernel.ports import Update
from bahi.kernel.words import (
    EventSource,
    EventType,
    OrderStatus,
    OrderType,
    Product,
    Segment,
    Side,
    Validity,
)
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert, resolve
from bahi.orders.model.changing import Evidence
from bahi.orders.model.hearing import Booking, Told, heard, to_book
from bahi.orders.model.order import REJECTED, TRANSIT, UNKNOWN, Order
from bahi.orders.repository import order as rows
from bahi.orders.repository.working import beside
from bahi.orders.service.answering import answered
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.charges import FIRST, Earlier
from bahi.portfolio.model.margin import Footing, for_order
from bahi.portfolio.model.money import Block
from bahi.portfolio.model.position import is_exit
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.model.trade import SoFar, Trade
from bahi.portfolio.service.books import (
    block,
    book_trade,
    booked_of,
    lock_book,
    position_of,
    save_book,
)

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
_NOTHING_YET: Final = SoFar(frozenset(), has_cumulative=False, earlier=FIRST)


class NotOurs(BahiError):
    """The broker told of an order without saying what it is, so it cannot be adopted."""

    code = "not_ours"


class Word(NamedTuple):
    """What a broker said of one order, and which way it came.

    `listed` is the instrument as the catalogue knows it, for an order that we did not place;
    `sent_at` is when it went on the wire, where this is the answer to that.
    """

    update: Update
    source: EventSource
    listed: Instrument | None = None
    evidence: Evidence = Evidence()
    sent_at: datetime | None = None


def ingest(tx: Tx, account_id: int, word: Word, terms: Terms, now: datetime) -> Order:
    """Take in what a broker said of one order, however often and late; return the order."""
    update, source, listed = word.update, word.source, word.listed
    before = lock_book(tx, account_id)
    book = before.on(exchange_day(now))
    known = _find(tx, account_id, update)
    if known is None:
        known = _adopted(tx, account_id, (update, listed), terms, now)
        rows.add(tx, known, now, source)
        blocked = Block(known.id, known.key, known.margin, "others placed the order")
        book = block(tx, altered(book, open_orders=book.open_orders + 1), blocked, now)
    so_far = booked_of(tx, known.id) if known.filled else _NOTHING_YET
    booked = to_book(known, update, Told(so_far.names, so_far.has_cumulative), now)
    after = heard(known, update, booked, now)
    if after.asked_at is not None:
        after = answered(tx, (known, after), update, word.evidence, now)
    if _was_changed_by_others(known, after):
        after = _gauged(tx, after, update.average_price, terms, now)
    earlier: Earlier | None = so_far.earlier
    for booking in booked:
        trade = _trade(tx, known, booking, earlier)
        book, _, earlier = book_trade(tx, book, trade, terms, now)
    if after is not known:
        after = altered(after, sent_at=after.sent_at or word.sent_at)
        book = move(tx, book, (known, after), source, now)
    if book != before:
        save_book(tx, before, book, now)
    is_new_end = after.status is not known.status
    if is_new_end and (known.status is UNKNOWN or known.end_is_inferred):
        resolve(tx, topic_of(after), now)
    if update.status is None:
        _tell_stranger(tx, after, now)
    return after


def _was_changed_by_others(known: Order, after: Order) -> bool:
    """Say whether a broker tells of another order than we asked for, and not of what we changed."""
    if known.asked_quantity is not None or not after.is_active:
        return False
    return after.quantity > known.quantity


def topic_of(order: Order) -> str:
    """Return what the alert is about that nobody knows what became of an order."""
    return f"order_unknown:{order.id}"


def _tell_stranger(tx: Tx, order: Order, now: datetime) -> None:
    """Tell of a word that nobody knows."""
    cause = Cause(
        severity=Severity.WARNING,
        source="orders",
        message=f"The broker calls order {order.id} {order.broker_status!r}, a word that is not "
        "known; it is taken to be as it was. Look it up at the broker.",
        topic=f"order_word:{order.id}",
        account_id=order.account_id,
    )
    raise_alert(tx, cause, now)


def close_unsent(tx: Tx, order: Order, why: str, now: datetime) -> Order:
    """End an order that never reached the wire."""
    return _ended(tx, order, lambda known: known.unsent(why, now), now)


def refuse(tx: Tx, order: Order, why: str, now: datetime) -> Order:
    """End an order that its broker refused without writing it down."""
    refused = {"acked_at": now, "error_message": why}
    return _ended(tx, order, lambda known: known.moved(REJECTED, now, **refused), now)


def lose(tx: Tx, order: Order, now: datetime) -> Order:
    """Say of an order that only the broker's book can tell what became of it."""
    return _ended(tx, order, lambda known: known.lost(now), now, only=TRANSIT)


def give_up(tx: Tx, order: Order, now: datetime) -> Order:
    """End an order that the broker's book, read twice since it could have been sent, has not."""
    return _ended(tx, order, lambda known: known.not_found(now), now, only=UNKNOWN)


def let_go(tx: Tx, order: Order, now: datetime) -> Order:
    """End an order whose day is over, and that the broker's book, read twice since, has not."""
    lock_book(tx, order.account_id)
    known = rows.find(tx, order.id)
    if known is None or known.version != order.version:
        return known or order  # it was told of since the book was read
    after = _ended(tx, order, lambda it: it.unseen(now), now)
    if after.end_is_inferred:
        cause = Cause(
            severity=Severity.WARNING,
            source="orders",
            message=f"Order {after.id} ({after.side} {after.quantity} {after.symbol}) worked when "
            f"its day ended, with {after.filled} filled, and its broker tells no more of it: it is "
            "written down as expired. Compare the position with the broker's.",
            topic=topic_of(after),
            account_id=after.account_id,
        )
        raise_alert(tx, cause, now)
    return after


def _ended(
    tx: Tx,
    order: Order,
    conclude: Callable[[Order], Order],
    now: datetime,
    *,
    only: OrderStatus | None = None,
) -> Order:
    """Write our own conclusion; of an order that has moved on meanwhile (`only`), nothing."""
    before = lock_book(tx, order.account_id)
    known = rows.find(tx, order.id)
    if known is None:
        raise NotFound(f"There is no order {order.id}.")
    if only is not None and known.status is not only:
        return known
    after = conclude(known)
    book = move(tx, before.on(exchange_day(now)), (known, after), EventSource.SYSTEM, now)
    save_book(tx, before, book, now)
    if after.status is UNKNOWN:
        _tell_of_silence(tx, after, now)
    elif known.status is UNKNOWN:
        resolve(tx, topic_of(after), now)
    return after


def _tell_of_silence(tx: Tx, order: Order, now: datetime) -> None:
    since = order.intent_at or order.placed_at
    age = max(0, int((now - since).total_seconds()))
    cause = Cause(
        severity=Severity.CRITICAL,
        source="orders",
        message=f"Order {order.id} ({order.side} {order.quantity} {order.symbol}) was not answered "
        f"for {age} s; it may be at the broker as {order.tag}. Its book is read until that is "
        "known; do not send it again.",
        topic=topic_of(order),
        account_id=order.account_id,
        details={"order_id": str(order.id), "age_s": age},
    )
    raise_alert(tx, cause, now)


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


def _adopted(
    tx: Tx,
    account_id: int,
    told: tuple[Update, Instrument | None],
    terms: Terms,
    now: datetime,
) -> Order:
    """Make an order of ours of one that others placed at the broker."""
    update, listed = told
    try:
        order = _as_told(tx.new_id(), account_id, update, listed, now)
    except ValueError:  # a word of the broker's that nobody translated
        raise NotOurs from None
    return _gauged(tx, order, update.average_price, terms, now)


def _gauged(tx: Tx, order: Order, price: Price | None, terms: Terms, now: datetime) -> Order:
    """Return an order that others placed or changed, with what it is to its position and blocks."""
    net = position_of(tx, order.account_id, order.key).net
    _, exiting = beside(tx, order)
    exits = is_exit(order.side, order.quantity - order.filled, net, exiting.of(order))
    at = order.price or order.trigger_price or price
    if at is None or exits:
        return altered(order, is_exit=exits, margin_blocked=NOTHING)
    by = Footing(terms.rates, order.segment, exchange_day(now), terms.ends)
    asked = (order.contract, order.product, order.side, order.quantity)
    return altered(order, is_exit=False, margin_blocked=for_order(*asked, at, by))


def _as_told(
    identity: int, account_id: int, update: Update, listed: Instrument | None, now: datetime
) -> Order:
    asked = update.asked
    if asked is None:
        raise NotOurs
    return Order(
        id=identity,
        account_id=account_id,
        broker_order_id=update.broker_order_id,
        instrument_id=None if listed is None else listed.id,
        segment=Segment(asked.segment),
        symbol=asked.symbol,
        side=Side(asked.side),
        product=Product(asked.product),
        order_type=OrderType(asked.order_type),
        validity=Validity(asked.validity),
        quantity=asked.quantity,
        disclosed_quantity=asked.disclosed_quantity,
        price=asked.price,
        trigger_price=asked.trigger_price,
        status=TRANSIT,
        kind=None if listed is None else listed.kind,
        lot=None if listed is None else listed.lot_size,
        expiry=None if listed is None else listed.expiry,
        strike=None if listed is None else listed.strike,
        option_type=None if listed is None else listed.option_type,
        actor="external",
        is_external=True,
        placed_at=update.at or now,
        updated_at=now,
    )


def _trade(tx: Tx, order: Order, booking: Booking, earlier: Earlier | None) -> Trade:
    return Trade(
        id=tx.new_id(),
        account_id=order.account_id,
        order_id=order.id,
        name=booking.name,
        told_as=booking.told_as,
        instrument_id=order.instrument_id,
        key=order.key,
        contract=order.contract,
        side=order.side,
        order_type=str(order.order_type),
        quantity=booking.quantity,
        price=booking.price,
        value=booking.value,
        at=booking.at,
        earlier=earlier,
    )


def move(tx: Tx, book: Book, step: tuple[Order, Order], source: EventSource, now: datetime) -> Book:
    """Write an order's next version, and free what it blocks no more."""
    before, after = step
    name = EventType.MODIFIED if after.status is before.status else _NAMES[after.status]
    if after.status is before.status and after.filled != before.filled:
        name = _NAMES[after.status]
    rows.save(tx, before, after, (name, source), now)
    freed = Money(after.margin - before.margin)
    why = f"the order is {after.status}"
    book = block(tx, book, Block(after.id, after.key, freed, why), now)
    ended = int(before.is_active) - int(after.is_active)
    return altered(book, open_orders=book.open_orders - ended)
