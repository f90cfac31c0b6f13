"""The schedule: whoever moves an entry to its next time asks for its job, in one transaction.

The move is an UPDATE that holds only while the entry stands where it was read, so of any number of
processes that keep the schedule exactly one asks, and none has to lead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from heapq import nsmallest
from typing import Final

from bahi.audit.service import note
from bahi.db.tx import Tx
from bahi.jobs.model import Cron, Entry, Job, Run, Schedule, scheduled_by
from bahi.jobs.repository import job as job_rows
from bahi.jobs.repository import schedule as rows
from bahi.jobs.service.bell import ring
from bahi.jobs.service.queue import ask_for
from bahi.jobs.service.records import bounded
from bahi.kernel.actor import Actor, require_admin
from bahi.kernel.errors import NotFound

NEXT_RUNS: Final = 20
STILL_AT_WORK: Final = "its run before is still to be done."


def sync_schedules(tx: Tx, declared: Sequence[Schedule], now: datetime) -> None:
    """Bring the entries in line with what is declared.

    A pause stays, and so does a cron text that an operator set, until the declared one changes.
    """
    for schedule in declared:
        fresh = Entry(schedule=schedule, next_run_at=Cron(schedule.cron).next_after(now))
        if rows.add_if_missing(tx, fresh, now):
            continue
        known = rows.find(tx, schedule.name, to_change=True)
        if known is not None and (brought := _brought_in_line(known, schedule, now)) != known:
            rows.save(tx, brought, now)
    rows.forget_others(tx, [schedule.name for schedule in declared], now)


def _brought_in_line(known: Entry, declared: Schedule, now: datetime) -> Entry:
    same_time = known.declared_cron == declared.cron
    cron = known.schedule.cron if same_time else declared.cron
    upcoming = known.next_run_at if same_time else None
    return replace(
        known,
        schedule=replace(declared, cron=cron),
        declared_cron=declared.cron,
        next_run_at=upcoming or Cron(cron).next_after(now),
    )


def next_tick_at(tx: Tx) -> datetime | None:
    """Return when the next entry comes round."""
    return rows.next_at(tx)


def tick(tx: Tx, now: datetime) -> list[Job]:
    """Ask for the jobs whose time has come, and move their entries on."""
    asked = []
    for entry in rows.due(tx, now):
        due = entry.due(now)
        if due is None or not rows.move_on(tx, entry, due.at, due.next_run_at, now):
            continue
        if due.too_late:
            why = f"that was noticed more than {entry.schedule.grace_s} s later."
            rows.add_run(tx, Run.passed_over(entry, due.at, now, why))
        elif _is_at_work(tx, entry):
            rows.add_run(tx, Run.passed_over(entry, due.at, now, STILL_AT_WORK))
        else:
            asked.append(_ask(tx, entry, now))
    return asked


def _is_at_work(tx: Tx, entry: Entry) -> bool:
    return job_rows.has_unended(tx, entry.schedule.job_type, scheduled_by(entry.name))


def _ask(tx: Tx, entry: Entry, now: datetime, user_id: int | None = None) -> Job:
    it, by = entry.schedule, scheduled_by(entry.name)
    return ask_for(tx, by, it.job_type, it.payload, now, user_id=user_id)


def run_now(tx: Tx, actor: Actor, name: str, now: datetime) -> Job:
    """Ask for an entry's job at once; its times stay as they are."""
    require_admin(actor)
    entry = _entry(tx, name)
    job = _ask(tx, entry, now, actor.user_id)
    note(tx, actor, "schedule.run", ("schedule", name), now, new={"job_id": job.job_id})
    return job


def pause(tx: Tx, actor: Actor, name: str, now: datetime) -> Entry:
    """Let an entry not come round until it is resumed."""
    return _set_active(tx, actor, name, now, active=False)


def resume(tx: Tx, actor: Actor, name: str, now: datetime) -> Entry:
    """Let an entry come round again, from now on: what it missed it missed."""
    return _set_active(tx, actor, name, now, active=True)


def _set_active(tx: Tx, actor: Actor, name: str, now: datetime, *, active: bool) -> Entry:
    require_admin(actor)
    entry = _entry(tx, name)
    if entry.is_active is active:
        return entry
    upcoming = entry.cron.next_after(now) if active else entry.next_run_at
    action = "schedule.resume" if active else "schedule.pause"
    changed = replace(entry, is_active=active, next_run_at=upcoming)
    return _changed(tx, actor, action, (entry, changed), now)


def change_cron(tx: Tx, actor: Actor, name: str, cron: str, now: datetime) -> Entry:
    """Let an entry come round at other times."""
    require_admin(actor)
    entry = _entry(tx, name)
    moved = replace(
        entry,
        schedule=replace(entry.schedule, cron=cron),
        next_run_at=Cron(cron).next_after(now),
    )
    return _changed(tx, actor, "schedule.change", (entry, moved), now)


def _changed(
    tx: Tx, actor: Actor, action: str, change: tuple[Entry, Entry], now: datetime
) -> Entry:
    before, after = change
    rows.save(tx, after, now)
    about = ("schedule", before.name)
    note(tx, actor, action, about, now, old=_told(before), new=_told(after))
    tx.after_commit(ring)
    return after


def _told(entry: Entry) -> dict[str, object]:
    return {"active": entry.is_active, "cron": entry.schedule.cron}


def list_schedules(tx: Tx) -> list[Entry]:
    """Return all entries, by name."""
    return rows.every(tx)


def list_runs(tx: Tx, name: str | None = None, limit: int = NEXT_RUNS) -> list[Run]:
    """Return the newest lines of the history."""
    return rows.runs(tx, name, bounded(limit))


def upcoming(
    tx: Tx, now: datetime, most: int = NEXT_RUNS, name: str | None = None
) -> list[tuple[datetime, Entry]]:
    """Return the next times of all active entries, or of one; the soonest first."""
    entries = [_entry(tx, name, to_change=False)] if name else rows.every(tx)
    times = [
        (at, entry)
        for entry in entries
        if entry.is_active and entry.next_run_at is not None
        for at in entry.cron.upcoming(now, bounded(most))
    ]
    return nsmallest(most, times, key=lambda time: (time[0], time[1].name))


def _entry(tx: Tx, name: str, *, to_change: bool = True) -> Entry:
    if entry := rows.find(tx, name, to_change=to_change):
        return entry
    raise NotFound(f"There is no schedule {name[:60]!r}; `bahi job schedule list` names them all.")
