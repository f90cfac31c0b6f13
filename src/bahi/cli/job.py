"""`bahi job`: what is to be done, what is being done, and what the schedule asks for when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bahi.cli.terminal import AsJson, in_house, show_json, show_table
from bahi.kernel.actor import the_house
from bahi.kernel.clock import ist_text
from bahi.kernel.words import JobStatus, parse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bahi.bootstrap import House
    from bahi.jobs.model import Entry, Job

app = typer.Typer(help="Jobs: what is to be done, and what was.", no_args_is_help=True)
schedule = typer.Typer(help="The schedule: what comes round when.", no_args_is_help=True)
app.add_typer(schedule, name="schedule")

ME = the_house("terminal")

JobId = Annotated[str, typer.Argument(help="The job, as `bahi job list` names it.")]
Name = Annotated[str, typer.Argument(help="The entry, as `bahi job schedule list` names it.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=100, help="At most so many.")]
Before = Annotated[
    str | None,
    typer.Option(
        metavar="JOB", help="Only what is listed after this job: the last of the list before."
    ),
]


@app.command("list")
def list_(
    *,
    status: Annotated[
        str | None, typer.Option(help="Only pending, running, completed or failed ones.")
    ] = None,
    job_type: Annotated[str | None, typer.Option("--type", help="Only of this type.")] = None,
    limit: Limit = 10,
    before: Before = None,
    as_json: AsJson = False,
) -> None:
    """Show jobs, the newest first."""
    from bahi.jobs import service  # noqa: PLC0415 - `bahi --help` needs no database

    wished = None if status is None else parse(JobStatus, status, field="status")

    async def look(house: House) -> list[Job]:
        stores = house.stores
        last = None if before is None else (await service.seen_job(stores, ME, before)).id
        if wished is None:
            return await service.recent_jobs(stores, ME, limit, job_type=job_type, before=last)
        return await service.jobs_by_status(
            stores, ME, wished, limit, job_type=job_type, before=last
        )

    _show_jobs(in_house(look), as_json=as_json)


@app.command()
def running(*, as_json: AsJson = False) -> None:
    """Show what is being done."""
    from bahi.jobs import service  # noqa: PLC0415

    async def look(house: House) -> list[Job]:
        return await service.running_jobs(house.stores, ME)

    _show_jobs(in_house(look), as_json=as_json)


@app.command()
def show(job_id: JobId, *, as_json: AsJson = False) -> None:
    """Show everything about one job."""
    from bahi.jobs import service  # noqa: PLC0415

    async def look(house: House) -> Job:
        return await service.seen_job(house.stores, ME, job_id)

    told = _told(in_house(look))
    if as_json:
        show_json(told)
    else:
        show_table(("what", ""), [(name, value) for name, value in told.items() if value != ""])


@app.command()
def retry(job_id: JobId, *, as_json: AsJson = False) -> None:
    """Begin a failed job anew."""
    from bahi.jobs import service  # noqa: PLC0415

    async def ask(house: House) -> Job:
        return await service.run_again(house.stores, ME, job_id, house.clock())

    told = _told(in_house(ask))
    if as_json:
        show_json(told)
    else:
        typer.echo(f"Job {job_id} is pending again.")


@app.command()
def cleanup(
    *,
    days: Annotated[int, typer.Option(min=0, help="Keep what ended since so many days.")] = 7,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove jobs that ended some time ago."""
    from bahi.jobs import service  # noqa: PLC0415

    async def clean(house: House) -> int:
        return await service.clean_up(house.stores, ME, house.clock(), days, dry_run=dry_run)

    removed = in_house(clean)
    if as_json:
        show_json({"removed": 0 if dry_run else removed, "found": removed, "dry_run": dry_run})
    else:
        would = "would be removed" if dry_run else "removed"
        typer.echo(f"{removed} job{'s' * (removed != 1)} {would}.")


@schedule.command("list")
def list_schedule(*, as_json: AsJson = False) -> None:
    """Show every entry of the schedule."""
    from bahi.jobs import service  # noqa: PLC0415

    async def look(house: House) -> list[Entry]:
        return await house.stores["main"].read(service.list_schedules, fresh=True)

    _show_entries(in_house(look), as_json=as_json)


@schedule.command()
def pause(name: Name, *, as_json: AsJson = False) -> None:
    """Let an entry not come round until it is resumed."""
    from bahi.jobs import service  # noqa: PLC0415

    async def change(house: House) -> Entry:
        return await house.stores["main"].write(service.pause, ME, name, house.clock())

    _show_entries([in_house(change)], as_json=as_json)


