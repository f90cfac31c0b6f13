"""A worker at work: woken, bounded, stopped, and its failures written down."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bahi.db.tx import Tx
from bahi.jobs import service
from bahi.jobs.model import Job, Later, Payload, Retry, Schedule, Superseded, Terms
from bahi.jobs.service import JobContext
from bahi.worker.loop import Worker, worker_of
from bahi.worker.shift import Pace
from tests.cli.processes import Environment
from tests.databases import MakeDatabase
from tests.furnished import Furnished
from tests.jobs.places import MORNING, Place, opened, tell, until

NEVER_S = 3600.0


@asynccontextmanager
async def at_work(place: Place, **more: Any) -> AsyncIterator[Worker]:
    """Have a worker work, and stop it at the end."""
    wishes = {"poll_s": NEVER_S, "bell": place.bell, "retries": place.retries} | more
    worker = Worker(place.stores, place.handlers, place.clock, **wishes)
    working = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        async with asyncio.timeout(30):
            await working


def ask(tx: Tx, job_type: str, n: int = 0) -> Job:
    return service.enqueue(tx, "test", job_type, {"n": n}, MORNING)


async def ended(place: Place, job: Job, status: str = "completed", store: str = "main") -> Job:
    """Wait until a job has a status; return it."""
    seen: list[Job] = []

    async def look() -> bool:
        seen.append(await place.stores[store].read(service.get_job, job.job_id, fresh=True))
        return seen[-1].status == status

    await until(look)
    return seen[-1]


async def echo(context: JobContext) -> Payload:
    return {"n": context.payload["n"], "by": context.actor.name}


def test_a_worker_wakes_for_a_job_of_its_own_process_without_its_poll(env: Environment) -> None:
    async def story(place: Place) -> None:
        place.handlers["echo"] = echo
        async with at_work(place):
            for n in range(3):
                for store in ("main", "sandbox"):
                    job = await place.stores[store].write(ask, "echo", n)
                    done = await ended(place, job, store=store)
                    assert done.result == {"n": n, "by": "bahi:worker"}

    tell(env, story)


def test_a_worker_wakes_for_a_job_of_another_process_without_its_poll(env: Environment) -> None:
    """The other house has a bell of its own, so only the pipe and the notice can carry the ring."""

    async def story(place: Place) -> None:
        place.handlers["echo"] = echo
        async with opened(env) as other, at_work(place):
            place.bell.ring = lambda: None  # type: ignore[method-assign] # deaf to its own process
            job = await other.main.write(ask, "echo")
            await ended(place, job)

    tell(env, story)


def test_a_notice_of_the_database_wakes_a_worker_on_another_machine(
    tmp_path: Path, furnished: Furnished, make_database: MakeDatabase
) -> None:
    env = furnished.copy("postgresql", tmp_path / "data", make_database)

    async def story(place: Place) -> None:
        place.handlers["echo"] = echo
        place.bell.folder = tmp_path / "another machine"
        async with opened(env) as other, at_work(place):
            place.bell.ring = lambda: None  # type: ignore[method-assign]
            job = await other.main.write(ask, "echo")
            await ended(place, job)

    tell(env, story)


def test_a_ring_clears_away_the_pipe_of_a_worker_that_died(env: Environment) -> None:
    async def story(place: Place) -> None:
        import os

        place.bell.folder.mkdir()
        os.mkfifo(place.bell.folder / "1-dead.pipe")
        await place.main.write(ask, "echo")

        async def gone() -> bool:
            return list(place.bell.folder.iterdir()) == []

        await until(gone)

    tell(env, story)


def test_no_more_is_in_hand_than_there_is_room_for(env: Environment) -> None:
    async def story(place: Place) -> None:
        at_once, most, gate = 0, 0, asyncio.Event()

        async def held(_: JobContext) -> None:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            await gate.wait()
            at_once -= 1

        place.handlers["held"] = held
        jobs = [await place.main.write(ask, "held", n) for n in range(10)]
        async with at_work(place, at_once=3) as worker:

            async def full() -> bool:
                return at_once == 3

            await until(full)
            assert worker.busy == 3
            gate.set()
            for job in jobs:
                await ended(place, job)
        assert most == 3

    tell(env, story)


def test_a_failure_is_written_without_secrets_and_tried_again(env: Environment) -> None:
    async def story(place: Place) -> None:
        tries = 0

        async def careless(_: JobContext) -> None:
            nonlocal tries
            tries += 1
            raise RuntimeError(f"try {tries}: it\0said api_secret=hunter2hunter2")

        place.handlers["careless"] = careless
        place.retries["careless"] = Retry(3, (0.0,))
        job = await place.main.write(ask, "careless")
        async with at_work(place):
            failed = await ended(place, job, "failed")
        assert tries == failed.attempts == 3
        assert (failed.error_details or "").startswith("RuntimeError: try 3:")
        assert "hunter2" not in (failed.error_details or "")

    tell(env, story)


def test_a_result_that_cannot_be_kept_is_a_failure(env: Environment) -> None:
    async def story(place: Place) -> None:
        async def odd(_: JobContext) -> Payload:
            return {"when": object()}

        place.handlers["odd"], place.retries["odd"] = odd, Retry(1)
        job = await place.main.write(ask, "odd")
        async with at_work(place):
            failed = await ended(place, job, "failed")
        assert "JSON" in (failed.error_details or "")

    tell(env, story)


def test_a_handler_that_must_wait_gives_the_lease_back_until_then(env: Environment) -> None:
    async def story(place: Place) -> None:
        until_then, tries = MORNING + timedelta(minutes=11), 0

        async def patient(context: JobContext) -> None:
            nonlocal tries
            tries += 1
            if context.clock() < until_then:
                raise Later(until_then, "cooling down")

        place.handlers["patient"], place.retries["patient"] = patient, Retry(1)
        job = await place.main.write(ask, "patient")
        async with at_work(place):

            async def waits() -> bool:
                seen = await place.main.read(service.get_job, job.job_id, fresh=True)
                return (seen.run_at, seen.message) == (until_then, "cooling down")

            await until(waits)
            place.clock.set(until_then)
            service_ring = place.bell.ring
            service_ring()
            done = await ended(place, job)
        assert (tries, done.attempts) == (2, 1)

    tell(env, story)


def test_the_heart_beat_keeps_a_lease_however_long_the_work_takes(env: Environment) -> None:
    async def story(place: Place) -> None:
        gate = asyncio.Event()

        async def slow(context: JobContext) -> None:
            await context.progress(10, "begun")
            await gate.wait()

        place.handlers["slow"] = slow
        job = await place.main.write(ask, "slow")
        async with at_work(place, pace=Pace(60.0, 0.05)):
            begun = await ended(place, job, "running")
            for _ in range(3):  # each beat holds it for longer by the clock
                now = place.clock.advance(timedelta(seconds=50))

                async def renewed(since: Any = now) -> bool:
                    seen = await place.main.read(service.get_job, job.job_id, fresh=True)
                    return seen.leased_until is not None and seen.leased_until == since + timedelta(
                        seconds=60
                    )

                await until(renewed)
            gate.set()
            done = await ended(place, job)
        assert done.fence == begun.fence == 1

    tell(env, story)


def test_a_lease_that_was_lost_breaks_the_work_off(env: Environment) -> None:
    async def story(place: Place) -> None:
        begun, broken_off = asyncio.Event(), asyncio.Event()

        async def slow(context: JobContext) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                with pytest.raises(Superseded):
                    await context.check()
                broken_off.set()
                raise

        place.handlers["slow"] = slow
        await place.main.write(ask, "slow")
        async with at_work(place, pace=Pace(60.0, 0.05)):
            await begun.wait()
            thief = Terms("thief", NEVER_S, {"slow": Retry()})
            later = MORNING + timedelta(hours=1)
            (stolen,) = await place.main.write(service.claim, thief, later, 1)
            await asyncio.wait_for(broken_off.wait(), 30)
        seen = await place.main.read(service.get_job, stolen.job_id, fresh=True)
        assert seen == stolen

    tell(env, story)


def test_a_stopped_worker_finishes_what_is_short_and_gives_back_what_is_long(
    env: Environment,
) -> None:
    async def story(place: Place) -> None:
        begun, gate = asyncio.Semaphore(0), asyncio.Event()

        async def short(_: JobContext) -> None:
            begun.release()
            await gate.wait()

        async def long(_: JobContext) -> None:
            begun.release()
            await asyncio.Event().wait()

        place.handlers |= {"short": short, "long": long}
        one = await place.main.write(ask, "short")
        other = await place.main.write(ask, "long")
        async with at_work(place, finish_within_s=0.5) as worker:
            await begun.acquire()
            await begun.acquire()
            worker.stop()
            gate.set()
        assert (await ended(place, one)).attempts == 1
        back = await ended(place, other, "pending")
        assert (back.attempts, back.lease_owner, back.fence) == (0, None, 1)

    tell(env, story)


def test_an_effect_that_ends_its_job_is_kept_with_it_or_not_at_all(env: Environment) -> None:
    async def story(place: Place) -> None:
        def effect(tx: Tx) -> Payload:
            ask(tx, "nobody's")
            return {"done": "with it"}

        async def careful(context: JobContext) -> Payload:
            await context.finish(effect)
            return {"done": "afterwards"}

        async def too_late(context: JobContext) -> None:
            thief = Terms("thief", NEVER_S, {"late": Retry()})
            later = MORNING + timedelta(hours=1)
            await place.main.write(service.claim, thief, later, 1)
            with pytest.raises(Superseded):
                await context.finish(effect)
            with pytest.raises(Superseded):
                await context.write(ask, "nobody's")
            refused.set()

        refused = asyncio.Event()
        place.handlers |= {"careful": careful, "late": too_late}
        async with at_work(place):
            done = await ended(place, await place.main.write(ask, "careful"))
            await place.main.write(ask, "late")
            await asyncio.wait_for(refused.wait(), 30)
        assert done.result == {"done": "with it"}
        known = await place.main.read(service.get_recent_jobs, fresh=True)
        assert [job.job_type for job in known].count("nobody's") == 1

    tell(env, story)


def test_two_workers_keep_the_schedule_and_its_jobs_run_once(env: Environment) -> None:
    async def story(place: Place) -> None:
        ran: list[str] = []

        async def sweep(context: JobContext) -> Payload:
            ran.append(context.job.job_id)
            return {"message": "swept"}

        place.handlers["sweep"] = sweep
        place.schedules = [
            Schedule(name="sweep", title="Sweep", job_type="sweep", cron="*/5 * * * *")
        ]
        wishes = {"schedules": place.schedules, "poll_s": 0.05}
        async with at_work(place, **wishes), at_work(place, **wishes):
            for n in range(1, 4):

                async def swept(wanted: int = n) -> bool:
                    runs = await place.main.read(service.list_runs, fresh=True)
                    return len(runs) == wanted

                async def in_line() -> bool:
                    return bool(await place.main.read(service.list_schedules, fresh=True))

                await until(in_line)
                place.clock.advance(timedelta(minutes=5))
                await until(swept)
        assert len(ran) == len(set(ran)) == 3
        assert worker_of(place).busy == 0

    tell(env, story)
