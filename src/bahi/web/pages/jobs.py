"""Jobs: what is being done, what was, what failed and why, and what comes round by itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from bahi.bootstrap import House
from bahi.jobs import service
from bahi.jobs.model import HOUSE_PLATFORM, Entry, Job, Run, spoken
from bahi.kernel.errors import NotFound
from bahi.kernel.words import JobStatus
from bahi.web import fields
from bahi.web.frame import Frame
from bahi.web.room import Room, is_part, older
from bahi.web.seat import Seat, done
from bahi.web.sheets import csv_of

HERE: Final = "/jobs"
PAGE: Final = 50
CSV_AT_MOST: Final = 500
EVERY: Final = "every"
SHOWN: Final = {
    "": "asked by people, or failed",
    EVERY: "every one",
    **{str(it): str(it) for it in JobStatus},
}
"""What may be chosen; at first, what came round by itself and went well is left out."""
RUNS: Final = 100
SOON: Final = timedelta(seconds=30)
COLUMNS: Final = (
    "id", "job_id", "job_type", "status", "progress_percent", "message", "attempts", "created_by",
    "created_at", "started_at", "completed_at", "error_details",
)  # fmt: skip
SCHEDULE_COLUMNS: Final = (
    "entry.name", "entry.schedule.title", "when", "entry.schedule.cron", "entry.is_active",
    "entry.last_run_at", "entry.next_run_at", "how", "why",
)  # fmt: skip


ABOUT: Final = {"trading": "Takes in prices, fills and cancellations for as long as Bahi runs."}
"""What a job does that tells no progress, since it has no end."""
EACH_DAY: Final = frozenset(
    {
        "token_alert", "masters", "calendar_check", "day_end", "deliveries", "reconcile",
        "reconcile_close",
    }
)  # fmt: skip
"""What a trader's day hangs on, beside the logins; the rest keeps the house."""


class Going(NamedTuple):
    """A job that is being done, and how long it may still take."""

    job: Job
    since: timedelta
    left: timedelta | None

    @property
    def says(self) -> str:
        """What it says of itself, or what is known of it."""
        return self.job.message or ABOUT.get(self.job.job_type, "")


class Round(NamedTuple):
    """What comes round, and how it went last."""

    entry: Entry
    run: Run | None

    @property
    def when(self) -> str:
        """When it comes round, in words."""
        return spoken(self.entry.schedule.cron)

    @property
    def needs_a_look(self) -> bool:
        """Whether somebody stopped it, or it failed."""
        return not self.entry.is_active or bool(self.why)

    @property
    def how(self) -> str:
        """How it went last, in a word."""
        if self.run is None:
            return "not yet"
        return "well" if self.run.success else (self.run.message or "failed")

    @property
    def why(self) -> str:
        """Why it did not go well."""
        return "" if self.run is None or self.run.success else self.run.error or ""


def job_routes(house: House, frame: Frame) -> APIRouter:
    """Make the page of jobs."""
    pages = Jobs(house, frame)
    router = pages.router
    router.get(HERE)(pages.every)
    router.get(f"{HERE}.csv")(pages.as_csv)
    router.get(f"{HERE}/going")(pages.going)
    router.get(f"{HERE}/schedules")(pages.schedules)
    router.get(f"{HERE}/schedules.csv")(pages.schedules_as_csv)
    router.post(HERE + "/schedules/{name}/{what}")(pages.change_schedule)
    router.post(HERE + "/again/{job_id}")(pages.run_again)
    return router


class Rounds(NamedTuple):
    """What comes round: what a day hangs on, and what only keeps the house."""

    daily: list[Round]
    others: list[Round]


