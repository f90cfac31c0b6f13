"""One who listens to events: live from a bounded queue, else from the tables until caught up.

Who reads slowly loses nothing and holds nobody up: what does not fit into the queue is read from
the tables again. So a listener is told of each event at least once, and of one again only where it
came from another process shortly before.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import Final

from bahi.api.live.events import Event, Topic
from bahi.api.live.reading import Look
from bahi.api.live.seeing import Sight
from bahi.kernel.ids import NODES

WAITING_AT_MOST: Final = 1_000
BACK_S: Final = 10
REMEMBERED_AT_MOST: Final = 20_000
A_SECOND: Final = 1_000 * NODES << 12

Page = Callable[[int, Collection[int]], Awaitable[Look]]
"""Reads events above an id from the tables (`Happenings.page`)."""


class Ended(Exception):
    """Nothing more is told here."""


class Listener:
    """One listener; `next` is for one task alone."""

    def __init__(self, sight: Sight, topics: frozenset[Topic], page: Page) -> None:
        self.sight, self._topics, self._page = sight, topics, page
        self._waiting: deque[Event] = deque()
        self._old: deque[Event] = deque()
        self._behind: int | None = None
        self._handed: dict[int, None] = {}
        self._top = 0
        self._has_news, self._is_closed = asyncio.Event(), False
        self.caught_up = 0
        """How often it had to be read from the tables because the queue was full."""

    def begin_behind(self, event_id: int, known: Iterable[int]) -> None:
        """Tell first what happened behind an event; `known` was told already."""
        self._handed = dict.fromkeys(known)
        self._handed[event_id] = None
        self._behind = event_id - BACK_S * A_SECOND
        self._has_news.set()

    def begin_at(self, first_id: int) -> None:
        """Tell first what has this id or a larger one: all from a moment on."""
        self._behind = first_id - 1
        self._has_news.set()

    async def hear(self, events: Collection[Event]) -> None:
        """Take in what the actor may see; what does not fit is read from the tables later."""
        wanted = [it for it in events if it.topic in self._topics]
        if not wanted or self._is_closed:
            return
        seen = await self.sight.of(wanted)
        if len(self._waiting) + len(seen) > WAITING_AT_MOST:
            oldest = min(it.id for it in (*self._waiting, *seen)) - BACK_S * A_SECOND
            self._waiting.clear()
            self._behind = oldest if self._behind is None else min(oldest, self._behind)
            self.caught_up += 1
        else:
            self._waiting.extend(seen)
        if seen:
            self._has_news.set()

    async def next(self) -> Event:
        """Wait for the next event and return it; raise Ended when it was closed."""
        while True:
            if self._is_closed:
                raise Ended
            if (event := self._at_hand()) is not None:
                return event
            if self._behind is not None:
                await self._catch_up(self._behind)
                continue
            self._has_news.clear()
            await self._has_news.wait()

    def take(self) -> Event | None:
        """Return the next event if it waits, else None."""
        return None if self._is_closed else self._at_hand()

    def _at_hand(self) -> Event | None:
        while self._old or (self._waiting and self._behind is None):
            event = (self._old or self._waiting).popleft()
            if event.id not in self._handed:
                return self._told(event)
        return None

    def close(self) -> None:
        """End it; whoever waits is told."""
        self._is_closed = True
        self._has_news.set()

    async def _catch_up(self, above: int) -> None:
        """Read one page from the tables; what is heard meanwhile waits until that is told."""
        found = await self._page(above, self._handed)
        seen = await self.sight.of(it for it in found.events if it.topic in self._topics)
        self._old.extend(seen)
        if self._behind == above:  # nothing overflowed meanwhile
            self._behind = found.cut

    def _told(self, event: Event) -> Event:
        self._handed[event.id] = None
        self._top = max(self._top, event.id)
        if len(self._handed) > REMEMBERED_AT_MOST:
            oldest = self._top - 3 * BACK_S * A_SECOND
            self._handed = {it: None for it in self._handed if it > oldest}
        return event
