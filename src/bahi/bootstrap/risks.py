"""Switches, limits and valuations over the whole house, and in which stores they are kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Final, TypeVar

from bahi.accounts.service.accounts import get_account, list_accounts
from bahi.bootstrap.pages import begin_page
from bahi.bootstrap.rooms import TRADING, Rooms
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.errors import NotFound
from bahi.kernel.money import Price
from bahi.kernel.words import Segment
from bahi.orders.service.desk import Look
from bahi.risk.model.control import Held, Scope, Switch, Whom
from bahi.risk.model.limits import Limits
from bahi.risk.service import limits as limits_kept
from bahi.risk.service import switches, switching

T = TypeVar("T")

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
    house: Rooms,
    actor: Actor,
    whom: Whom,
    limits: Limits,
    *,
    at_once: str | None = None,
    seen: frozenset[int] | None = None,
) -> datetime:
    """Hold somebody to limits; return from when all of them are as asked for."""
    stores = await _stores(house, actor, whom)
    what = (whom, limits)
    return await switching.hold(stores, actor, what, house.clock(), at_once=at_once, seen=seen)


async def engaged(house: Rooms, actor: Actor, own: Collection[int] | None = None) -> list[Switch]:
    """Return the switches that bind anything of an actor's, each once, the oldest first.

    `own` are the accounts that they see, of a caller who looked them up.
    """
    found = [it for name in TRADING for it in await _read(house, name, switches)]
    own = await _own(house, actor) if own is None else own
    once = {(it.whom, it.since, it.reason): it for it in found if _is_seen(actor, it.whom, own)}
    return sorted(once.values(), key=lambda it: (it.since, it.id))


async def held(house: Rooms, actor: Actor) -> dict[Whom, list[Held]]:
    """Return the limits that bind anything of an actor's, by whom, as each store has them."""
    own = await _own(house, actor)
    found: dict[Whom, list[Held]] = {}
    for name in TRADING:
        for it in await _read(house, name, limits_kept):
            if _is_seen(actor, it.whom, own):
                found.setdefault(it.whom, []).append(it)
    return found


async def _read(house: Rooms, name: str, what: Callable[[Tx], list[T]]) -> list[T]:
    return await house.stores[name].read(what, fresh=True)


async def _own(house: Rooms, actor: Actor) -> frozenset[int]:
    every = await house.stores["main"].read(list_accounts, actor, fresh=True)
    return frozenset(it.id for it in every)


def _is_seen(actor: Actor, whom: Whom, own: Collection[int]) -> bool:
    """Say whether somebody is the actor's to look at; what binds everybody is everybody's."""
    if whom.scope is Scope.ACCOUNT:
        return whom.account_id in own
    return whom.user_id is None or actor.owns(whom.user_id)


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
