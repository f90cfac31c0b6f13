"""Loading a broker's instrument file: read beside what is in force, judged, then swapped in.

The file comes in pieces, and each piece is written in a short transaction of its own, so that
orders go on meanwhile. Nothing of it is seen by anybody until one transaction at the end moves the
pointers. A file that is refused, or a process that dies, leaves all as it was.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from bahi.db.stores import Store
from bahi.db.tx import Tx
from bahi.instruments.model.loads import (
    Covers,
    Load,
    LoadStatus,
    MasterRefused,
    Wanted,
    objections,
)
from bahi.instruments.model.planning import Plan, Reader, Root, root_of
from bahi.instruments.repository import loads, staging
from bahi.instruments.service.records import GIVEN_UP_AFTER, begin
from bahi.instruments.service.staging import NOTHING_KNOWN, Stage, Waiting, known, write_down
from bahi.instruments.service.swap import Swap, go_on, put_in_force, refuse
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.clock import Clock, exchange_day, from_micros, to_micros
from bahi.kernel.errors import BahiError, Invalid
from bahi.kernel.listings import Line, Listing
from bahi.kernel.symbols import YEARS
from bahi.kernel.words import BrokerSlug, Segment

REMOVED_AT_ONCE: Final = 1_000
LISTINGS_AT_ONCE: Final = {"sqlite": 400, "postgresql": 1_000}  # orders wait meanwhile
AT_ONCE: Final = {"sqlite": 1, "postgresql": 2}  # transactions; PostgreSQL has a process for each
PUT_IN_ORDER_AT_ONCE: Final = 16_000  # some 20 MB of them
LEFT_AT_ONCE: Final = 20_000
LOADS_KEPT: Final = 30  # of each broker, for people to look back at

log = logging.getLogger("bahi.instruments")

Pieces = AsyncIterator[Sequence[Line]]
"""The lines of a file, some at a time, each batch for one transaction; NotAMaster ends them."""

Tell = Callable[[int], object]
"""Is told how many lines were read so far."""


async def load_master(
    store: Store,
    actor: Actor,
    wanted: Wanted,
    pieces: Pieces,
    clock: Clock,
    *,
    tell: Tell = lambda _lines: None,
    at_once: int = PUT_IN_ORDER_AT_ONCE,
) -> Load:
    """Load a broker's file: it comes into force whole, or not at all and says why.

    `at_once` is how many listings are put in order before they are written.
    """
    require_admin(actor)
    day = wanted.day or exchange_day(clock())
    if day.year not in YEARS:
        raise Invalid(f"day: no file is of {day}; write a day of {YEARS[0]} to {YEARS[-1]}.")
    await _clear_up(store, clock)
    load_id = await store.write(begin, actor, wanted, day, clock())
    loading = _Loading(store, wanted, load_id, Reader(wanted.broker, day), clock)
    try:
        await loading.look_around()
        await loading.read(pieces, tell, at_once)
        await loading.judge()
        return await loading.swap(actor)
    except BaseException as failure:
        expected = isinstance(failure, BahiError)
        reason = str(failure) if expected else f"It was stopped ({type(failure).__name__})."
        await asyncio.shield(loading.refuse(reason))
        raise
    finally:
        await asyncio.shield(_remove_what_is_over(store, wanted.broker))


class _Loading:
    """One load under way."""

    def __init__(
        self, store: Store, wanted: Wanted, load_id: int, reader: Reader, clock: Clock
    ) -> None:
        self._store, self._wanted, self._id = store, wanted, load_id
        self._reader, self._clock = reader, clock
        self._roots: dict[Root, int] = {}
        self._stubs: dict[Root, int] = {}
        self._waiting: list[Waiting] = []
        self._occupied: frozenset[Segment] = frozenset()

    async def look_around(self) -> None:
        """See where there is anything to be known, and whose word counts."""
        self._occupied = await self._store.read(staging.occupied, fresh=True)
        self._reader.heard = await self._store.read(loads.heard, self._reader.day, fresh=True)

    async def read(self, pieces: Pieces, tell: Tell, at_once: int) -> None:
        """Write the file down, so many lines at a time as are worth putting in order."""
        gathered = Plan()
        async for lines in pieces:
            gathered.join(await self._plan(lines))
            if len(gathered) >= at_once:
                await self._write(gathered)
                gathered = Plan()
            tell(lines[-1].line)
        await self._write(gathered)

    async def _write(self, plan: Plan) -> None:
        await self._store.write(go_on, self._id, self._clock(), durable=False)
        self._reader.name_stubs(plan, self._stubs)
        beside: list[Plan] = []
        for part in plan.parts(LISTINGS_AT_ONCE[self._store.kind]):
            if beside and not part.settles_on(self._roots):  # perhaps on what is being written
                await self._write_beside_each_other(beside)
                beside = []
            beside.append(part)
            if len(beside) == AT_ONCE[self._store.kind] or not part.settles_on(self._roots):
                await self._write_beside_each_other(beside)
                beside = []
        await self._write_beside_each_other(beside)

    async def _write_beside_each_other(self, parts: Sequence[Plan]) -> None:
        stage = Stage(self._id, self._wanted.broker, self._reader.day, to_micros(self._clock()))
        writes = [
            self._store.write(write_down, stage, part, self._roots, durable=False)
            for part in parts  # the swap, which is durable, makes all of them so
        ]
        ends = await asyncio.gather(*writes, return_exceptions=True)  # none is left behind
        for written in ends:
            if isinstance(written, BaseException):
                raise written
            self._roots |= written.roots | written.stubs
            self._stubs |= written.stubs
            self._waiting += written.waiting

    async def _plan(self, lines: Sequence[Line]) -> Plan:
        listings = [line for line in lines if isinstance(line, Listing)]
        wanted = {*filter(None, map(root_of, listings))} - self._roots.keys()
        wanted = {it for it in wanted if it[0] in self._occupied}
        listings = [it for it in listings if it.segment in self._occupied]
        found = NOTHING_KNOWN
        if listings or wanted:
            asked = (self._id, listings, wanted)
            found, roots = await self._store.read(known, *asked, fresh=True)
            self._roots |= roots
        return self._reader.plan(lines, found)

    async def judge(self) -> None:
        """Refuse what cannot be the master, with every reason that there is."""
        before = await self._store.read(loads.in_force, self._wanted.broker, fresh=True)
        counts = {segment: count for segment, (_load, count) in before.items()}
        reasons = objections(self._reader.found, counts, self._wanted)
        if all_of_them := " ".join(reasons):
            raise MasterRefused(all_of_them)

    async def swap(self, actor: Actor) -> Load:
        """Put it in force, in one transaction."""
        left = await self._no_longer_listed()
        self._reader.found.left = len(left)
        self._reader.changes.let_go((it.segment, it.symbol) for it in self._waiting)
        swap = Swap(self._reader, self._waiting, left)
        return await self._store.write(put_in_force, actor, self._id, swap, self._clock())

    async def _no_longer_listed(self) -> list[int]:
        before = await self._store.read(loads.in_force, self._wanted.broker, fresh=True)
        if self._wanted.covers is Covers.ALL_THERE_IS:
            self._reader.found.listed.update(dict.fromkeys(before, 0))
        left: list[int] = []
        for segment in self._reader.found.listed:
            if segment in before:
                left += await self._left_of(segment, before[segment][0])
        return left

    async def _left_of(self, segment: Segment, old: int) -> list[int]:
        left: list[int] = []
        after = 0
        while True:
            page = await self._store.read(
                staging.no_longer_listed,
                self._wanted.broker,
                (old, self._id),
                segment,
                (after, LEFT_AT_ONCE),
                fresh=True,
            )
            left += page
            if len(page) < LEFT_AT_ONCE:
                return left
            after = page[-1]

    async def refuse(self, reason: str) -> None:
        """Take back what was written, and then remember why it did not come into force."""
        await _take_back(self._store, self._id, self._clock)
        report = self._reader.found.report()
        await self._store.write(refuse, self._id, report, reason, self._clock())


# Clearing up


async def _clear_up(store: Store, clock: Clock) -> None:
    """Give up loads whose process died, and remove what they left."""
    for load_id, broker, seen_at in await store.read(loads.list_reading, fresh=True):
        if clock() - from_micros(seen_at) > GIVEN_UP_AFTER:
            await _take_back(store, load_id, clock)
            await store.write(refuse, load_id, {}, "It stopped in the middle.", clock())
            await _remove_what_is_over(store, broker)


async def _take_back(store: Store, load_id: int, clock: Clock) -> None:
    """Remove what a load wrote; while that goes on it counts as being read, and keeps others out.

    Whoever dies on the way leaves a load that stopped moving, and the next one goes on with it.
    """
    for remove in (loads.remove_listings, loads.remove_arrived):
        while await store.write(_remove_some, remove, load_id, to_micros(clock()), durable=False):
            pass


def _remove_some(tx: Tx, remove: Callable[[Tx, int, int], int], load_id: int, now: int) -> int:
    if not loads.change_load(tx, load_id, {"seen_at": now}):
        return 0  # it is in force, or another process has seen to it
    return remove(tx, load_id, REMOVED_AT_ONCE)


async def _remove_what_is_over(store: Store, broker: BrokerSlug) -> None:
    """Remove what nothing points to, a little at a time, so that orders go on meanwhile."""
    try:
        for old, segments in await store.read(over, broker, fresh=True):
            remove = loads.remove_listings
            while await store.write(remove, old, REMOVED_AT_ONCE, segments, durable=False):
                pass
        await store.write(loads.forget_loads, broker, LOADS_KEPT)
    except BahiError as fault:  # what was asked for is done; the next load removes it
        log.warning("what an old master of %s left could not be removed: %s", broker, fault)


def over(tx: Tx, broker: BrokerSlug) -> list[tuple[int, list[Segment]]]:
    """Return a broker's loads, and the segments in which each is no longer in force."""
    in_force = loads.in_force(tx, broker)
    found = []
    for load in loads.list_loads(tx, broker, LOADS_KEPT):
        here = [it for it in Segment if in_force.get(it, (None, 0))[0] != load.id]
        if load.status is LoadStatus.IN_FORCE:  # of its own segments, another may have taken some
            here = [it for it in here if it in load.report.get("listed", {})]
        if load.status is not LoadStatus.READING and loads.has_listings(tx, load.id, here):
            found.append((load.id, here))
    return found
