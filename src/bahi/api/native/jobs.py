"""Jobs (source 002): how one is, which are running, which were lately."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from bahi.api.forms import (
    After,
    Form,
    Id,
    Instant,
    Limit,
    Page,
    PathName,
    Shown,
    page_of,
    place,
)
from bahi.api.routes import Authenticated, ForAdmins, Who, joined
from bahi.bootstrap import House
from bahi.jobs import service
from bahi.kernel.words import JobStatus

Days = Annotated[int, Field(ge=0, le=36_500, description="Jobs that ended so many days ago.")]
DryRun = Annotated[bool, Field(description="Only count them.")]
JobType = Annotated[str | None, Query(max_length=60, pattern=r"^[a-z_.]+$")]


class JobShown(Shown):
    """A job: what it is, how far it is, what came of it."""

    job_id: str
    job_type: str
    status: JobStatus
    progress_percent: int
    message: str | None
    result: dict[str, Any] | None
    error_details: str | None
    priority: int
    attempts: int
    created_by: str | None
    user_id: Id | None
    run_at: Instant
    created_at: Instant
    started_at: Instant | None
    updated_at: Instant
    completed_at: Instant | None


class CleanUp(Form):
    """Which jobs to remove."""

    days: Days = 7
    dry_run: DryRun = False


class CleanedUp(BaseModel):
    """How many jobs were removed, or would be."""

    removed: int
    dry_run: bool


def job_routes(house: House, prefix: str = "/jobs") -> APIRouter:
    """Make the doors of jobs: where source 002 has them, or beside our own."""
    router = APIRouter(prefix=prefix, tags=["jobs"], route_class=Authenticated)
    admins = APIRouter(prefix=prefix, tags=["jobs"], route_class=ForAdmins)
    stores = house.stores

    @router.get("/status/{job_id}")
    async def job_status(actor: Who, job_id: PathName) -> JobShown:
        """Say how one job is."""
        return JobShown.model_validate(await service.seen_job(stores, actor, job_id))

    @router.get("/recent")
    async def recent_jobs(
        actor: Who, limit: Limit = 10, after: After = None, job_type: JobType = None
    ) -> Page[JobShown]:
        """List the jobs, the newest first."""
        rows = await service.recent_jobs(
            stores, actor, limit + 1, job_type=job_type, before=_before(after)
        )
        return page_of(rows, JobShown, limit, lambda job: job.id)

    @router.get("/running")
    async def running_jobs(actor: Who, limit: Limit = 100, after: After = None) -> Page[JobShown]:
        """List what is being done now, the newest first."""
        rows = await service.running_jobs(stores, actor, limit + 1, before=_before(after))
        return page_of(rows, JobShown, limit, lambda job: job.id)

    @admins.post("/cleanup")
    async def clean_up(actor: Who, wish: CleanUp | None = None) -> CleanedUp:
        """Remove jobs that ended long ago."""
        wish = wish or CleanUp()
        removed = await service.clean_up(
            stores, actor, house.clock(), wish.days, dry_run=wish.dry_run
        )
        return CleanedUp(removed=removed, dry_run=wish.dry_run)

    return joined(router, admins)


def _before(after: str | None) -> int | None:
    """Return the id that the page before ended at."""
    ended = place(after)
    return ended[0] if ended else None
