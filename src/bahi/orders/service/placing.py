"""Placing an order: the intent, the wire, the outcome, each durable before the next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from bahi.audit.service import note
from bahi.db.lanes import Lane
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.altered import altered
from bahi.kernel.clock import Deadline, end_of_day, exchange_day
from bahi.kernel.errors import BahiError, Conflict, Invalid, NotSent, Rejected, Silent
from bahi.kernel.ids import node_of
from bahi.kernel.money import NOTHING
from bahi.kernel.ports import Ticket
from bahi.kernel.words import EventSource, OrderStatus
from bahi.orders.model.guard import Guard
from bahi.orders.model.naming import difference, taken
from bahi.orders.model.order import (
    APPROVAL,
    APPROVED_WITHIN,
    PENDING,
    SEND_WITHIN,
    TIME,
    TRANSIT,
    Order,
)
from bahi.orders.model.wishes import PlaceOrder, Seen, check
from bahi.orders.repository import order as rows
from bahi.orders.service.awaiting import outcome_of
from bahi.orders.service.desk import Desk
from bahi.orders.service.ingesting import Word, close_unsent, ingest, refuse
from bahi.orders.service.judging import Grounds, judge
from bahi.portfolio.model.book import Book
from bahi.portfolio.model.money import Block
from bahi.portfolio.model.terms import Terms
from bahi.portfolio.service.books import block, lock_book, page_of, save_book
from bahi.risk.model.verdict import Denial
from bahi.risk.service import deny

SEND_WITHIN_S: Final = SEND_WITHIN.total_seconds()
UNWRITTEN: Final = 0
"""The id of an order that nobody writes down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A wish with all that its transaction has to know."""

    actor: Actor
    account_id: int
    wish: PlaceOrder
    seen: Seen
    terms: Terms
    now: datetime
    needs_approval: bool = False

    @property
    def grounds(self) -> Grounds:
        """By what its verdict is given."""
        return Grounds(self.seen, self.terms)


class Recorded(NamedTuple):
    """An order, and whether it was written just now."""

    order: Order
    is_new: bool


async def place_order(desk: Desk, wish: PlaceOrder) -> Order:
    """Place an order; the same client_order_id again returns the order that it named first.

    While that one is sent, who asks again waits with it, and learns what came of it.

    The house sees it through: a caller that is cancelled cuts nothing.
    """
    return (await place_or_find(desk, wish, loosely=True)).order


async def place_or_find(desk: Desk, wish: PlaceOrder, *, loosely: bool = False) -> Recorded:
    """Place an order likewise, and say whether it was written just now.

    A name that comes again with another wish is refused: who asks would be answered with an order
    that they did not ask for. But `loosely` its name alone says which order is meant: what is
    asked for may have been reckoned anew, from a price that moves.
    """
    found = await _placed_or_found(desk, wish)
    if not found.is_new:
        found = Recorded(await outcome_of(desk, found.order), is_new=False)
    if not found.is_new and not loosely and not wish.part.is_ours:
        await _require_same(desk, wish, found.order)
    return found


async def _placed_or_found(desk: Desk, wish: PlaceOrder) -> Recorded:
    seen = desk.look(wish.segment, wish.symbol)
    try:
        _check(wish, seen, desk.clock())
    except BahiError:  # it may have been placed when it was right: twice asked, once done
        if known := await _placed_before(desk, wish):
            return Recorded(known, is_new=False)
        raise
    await desk.freshen()
    if seen.price_at(desk.clock()) is None:  # it grew old meanwhile, or there was none
        seen = desk.look(wish.segment, wish.symbol)
    return await desk.errands.see_through(_place(desk, wish, seen, Deadline(SEND_WITHIN_S)))


async def _require_same(desk: Desk, wish: PlaceOrder, order: Order) -> None:
    it = desk.look(wish.segment, wish.symbol).instrument
    if difference(wish, it, order) is None:
        return
    events = await desk.store.read(rows.events_of, order.id, fresh=True)
    if (field := difference(wish, it, rows.fold(events[:1]))) is not None:  # it may have changed
        raise taken(wish.client_order_id or "", order, field)


def _check(wish: PlaceOrder, seen: Seen, now: datetime) -> None:
    check(wish, seen)
    if wish.send_at is not None and wish.send_at <= now:
        raise Invalid("send_at: that time has passed; name a later one, or leave it out.")


async def _placed_before(desk: Desk, wish: PlaceOrder) -> Order | None:
    name = wish.client_order_id
    if name is None:
        return None
    return await desk.store.read(rows.find_by_client_id, desk.account_id, name, fresh=True)


async def _place(desk: Desk, wish: PlaceOrder, seen: Seen, deadline: Deadline) -> Recorded:
    intent = intent_of(desk, wish, seen)
    with desk.errands.trying((desk.account_id, wish.client_order_id)):
        order, is_new = await desk.store.write(
            record_intent, intent, lane=Lane.INTENT, account=desk.account_id
        )
        if not is_new or order.status is not TRANSIT:
            return Recorded(order, is_new)  # asked twice, refused, or it waits: nothing is sent
        order = await send(desk, order, deadline)
    desk.wake()
    return Recorded(order, is_new)


def intent_of(desk: Desk, wish: PlaceOrder, seen: Seen) -> Intent:
    """Return a wish as it is written now, at a desk."""
    return Intent(
        actor=desk.actor,
        account_id=desk.account_id,
        wish=wish,
        seen=seen,
        terms=desk.terms,
        now=desk.clock(),
        needs_approval=desk.needs_approval(wish.strategy),
    )


async def send(desk: Desk, order: Order, deadline: Deadline) -> Order:
    """Send an order once and write down what came of it; silence stays for who settles it."""
    with desk.errands.trying((desk.account_id, order.client_order_id)):
        return await _send(desk, order, deadline)


async def _send(desk: Desk, order: Order, deadline: Deadline) -> Order:
    account = desk.account_id
    if deadline.passed():
        late = f"It was not sent within {SEND_WITHIN_S:g} seconds."
        return await desk.store.write(close_unsent, order, late, desk.clock(), account=account)
    sent_at = desk.clock()
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
    word = Word(update, EventSource.REST_API, sent_at=sent_at)
    return await desk.store.write(ingest, account, word, desk.terms, desk.clock(), account=account)


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
        amo_time=order.amo_time,
    )


def record_intent(tx: Tx, intent: Intent) -> Recorded:
    """Write an order before it is sent, or the refusal of it; one name, one order."""
    now = intent.now
    before = lock_book(tx, intent.account_id)
    if known := named(tx, intent):
        return Recorded(known, is_new=False)
    book = before.on(exchange_day(now))
    book, order, denial = judge(tx, book, _intended(intent, tx.new_id()), intent.grounds, now)
    if denial is None:
        order = _held(intent, order)
        book = _accepted(tx, book, order, now)
    else:
        order = _denied(tx, order, denial, now)
    save_book(tx, before, book, now)
    note(tx, intent.actor, "order.place", ("order", order.id), now, new=_shown(order))
    return Recorded(order, is_new=True)


def foreseen(tx: Tx, intent: Intent) -> Denial | None:
    """Return why an order would be refused as things are now; nothing is written."""
    book = page_of(tx, intent.account_id).on(exchange_day(intent.now))
    return judge(tx, book, _intended(intent, UNWRITTEN), intent.grounds, intent.now).denial


def named(tx: Tx, intent: Intent) -> Order | None:
    """Return the order that a wish's name was given to before."""
    name = intent.wish.client_order_id
    if name is None:
        return None
    if known := rows.find_by_client_id(tx, intent.account_id, name):
        part = intent.wish.part
        if part.slice_index is not None and known.slice_group_id != part.slices:
            raise Conflict(
                f"client_order_id: {part.slices!r} would call a slice {name!r}, and order"
                f" {known.id} of that name is no slice of it; give it another name."
            )
        return known
    if archived := rows.find_archived(tx, intent.account_id, name):
        raise Conflict(f"client_order_id: {name!r} names order {archived}, which is archived.")
    return None


