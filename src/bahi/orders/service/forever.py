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
from bahi.kernel.actor import Actor
from bahi.kernel.errors import Conflict, Invalid, NotFound
from bahi.kernel.money import Price, plain
from bahi.kernel.words import ForeverKind, ForeverStatus
from bahi.orders.model.forever import (
    ACTIVE,
    Forever,
    Trigger,
    check_pair,
    lasts_until,
)
from bahi.orders.model.naming import NameTaken, same_forever
from bahi.orders.model.wishes import MOST, PlaceOrder, Seen, check_name, check_terms
from bahi.orders.repository import forever as rows
from bahi.orders.service.desk import Desk
from bahi.portfolio.service.books import lock_book

waiting_forever: Final = rows.waiting
"""Return those that wait, of all accounts; `waiting_forever(tx, after_id, at_most)`."""

forever_of: Final = rows.of_account
"""Return an account's, the newest first; `forever_of(tx, account_id, before_id, at_most)`."""


def get_forever(tx: Tx, account_id: int, forever_id: int) -> Forever:
    """Return one of an account's."""
    forever = rows.find(tx, forever_id) if 0 < forever_id < 1 << 63 else None
    if forever is None or forever.account_id != account_id:
        raise NotFound(f"There is no forever order {forever_id} on this account.")
    return forever


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


class Recorded(NamedTuple):
    """One that waits, or a pair, and whether it was written just now."""

    legs: tuple[Forever, ...]
    is_new: bool


async def place_forever(desk: Desk, wish: PlaceForever) -> tuple[Forever, ...]:
    """Have an order wait for a price; of two that exclude each other one firing ends the other.

    The same client_order_id again returns what it named first; with another wish it is refused.
    """
    return (await place_or_find(desk, wish)).legs


async def place_or_find(desk: Desk, wish: PlaceForever) -> Recorded:
    """Have an order wait likewise, and say whether it was written just now."""
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


def record_forever(
    tx: Tx,
    actor: Actor,
    account_id: int,
    what: tuple[PlaceForever, tuple[Instrument, ...]],
    now: datetime,
) -> Recorded:
    """Write one or a pair of them."""
    wish, listed = what
    lock_book(tx, account_id)
    made = tuple(
        _waiting(tx, account_id, (wish, order, trigger, it), now)
        for (order, trigger), it in zip(wish.legs, listed, strict=True)
    )
    name = wish.client_order_id
    if name is not None and (known := rows.named(tx, account_id, name)):
        if [same_forever(*pair) for pair in zip(made, known, strict=False)] != [True] * len(known):
            raise NameTaken(
                f"client_order_id: {name!r} names forever order {known[0].id}, which was asked for "
                "otherwise; give another order another name."
            )
        return Recorded(tuple(known), is_new=False)
    for leg in made:
        if leg.expires_at is not None and leg.expires_at <= now:
            raise Invalid("expires_at: it has passed already; name a later time.")
        rows.add(tx, leg)
        note(tx, actor, "forever.place", ("forever_order", leg.id), now, new=_shown(leg))
    if len(made) == 1:
        return Recorded(made, is_new=True)
    first, second = made
    rows.pair(tx, first.id, second.id)
    pair = replace(first, oco_leg_id=second.id), replace(second, oco_leg_id=first.id)
    return Recorded(pair, is_new=True)


def _waiting(
    tx: Tx,
    account_id: int,
    what: tuple[PlaceForever, PlaceOrder, Trigger, Instrument],
    now: datetime,
) -> Forever:
    wish, order, trigger, it = what
    until = wish.expires_at or lasts_until(now, it.expiry)
    if until.tzinfo is None:
        raise Invalid("expires_at: it says no time zone; write it with one.")
    return Forever(
        id=tx.new_id(),
        account_id=account_id,
        status=ACTIVE,
        kind=ForeverKind.SINGLE if wish.other is None else ForeverKind.OCO,
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
    before = get_forever(tx, account_id, forever_id)
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


def end_forever(
    tx: Tx, actor: Actor, account_id: int, what: tuple[int, ForeverStatus], now: datetime
) -> Forever:
    """End one that waits, and with it the other of a pair."""
    forever_id, status = what
    lock_book(tx, account_id)
    before = get_forever(tx, account_id, forever_id)
    after = before.moved(status, now)
    rows.save(tx, before, after)
    end_other(tx, before, now, status)
    note(tx, actor, "forever.end", ("forever_order", forever_id), now, new={"status": status})
    return after


def end_other(
    tx: Tx, forever: Forever, now: datetime, status: ForeverStatus = ForeverStatus.CANCELLED
) -> None:
    """End the other of a pair, if it still waits."""
    other = None if forever.oco_leg_id is None else rows.find(tx, forever.oco_leg_id)
    if other is not None and other.waits:
        rows.save(tx, other, other.moved(status, now))


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
