"""Placing an order: the intent, the wire, the outcome, each durable before the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bahi.audit.service import note
from bahi.db.lanes import Lane
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import Deadline, exchange_day
from bahi.kernel.errors import Conflict, NotSent, Rejected, Silent
from bahi.kernel.ids import node_of
from bahi.kernel.money import NOTHING, Money
from bahi.kernel.ports import Ticket
from bahi.kernel.words import EventSource, OrderStatus, Product, Side
from bahi.orders.model.order import ACTIVE, TRANSIT, Order
from bahi.orders.model.wishes import PlaceOrder, Seen, check, is_exit
from bahi.orders.repository import order as rows
from bahi.orders.service.desk import Desk
from bahi.orders.service.ingesting import close_unsent, ingest, refuse
from bahi.portfolio.model import margin
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.money import Block
from bahi.portfolio.model.position import Key
from bahi.portfolio.service.books import block, lock_book, position_of, save_book
from bahi.risk.model.verdict import Denial, Exposure, judge
from bahi.risk.service import deny

SEND_WITHIN_S: Final = 5.0
"""After this an order that was not sent is not sent any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A wish with all that its transaction has to know."""

    actor: Actor
    account_id: int
    wish: PlaceOrder
    seen: Seen
    now: datetime


class Recorded(NamedTuple):
    """An order, and whether it was written just now."""

    order: Order
    is_new: bool


async def place_order(desk: Desk, wish: PlaceOrder) -> Order:
    """Place an order; the same client_order_id again returns the order that it named first."""
    seen = desk.look(wish.segment, wish.symbol)
    check(wish, seen)
    deadline = Deadline(SEND_WITHIN_S)
    intent = Intent(
        actor=desk.actor,
        account_id=desk.account_id,
        wish=wish,
        seen=seen,
        now=desk.clock(),
    )
    order, is_new = await desk.store.write(
        record_intent, intent, lane=Lane.INTENT, account=desk.account_id
    )
    if not is_new or order.status is not TRANSIT:
        return order  # asked twice, or refused: nothing is sent
    return await _send(desk, order, deadline)


async def _send(desk: Desk, order: Order, deadline: Deadline) -> Order:
    """Send an order once and write down what came of it; silence stays for who settles it."""
    account = desk.account_id
    if deadline.passed():
        late = f"It was not sent within {SEND_WITHIN_S:g} seconds."
        return await desk.store.write(close_unsent, order, late, desk.clock(), account=account)
    try:
        update = await desk.broker.place(ticket_of(order))
    except NotSent as fault:
        return await desk.store.write(
            close_unsent, order, str(fault), desk.clock(), account=account
        )
    except Rejected as fault:
        return await desk.store.write(refuse, order, str(fault), desk.clock(), account=account)
    except Silent:
        return order
    told = (update, EventSource.REST_API)
    return await desk.store.write(ingest, account, told, desk.clock(), account=account)


def ticket_of(order: Order) -> Ticket:
    """Write an order as it is handed to its broker."""
    return Ticket(
        tag=order.tag,
        segment=order.segment,
        symbol=order.symbol,
        side=order.side,
        order_type=order.order_type,
        product=order.product,
        validity=order.validity,
        quantity=order.quantity,
        price=order.price,
        trigger_price=order.trigger_price,
        disclosed_quantity=order.disclosed_quantity,
    )


def record_intent(tx: Tx, intent: Intent) -> Recorded:
    """Write an order before it is sent, or the refusal of it; one name, one order."""
    wish, now = intent.wish, intent.now
    before = lock_book(tx, intent.account_id)
    if known := _known(tx, intent):
        return Recorded(known, is_new=False)
    book = before.on(exchange_day(now))
    order = _intended(tx, intent)
    contract = contract_of(intent.seen)
    needed = _needed(intent, contract, is_exit=order.is_exit)
    exposure = Exposure(margin=needed, is_exit=order.is_exit, strategy=wish.strategy)
    denial = _undelivered(order) or judge(book, exposure)
    if denial is None:
        order = replace(order, margin_blocked=needed)
        book = _accepted(tx, book, order, now)
    else:
        order = _denied(tx, order, denial, now)
    save_book(tx, before, book, now)
    note(tx, intent.actor, "order.place", ("order", order.id), now, new=_shown(order))
    return Recorded(order, is_new=True)


def _known(tx: Tx, intent: Intent) -> Order | None:
    name = intent.wish.client_order_id
    if name is None:
        return None
    if known := rows.find_by_client_id(tx, intent.account_id, name):
        return known
    if archived := rows.find_archived(tx, intent.account_id, name):
        raise Conflict(f"client_order_id: {name!r} names order {archived}, which is archived.")
    return None


def _intended(tx: Tx, intent: Intent) -> Order:
    wish, it, now = intent.wish, intent.seen.instrument, intent.now
    identity = tx.new_id()
    return Order(
        id=identity,
        account_id=intent.account_id,
        client_order_id=wish.client_order_id,
        instrument_id=it.id,
        segment=it.segment,
        symbol=it.symbol,
        side=wish.side,
        product=wish.product,
        order_type=wish.order_type,
        validity=wish.validity,
        quantity=wish.quantity,
        price=wish.price,
        status=TRANSIT,
        expiry=it.expiry,
        strike=it.strike,
        option_type=it.option_type,
        strategy=wish.strategy,
        actor=intent.actor.name,
        key_id=intent.actor.key_id,
        is_exit=_is_exit(tx, intent),
        node=node_of(identity),
        send_before=now + timedelta(seconds=SEND_WITHIN_S),
        intent_at=now,
        placed_at=now,
        updated_at=now,
    )


def _is_exit(tx: Tx, intent: Intent) -> bool:
    wish, it = intent.wish, intent.seen.instrument
    key = Key(it.segment, it.symbol, wish.product)
    net = position_of(tx, intent.account_id, key).net
    if not net or (net > 0) is (wish.side is Side.BUY):
        return False
    working = rows.working_on(tx, intent.account_id, (it.segment, it.symbol), ACTIVE)
    exits = [it for it in working if it.side is wish.side and it.product is wish.product]
    return is_exit(wish.side, wish.quantity, net, sum(it.remaining for it in exits))


def _needed(intent: Intent, contract: margin.Contract, *, is_exit: bool) -> Money:
    wish = intent.wish
    if is_exit:
        return NOTHING
    price = wish.price if wish.price is not None else intent.seen.price
    if price is None:
        raise Conflict(
            f"There is no fresh price of {wish.symbol}, so what a MARKET order needs is not "
            "known; ask for LIMIT."
        )
    return margin.for_order(contract, wish.product, wish.side, wish.quantity, price)


def contract_of(seen: Seen) -> margin.Contract:
    """Return what margin has to know of an instrument."""
    return margin.Contract(seen.instrument.option_type is not None, seen.instrument.strike)


def _undelivered(order: Order) -> Denial | None:
    """Refuse to sell for delivery what the account does not have."""
    if order.product is not Product.CNC or order.side is Side.BUY or order.is_exit:
        return None
    return Denial(
        "NOT_ALLOWED",
        0,
        order.quantity,
        f"The account has no {order.quantity} {order.symbol} free to deliver; sell what it holds, "
        "or sell INTRADAY.",
    )


def _accepted(tx: Tx, book: Book, order: Order, now: datetime) -> Book:
    rows.add(tx, order, now)
    key = Key(order.segment, order.symbol, order.product)
    book = block(tx, book, Block(order.id, key, order.margin, "the order was placed"), now)
    return replace(book, orders_today=book.orders_today + 1, open_orders=book.open_orders + 1)


def _denied(tx: Tx, order: Order, denial: Denial, now: datetime) -> Order:
    order = replace(
        order,
        status=OrderStatus.REJECTED,
        error_code=denial.violation,
        error_message=denial.sentence,
        completed_at=now,
        send_before=None,
    )
    rows.add(tx, order, now, EventSource.SYSTEM)
    deny(tx, (order.account_id, order.id), denial, now)
    return order


def _shown(order: Order) -> dict[str, object]:
    shown = ("symbol", "side", "quantity", "order_type", "product", "price", "status")
    return {name: getattr(order, name) for name in shown}
