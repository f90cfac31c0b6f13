"""The curves of the day: once a minute, what each account has made by now is kept to be drawn."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Final

from bahi.bootstrap.looking import worth_now
from bahi.bootstrap.rooms import Rooms
from bahi.db.stores import Store
from bahi.kernel.clock import exchange_day
from bahi.kernel.errors import BahiError
from bahi.portfolio.model.curve import Point, point_of
from bahi.portfolio.service.curve import Standing, draw, standings_of

MINUTE: Final = timedelta(minutes=1)

Figures = tuple[object, ...]
"""What of an account only trades and dues change."""

log = logging.getLogger("bahi.trading")


class Curves:
    """Draws the day of the accounts of one store, a point a minute."""

    def __init__(self, house: Rooms, store: Store) -> None:
        self._house, self._store = house, store
        self._drawn: datetime | None = None
        self._known: dict[int, Figures] = {}

    async def round(self) -> int:
        """Draw a point of each account that is due, where a minute has begun; return how many."""
        now = self._house.clock()
        minute = now.replace(second=0, microsecond=0)
        if minute == self._drawn:
            return 0
        try:
            points = [it async for it in self._due(now)]
            drawn = await draw(self._store, points)
        except BahiError as fault:  # an account that was erased meanwhile: the next minute has all
            log.warning("the curves of %s could not be drawn: %s", minute, fault)
            drawn = 0
        self._drawn = minute
        return drawn

    async def _due(self, now: datetime) -> AsyncIterator[tuple[int, Point]]:
        day, after, known = exchange_day(now), 0, dict[int, Figures]()
        await self._house.floor.renew()
        while True:
            found = await self._store.read(standings_of, after, day, fresh=True)
            for it in found.some:
                worths = [worth_now(self._house, position) for position in it.positions]
                point = point_of(worths, it.charges, now, day)
                known[it.account_id] = figures = _figures(it, point)
                has_changed = self._known.get(it.account_id) != figures
                if self._is_trading(it) or (has_changed and _has_dealt(it, day)):
                    yield it.account_id, point
            if found.after is None:
                break
            after = found.after
        self._known = known

    def _is_trading(self, it: Standing) -> bool:
        """Say whether a market is open of anything that it has open or dealt in."""
        market = self._house.floor.market
        listed = (market.instrument(at.key.segment, at.key.symbol) for at in it.positions)
        return any(each is not None and market.is_open(each) for each in listed)


def _has_dealt(it: Standing, day: date) -> bool:
    return bool(it.charges) or any(at.day == day for at in it.positions)


def _figures(it: Standing, point: Point) -> Figures:
    held = tuple((at.key, at.net, at.open_cost) for at in it.positions)
    return (point.realized, point.charges, held)
