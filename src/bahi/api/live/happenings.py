"""The one source of what happened, for every socket and stream of this process.

While anybody listens the tables are read four times a second, and at once after this process moved
an order; nobody listens, nothing is read. A row with a smaller id may commit after one with a
larger id, so each look goes back a while and leaves out what was handed over: a quarter of a second
each time, ten seconds every other second.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from typing import Final

from bahi.api.live.events import EVERYTHING, Event, Topic
from bahi.api.live.listening import Listener
from bahi.api.live.reading import Look, look, newest
from bahi.api.live.seeing import Sight
from bahi.bootstrap import House
from bahi.kernel.actor import Actor
from bahi.kernel.clock import boot_seconds, unix_ms
from bahi.kernel.errors import BahiError, Busy
from bahi.kernel.ids import NODES, earliest_at

LOOK_EVERY_S: Final = 0.25
BREATH_S: Final = 0.05
"""The least time between two looks, however often it is woken."""
SHORT_S: Final = 0.25
LONG_S: Final = 10
"""How far back a look goes; what takes longer from its id to its commit is not told of."""
LONG_EVERY_S: Final = 2.0
REMEMBERED_S: Final = 3 * LONG_S
AT_ONCE: Final = 500
"""Events of a kind in one look."""
LISTENERS_AT_MOST: Final = 1_000
STORES: Final = ("main", "sandbox")
A_SECOND: Final = 1_000 * NODES << 12
"""As ids count time."""

log = logging.getLogger("bahi.events")


class Happenings:
    """Tells its listeners what happened; one for each process."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._listeners: set[Listener] = set()
        self._handed: dict[int, None] = {}
        self._top, self._long_at_s = 0, 0.0
        self._woken, self._starting = asyncio.Event(), asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._listeners)

    @asynccontextmanager
    async def listen(
        self,
        actor: Actor,
        topics: Collection[Topic] = EVERYTHING,
        *,
        after: int | None = None,
        since: int | None = None,
        own: bool = True,
    ) -> AsyncIterator[Listener]:
        """Listen from now on, or to all behind an event, or since a moment, until the block ends.

        One hears of the accounts that one opens: with `own` only of one's own, else an admin of
        everybody's.
        """
        if len(self._listeners) >= LISTENERS_AT_MOST:
            raise Busy(f"{LISTENERS_AT_MOST:,} listen to events already; try again later.")
        now_id = earliest_at(unix_ms())
        listener = Listener(Sight(self._house, actor, own=own), frozenset(topics), self.page)
        self._listeners.add(listener)
        try:
            async with self._starting:
                await self._start(now_id)
            if after is not None:
                listener.begin_behind(after, self._handed_until(after))
            elif since is not None:
                listener.begin_at(since)
            yield listener
        finally:
            self._listeners.discard(listener)
            listener.close()
            if not self._listeners:
                await self._stop()

    async def page(self, above: int, known: Collection[int]) -> Look:
        """Return what happened above an id in every store, up to a bound: to catch up."""
        looks = [
            await self._house.stores[store].read(look, above, known, AT_ONCE, fresh=True)
            for store in STORES
        ]
        cut = min((it.cut for it in looks if it.cut is not None), default=None)
        events = sorted((event for it in looks for event in it.events), key=lambda it: it.id)
        return Look([it for it in events if cut is None or it.id <= cut], cut)

    def _handed_until(self, event_id: int) -> tuple[int, ...]:
        """Return what this process handed over no later than an event; nothing: not known here."""
        if event_id not in self._handed:
            return ()
        handed = tuple(self._handed)
        return handed[: handed.index(event_id) + 1]

    async def _start(self, now_id: int) -> None:
        """Begin to look; what happened before the listener came counts as told."""
        if self._looking is not None:
            return
        tops = [await self._house.stores[it].read(newest, fresh=True) for it in STORES]
        self._top, self._handed = max(tops), {}
        above: int | None = self._top - LONG_S * A_SECOND
        while above is not None:
            found = await self.page(above, self._handed)
            self._remember([it for it in found.events if it.id < now_id])
            above = found.cut
        self._house.trading.add(self._woken.set)
        self._looking = asyncio.create_task(self._keep_looking(), name="events")

    async def _stop(self) -> None:
        async with self._starting:
            if self._listeners or self._looking is None:
                return
            self._house.trading.remove(self._woken.set)
            looking, self._looking = self._looking, None
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking

    async def _keep_looking(self) -> None:
        failed = False
        while True:
            self._woken.clear()
            try:
                await self._look()
                failed = False
            except BahiError as fault:  # the database is away: it may come back
                if not failed:
                    log.warning("what happened cannot be read: %s", fault)
                failed = True
            except Exception:  # one round's fault must not end all streams
                log.exception("a look at what happened failed")
            await asyncio.sleep(BREATH_S)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S - BREATH_S):
                    await self._woken.wait()

    async def _look(self) -> None:
        back_s, now_s = SHORT_S, boot_seconds()
        if now_s - self._long_at_s >= LONG_EVERY_S:
            back_s, self._long_at_s = LONG_S, now_s
        above: int | None = self._top - int(back_s * A_SECOND)
        while above is not None:
            found = await self.page(above, self._handed)
            self._remember(found.events)
            for listener in tuple(self._listeners):
                await listener.hear(found.events)
            above = found.cut

    def _remember(self, events: Collection[Event]) -> None:
        self._handed |= {it.id: None for it in events}
        self._top = max(self._top, *(it.id for it in events)) if events else self._top
        if len(self._handed) > 4 * AT_ONCE:
            oldest = self._top - REMEMBERED_S * A_SECOND
            self._handed = {it: None for it in self._handed if it > oldest}
