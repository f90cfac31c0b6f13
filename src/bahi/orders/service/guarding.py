"""Looking after guarded orders: their exits placed, sized, moved and taken back, step by step."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Final, NamedTuple

from bahi.db.tx import Tx
from bahi.kernel.actor import Actor
from bahi.kernel.errors import BahiError, Rejected
from bahi.kernel.money import Price
from bahi.kernel.words import EventSource, EventType, Role, Side
from bahi.notify.model import Cause, Severity
from bahi.notify.service import find_open, raise_alert, resolve
from bahi.orders.model import guarding
from bahi.orders.model.changing import ModifyOrder
from bahi.orders.model.guarding import (
    Change,
    Over,
    Overdone,
    Place,
    Step,
    TakeBack,
    Terms,
    Unprotected,
    steps,
)
from bahi.orders.model.order import Order
from bahi.orders.model.wishes import OURS, Part, PlaceOrder
from bahi.orders.repository import guarded
from bahi.orders.repository import order as rows
from bahi.orders.service.cancelling import cancel_order, own_order
from bahi.orders.service.desk import Desk
from bahi.orders.service.modifying import modify_order
from bahi.orders.service.placing import place_order
from bahi.portfolio.service.books import lock_book, position_of

KEEPER: Final = Actor(name=guarding.KEEPER, role=Role.ADMIN)

TURNED: Final = "both its exits filled, and {} of it stand the other way round now; close them."

guarded_accounts: Final = guarded.accounts
"""Return the accounts whose guarded orders are looked after."""


class Guarded(NamedTuple):
    """A guarded order with its exits, and what its whole position is."""

    entry: Order
    legs: list[Order]
    net: int


async def keep_guarded(desk: Desk) -> int:
    """Do for each guarded order of an account what is to be done next; return how much that was."""
    desk = replace(desk, actor=KEEPER)
    done = 0
    for order_id in await desk.store.read(guarded.kept, desk.account_id, fresh=True):
        found = await desk.store.read(_guarded, desk.account_id, order_id, fresh=True)
        for step in steps(found.entry, found.legs, found.net, _terms(desk, found.entry)):
            done += await _do(desk, found.entry, step)
    return done


def _guarded(tx: Tx, account_id: int, order_id: int) -> Guarded:
    entry = own_order(tx, account_id, order_id)
    net = position_of(tx, account_id, entry.key).net
    for younger in guarded.younger(tx, entry):
        held = younger.filled - sum(it.filled for it in guarded.legs(tx, younger.id))
        net -= held if entry.side is Side.BUY else -held
    return Guarded(entry, guarded.legs(tx, order_id), net)


def _terms(desk: Desk, entry: Order) -> Terms:
    seen = desk.look(entry.segment, entry.symbol)
    tick = seen.instrument.tick_size or Price(1)
    is_option = seen.instrument.option_type is not None
    return Terms(tick, is_option, seen.price_at(desk.clock()), desk.clock())


async def _do(desk: Desk, entry: Order, step: Step) -> bool:
    """Do one step; say whether anything moved. What fails is told of, and tried again later."""
    try:
        match step:
            case Place():
                await place_order(desk, _exit_of(entry, step))
            case Change():
                await _change(desk, step)
            case TakeBack():
                await cancel_order(desk, step.order_id)
            case Unprotected():
                await desk.store.write(_tell, entry, f"{step.leg}: {step.why}", desk.clock())
                return False
            case Overdone():
                await desk.store.write(_tell, entry, TURNED.format(step.quantity), desk.clock())
                return False
            case Over():
                await desk.store.write(_let_go, entry, desk.clock(), account=entry.account_id)
    except BahiError as fault:
        await desk.store.write(_tell, entry, str(fault), desk.clock())
        return False
    return True


async def _change(desk: Desk, step: Change) -> None:
    """Change an exit; one that its broker changes no more is taken back, and placed anew."""
    try:
        await modify_order(desk, _change_of(step))
    except Rejected:
        await cancel_order(desk, step.order_id)


def _exit_of(entry: Order, step: Place) -> PlaceOrder:
    return PlaceOrder(
        segment=entry.segment,
        symbol=entry.symbol,
        side=step.side,
        quantity=step.quantity,
        product=entry.product,
        order_type=step.order_type,
        price=step.price,
        trigger_price=step.trigger_price,
        client_order_id=f"{OURS}{entry.id}/{step.leg}/{step.attempt}",
        strategy=entry.strategy,
        part=Part(of_order=entry.id, leg=step.leg),
    )


def _change_of(step: Change) -> ModifyOrder:
    return ModifyOrder(
        order_id=step.order_id,
        quantity=step.quantity,
        trigger_price=step.trigger_price,
        price=step.price,
    )


def _let_go(tx: Tx, entry: Order, now: datetime) -> None:
    lock_book(tx, entry.account_id)
    order = own_order(tx, entry.account_id, entry.id)
    if order.is_kept:
        event = (EventType.MODIFIED, EventSource.SYSTEM)
        rows.save(tx, order, order.changed(now, is_kept=False), event, now)
    resolve(tx, _topic(entry), now)


def _tell(tx: Tx, entry: Order, why: str, now: datetime) -> None:
    """Tell once that a position stands without an exit that it should have."""
    if find_open(tx, _topic(entry)) is not None:
        return
    cause = Cause(
        severity=Severity.CRITICAL,
        source="orders",
        message=f"What order {entry.id} opened in {entry.symbol} is not protected as it was asked "
        f"to be: {why.rstrip('.')}. Look at it now.",
        topic=_topic(entry),
        account_id=entry.account_id,
    )
    raise_alert(tx, cause, now)


def _topic(entry: Order) -> str:
    return f"order_unprotected:{entry.id}"
