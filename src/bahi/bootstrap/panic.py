"""Panic: stop all entries, take back what works, and get out, in one wish."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from bahi.bootstrap.desks import desk_at
from bahi.bootstrap.risks import kill
from bahi.bootstrap.rooms import Rooms
from bahi.kernel.actor import Actor
from bahi.orders.service.cancelling import Outcome, cancel_all
from bahi.orders.service.desk import Desk
from bahi.orders.service.flattening import Flattened, Pause, flatten_all
from bahi.portfolio.service.stops import accounts
from bahi.risk.model.control import Scope, Whom

PAPER = "sandbox"


class Stopped(NamedTuple):
    """What became of an account: what was taken back, and what it could get out of."""

    account_id: int
    cancelled: list[Outcome]
    flattened: list[Flattened]


async def stop(
    house: Rooms,
    actor: Actor,
    whom: Whom,
    reason: str,
    *,
    flat: bool = False,
    pause: Pause = asyncio.sleep,
) -> list[Stopped]:
    """Engage a switch, then take back all that works, and with `flat` get out of what is open.

    The switch is engaged when this begins to cancel, so nothing is opened behind it. Where a
    strategy is meant its orders alone are taken back, and positions stay: they are the account's.
    """
    await kill(house, actor, whom, reason)
    flat = flat and whom.scope is not Scope.STRATEGY
    desks = await desks_of(house, actor, whom)
    return list(await asyncio.gather(*(_stop(it, whom.strategy, pause, flat=flat) for it in desks)))


async def desks_of(house: Rooms, actor: Actor, whom: Whom) -> list[Desk]:
    """Return the desks of everybody whom a switch binds."""
    await house.floor.renew()
    user = whom.user_id if whom.scope in {Scope.USER, Scope.STRATEGY} else None
    bound = await house.stores[PAPER].read(accounts, user, whom.account_id, fresh=True)
    return [desk_at(house, actor, account, house.stores[PAPER]) for account in bound]


async def _stop(desk: Desk, strategy: str | None, pause: Pause, *, flat: bool) -> Stopped:
    cancelled = await cancel_all(desk, strategy=strategy)
    flattened = await flatten_all(desk, pause=pause) if flat else []
    return Stopped(desk.account_id, cancelled, flattened)
