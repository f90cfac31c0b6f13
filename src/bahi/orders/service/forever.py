"""Forever orders: placed, changed, taken back, and fired once, when their price comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NamedTuple

from bahi.audit.service import note
from bahi.db.lanes import Lane
from bahi.db.tx import Tx
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.clock import Deadline
from bahi.kernel.errors import BahiError, Conflict, Invalid, NotFound
from bahi.kernel.money import Price, plain
from bahi.kernel.words import ForeverKind, ForeverStatus
from bahi.notify.model import Cause, Severity
from bahi.notify.service import raise_alert
from bahi.orders.model.forever import (
    ACTIVE,
    TRIGGERED,
    Forever,
    Trigger,
    check_pair,
    lasts_until,
)
from bahi.orders.model.guarding import PASSING
from bahi.orders.model.order import REJECTED, TRANSIT, Order
from bahi.orders.model.wishes import MOST, PlaceOrder, Seen, check_name, check_terms
from bahi.orders.repository import forever as rows
from bahi.orders.service.desk import Desk
from bahi.orders.service.placing import SEND_WITHIN_S, Intent, intent_of, record_intent, send
from bahi.portfolio.service.books import lock_book

WATCHER: Final = the_house("forever")

waiting_forever: Final = rows.waiting
"""Return those that wait, of all accounts; `waiting_forever(tx, after_id, at_most)`."""

forever_of: Final = rows.of_account
"""Return an account's, the newest first; `forever_of(tx, account_id, before_id, at_most)`."""


