"""Switches, limits and valuations over the whole house, and in which stores they are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from bahi.accounts.service.accounts import get_account
from bahi.bootstrap.pages import begin_page
from bahi.bootstrap.rooms import TRADING, Rooms
from bahi.db.stores import Store
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.errors import NotFound
from bahi.kernel.money import Price
from bahi.kernel.words import Segment
from bahi.orders.service.desk import Look
from bahi.risk.model.control import Scope, Whom
from bahi.risk.model.limits import Limits
from bahi.risk.service import switching

RISK: Final = the_house("risk")


async def kill(house: Rooms, actor: Actor, whom: Whom, reason: str) -> int:
    """Engage a switch; return how many accounts it stopped. Exits pass."""
    stores = await _stores(house, actor, whom)
    return await switching.engage(stores, actor, whom, reason, house.clock())


async def resume(house: Rooms, actor: Actor, whom: Whom, reason: str) -> int:
    """Release what is engaged over somebody; return how many switches that were."""
    stores = await _stores(house, actor, whom)
    return await switching.release(stores, actor, whom, reason, house.clock())


async def hold(
    house: Rooms, actor: Actor, whom: Whom, limits: Limits, *, at_once: str | None = None
) -> datetime:
    """Hold somebody to limits; return from when all of them are as asked for."""
    stores = await _stores(house, actor, whom)
    return await switching.hold(stores, actor, (whom, limits), house.clock(), at_once=at_once)


def valuer(
    house: Rooms, store: Store, look: Look, account_id: int
) -> Callable[[], Awaitable[None]]:
    """Return what values an account's open positions, and stops it when it lost too much."""

    def price_of(segment: Segment, symbol: str) -> Price | None:
        try:
            return look(segment, symbol).price_at(house.clock())
        except NotFound:
            return None

    async def stop() -> None:
        if await house.config.get("risk", "kill_switch_enabled"):
            whom = Whom(scope=Scope.ACCOUNT, account_id=account_id)
            await switching.engage(
                [store], RISK, whom, "The day's loss reached its limit.", house.clock()
            )

    async def freshen() -> None:
        await house.marks.freshen(store, account_id, price_of, house.clock(), stop)

    return freshen


async def _stores(house: Rooms, actor: Actor, whom: Whom) -> list[Store]:
    """Return the stores that have pages of somebody; an account has one, in one of them."""
    if whom.scope is not Scope.ACCOUNT or whom.account_id is None:
        return [house.stores[name] for name in TRADING]
    main = house.stores["main"]
    account = await main.read(get_account, actor, whom.account_id, fresh=True)
    return [await begin_page(house, account)]
