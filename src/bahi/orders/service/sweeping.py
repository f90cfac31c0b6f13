"""The sweep: what nobody answered is looked up in the broker's book, and never sent again.

One reading of an account's book serves all of its orders that wait for one. "Not there" counts only
when it was read twice, successfully, by readings that began when the order must have arrived, if at
all; who reads keeps count in memory, so that a lost count costs a reading and no more.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.instruments.model.instrument import Instrument
from bahi.kernel.clock import Clock, day_begins, exchange_day
from bahi.kernel.errors import BahiError, NotFound, NotSent, Rejected, Silent
from bahi.kernel.ports import Broker, Update
from bahi.kernel.words import EventSource, Segment
from bahi.notify.model import Cause, Severity
from bahi.notify.service import find_open, raise_alert
from bahi.orders.model.changing import Evidence
from bahi.orders.model.order import ENDS, GRACE, SETTLED_AFTER, TRANSIT, UNKNOWN, Order
from bahi.orders.repository import order as rows
from bahi.orders.repository.working import left_over
from bahi.orders.service.ingesting import NotOurs, Word, give_up, ingest, let_go, lose
from bahi.portfolio.model.terms import Terms

AT_ONCE: Final = 500
"""Orders that one round looks up."""
READINGS: Final = 2
LOOK_BACK_EVERY: Final = timedelta(minutes=5)
BOOK_OF: Final = timedelta(hours=36)
"""How far back our orders are compared with a broker's book of the day."""
COMPARED: Final = 50_000

HasReopened = Callable[[Segment, date, datetime], bool]
"""Says whether a market has opened, by an instant, on a day after one; not known is no."""

log = logging.getLogger("bahi.orders")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a sweep stands on: one trading store, and the brokers of its accounts."""

    store: Store
    broker_of: Callable[[int], Broker]
    terms_of: Callable[[int], Terms]
    listed: Callable[[Segment, str], Instrument | None]
    clock: Clock
    has_reopened: HasReopened


class Reading(NamedTuple):
    """A broker's book, and when its reading began."""

    begun: datetime
    by_tag: Mapping[str, Update]
    by_id: Mapping[str, Update]

    def of(self, order: Order) -> Update | None:
        """Return what it says of an order."""
        found = self.by_tag.get(order.tag)
        if found is None and order.broker_order_id is not None:
            found = self.by_id.get(order.broker_order_id)
        return found


class Unsettled(NamedTuple):
    """An order that nobody knows the state of, and for how long already."""

    order: Order
    age: timedelta


