"""How long the orders of an actor's accounts took on their way, live and paper apart."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from bahi.accounts.service.accounts import list_accounts
from bahi.bootstrap.rooms import Rooms
from bahi.kernel.actor import Actor
from bahi.kernel.words import AccountMode
from bahi.orders.model.stages import StageSpread
from bahi.orders.service.stages import stages_between

STORE_OF: Final = {AccountMode.LIVE: "main", AccountMode.PAPER: "sandbox"}
"""Which store keeps the orders of which accounts."""


async def order_stages(
    house: Rooms,
    actor: Actor,
    since: datetime,
    until: datetime,
    *,
    account_id: int | None = None,
) -> dict[AccountMode, list[StageSpread]]:
    """Return how long each stage took, by mode; three statements, however many accounts.

    Orders of over a month ago have moved to the archive and are not counted.
    """
    every = await house.stores["main"].read(list_accounts, actor, fresh=True)
    found = {}
    for mode, name in STORE_OF.items():
        mine = [it.id for it in every if it.mode is mode and account_id in {None, it.id}]
        if mine:
            store = house.stores[name]
            found[mode] = await store.read(stages_between, mine, since, until, fresh=True)
    return found
