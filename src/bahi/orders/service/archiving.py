"""Old orders to the archive: copied, compared there, removed here; broken off, it goes on again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

from bahi.db.stores import Store
from bahi.orders.repository import archive as rows

AT_ONCE: Final = 200

count_old: Final = rows.count_old
"""Count the orders that would move; `count_old(tx, ended_before)`."""

log = logging.getLogger("bahi.orders")


async def archive_orders(
    store: Store,
    archive: Store,
    ended_before: datetime,
    now: datetime,
    *,
    tell: Callable[[int], None] = lambda _: None,
) -> int:
    """Move orders that ended before an instant, whole, with their events and changes.

    What did not arrive as it was stays here and is logged. A key of each stays behind, so that its
    name is never given again.
    """
    moved = 0
    while ids := await store.read(rows.old_families, ended_before, AT_ONCE, fresh=True):
        leaving = await store.read(rows.read, ids, fresh=True)
        await archive.write(rows.copy_in, leaving)
        arrived = await archive.read(rows.read, ids, fresh=True)
        if not rows.is_same(leaving, arrived):
            log.error("orders %s to %s did not arrive in the archive as they were", ids[0], ids[-1])
            break
        versions = [(it["id"], it["version"]) for it in leaving.orders]
        gone = await store.write(rows.let_go, versions, now)
        moved += gone
        tell(moved)
        if not gone:
            break  # they moved meanwhile: they are young again
    return moved