class Sweep:
    """Settles what is unknown in one trading store, round by round."""

    def __init__(self, grounds: Grounds) -> None:
        self._on = grounds
        self._missed: dict[int, int] = {}
        self._unseen: dict[int, int] = {}
        self._look_back_at: datetime | None = None
        self._strangers: set[tuple[int, str]] = set()

    async def round(self) -> int:
        """Look once at everything that waits for the broker's book; return how many it settled."""
        now = self._on.clock()
        waiting = await self._on.store.read(
            rows.unsettled, now - GRACE, now - SETTLED_AFTER, AT_ONCE, fresh=True
        )
        self._missed = {it.id: self._missed.get(it.id, 0) for it in waiting}
        settled = await self._each_account(waiting, self._settle)
        if len(waiting) >= AT_ONCE:  # long work: after a crash there may be thousands
            left = await self._on.store.read(rows.on_the_way, fresh=True)
            log.info("%s orders were settled from their brokers' books, %s wait", settled, left)
        return settled + await self.look_back()

    async def _each_account(
        self, orders: list[Order], settle: Callable[[int, list[Order]], Awaitable[int]]
    ) -> int:
        orders.sort(key=attrgetter("account_id"))
        settled = 0
        for account_id, group in groupby(orders, key=attrgetter("account_id")):
            try:
                settled += await settle(account_id, list(group))
            except BahiError as fault:  # one account's is no other's; the next round is soon
                log.warning("account %s could not be settled: %s", account_id, fault)
        return settled

    async def look_back(self) -> int:
        """Look now and then at orders that still work here though their day is over.

        A broker begins its new book at some hour of the night, and tells nothing while it does:
        that they are not there says something only once their market has opened again.
        """
        now = self._on.clock()
        if self._look_back_at is not None and now < self._look_back_at:
            return 0
        self._look_back_at = now + LOOK_BACK_EVERY
        left = await self._on.store.read(left_over, day_begins(now), COMPARED, fresh=True)
        left = [it for it in left if it.is_of_a_day_before(now)]
        days = {(it.segment, it.day) for it in left}
        over = {it for it in days if self._on.has_reopened(*it, now)}
        left = [it for it in left if (it.segment, it.day) in over]
        self._unseen = {it.id: self._unseen.get(it.id, 0) for it in left}
        return await self._each_account(left, self._let_go)

    async def _let_go(self, account_id: int, left: list[Order]) -> int:
        """Take in what a later day's book says; what is not in two of them has ended unseen."""
        reading = await self.read(account_id)
        if reading is None:
            return 0
        settled = 0
        for order in left:
            if (update := reading.of(order)) is not None:
                await self._take_in(account_id, update, reading)
                continue
            self._unseen[order.id] += 1
            if self._unseen[order.id] >= READINGS:
                await self._on.store.write(let_go, order, self._on.clock(), account=account_id)
                settled += 1
        return settled

    async def _settle(self, account_id: int, waiting: list[Order]) -> int:
        await asyncio.gather(*(self._lose(it) for it in waiting if it.status is TRANSIT))
        reading = await self.read(account_id)
        if reading is None:
            return 0
        await self.compare(account_id, reading)
        return sum(await asyncio.gather(*(self._settle_one(it, reading) for it in waiting)))

    async def _lose(self, order: Order) -> None:
        await self._on.store.write(lose, order, self._on.clock(), account=order.account_id)

    async def _settle_one(self, order: Order, reading: Reading) -> int:
        update = reading.of(order)
        if update is not None:
            await self._take_in(order.account_id, update, reading)
            return 1
        return await self._missing(order, reading) if order.status in {TRANSIT, UNKNOWN} else 0

    async def read(self, account_id: int) -> Reading | None:
        """Read an account's book; a failed or a partial reading is none."""
        begun = self._on.clock()
        try:
            book = await self._on.broker_of(account_id).order_book()
        except (Silent, NotSent, Rejected) as fault:
            log.info("the book of account %s could not be read: %s", account_id, fault)
            return None
        return Reading(
            begun,
            {it.tag: it for it in book if it.tag},
            {it.broker_order_id: it for it in book},
        )

    async def compare(self, account_id: int, reading: Reading) -> int:
        """Take in what a book knows better, and adopt what others placed; return how much."""
        since = reading.begun - BOOK_OF
        ours = await self._on.store.read(rows.of_account, account_id, since, COMPARED, fresh=True)
        seen = set()
        taken = 0
        for order in ours:
            update = reading.of(order)
            if update is None:
                continue
            seen.add(update.broker_order_id)
            if _tells_more(order, update):
                await self._take_in(account_id, update, reading)
                taken += 1
        for update in reading.by_id.values():
            if update.broker_order_id not in seen:
                taken += await self._adopt(account_id, update, reading)
        return taken

    async def _take_in(self, account_id: int, update: Update, reading: Reading) -> None:
        asked = update.asked
        listed = None if asked is None else self._on.listed(Segment(asked.segment), asked.symbol)
        word = Word(update, EventSource.REST_API, listed, Evidence(begun=reading.begun))
        terms, now = self._on.terms_of(account_id), self._on.clock()
        await self._on.store.write(ingest, account_id, word, terms, now, account=account_id)

    async def _adopt(self, account_id: int, update: Update, reading: Reading) -> int:
        """Make an order of ours of one that others placed, or tell once that it cannot be."""
        try:
            await self._take_in(account_id, update, reading)
        except NotOurs:
            stranger = (account_id, update.broker_order_id)
            if stranger not in self._strangers:
                now = self._on.clock()
                await self._on.store.write(_tell_of, stranger, now, account=account_id)
                self._strangers.add(stranger)
            return 0
        return 1

    async def _missing(self, order: Order, reading: Reading) -> int:
        """Count that an order is not there; the second time it never came."""
        if order.send_before is None or reading.begun < order.send_before + GRACE:
            return 0
        if exchange_day(reading.begun) != exchange_day(order.send_before):
            return 0  # a broker's book is of its day, and says nothing of another
        self._missed[order.id] += 1
        if self._missed[order.id] < READINGS:
            return 0
        await self._on.store.write(give_up, order, self._on.clock(), account=order.account_id)
        return 1


def _tells_more(order: Order, update: Update) -> bool:
    """Say whether a book knows more of an order than we do; on its way, it is its sender's."""
    if order.status in {TRANSIT, UNKNOWN}:
        return False  # one that waits for this reading is taken in by name
    if update.filled_quantity > order.filled:
        return True
    if update.status in ENDS and order.is_active:
        return True
    return order.end_is_inferred


def _tell_of(tx: Tx, stranger: tuple[int, str], now: datetime) -> None:
    account_id, name = stranger
    topic = f"not_ours:{account_id}:{name}"
    if find_open(tx, topic) is not None:
        return
    cause = Cause(
        severity=Severity.WARNING,
        source="orders",
        message=f"The broker's book has an order {name} that was not placed here, and does not say "
        "what it is: the book is without it. Look it up at the broker.",
        topic=topic,
        account_id=account_id,
    )
    raise_alert(tx, cause, now)


has_orders: Final = rows.any_at_all
"""Say whether a store has an order at all: without one there is nothing to drive."""


async def unsettled_orders(store: Store, now: datetime) -> list[Unsettled]:
    """Return the orders that nobody knows the state of, the oldest first, each with its age."""
    waiting = await store.read(rows.unsettled, now, now, AT_ONCE, fresh=True)
    found = [Unsettled(it, now - (it.intent_at or it.placed_at)) for it in waiting]
    return sorted(found, key=lambda it: -it.age)


async def settle_account(grounds: Grounds, account_id: int) -> int:
    """Compare one account with its broker's book now; return how much was taken in."""
    sweep = Sweep(grounds)
    reading = await sweep.read(account_id)
    if reading is None:
        raise NotFound(f"The book of account {account_id} cannot be read now; ask again.")
    return await sweep.compare(account_id, reading)
