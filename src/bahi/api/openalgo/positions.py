"""What OpenAlgo calls a position, and what a holding: of delivery, today's part and the rest.

Our delivery position is kept for as long as the shares are. Clients of OpenAlgo know it from two
books: what was bought or sold today is a position, what was held when the day began is a holding,
and to close all positions sells no holding.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from bahi.bootstrap import House
from bahi.db.stores import Store
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import NotFound
from bahi.kernel.money import NOTHING, Money, Price
from bahi.portfolio.model.holding import is_funded, is_held
from bahi.portfolio.model.position import Key, Position, average, part_of
from bahi.portfolio.service.looking import every_position


class Shown(NamedTuple):
    """A position as its book shows it; None: not known."""

    key: Key
    quantity: int
    average: Price | None
    last: Price | None
    unrealized: Money | None
    realized: Money

    @property
    def gained(self) -> Money | None:
        """What it made today, with what it has open."""
        return None if self.unrealized is None else Money(self.unrealized + self.realized)


class Holding(NamedTuple):
    """What was held of a share when the day began, and still is."""

    key: Key
    quantity: int
    cost: Money
    last: Price | None

    @property
    def average(self) -> Price | None:
        """What each of it cost."""
        return average(self.cost, self.quantity)

    @property
    def value(self) -> Money | None:
        """What it is worth now; None: not known."""
        return None if self.last is None else Money(self.last * self.quantity)

    @property
    def gained(self) -> Money | None:
        """What it has gained; None: not known."""
        return None if self.value is None else Money(self.value - self.cost)


def carried(position: Position, today: date) -> int:
    """Return how much of a position was held for delivery when the day began."""
    if not (is_held(position.key) or is_funded(position.key)):
        return 0
    return position.overnight if position.day == today else position.net


async def list_open(store: Store, account_id: int, today: date) -> list[Position]:
    """Return what is open of an account, as the position book has it."""
    every = await store.read(every_position, account_id, fresh=True)
    return [it for it in every if it.net != carried(it, today)]


async def positions_shown(house: House, store: Store, account_id: int) -> list[Shown]:
    """Return the position book: what is open, and what was closed today."""
    today = exchange_day(house.clock())
    every = await store.read(every_position, account_id, fresh=True)
    found = [it for it in every if it.net != carried(it, today) or it.day == today]
    lasts = await last_prices(house, [it.key for it in found])
    return [shown(it, lasts.get(it.key), today) for it in found]


async def holdings_shown(house: House, store: Store, account_id: int) -> list[Holding]:
    """Return what was held when the day began, and still is."""
    today = exchange_day(house.clock())
    found = []
    for it in await store.read(every_position, account_id, fresh=True):
        quantity = min(it.net, carried(it, today))
        if quantity > 0:
            found.append((it.key, quantity, Money(part_of(it.open_cost, quantity, it.net))))
    lasts = await last_prices(house, [key for key, _, _ in found])
    return [Holding(key, quantity, cost, lasts.get(key)) for key, quantity, cost in found]


def shown(position: Position, last: Price | None, today: date) -> Shown:
    """Return a position as its book shows it, by the newest price."""
    was = carried(position, today)
    quantity = position.net - was
    of_today = position.day == today
    cost = _cost(position, quantity) if was else position.open_cost
    return Shown(
        key=position.key,
        quantity=quantity,
        average=average(cost, abs(quantity)),
        last=last,
        unrealized=_open(quantity, cost, last, sold_from=was > 0),
        realized=position.day_realized if of_today else NOTHING,
    )


def _cost(position: Position, quantity: int) -> Money:
    """Return what today's part of a delivery position cost, or brought."""
    if quantity > 0:
        return Money(part_of(position.day_buy_value, quantity, position.day_buy_quantity))
    sold = position.day_sell_quantity
    return Money(part_of(position.day_sell_value, -quantity, sold)) if sold else NOTHING


def _open(quantity: int, cost: Money, last: Price | None, *, sold_from: bool) -> Money | None:
    """Return what is open by a price; of what was sold out of a holding, nothing is."""
    if not quantity or (sold_from and quantity < 0):
        return NOTHING
    if last is None:
        return None
    worth = last * abs(quantity)
    return Money(worth - cost if quantity > 0 else cost - worth)


async def last_prices(house: House, keys: Iterable[Key]) -> dict[Key, Price]:
    """Return the newest prices as they count now; one that is too old is not known."""
    wanted = list(keys)
    await house.floor.renew()
    market, now = house.floor.market, house.clock()
    listed = [market.instrument(key.segment, key.symbol) for key in wanted]
    await house.quotes.quotes([it for it in listed if it is not None])
    found = {}
    for key in wanted:
        try:
            price = market.look(key.segment, key.symbol).price_at(now)
        except NotFound:
            continue
        if price is not None:
            found[key] = price
    return found
