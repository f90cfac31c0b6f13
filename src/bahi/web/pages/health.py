"""Health: how each part of the house is, how it was, how large its stores are, and where."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.measuring import sizes_of
from bahi.config import place
from bahi.health.model import Report, overall
from bahi.health.service import history, lately, look_around
from bahi.kernel.words import Health
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.room import Room, is_part, older
from bahi.web.sheets import csv_of

HERE: Final = "/health"
PAGE: Final = 50
CSV_AT_MOST: Final = 500
COLUMNS: Final = (
    "id", "component", "status", "checked_at", "response_time_ms", "error_count", "details",
)  # fmt: skip
NEW_FOR: Final = timedelta(seconds=5)
"""So long one round of questions answers everybody who asks."""
SIZES: Final = ("store", "table", "rows", "size")


class Part(NamedTuple):
    """How one part was when it was asked last."""

    name: str
    status: Health
    words: str
    age: timedelta
    took_ms: int | None
    vital: bool = True


class Measured(NamedTuple):
    """A table of a store; without a name all of it."""

    store: str
    table: str
    rows: int | None
    size: int | None


def health_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of health."""
    pages = HealthPages(house, frame)
    router = pages.router
    router.get(HERE)(pages.parts)
    router.get(f"{HERE}/now")(pages.now)
    router.get(f"{HERE}/stores")(pages.stores)
    router.get(f"{HERE}/stores.csv")(pages.stores_as_csv)
    router.get(f"{HERE}/history")(pages.history)
    router.get(f"{HERE}/history.csv")(pages.history_as_csv)
    return router


class HealthPages(Room):
    """How the house is."""

    def __init__(self, house: House, frame: Frame) -> None:
        super().__init__(house, frame)
        self._going: asyncio.Task[Report] | None = None
        self._last: tuple[datetime, Report] | None = None

    async def parts(self, request: Request) -> Response:
        """Show how each part was when it was asked last; the page then asks anew by itself."""
        seat = await self.sit(request)
        kept, now = await lately(self.house.stores["main"]), self.house.clock()
        parts = [
            Part(
                it.component, it.status, it.details or "", now - it.checked_at, it.response_time_ms
            )
            for it in kept
        ]
        shown = _told(parts, now)
        shown["places"] = _places_of(self.house) if seat.person.is_admin else None
        return await self.show(request, seat, "health/page.html", here=HERE, **shown)

    async def now(self, request: Request) -> Response:
        """Ask every part how it is, and show it; of many who ask at once all get one answer."""
        seat = await self.sit(request)
        asked_at, report = await self._look()
        age = max(self.house.clock() - asked_at, timedelta())
        parts = [
            Part(
                it.component,
                it.status,
                it.details,
                age,
                it.response_time_ms,
                it.vital,
            )
            for it in report.parts
        ]
        shown = _told(parts, self.house.clock()) | {"house_is": report.status}
        if is_part(request):
            return self.part(seat, "health/parts.html", **shown)
        shown["places"] = _places_of(self.house) if seat.person.is_admin else None
        return await self.show(request, seat, "health/page.html", here=HERE, **shown)

    async def stores(self, request: Request) -> Response:
        """Show how large the stores are, table by table where that is asked."""
        seat = await self.sit(request)
        by_table = fields.ticked(request.query_params, "tables")
        found = await sizes_of(self.house, seat.person, by_table=by_table)
        shown: dict[str, Any] = {"stores": found, "by_table": by_table}
        if is_part(request):
            return self.part(seat, "health/stores.html", **shown)
        return await self.show(request, seat, "health/sizes.html", here=HERE, **shown)

    async def stores_as_csv(self, request: Request) -> Response:
        """Count every row of every table, and hand the sizes out."""
        seat = await self.sit(request)
        found = await sizes_of(self.house, seat.person, by_table=True)
        rows = [
            row
            for it in found
            for row in (
                Measured(it.store, "", None, it.size),
                *(Measured(it.store, each.table, each.rows, each.size) for each in it.tables),
            )
        ]
        return csv_of("stores", SIZES, rows)

    async def history(self, request: Request) -> Response:
        """Show how the parts were, the newest look first."""
        seat = await self.sit(request)
        asked = request.query_params
        part = fields.text(asked, "part", at_most=100)
        behind = fields.text(asked, "behind")
        found = await history(
            self.house.stores["main"],
            seat.person,
            limit=PAGE + 1,
            before=fields.identity(behind, "behind") if behind else None,
            component=part or None,
        )
        more = str(found[PAGE - 1].id) if len(found) > PAGE else None
        shown: dict[str, Any] = {"looks": found[:PAGE], "more": older(request, seat, more)}
        if is_part(request):
            return self.part(seat, "health/look_rows.html", **shown)
        return await self.show(
            request, seat, "health/history.html", here=HERE, of_part=part, **shown
        )

    async def history_as_csv(self, request: Request) -> Response:
        """Hand the newest looks out."""
        seat = await self.sit(request)
        part = fields.text(request.query_params, "part", at_most=100) or None
        main = self.house.stores["main"]
        return csv_of(
            "health",
            COLUMNS,
            await history(main, seat.person, limit=CSV_AT_MOST, component=part),
        )

    async def _look(self) -> tuple[datetime, Report]:
        """Return the last round where it is new enough; of who asks for one all get the same."""
        now = self.house.clock()
        if self._last is not None and now - self._last[0] < NEW_FOR:
            return self._last
        if self._going is None:
            self._going = asyncio.create_task(look_around(self.house.checks), name="health page")
        going = self._going
        report = await asyncio.shield(going)
        if self._going is going:
            self._going, self._last = None, (self.house.clock(), report)
        return self.house.clock(), report


def _told(parts: Sequence[Part], now: datetime) -> dict[str, Any]:
    """Return what a page shows of parts: what is worst first."""
    order = [Health.UNHEALTHY, Health.DEGRADED, Health.HEALTHY]
    ranked = sorted(parts, key=lambda it: (order.index(it.status), it.name))
    status = overall((it.status, it.vital) for it in parts) if parts else None
    return {"parts": ranked, "house_is": status, "now": now}


def _places_of(house: House) -> dict[str, Any]:
    """Say where the data lies: to admins, once they signed in."""
    return {
        "home": str(house.settings.home),
        "keys_in_a_file": house.settings.keys is None,
        "stores": {store: place(url) for store, url in house.settings.urls.items()},
    }
