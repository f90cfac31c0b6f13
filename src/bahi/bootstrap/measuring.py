"""How large the stores of a house are: at a glance, or table by table."""

from __future__ import annotations

import asyncio

from bahi.bootstrap.ground import migrators
from bahi.bootstrap.rooms import Rooms
from bahi.db.upkeep.sizes import StoreSize, sizes, whole_size
from bahi.kernel.actor import Actor, require_admin


async def sizes_of(house: Rooms, actor: Actor, *, by_table: bool = False) -> list[StoreSize]:
    """Return the size of each store; `by_table` counts every row, which takes its time."""
    require_admin(actor)

    def measure() -> list[StoreSize]:
        every = migrators(house.settings, lambda _: None).values()
        if by_table:
            return [sizes(it.database) for it in every]
        return [StoreSize(it.database.store, whole_size(it.database), []) for it in every]

    return await asyncio.to_thread(measure)
