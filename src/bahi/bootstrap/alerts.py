"""Alerts of the whole house: each is in the store of its cause, and looked for in all of them."""

from __future__ import annotations

from typing import Final, NamedTuple

from bahi.bootstrap.rooms import Rooms
from bahi.kernel.actor import Actor
from bahi.notify.model import Alert
from bahi.notify.service import NoAlert, acknowledge, list_alerts

STORES: Final = ("main", "sandbox")


class Kept(NamedTuple):
    """An alert, and in which store it is; ids are the house's own, so nobody has to name it."""

    store: str
    alert: Alert


async def alerts_of(
    house: Rooms,
    actor: Actor,
    *,
    limit: int,
    after: tuple[bool, int] | None = None,
    only_open: bool | None = None,
) -> list[Kept]:
    """Return alerts of every store, open ones first, each kind newest first."""
    found = [
        Kept(name, it)
        for name in STORES
        for it in await list_alerts(
            house.stores[name], actor, limit=limit, after=after, only_open=only_open
        )
    ]
    found.sort(key=lambda it: (not it.alert.is_open, -it.alert.id))
    return found[:limit]


async def take_on(house: Rooms, actor: Actor, alert_id: int) -> Kept:
    """Take an alert on, in whichever store it is."""
    for name in STORES[:-1]:
        try:
            done = await house.stores[name].write(acknowledge, actor, alert_id, house.clock())
        except NoAlert:
            continue
        return Kept(name, done)
    last = STORES[-1]
    return Kept(last, await house.stores[last].write(acknowledge, actor, alert_id, house.clock()))
