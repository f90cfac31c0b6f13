"""Orders that wait for a person, of all the accounts that one may see: what each would do now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from bahi.accounts.model import Account
from bahi.bootstrap.desks import desk_of
from bahi.bootstrap.margins import would_need
from bahi.bootstrap.pages import store_of
from bahi.bootstrap.rooms import TRADING, Rooms
from bahi.kernel.actor import Actor
from bahi.kernel.errors import NotFound
from bahi.kernel.money import Money
from bahi.orders.model.order import APPROVAL, Order
from bahi.orders.model.wishes import PlaceOrder
from bahi.orders.service.looking import orders_meant, waiting_for
from bahi.portfolio.model.requiring import Required

AT_MOST: Final = 100


class Waiting(NamedTuple):
    """An order that waits for a person, and the account that it is on."""

    account: Account
    order: Order


class Now(NamedTuple):
    """What an order that waits would need by now; what it blocks already is its own."""

    needed: Required
    free: Money

    @property
    def fits(self) -> bool:
        """Whether what is free is enough."""
        return self.needed.free_needed <= self.free


async def approvals_of(
    house: Rooms, accounts: Sequence[Account], at_most: int = AT_MOST
) -> list[Waiting]:
    """Return orders of these accounts that wait for a person, the oldest first."""
    found: list[Waiting] = []
    by_id = {it.id: it for it in accounts}
    for name in TRADING:
        ids = [it.id for it in accounts if store_of(house, it).name == name]
        if ids:
            store = house.stores[name]
            waiting = await store.read(waiting_for, ids, APPROVAL, at_most, fresh=True)
            found += [Waiting(by_id[it.account_id], it) for it in waiting]
    return sorted(found, key=lambda it: it.order.placed_at)[:at_most]


async def one_of(house: Rooms, accounts: Sequence[Account], order_id: int) -> Waiting:
    """Return an order of one of these accounts, whether it waits still or not."""
    by_id = {it.id: it for it in accounts}
    for name in TRADING:
        ids = [it.id for it in accounts if store_of(house, it).name == name]
        if ids:
            meant = await house.stores[name].read(orders_meant, ids, f"{order_id}", 2, fresh=True)
            for it in meant:
                if it.id == order_id:
                    return Waiting(by_id[it.account_id], it)
    raise NotFound(f"There is no order {order_id} on an account that is yours to see.")


async def needs_now(house: Rooms, actor: Actor, order: Order) -> Now:
    """Return what an order that waits would need if it went out now."""
    desk = await desk_of(house, actor, order.account_id)
    wish = PlaceOrder(
        segment=order.segment,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        product=order.product,
        order_type=order.order_type,
        price=order.price,
        trigger_price=order.trigger_price,
    )
    needed = await would_need(desk, wish)
    return Now(needed, Money(needed.available + order.margin))