@schedule.command()
def resume(name: Name, *, as_json: AsJson = False) -> None:
    """Let an entry come round again."""
    from bahi.jobs import service  # noqa: PLC0415

    async def change(house: House) -> Entry:
        return await house.stores["main"].write(service.resume, ME, name, house.clock())

    _show_entries([in_house(change)], as_json=as_json)


@schedule.command()
def change(
    name: Name,
    cron: Annotated[str, typer.Argument(help="When, as `30 8 * * mon-fri`; several parted by ;.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Let an entry come round at other times."""
    from bahi.jobs import service  # noqa: PLC0415

    async def move(house: House) -> Entry:
        main = house.stores["main"]
        return await main.write(service.change_cron, ME, name, cron, house.clock())

    _show_entries([in_house(move)], as_json=as_json)


@schedule.command()
def run(name: Name, *, as_json: AsJson = False) -> None:
    """Ask for an entry's job now; a worker takes it."""
    from bahi.jobs import service  # noqa: PLC0415

    async def ask(house: House) -> Job:
        return await house.stores["main"].write(service.run_now, ME, name, house.clock())

    job = in_house(ask)
    if as_json:
        show_json(_told(job))
    else:
        typer.echo(f"Job {job.job_id} is asked for; `bahi job show {job.job_id}` tells how it is.")


@schedule.command("next")
def next_(
    name: Annotated[str | None, typer.Argument(help="One entry; without it, all.")] = None,
    *,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Show what comes round next, and when."""
    from bahi.jobs import service  # noqa: PLC0415

    async def look(house: House) -> list[tuple[datetime, Entry]]:
        main, now = house.stores["main"], house.clock()
        return await main.read(service.upcoming, now, limit, name, fresh=True)

    found = [(ist_text(at), entry.name, entry.schedule.title) for at, entry in in_house(look)]
    headings = ("at", "name", "title")
    if as_json:
        show_json([dict(zip(headings, row, strict=True)) for row in found])
    else:
        show_table(("at (IST)", "name", "title"), found)


@schedule.command()
def history(
    name: Annotated[str | None, typer.Argument(help="One entry; without it, all.")] = None,
    *,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Show what the schedule did, and how it ended."""
    from bahi.jobs import service  # noqa: PLC0415

    async def look(house: House) -> list[Any]:
        return await house.stores["main"].read(service.list_runs, name, limit, fresh=True)

    found = [
        {
            "at": ist_text(run.executed_at),
            "name": run.name,
            "platform": run.platform,
            "success": run.success,
            "message": run.error or run.message or "",
            "duration_ms": run.duration_ms,
            "retry_count": run.retry_count,
        }
        for run in in_house(look)
    ]
    if as_json:
        show_json(found)
    else:
        headings = ("at (IST)", "name", "platform", "worked", "what came of it", "ms", "retries")
        show_table(headings, [tuple(it.values()) for it in found])


def _show_jobs(jobs: Sequence[Job], *, as_json: bool) -> None:
    if as_json:
        show_json([_told(job) for job in jobs])
        return
    rows = [
        (
            job.job_id,
            job.job_type,
            job.status,
            f"{job.progress_percent} %",
            job.error_details or job.message or "",
            ist_text(job.created_at),
        )
        for job in jobs
    ]
    show_table(("job", "type", "status", "done", "message", "asked for (IST)"), rows)


def _show_entries(entries: Sequence[Entry], *, as_json: bool) -> None:
    told = [
        {
            "name": entry.name,
            "title": entry.schedule.title,
            "cron": entry.schedule.cron,
            "active": entry.is_active,
            "next": _when(entry.next_run_at),
            "last": _when(entry.last_run_at),
        }
        for entry in entries
    ]
    if as_json:
        show_json(told)
        return
    headings = ("name", "title", "when", "active", "next (IST)", "last (IST)")
    show_table(headings, [tuple(it.values()) for it in told])


def _told(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.job_id,
        "job_type": job.job_type,
        "status": str(job.status),
        "progress_percent": job.progress_percent,
        "message": job.message or "",
        "error": job.error_details or "",
        "payload": dict(job.payload),
        "result": "" if job.result is None else dict(job.result),
        "attempts": job.attempts,
        "priority": job.priority,
        "worker": job.lease_owner or "",
        "created_by": job.created_by or "",
        "run_at": _when(job.run_at),
        "created_at": _when(job.created_at),
        "started_at": _when(job.started_at),
        "completed_at": _when(job.completed_at),
    }


def _when(instant: datetime | None) -> str:
    return "" if instant is None else ist_text(instant)
