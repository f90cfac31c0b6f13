"""Changing an order that works: judged anew where it grows, written, sent, and answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from math import ceil
from typing import Final, NamedTuple

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.clock import Deadline, exchange_day
from bahi.kernel.errors import Conflict, TooSoon
from bahi.kernel.money import Money
from bahi.kernel.ports import Change
from bahi.kernel.words import EventSource
from bahi.orders.model.changing import (
    Alteration,
    ModifyOrder,
    alterations,
    as_wish,
    changed_terms,
    only_shrinks,
    require_changeable,
)
from bahi.orders.model.order import PENDING, Order
from bahi.orders.model.wishes import check
from bahi.orders.repository import change
from bahi.orders.service.cancelling import answer, own_order, sent
from bahi.orders.service.desk import Desk
from bahi.orders.service.ingesting import move
from bahi.orders.service.judging import Grounds, Judged, judge
from bahi.orders.service.placing import SEND_WITHIN_S
from bahi.portfolio.model.book import Book
from bahi.portfolio.service.books import lock_book, save_book
from bahi.risk.model.verdict import Denial
from bahi.risk.service import deny

ORDER_RATE: Final = "ORDER_RATE"
UNSEEN: Final = (
    "A person lets these orders go out, and would not have seen the change; cancel it and place it "
    "anew, or ask for fewer."
)


class Denied(Conflict):
    """The order may not be changed so."""

    code = "denied"


class Recorded(NamedTuple):
    """An order with the change that is asked of it, or why it may not be made."""

    order: Order
    wished: list[Alteration]
    denial: Denial | None


async def modify_order(desk: Desk, wish: ModifyOrder) -> Order:
    """Change an order that works; one that waits here is changed here.

    Returned is the order as it is known then: where the broker gave no answer, `asked_at` stands
    and the sweep settles it from the broker's book. A no is raised: Denied by a limit of ours,
    TooSoon by the broker's rate, Rejected by the broker.
    """
    return await desk.errands.see_through(_modify(desk, wish))


async def _modify(desk: Desk, wish: ModifyOrder) -> Order:
    deadline = Deadline(SEND_WITHIN_S)
    account = desk.account_id
    known = await desk.store.read(own_order, account, wish.order_id, fresh=True)
    require_changeable(known, wish)
    seen = desk.look(known.segment, known.symbol)
    check(as_wish(known, changed_terms(alterations(known, wish))), seen)
    order, wished, denial = await desk.store.write(
        record_change,
        desk.actor,
        account,
        (wish, Grounds(seen, desk.terms), desk.needs_approval(known.strategy)),
        desk.clock(),
        account=account,
    )
    if denial is not None and denial.violation == ORDER_RATE:
        raise TooSoon(denial.sentence, retry_after_s=ceil(denial.retry_after_s or 1))
    if denial is not None:
        raise Denied(denial.sentence)
    if order.asked_at is None:
        return order  # it waits here, and is changed already
    terms = changed_terms(wished)
    asked = Change(
        broker_order_id=order.broker_order_id or "",
        quantity=terms.get("quantity"),
        price=terms.get("price"),
        trigger_price=terms.get("trigger_price"),
        validity=terms.get("validity"),
    )
    update = await sent(desk, order, deadline, lambda: desk.broker.modify(asked))
    desk.wake()
    return order if update is None else await answer(desk, update)


def record_change(
    tx: Tx,
    actor: Actor,
    account_id: int,
    asked: tuple[ModifyOrder, Grounds, bool],
    now: datetime,
) -> Recorded:
    """Write what is to change of an order before its broker is told, or why it may not."""
    wish, grounds, held = asked
    before = lock_book(tx, account_id)
    book = before.on(exchange_day(now))
    order = own_order(tx, account_id, wish.order_id)
    require_changeable(order, wish)
    wished = alterations(order, wish)
    book, changed, denial = _judged(tx, book, order, (wished, grounds, held), now)
    said = {it.kind.lower(): it.new for it in wished}
    if denial is not None:
        change.add(tx, order.id, wished, now)
        change.settle(tx, order.id, denial.sentence)
        deny(tx, (account_id, order.id), denial, now)
        after = order
    elif order.status is PENDING:
        change.add(tx, order.id, wished, now, change.SUCCESS)
        after = changed
    else:
        change.add(tx, order.id, wished, now)
        after = order.changed(
            now,
            asked_at=now,
            asked_quantity=changed.quantity,
            asked_margin=changed.margin_blocked,
        )
    if after is not order:
        book = move(tx, book, (order, after), EventSource.SYSTEM, now)
    save_book(tx, before, book, now)
    note(
        tx,
        actor,
        "order.modify",
        ("order", order.id),
        now,
        old={it.kind.lower(): it.old for it in wished},
        new=said,
        details="" if denial is None else denial.sentence,
    )
    return Recorded(after, wished, denial)


def _judged(
    tx: Tx,
    book: Book,
    order: Order,
    asked: tuple[list[Alteration], Grounds, bool],
    now: datetime,
) -> Judged:
    """Return an order as it would be, and why it may not be; what has filled is not asked again."""
    wished, grounds, held = asked
    changed = order.changed(now, **changed_terms(wished))
    left = changed.quantity - order.filled
    free = replace(book, margin_used=Money(book.margin_used - order.margin))
    page, judged, denial = judge(tx, free, replace(changed, quantity=left, filled=0), grounds, now)
    whole = Money(-(-judged.margin_blocked * changed.quantity // left))
    changed = replace(changed, margin_blocked=whole, is_exit=judged.is_exit)
    if only_shrinks(wished):
        denial = None if denial is None or denial.violation != ORDER_RATE else denial
    elif denial is None and held and not changed.is_exit:
        denial = Denial("NOT_ALLOWED", 0, 1, UNSEEN, strategy=order.strategy)
    return Judged(replace(page, margin_used=book.margin_used), changed, denial)
