"""The schedule in both databases: asked for once, whoever keeps it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from bahi.db.schema import HOUSE
from bahi.db.tx import Tx
from bahi.jobs import service
from bahi.jobs.model import Retry, Schedule, Terms
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.clock import ist_text
from bahi.kernel.errors import Forbidden, Invalid, NotFound
from bahi.kernel.words import Role
from tests.cli.processes import Environment
from tests.jobs.places import MORNING, Place, opened, tell

ADMIN = the_house("test")
KITE = Schedule(
    name="kite_login",
    title="Log in at Kite",
    job_type="login",
    cron="45 5 * * mon-fri;45 8 * * mon-fri",
    payload={"broker": "kite"},
    platform="kite",
)
SWEEP = Schedule(name="sweep", title="Sweep", job_type="sweep", cron="*/5 * * * *")
TERMS = Terms("w", 30, {"login": Retry(3, (30, 60, 120)), "sweep": Retry()})


async def keep(place: Place, *declared: Schedule) -> None:
    await place.main.write(service.sync_schedules, declared, place.clock())


async def entries(place: Place) -> dict[str, tuple[str, bool, str]]:
    found = await place.main.read(service.list_schedules, fresh=True)
    return {
        it.name: (it.schedule.cron, it.is_active, it.next_run_at and ist_text(it.next_run_at))
        for it in found
    }


async def ticked(place: Place) -> list[str]:
    return [job.job_type for job in await place.main.write(service.tick, place.clock())]


async def history(place: Place) -> list[tuple[str, bool, str | None]]:
    found = await place.main.read(service.list_runs, fresh=True)
    return [(run.name, run.success, run.error or run.message) for run in found]


def audited(tx: Tx) -> list[str]:
    trail = HOUSE.metadata.tables["audit_trail"]
    return [row[0] for row in tx.rows(sa.select(trail.c.action).order_by(trail.c.id))]


def test_at_its_time_a_job_is_asked_for_with_its_payload_alone(env: Environment) -> None:
    async def story(place: Place) -> None:
        await keep(place, KITE, SWEEP)
        assert await ticked(place) == []
        place.clock.set(MORNING + timedelta(minutes=15))  # 08:45 in India
        assert sorted(await ticked(place)) == ["login", "sweep"]
        assert await ticked(place) == []
        (job,) = await place.main.read(
            lambda tx: service.get_recent_jobs(tx, job_type="login"), fresh=True
        )
        assert job.payload == {"broker": "kite"}
        assert (await entries(place))["kite_login"][2] == "2026-11-23 05:45:00"
        assert await place.main.read(service.next_tick_at, fresh=True) == MORNING + timedelta(
            minutes=20
        )

    tell(env, story)


def test_two_processes_that_tick_at_once_ask_once(env: Environment) -> None:
    async def story(place: Place) -> None:
        async with opened(env) as other:
            await asyncio.gather(keep(place, SWEEP), keep(other, SWEEP))
            for _ in range(10):
                place.clock.advance(timedelta(minutes=5))
                other.clock.set(place.clock())
                asked = await asyncio.gather(
                    *(ticked(it) for it in (place, other, place, other, place, other))
                )
                assert [job for some in asked for job in some] == ["sweep"]
                (job,) = await place.main.write(service.claim, TERMS, place.clock(), 9)
                await place.main.write(service.complete, job, None, place.clock())
        assert len(await history(place)) == 10

    tell(env, story)


def test_what_is_noticed_too_late_is_passed_over_and_written_down(env: Environment) -> None:
    async def story(place: Place) -> None:
        await keep(place, KITE)
        place.clock.set(MORNING + timedelta(minutes=15, seconds=301))
        assert await ticked(place) == []
        ((name, success, why),) = await history(place)
        assert (name, success) == ("kite_login", False)
        assert "2026-11-20 08:45:00" in (why or "")
        assert (await entries(place))["kite_login"][2] == "2026-11-23 05:45:00"

    tell(env, story)


def test_many_missed_times_are_one_run(env: Environment) -> None:
    async def story(place: Place) -> None:
        await keep(place, SWEEP)
        place.clock.advance(timedelta(days=2, seconds=7))
        assert await ticked(place) == ["sweep"]
        assert await ticked(place) == []

    tell(env, story)


def test_an_entry_whose_last_job_is_not_done_is_passed_over(env: Environment) -> None:
    async def story(place: Place) -> None:
        await keep(place, SWEEP)
        place.clock.advance(timedelta(minutes=5))
        assert await ticked(place) == ["sweep"]
        place.clock.advance(timedelta(minutes=5))
        assert await ticked(place) == []
        ((_, success, why),) = await history(place)
        assert not success
        assert "still to be done" in (why or "")

    tell(env, story)


def test_how_the_job_ended_is_in_the_history(env: Environment) -> None:
    async def story(place: Place) -> None:
        await keep(place, KITE)
        place.clock.set(MORNING + timedelta(minutes=15))
        await ticked(place)
        for _ in range(3):
            (job,) = await place.main.write(service.claim, TERMS, place.clock(), 1)
            place.clock.advance(timedelta(seconds=2))
            retry = TERMS.retries["login"]
            await place.main.write(service.fail, job, "throttled", place.clock(), retry)
            place.clock.advance(timedelta(seconds=60))
        await place.main.write(service.run_now, ADMIN, "kite_login", place.clock())
        (job,) = await place.main.write(service.claim, TERMS, place.clock(), 1)
        place.clock.advance(timedelta(milliseconds=1500))
        done = {"message": "6 of 6"}
        await place.main.write(service.complete, job, done, place.clock())
        good, bad = await place.main.read(service.list_runs, "kite_login", fresh=True)
        assert (good.success, good.message, good.duration_ms) == (True, "6 of 6", 1500)
        assert (good.platform, good.title) == ("kite", "Log in at Kite")
        assert (bad.success, bad.error, bad.retry_count) == (False, "throttled", 2)
        assert bad.duration_ms == 126_000

    tell(env, story)


def test_a_pause_outlives_a_restart_and_a_resumed_entry_has_missed_nothing(
    env: Environment,
) -> None:
    async def story(place: Place) -> None:
        await keep(place, SWEEP)
        await place.main.write(service.pause, ADMIN, "sweep", place.clock())
        await keep(place, SWEEP)
        place.clock.advance(timedelta(hours=1))
        assert await ticked(place) == []
        await place.main.write(service.resume, ADMIN, "sweep", place.clock())
        assert await ticked(place) == []
        assert await history(place) == []
        place.clock.advance(timedelta(minutes=5))
        assert await ticked(place) == ["sweep"]
        said = await place.main.read(audited, fresh=True)
        assert said == ["schedule.pause", "schedule.resume"]

    tell(env, story)


def test_an_operator_s_times_stay_until_the_declared_ones_change(env: Environment) -> None:
    async def story(place: Place) -> None:
        await keep(place, SWEEP)
        await place.main.write(
            service.change_cron, ADMIN, "sweep", "0 9 * * mon-fri", place.clock()
        )
        await keep(place, SWEEP)
        assert await entries(place) == {"sweep": ("0 9 * * mon-fri", True, "2026-11-20 09:00:00")}
        hourly = Schedule(name="sweep", title="Sweep", job_type="sweep", cron="30 * * * *")
        await keep(place, hourly)
        assert await entries(place) == {"sweep": ("30 * * * *", True, "2026-11-20 09:30:00")}
        with pytest.raises(Invalid):
            await place.main.write(service.change_cron, ADMIN, "sweep", "soon", place.clock())
        with pytest.raises(NotFound):
            await place.main.write(service.pause, ADMIN, "nothing", place.clock())
        viewer = Actor(name="v", user_id=1, role=Role.VIEWER)
        with pytest.raises(Forbidden):
            await place.main.write(service.run_now, viewer, "sweep", place.clock())

    tell(env, story)


def test_what_nobody_declares_any_more_never_comes_round(env: Environment) -> None:
    async def story(place: Place) -> None:
        await keep(place, KITE, SWEEP)
        await keep(place, KITE)
        place.clock.advance(timedelta(hours=1))
        assert await ticked(place) == []
        assert (await entries(place))["sweep"][2] is None
        await keep(place, KITE, SWEEP)
        assert (await entries(place))["sweep"][2] == "2026-11-20 09:35:00"

    tell(env, story)


def test_the_next_times_are_told_across_entries(env: Environment) -> None:
    async def story(place: Place) -> None:
        hourly = Schedule(name="hourly", title="Hourly", job_type="sweep", cron="0 * * * *")
        await keep(place, KITE, hourly)
        found = await place.main.read(service.upcoming, place.clock(), 20, fresh=True)
        assert len(found) == 20
        told = [(ist_text(at), entry.name) for at, entry in found[:2]]
        assert told == [("2026-11-20 08:45:00", "kite_login"), ("2026-11-20 09:00:00", "hourly")]
        assert [at for at, _ in found] == sorted(at for at, _ in found)
        only = await place.main.read(service.upcoming, place.clock(), 3, "kite_login", fresh=True)
        assert [ist_text(at) for at, _ in only] == [
            "2026-11-20 08:45:00",
            "2026-11-23 05:45:00",
            "2026-11-23 08:45:00",
        ]

    tell(env, story)