class Jobs(Room):
    """Work."""

    async def every(self, request: Request) -> Response:
        """Show what is being done, what was asked for, and what comes round."""
        seat = await self.sit(request)
        found, behind = await self._page(seat, request, PAGE)
        shown: dict[str, Any] = {"jobs": found, "more": older(request, seat, behind)}
        shown["again"] = _again(request) if self._is_soon_over(found) else None
        if is_part(request):
            return self.part(seat, "jobs/rows.html", **shown)
        shown |= {
            "chosen": {it: request.query_params.get(it, "") for it in ("status", "type")},
            "statuses": SHOWN,
            "going": await self._going(seat),
            "rounds": _parted(await self._rounds(), seat),
        }
        return await self.show(request, seat, "jobs/page.html", here=HERE, **shown)

    async def as_csv(self, request: Request) -> Response:
        """Hand the same jobs out."""
        seat = await self.sit(request)
        found, _ = await self._page(seat, request, CSV_AT_MOST)
        return csv_of("jobs", COLUMNS, found)

    async def going(self, request: Request) -> Response:
        """Show how far what is being done is."""
        seat = await self.sit(request)
        return self.part(seat, "jobs/going.html", going=await self._going(seat))

    async def schedules(self, request: Request) -> Response:
        """Show what comes round, and when."""
        seat = await self.sit(request)
        rounds = _parted(await self._rounds(), seat)
        return self.part(seat, "jobs/schedules.html", rounds=rounds)

    async def schedules_as_csv(self, request: Request) -> Response:
        """Hand the schedule out."""
        await self.sit(request)
        return csv_of("schedules", SCHEDULE_COLUMNS, await self._rounds())

    async def run_again(self, request: Request, job_id: str) -> Response:
        """Begin a failed job anew."""
        seat, _ = await self.sit_with_form(request)
        now = self.house.clock()
        job = await service.run_again(self.house.stores, seat.person, job_id, now)
        return done(seat, HERE, f"{job.job_type} is asked for again; how far it is stands below.")

    async def change_schedule(self, request: Request, name: str, what: str) -> Response:
        """Run what comes round at once, let it pause, or let it come round again."""
        seat, _ = await self.sit_with_form(request)
        main, now = self.house.stores["main"], self.house.clock()
        if what == "run":
            await main.write(service.run_now, seat.person, name, now)
            return done(seat, HERE, f"{name} is asked for now; its times stay as they are.")
        if what not in {"pause", "resume"}:
            raise NotFound("A schedule is run, paused or resumed, and nothing else.")
        act = service.pause if what == "pause" else service.resume
        entry = await main.write(act, seat.person, name, now)
        state = "comes round again" if entry.is_active else "does not come round until resumed"
        return done(seat, HERE, f"{name} {state}.")

    def _is_soon_over(self, jobs: list[Job]) -> bool:
        """Say whether something is just being begun: an event may come before a page listens."""
        now = self.house.clock()
        soon = now - SOON
        return any(
            soon <= it.run_at <= now
            if it.status is JobStatus.PENDING
            else it.status is JobStatus.RUNNING and (it.started_at or soon) > soon
            for it in jobs
        )

    async def _page(
        self, seat: Seat, request: Request, at_most: int
    ) -> tuple[list[Job], str | None]:
        asked, person, stores = request.query_params, seat.person, self.house.stores
        chosen = asked.get("status", "")
        status = None if chosen == EVERY else fields.maybe_one_of(asked, "status", JobStatus)
        kind = fields.text(asked, "type", at_most=60) or None
        said = asked.get("behind", "")
        before = fields.identity(said, "behind") if said else None
        many = min(at_most + 1, CSV_AT_MOST)
        if status is None:
            routine = chosen == EVERY or kind is not None
            found = await service.recent_jobs(
                stores, person, many, job_type=kind, before=before, routine=routine
            )
        else:
            found = await service.jobs_by_status(
                stores, person, status, many, job_type=kind, before=before
            )
        behind = str(found[at_most - 1].id) if len(found) > at_most else None
        return found[:at_most], behind

    async def _going(self, seat: Seat) -> list[Going]:
        now = self.house.clock()
        found = await service.running_jobs(self.house.stores, seat.person)
        return [_going(it, now) for it in found]

    async def _rounds(self) -> list[Round]:
        main = self.house.stores["main"]
        entries = await main.read(service.list_schedules, fresh=True)
        runs: dict[str, Run] = {}
        for run in await main.read(service.list_runs, None, RUNS, fresh=True):
            runs.setdefault(run.name, run)
        return [Round(it, runs.get(it.name)) for it in entries]


def _parted(rounds: Sequence[Round], seat: Seat) -> Rounds:
    """Part what a trader's day hangs on from the rest; what needs a look is never folded away."""
    brokers = {str(it.broker) for it in seat.accounts}
    daily = [it for it in rounds if it.needs_a_look or _is_of_the_day(it.entry, brokers)]
    return Rounds(daily, [it for it in rounds if it not in daily])


def _is_of_the_day(entry: Entry, brokers: Collection[str]) -> bool:
    """Say whether a day hangs on it: a login does where somebody has an account."""
    platform = entry.schedule.platform
    return entry.name in EACH_DAY if platform == HOUSE_PLATFORM else platform in brokers


def _again(request: Request) -> str | None:
    """Return where the newest page is asked for again; an older one is not."""
    url = request.url
    if "behind" in request.query_params:
        return None
    return f"{url.path}?{url.query}" if url.query else url.path


def _going(job: Job, now: datetime) -> Going:
    since = max(now - (job.started_at or now), timedelta())
    done_ = job.progress_percent
    left = since * (100 - done_) / done_ if 0 < done_ < 100 else None
    return Going(job, since, left)
