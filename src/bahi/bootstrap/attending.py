"""What is done for accounts whether or not anybody asks: exits, triggers, and waits that end."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Final

from bahi.bootstrap.carrying import see_through
from bahi.bootstrap.desks import desk_at
from bahi.bootstrap.rooms import Rooms
from bahi.kernel.actor import the_house
from bahi.kernel.errors import BahiError
from bahi.orders.model.order import Order
from bahi.orders.model.wishes import MarketClosed
from bahi.orders.service.desk import Desk
from bahi.orders.service.firing import watch
from bahi.orders.service.forever import waiting_forever
from bahi.orders.service.guarding import guarded_accounts, keep_guarded
from bahi.orders.service.waiting import due, lapse, release_order
from bahi.portfolio.model.converting import Wished
from bahi.portfolio.service.converting import conversions_under_way

ATTENDANT: Final = the_house("driver")
AT_ONCE: Final = 500

log = logging.getLogger("bahi.trading")


class Attendant:
    """Attends to the accounts of one trading store."""

    def __init__(self, house: Rooms) -> None:
        self._house, self._store = house, house.stores["sandbox"]

    async def round(self) -> int:
        """Do what is due for every account, once; return how much moved."""
        done = (self._end_waits, self._keep_exits, self._watch_triggers, self._convert)
        return sum([await each() for each in done])

    async def _end_waits(self) -> int:
        now = self._house.clock()
        moved = 0
        for order in await self._store.read(due, now, AT_ONCE, fresh=True):
            moved += await self._tried(f"order {order.id}", self._end_wait(order))
        return moved

    async def _end_wait(self, order: Order) -> bool:
        now = self._house.clock()
        if order.has_lapsed(now):
            account = order.account_id
            return await self._store.write(lapse, account, order.id, now, account=account)
        try:
            await release_order(self._desk(order.account_id), order.id)
        except MarketClosed:
            return False  # it waits on, and lapses with its day
        return True

    async def _keep_exits(self) -> int:
        moved = 0
        for account_id in await self._store.read(guarded_accounts, fresh=True):
            what = f"the exits of account {account_id}"
            moved += await self._tried(what, keep_guarded(self._desk(account_id)))
        return moved

    async def _watch_triggers(self) -> int:
        moved = last = 0
        while page := await self._store.read(waiting_forever, last, AT_ONCE, fresh=True):
            for it in page:
                what = f"forever order {it.id}"
                moved += await self._tried(what, watch(self._desk(it.account_id), it))
            last = page[-1].id
        return moved

    async def _convert(self) -> int:
        """Go on with conversions that were wished, or that the broker made by itself."""
        moved = 0
        for it in await self._store.read(conversions_under_way, AT_ONCE, fresh=True):
            what = f"the conversion of {it.key.symbol} of account {it.account_id}"
            moved += await self._tried(what, self._see_through(it))
        return moved

    async def _see_through(self, it: Wished) -> bool:
        return (await see_through(self._house, self._store, it)).stage is not it.stage

    async def _tried(self, what: str, work: Awaitable[int]) -> int:
        """Do one thing; what fails must not keep the others from being done."""
        try:
            return int(await work)
        except BahiError as fault:
            log.warning("%s could not be attended to: %s", what, fault)
            return 0

    def _desk(self, account_id: int) -> Desk:
        return desk_at(self._house, ATTENDANT, account_id, self._store)