def get_forever(tx: Tx, account_id: int, forever_id: int) -> Forever:
    """Return one of an account's."""
    return _own(tx, account_id, forever_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceForever:
    """A wish: one trigger with the order that it places, or two that exclude each other."""

    order: PlaceOrder
    trigger: Trigger
    other: tuple[PlaceOrder, Trigger] | None = None
    expires_at: datetime | None = None
    client_order_id: str | None = None
    needs_approval: bool = False

    @property
    def legs(self) -> list[tuple[PlaceOrder, Trigger]]:
        """Each order with its trigger."""
        return [(self.order, self.trigger), *([self.other] if self.other else [])]


class NotYet(Conflict):
    """The order was refused for a reason that passes, so the trigger waits on."""

    code = "not_yet"


class Fired(NamedTuple):
    """What came of a trigger whose price came."""

    forever: Forever
    order: Order | None
    is_to_send: bool


async def place_forever(desk: Desk, wish: PlaceForever) -> tuple[Forever, ...]:
    """Have an order wait for a price; of two that exclude each other one firing ends the other.

    The same client_order_id again returns what it named first.
    """
    check_name(wish.client_order_id)
    seen = [desk.look(order.segment, order.symbol) for order, _ in wish.legs]
    for (order, trigger), it in zip(wish.legs, seen, strict=True):
        _check(order, trigger, it)
    if wish.other is not None:
        check_pair(wish.trigger, wish.other[1])
    listed = tuple(it.instrument for it in seen)
    held = any(desk.needs_approval(order.strategy) for order, _ in wish.legs)
    wish = replace(wish, needs_approval=held)
    return await desk.store.write(
        record_forever, desk.actor, desk.account_id, (wish, listed), desk.clock(),
        lane=Lane.INTENT, account=desk.account_id,
    )  # fmt: skip


async def cancel_forever(desk: Desk, forever_id: int) -> Forever:
    """Take back an order that waits for a price; of a pair both."""
    return await desk.store.write(
        end_forever, desk.actor, desk.account_id, (forever_id, ForeverStatus.CANCELLED),
        desk.clock(), lane=Lane.FACT, account=desk.account_id,
    )  # fmt: skip


async def change_forever(
    desk: Desk, forever_id: int, order: PlaceOrder, trigger: Trigger
) -> Forever:
    """Change the trigger, the price or the quantity of one that waits."""
    seen = desk.look(order.segment, order.symbol)
    _check(order, trigger, seen)
    return await desk.store.write(
        record_changed, desk.actor, desk.account_id, (forever_id, order, trigger), desk.clock(),
        account=desk.account_id,
    )  # fmt: skip


async def change_pair(
    desk: Desk, changes: Sequence[tuple[int, PlaceOrder, Trigger]]
) -> tuple[Forever, ...]:
    """Change both of a pair, or neither."""
    for _, order, trigger in changes:
        _check(order, trigger, desk.look(order.segment, order.symbol))
    check_pair(*(trigger for _, _, trigger in changes))
    return await desk.store.write(
        record_pair, desk.actor, desk.account_id, tuple(changes), desk.clock(),
        account=desk.account_id,
    )  # fmt: skip


async def watch(desk: Desk, forever: Forever) -> bool:
    """Look whether the price of one has come, and if so place its order; say if anything moved.

    The trigger and the intent are one transaction, so that it fires once, whoever looks and dies.
    """
    now = desk.clock()
    if forever.expires_at is not None and forever.expires_at <= now:
        return await desk.store.write(
            _expire, desk.account_id, forever.id, now, account=desk.account_id
        )
    seen = desk.look(forever.segment, forever.symbol)
    last = seen.price_at(now)
    if seen.is_open is not True or last is None or not forever.trigger.fires(last):
        return False
    await desk.freshen()
    return await desk.errands.see_through(_fire(replace(desk, actor=WATCHER), forever, seen))


async def _fire(desk: Desk, forever: Forever, seen: Seen) -> bool:
    deadline = Deadline(SEND_WITHIN_S)
    intent = intent_of(desk, forever.wish, seen)
    intent = replace(intent, needs_approval=forever.needs_approval)
    try:
        fired = await desk.store.write(
            fire, intent, forever, lane=Lane.INTENT, account=desk.account_id
        )
    except NotYet:
        return False
    except BahiError as fault:
        await desk.store.write(_tell, forever, str(fault), desk.clock())
        return False
    if fired.order is not None and fired.is_to_send and fired.order.status is TRANSIT:
        order = await send(desk, fired.order, deadline)
        desk.wake()
        if order.status is REJECTED:
            await desk.store.write(_tell, forever, order.error_message or "", desk.clock())
    return True


def fire(tx: Tx, intent: Intent, forever: Forever) -> Fired:
    """Write that a price has come, with the order that it places; as it was seen, or not at all."""
    now = intent.now
    lock_book(tx, intent.account_id)
    known = _own(tx, intent.account_id, forever.id)
    if not known.waits or (known.wish, known.trigger) != (forever.wish, forever.trigger):
        return Fired(known, None, is_to_send=False)
    forever = known
    order, is_new = record_intent(tx, intent)
    if order.error_code in PASSING:
        raise NotYet(order.error_message or "")
    after = forever.moved(TRIGGERED, now, triggered_at=now, triggered_order_id=order.id)
    rows.save(tx, forever, after)
    _end_other(tx, forever, now)
    if order.status is REJECTED:
        _tell(tx, forever, order.error_message or "it was refused", now)
    seen = intent.seen.price
    note(
        tx,
        intent.actor,
        "forever.fire",
        ("forever_order", forever.id),
        now,
        new={"order": str(order.id), "last": None if seen is None else plain(seen)},
    )
    return Fired(after, order, is_to_send=is_new)


def record_forever(
    tx: Tx,
    actor: Actor,
    account_id: int,
    what: tuple[PlaceForever, tuple[Instrument, ...]],
    now: datetime,
) -> tuple[Forever, ...]:
    """Write one or a pair of them."""
    wish, listed = what
    lock_book(tx, account_id)
    if wish.client_order_id is not None and (
        known := rows.named(tx, account_id, wish.client_order_id)
    ):
        return tuple(known)
    kind = ForeverKind.SINGLE if wish.other is None else ForeverKind.OCO
    made: list[Forever] = []
    for (order, trigger), it in zip(wish.legs, listed, strict=True):
        until = wish.expires_at or lasts_until(now, it.expiry)
        if until.tzinfo is None:
            raise Invalid("expires_at: it says no time zone; write it with one.")
        if until <= now:
            raise Invalid("expires_at: it has passed already; name a later time.")
        leg = Forever(
            id=tx.new_id(),
            account_id=account_id,
            status=ACTIVE,
            kind=kind,
            trigger=trigger,
            instrument_id=it.id,
            segment=it.segment,
            symbol=it.symbol,
            side=order.side,
            product=order.product,
            order_type=order.order_type,
            quantity=order.quantity,
            price=order.price,
            trigger_price=order.trigger_price,
            guard=order.guard,
            strategy=order.strategy,
            needs_approval=wish.needs_approval,
            disclosed_quantity=order.disclosed_quantity,
            validity=order.validity,
            name=wish.client_order_id,
            created_at=now,
            updated_at=now,
            expires_at=until,
        )
        rows.add(tx, leg)
        note(tx, actor, "forever.place", ("forever_order", leg.id), now, new=_shown(leg))
        made.append(leg)
    if len(made) == 1:
        return tuple(made)
    rows.pair(tx, made[0].id, made[1].id)
    return replace(made[0], oco_leg_id=made[1].id), replace(made[1], oco_leg_id=made[0].id)


def record_changed(
    tx: Tx,
    actor: Actor,
    account_id: int,
    what: tuple[int, PlaceOrder, Trigger],
    now: datetime,
) -> Forever:
    """Write what one is to wait for and to place from now on."""
    forever_id, order, trigger = what
    lock_book(tx, account_id)
    before = _own(tx, account_id, forever_id)
    if (order.segment, order.symbol) != (before.segment, before.symbol):
        raise Invalid(f"symbol: it waits for {before.symbol}; take it back and place another.")
    after = before.moved(
        before.status,
        now,
        trigger=trigger,
        side=order.side,
        product=order.product,
        order_type=order.order_type,
        quantity=order.quantity,
        price=order.price,
        trigger_price=order.trigger_price,
        guard=order.guard,
        strategy=order.strategy,
        validity=order.validity,
    )
    rows.save(tx, before, after)
    subject = ("forever_order", forever_id)
    note(tx, actor, "forever.change", subject, now, old=_shown(before), new=_shown(after))
    return after


def record_pair(
    tx: Tx,
    actor: Actor,
    account_id: int,
    changes: tuple[tuple[int, PlaceOrder, Trigger], ...],
    now: datetime,
) -> tuple[Forever, ...]:
    """Write what each of a pair is to wait for and to place from now on."""
    return tuple(record_changed(tx, actor, account_id, it, now) for it in changes)


def _expire(tx: Tx, account_id: int, forever_id: int, now: datetime) -> bool:
    """End one whose time is over; another watcher may have seen it first, or its time moved."""
    lock_book(tx, account_id)
    known = _own(tx, account_id, forever_id)
    if not known.waits or known.expires_at is None or known.expires_at > now:
        return False
    end_forever(tx, WATCHER, account_id, (forever_id, ForeverStatus.EXPIRED), now)
    return True


def end_forever(
    tx: Tx, actor: Actor, account_id: int, what: tuple[int, ForeverStatus], now: datetime
) -> Forever:
    """End one that waits, and with it the other of a pair."""
    forever_id, status = what
    lock_book(tx, account_id)
    before = _own(tx, account_id, forever_id)
    after = before.moved(status, now)
    rows.save(tx, before, after)
    _end_other(tx, before, now, status)
    note(tx, actor, "forever.end", ("forever_order", forever_id), now, new={"status": status})
    return after


def _end_other(
    tx: Tx, forever: Forever, now: datetime, status: ForeverStatus = ForeverStatus.CANCELLED
) -> None:
    other = None if forever.oco_leg_id is None else rows.find(tx, forever.oco_leg_id)
    if other is not None and other.waits:
        rows.save(tx, other, other.moved(status, now))


def _own(tx: Tx, account_id: int, forever_id: int) -> Forever:
    forever = rows.find(tx, forever_id) if 0 < forever_id < 1 << 63 else None
    if forever is None or forever.account_id != account_id:
        raise NotFound(f"There is no forever order {forever_id} on this account.")
    return forever


def _check(order: PlaceOrder, trigger: Trigger, seen: Seen) -> None:
    for sentence in trigger.faults():
        raise Invalid(sentence)
    check_terms(order, seen.instrument)
    last = seen.price
    for end in (trigger.above, trigger.below):
        if end is not None and end > MOST * 100:
            raise Invalid(f"trigger: {plain(end)} is more than {plain(MOST * 100)}.")
    if last is not None and trigger.fires(last):
        raise Conflict(
            f"trigger: the last price of {seen.instrument.symbol}, {plain(last)}, fires it at "
            "once; place the order itself, or move the trigger."
        )


def _tell(tx: Tx, forever: Forever, why: str, now: datetime) -> None:
    cause = Cause(
        severity=Severity.CRITICAL,
        source="orders",
        message=f"The price of forever order {forever.id} ({forever.side} {forever.quantity} "
        f"{forever.symbol}) came, and its order was not placed: {why}",
        topic=f"forever:{forever.id}",
        account_id=forever.account_id,
    )
    raise_alert(tx, cause, now)


def _shown(it: Forever) -> dict[str, object]:
    above, below = (None if each is None else plain(each) for each in _ends(it.trigger))
    return {
        "symbol": it.symbol,
        "side": it.side,
        "quantity": it.quantity,
        "above": above,
        "below": below,
        "price": None if it.price is None else plain(it.price),
    }


def _ends(trigger: Trigger) -> tuple[Price | None, Price | None]:
    return trigger.above, trigger.below