def _intended(intent: Intent, identity: int) -> Order:
    wish, it, now = intent.wish, intent.seen.instrument, intent.now
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
        trigger_price=wish.trigger_price,
        disclosed_quantity=wish.disclosed_quantity,
        is_amo=wish.amo_time is not None,
        amo_time=wish.amo_time,
        parent_order_id=wish.part.of_order,
        leg_type=wish.part.leg,
        is_sliced=wish.part.slices is not None,
        slice_group_id=wish.part.slices,
        slice_index=wish.part.slice_index,
        slice_total_quantity=wish.part.whole_quantity,
        **_guarded(wish.guard),
        status=TRANSIT,
        kind=it.kind,
        lot=it.lot_size,
        expiry=it.expiry,
        strike=it.strike,
        option_type=it.option_type,
        strategy=wish.strategy,
        actor=intent.actor.name,
        key_id=intent.actor.key_id,
        node=node_of(identity),
        send_before=now + SEND_WITHIN,
        intent_at=now,
        placed_at=now,
        updated_at=now,
    )


def _guarded(guard: Guard | None) -> dict[str, Any]:
    """Return what an order keeps of its guard: a stop alone makes it a cover order."""
    if guard is None:
        return {}
    if guard.target is None and guard.trailing is None:
        return {"is_kept": True, "co_stop_loss": guard.stop}
    return {
        "is_kept": True,
        "bo_stop_loss": guard.stop,
        "bo_profit": guard.target,
        "bo_trailing": guard.trailing,
    }


def _held(intent: Intent, order: Order) -> Order:
    """Return an order as it waits, if it has to: for its time, or for a person; no exit does."""
    now, send_at = intent.now, intent.wish.send_at
    if send_at is not None:
        order = altered(order, waits_for=TIME, release_at=send_at, expires_at=end_of_day(send_at))
    if intent.needs_approval and not order.is_exit:
        order = altered(order, waits_for=APPROVAL, expires_at=now + APPROVED_WITHIN)
    if order.waits_for is None:
        return order
    return altered(order, status=PENDING, send_before=None)


def _accepted(tx: Tx, book: Book, order: Order, now: datetime) -> Book:
    rows.add(tx, order, now)
    book = block(tx, book, Block(order.id, order.key, order.margin, "the order was placed"), now)
    return altered(book, orders_today=book.orders_today + 1, open_orders=book.open_orders + 1)


def _denied(tx: Tx, order: Order, denial: Denial, now: datetime) -> Order:
    order = altered(
        order,
        status=OrderStatus.REJECTED,
        error_code=denial.violation,
        error_message=denial.sentence,
        margin_blocked=NOTHING,
        completed_at=now,
        send_before=None,
    )
    rows.add(tx, order, now, EventSource.SYSTEM)
    deny(tx, (order.account_id, order.id), denial, now)
    return order


def _shown(order: Order) -> dict[str, object]:
    shown = ("symbol", "side", "quantity", "order_type", "product", "price", "status")
    return {name: getattr(order, name) for name in shown}
