"""The driver: what has to go on at the desk whether or not anybody asks.

It lets the paper exchange do what time and prices make due, hands its clients what they were not
told, and sweeps what nobody answered. One process of the house does it at a time, under the lease
of a job; where that process dies the next one takes over when the lease runs out, and nothing is
lost but time.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from bahi.bootstrap.attending import Attendant
from bahi.bootstrap.carrying import Told, take_in
from bahi.bootstrap.curves import Curves
from bahi.bootstrap.floor import Floor
from bahi.bootstrap.rooms import Rooms
from bahi.brokers.paper.adapter import update_of
from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.exchange.service.floor import Seen
from bahi.jobs.model import Job, Retry, Superseded, Terms
from bahi.jobs.service import claim, enqueue, extend, get_job, give_back
from bahi.kernel.clock import Clock, boot_seconds
from bahi.kernel.errors import BahiError, Conflict, NotFound
from bahi.kernel.words import EventSource
from bahi.orders.service.ingesting import Word
from bahi.orders.service.sweeping import Grounds, Sweep, has_orders

JOB: Final = "trading"
"""The job whose lease the driver holds; it never ends."""
LEASE_S: Final = 10.0
BEAT_S: Final = 3.0
POLL_S: Final = 0.5
BREATH_S: Final = 0.05
"""The least time between two rounds, however often it is woken."""
SWEEP_EVERY_S: Final = 1.0
FOR_EVER: Final = Retry(attempts=1 << 40, delays_s=())

log = logging.getLogger("bahi.trading")


class Round(NamedTuple):
    """What one round of the driver moved."""

    moved: int
    told: int
    attended: int
    settled: int


class Driver:
    """Drives one trading store, round by round."""

    def __init__(
        self, floor: Floor, grounds: Grounds, attendant: Attendant, curves: Curves
    ) -> None:
        self._floor, self._exchange, self._on = floor, floor.exchange, grounds
        self._attendant, self._curves = attendant, curves
        self._sweep, self._swept_s = Sweep(grounds), 0.0
        self._strangers: set[int] = set()

    async def round(self) -> Round:
        """Have the exchange do what is due, tell of it, attend, sweep and draw curves, once."""
        await self._floor.renew()
        moved = await self._exchange.drive()
        told = await self.tell()
        attended = await self._attendant.round()
        settled = 0
        if boot_seconds() - self._swept_s >= SWEEP_EVERY_S:
            settled = await self._sweep.round()
            self._swept_s = boot_seconds()
        await self._curves.round()
        return Round(moved, told, attended, settled)

    async def tell(self) -> int:
        """Hand each book what its account was not told by the exchange; return how much."""
        told = [it for it in await self._exchange.untold() if await self._hand(it)]
        if told:
            await self._exchange.mark_told(told)  # died before: told again, and nothing new in it
        return len(told)

    async def _hand(self, seen: Seen) -> bool:
        on, order = self._on, seen.order
        account = order.client_id
        word = Word(update_of(seen), EventSource.WEBSOCKET, on.listed(order.segment, order.symbol))
        told = Told(seen, word)
        try:
            await on.store.write(
                take_in, account, told, on.terms_of(account), on.clock(), account=account
            )
        except NotFound as fault:  # a client of the exchange that has no book here
            if account not in self._strangers:
                self._strangers.add(account)
                log.warning("the exchange told of account %s: %s", account, fault)
        except BahiError as fault:  # it is told again in the next round
            log.warning("order %s of the exchange could not be booked: %s", order.id, fault)
            return False
        return True


class Lease:
    """The right to drive a store, which one process has at a time."""

    def __init__(self, store: Store, clock: Clock, lease_s: float = LEASE_S) -> None:
        owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
        self._store, self._clock = store, clock
        self._terms = Terms(owner, lease_s, {JOB: FOR_EVER})
        self._job: Job | None = None
        self._extend_at = clock()

    async def is_ours(self) -> bool:
        """Take the lease where it is free, hold it for longer where it is ours; say if it is."""
        now = self._clock()
        if self._job is None:
            self._job = await self._taken(now)
        elif now >= self._extend_at:
            try:
                await self._store.write(extend, self._job, now, self._terms.lease_s)
            except Superseded:
                self._job = None
        else:
            return True
        self._extend_at = now + timedelta(seconds=BEAT_S)
        return self._job is not None

    async def _taken(self, now: datetime) -> Job | None:
        if not await self._store.read(_is_free, now, fresh=True):
            return None
        try:
            return await self._store.write(_take, self._terms, now)
        except Conflict:  # another was faster
            return None

    async def give_back(self) -> None:
        """Let another process have it at once."""
        job, self._job = self._job, None
        if job is not None:
            with suppress(BahiError):  # then it runs out
                await self._store.write(give_back, job, self._clock())


def _is_free(tx: Tx, now: datetime) -> bool:
    try:
        return get_job(tx, JOB).can_be_claimed(now)
    except NotFound:
        return True


def _take(tx: Tx, terms: Terms, now: datetime) -> Job | None:
    try:
        get_job(tx, JOB)
    except NotFound:
        enqueue(tx, "bahi:trading", JOB, {}, now, job_id=JOB)
    taken = claim(tx, terms, now)
    return taken[0] if taken else None


def grounds_of(house: Rooms) -> Grounds:
    """Return what the sweep of the paper accounts stands on."""
    return Grounds(
        store=house.stores["sandbox"],
        broker_of=house.floor.broker_of,
        terms_of=house.floor.terms_of,
        listed=house.floor.market.instrument,
        clock=house.clock,
        has_reopened=house.floor.market.has_reopened,
    )


async def driver_of(house: Rooms) -> Driver:
    """Return what drives a house's paper accounts."""
    await house.floor.renew()
    curves = Curves(house, house.stores["sandbox"])
    return Driver(house.floor, grounds_of(house), Attendant(house), curves)


async def keep_driving(house: Rooms) -> None:
    """Drive for as long as the house is open, whenever the lease is ours."""
    store, trading = house.stores["sandbox"], house.trading
    lease = Lease(store, house.clock)
    is_used = False
    driver: Driver | None = None
    try:
        while True:
            try:
                is_used = is_used or await store.read(has_orders, fresh=True)
                if is_used and await lease.is_ours():
                    driver = driver or await driver_of(house)
                    await driver.round()
            except BahiError as fault:  # the database is away: it may come back
                log.warning("trading could not be driven: %s", fault)
            except Exception:  # one round's fault must not leave orders to rest for ever
                log.exception("a round of trading failed")
            await asyncio.sleep(BREATH_S)
            await trading.rest(POLL_S - BREATH_S)
    finally:
        await lease.give_back()
