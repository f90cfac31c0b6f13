"""Backups: which there are, how old the newest is, and one made now; for admins."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.bootstrap.saving import JOB, ask_for_backup, list_backups, made_at
from bahi.db.schema import STORES
from bahi.jobs.model import Job
from bahi.jobs.service import recent_jobs
from bahi.kernel.actor import Actor
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.pages.settings.tabs import Tabbed
from bahi.web.room import is_part
from bahi.web.seat import done
from bahi.web.sheets import csv_of

COLUMNS: Final = ("name", "store", "kind", "made_at", "size")
OLD_AFTER: Final = timedelta(hours=26)
"""A store is saved once a day; a newest backup that is older needs a person."""
SHOWN_JOBS: Final = 3
PAGE: Final = 60


class Copy(NamedTuple):
    """A backup of one store."""

    name: str
    store: str
    kind: str
    made_at: datetime
    size: int


class Newest(NamedTuple):
    """The newest backup of a store; None: there is none."""

    store: str
    age: timedelta | None

    @property
    def is_old(self) -> bool:
        """Whether it is time that somebody looked why there is no newer one."""
        return self.age is None or self.age > OLD_AFTER


def backup_routes(house: House, frame: Frame) -> APIRouter:
    """Make the tab of backups."""
    pages = Backups(house, frame)
    router, here = pages.router, pages.here
    router.get(here)(pages.every)
    router.get(f"{here}.csv")(pages.as_csv)
    router.post(here)(pages.make)
    return router


class Backups(Tabbed):
    """Backups."""

    tab = "backups"

    async def every(self, request: Request) -> Response:
        """List the backups, the newest first, and what is being saved."""
        seat = await self.admin(request)
        now = self.house.clock()
        jobs = await self._jobs(seat.person)  # first: what one of them has saved by now is found
        found = await self._found()
        newest = [_newest(store, found, now) for store in STORES]
        shown: dict[str, Any] = {
            "found": found[:PAGE],
            "left_out": max(0, len(found) - PAGE),
            "newest": newest,
            "jobs": jobs,
            "now": now,
        }
        if is_part(request):
            return self.part(seat, "settings/backup_list.html", **shown)
        return await self.open(request, seat, "settings/backups.html", stores=STORES, **shown)

    async def as_csv(self, request: Request) -> Response:
        """Hand the list out."""
        await self.admin(request)
        return csv_of("backups", COLUMNS, await self._found())

    async def make(self, request: Request) -> Response:
        """Have a worker save one store, or all."""
        seat, form = await self.admin_with_form(request)
        store = fields.text(form, "store", at_most=20) or None
        await ask_for_backup(self.house, seat.person, store, None)
        return done(seat, self.here, _said(store))

    async def _found(self) -> list[Copy]:
        return [
            Copy(
                name=it.file.name,
                store=it.store,
                kind=it.kind,
                made_at=made_at(it),
                size=it.file.stat().st_size if it.file.is_file() else 0,
            )
            for it in await list_backups(self.house)
        ]

    async def _jobs(self, person: Actor) -> list[Job]:
        return await recent_jobs(self.house.stores, person, SHOWN_JOBS, job_type=JOB)


def _newest(store: str, found: list[Copy], now: datetime) -> Newest:
    made = next((it.made_at for it in found if it.store == store), None)
    return Newest(store, None if made is None else max(now - made, timedelta()))


def _said(store: str | None) -> str:
    what = "Every store is" if store is None else f"The {store} store is"
    return f"{what} being saved while everybody works on; below stands how far it is."
