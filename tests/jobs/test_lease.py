"""Jobs in both databases: asked for with their cause, leased to one, fenced, ended."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from bahi.db.failures import Duplicate
from bahi.db.tx import Tx
from bahi.jobs import service
from bahi.jobs.model import Job, Retry, Superseded, Terms
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.errors import Conflict, Forbidden, Invalid, NotFound
from bahi.kernel.words import JobStatus, Role
from tests.cli.processes import Environment
from tests.jobs.places import MORNING, Place, tell

ADMIN = the_house("test")
TERMS = Terms("first", 30, {"sweep": Retry(3, (30, 60))})
OTHERS = Terms("second", 30, {"sweep": Retry(3, (30, 60))})


def ask(tx: Tx, n: int = 0, **more: Any) -> Job:
    return service.enqueue(tx, "test", more.pop("job_type", "sweep"), {"n": n}, MORNING, **more)


def ask_and_fail(tx: Tx) -> None:
    ask(tx)
    raise NotFound


def ask_with(tx: Tx, more: dict[str, Any]) -> Job:
    return ask(tx, **more)


async def claimed(place: Place, terms: Terms = TERMS, most: int = 1) -> list[Job]:
    return await place.main.write(service.claim, terms, place.clock(), most)


async def stored(place: Place, job: Job) -> Job:
    return await place.main.read(service.get_job, job.job_id, fresh=True)


def test_a_job_exists_with_its_cause_and_only_with_it(env: Environment) -> None:
    async def story(place: Place) -> None:
        with pytest.raises(NotFound):
            await place.main.write(ask_and_fail)
        assert await place.main.read(service.get_recent_jobs, fresh=True) == []
        job = await place.main.write(ask, 7)
        assert await stored(place, job) == job
        assert job.payload == {"n": 7}
        assert job.status is JobStatus.PENDING

    tell(env, story)


def test_a_job_that_another_store_asked_for_is_there_once(env: Environment) -> None:
    async def story(place: Place) -> None:
        await place.sandbox.write(ask_with, {"source_job_id": 5})
        with pytest.raises(Duplicate):
            await place.sandbox.write(ask_with, {"source_job_id": 5})

    tell(env, story)


def test_nobody_passes_for_the_schedule(env: Environment) -> None:
    async def story(place: Place) -> None:
        with pytest.raises(Invalid, match="schedule"):
            await place.main.write(service.enqueue, "schedule:x", "sweep", {}, MORNING)

    tell(env, story)


def test_an_event_is_a_job_for_each_listener_and_nothing_without_one(env: Environment) -> None:
    async def story(place: Place) -> None:
        service.tell_listeners({"order.filled": ("copy", "alert")})
        try:
            made = await place.main.write(service.announce, "order.filled", {"id": "9"}, MORNING)
            nothing = await place.main.write(service.announce, "order.seen", {}, MORNING)
        finally:
            service.tell_listeners({})
        assert [job.job_type for job in made] == ["copy", "alert"]
        assert nothing == []
        assert len(await place.main.read(service.get_recent_jobs, fresh=True)) == 2

    tell(env, story)


def test_larger_priority_goes_first_and_then_the_earlier_time(env: Environment) -> None:
    async def story(place: Place) -> None:
        for n, (priority, minutes) in enumerate([(0, -1), (5, -1), (0, -2), (9, 1), (0, 0)]):
            run_at = MORNING + timedelta(minutes=minutes)
            await place.main.write(ask_with, {"n": n, "priority": priority, "run_at": run_at})
        await place.main.write(ask_with, {"n": 99, "job_type": "nobody's", "priority": 99})
        order = [job.payload["n"] for job in await claimed(place, most=9)]
        assert order == [1, 2, 0, 4]

    tell(env, story)


def test_one_job_goes_to_one_of_many_who_ask_at_once(env: Environment) -> None:
    async def story(place: Place) -> None:
        for n in range(20):
            await place.main.write(ask, n)
        rivals = [Terms(f"w{n}", 30, TERMS.retries) for n in range(12)]
        taken = await asyncio.gather(*(claimed(place, rival, 3) for rival in rivals))
        while more := await claimed(place, most=3):
            taken.append(more)
        numbers = sorted(job.payload["n"] for some in taken for job in some)
        assert numbers == list(range(20))

    tell(env, story)


def test_an_older_lease_changes_nothing(env: Environment) -> None:
    async def story(place: Place) -> None:
        await place.main.write(ask)
        (old,) = await claimed(place)
        assert await claimed(place, OTHERS) == []
        place.clock.advance(timedelta(seconds=30))
        (new,) = await claimed(place, OTHERS)
        assert (new.fence, new.attempts, new.started_at) == (2, 2, MORNING)
        now = place.clock()
        write = place.main.write
        for late in (
            write(service.progress, old, 50, "so far", now),
            write(service.extend, old, now, 30.0),
            write(service.complete, old, None, now),
            write(service.fail, old, "no", now),
            write(service.postpone, old, now, "", now),
            write(service.give_back, old, now),
            write(service.holding, old),
        ):
            with pytest.raises(Superseded):
                await late
        assert await stored(place, new) == new

    tell(env, story)


def test_a_lease_that_is_renewed_is_not_taken(env: Environment) -> None:
    async def story(place: Place) -> None:
        await place.main.write(ask)
        (job,) = await claimed(place)
        for _ in range(5):
            place.clock.advance(timedelta(seconds=20))
            await place.main.write(service.extend, job, place.clock(), 30.0)
            assert await claimed(place, OTHERS) == []
        await place.main.write(service.progress, job, 40, "4 of 10", place.clock())
        known = await stored(place, job)
        assert (known.progress_percent, known.message) == (40, "4 of 10")

    tell(env, story)


def test_failing_rests_longer_each_time_and_ends_with_its_reason(env: Environment) -> None:
    async def story(place: Place) -> None:
        await place.main.write(ask)
        for rest in (30, 60, None):
            (job,) = await claimed(place)
            after = await place.main.write(
                service.fail, job, "no luck", place.clock(), TERMS.retries["sweep"]
            )
            assert await claimed(place) == []
            if rest is not None:
                assert after.run_at == place.clock.advance(timedelta(seconds=rest))
        known = await stored(place, job)
        assert (known.status, known.error_details, known.attempts) == ("failed", "no luck", 3)
        again = await service.run_again(place.stores, ADMIN, job.job_id, place.clock())
        assert (again.status, again.attempts) == ("pending", 0)
        assert len(await claimed(place)) == 1

    tell(env, story)


def test_what_kills_every_worker_ends_failed(env: Environment) -> None:
    async def story(place: Place) -> None:
        job = await place.main.write(ask)
        for _ in range(3):
            assert len(await claimed(place)) == 1
            place.clock.advance(timedelta(seconds=31))
        assert await claimed(place) == []
        known = await stored(place, job)
        assert known.status is JobStatus.FAILED
        assert "died at every one of 3" in (known.error_details or "")

    tell(env, story)


def test_putting_off_and_giving_back_count_no_try(env: Environment) -> None:
    async def story(place: Place) -> None:
        await place.main.write(ask)
        for _ in range(9):
            (job,) = await claimed(place)
            later = place.clock() + timedelta(minutes=11)
            await place.main.write(service.postpone, job, later, "cooling down", place.clock())
            assert await claimed(place) == []
            place.clock.set(later)
            (job,) = await claimed(place, OTHERS)
            await place.main.write(service.give_back, job, place.clock())
        known = await stored(place, job)
        assert (known.attempts, known.message) == (0, "cooling down")
        assert known.fence == 18

    tell(env, story)


def test_completing_twice_is_completing_once(env: Environment) -> None:
    async def story(place: Place) -> None:
        await place.main.write(ask)
        (job,) = await claimed(place)
        await place.main.write(service.complete, job, {"n": 1}, place.clock())
        again = await place.main.write(service.complete, job, {"n": 2}, place.clock())
        assert again.result == {"n": 1}
        assert (again.status, again.progress_percent) == ("completed", 100)
        assert again.completed_at == MORNING

    tell(env, story)


def test_what_cannot_be_kept_as_json_is_refused(env: Environment) -> None:
    async def story(place: Place) -> None:
        with pytest.raises(Invalid, match="JSON"):
            await place.main.write(service.enqueue, "test", "sweep", {"n": float("nan")}, MORNING)

    tell(env, story)


def test_the_queue_says_what_is_next_and_how_much_waits(env: Environment) -> None:
    async def story(place: Place) -> None:
        read, later = place.main.read, MORNING + timedelta(hours=1)
        assert await read(service.next_at, ["sweep"], fresh=True) is None
        await place.main.write(ask_with, {"run_at": later})
        assert await read(service.next_at, ["sweep"], fresh=True) == later
        assert await read(service.next_at, ["other"], fresh=True) is None
        await place.main.write(ask)
        await place.main.write(ask)
        await claimed(place)
        assert await read(service.waiting, MORNING, fresh=True) == 1
        assert await read(service.oldest_due, fresh=True) == MORNING
        await claimed(place)
        assert await read(service.waiting, MORNING, fresh=True) == 0
        assert await read(service.oldest_due, fresh=True) == later

    tell(env, story)


def test_work_done_elsewhere_is_reported_as_source_002_does(env: Environment) -> None:
    async def story(place: Place) -> None:
        write, clock = place.main.write, place.clock
        job = await write(service.create_job, "test", "backtest", MORNING)
        clock.advance(timedelta(seconds=5))
        running = await write(service.update_job_status, job.job_id, JobStatus.RUNNING, clock())
        assert running.started_at == clock()
        assert await claimed(place, Terms("w", 30, {"backtest": Retry()})) == []
        assert await place.main.read(service.get_running_jobs, fresh=True) == [running]
        clock.advance(timedelta(seconds=5))
        ended = await write(service.update_job_status, job.job_id, JobStatus.COMPLETED, clock())
        assert (ended.started_at, ended.completed_at) == (running.started_at, clock())
        with pytest.raises(Conflict, match="ended"):
            await write(service.update_job_status, job.job_id, JobStatus.RUNNING, clock())
        with pytest.raises(NotFound):
            await write(service.update_job_status, "?", JobStatus.RUNNING, clock())

    tell(env, story)


def test_lists_are_of_both_stores_newest_first_and_bounded(env: Environment) -> None:
    async def story(place: Place) -> None:
        for n in range(14):
            store = place.sandbox if n % 2 else place.main
            place.clock.advance(timedelta(seconds=1))
            await store.write(service.create_job, "test", "sweep", place.clock(), {"n": n})
        recent = await service.recent_jobs(place.stores, ADMIN)
        assert [job.payload["n"] for job in recent] == list(range(13, 3, -1))
        pending = await service.jobs_by_status(place.stores, ADMIN, JobStatus.PENDING)
        assert len(pending) == 14
        with pytest.raises(Invalid, match="limit"):
            await service.recent_jobs(place.stores, ADMIN, 501)

    tell(env, story)


def test_pages_reach_every_job_of_both_stores_once_while_others_are_added(
    env: Environment,
) -> None:
    async def story(place: Place) -> None:
        for n in range(130):
            store = place.sandbox if n % 3 else place.main
            await store.write(service.create_job, "test", "sweep", place.clock(), {"n": n})
        seen: list[int] = []
        before: int | None = None
        while page := await service.recent_jobs(
            place.stores, ADMIN, 50, job_type="sweep", before=before
        ):
            seen += [job.payload["n"] for job in page]
            before = page[-1].id
            await place.main.write(service.create_job, "test", "sweep", place.clock(), {"n": -1})
        assert seen == list(range(129, -1, -1))
        taken = await place.main.write(service.claim, TERMS, place.clock(), 3)
        newest, *older = await service.running_jobs(place.stores, ADMIN)
        assert newest.id == max(job.id for job in taken)
        assert await service.running_jobs(place.stores, ADMIN, before=newest.id) == older
        assert await service.running_jobs(place.stores, ADMIN, before=older[-1].id) == []

    tell(env, story)


def test_each_sees_their_own_jobs_and_an_admin_all(env: Environment) -> None:
    async def story(place: Place) -> None:
        asha = Actor(name="asha", user_id=7, role=Role.TRADER)
        ravi = Actor(name="ravi", user_id=8, role=Role.TRADER)
        hers = await place.main.write(ask_with, {"user_id": 7})
        await place.main.write(ask)
        assert await service.recent_jobs(place.stores, asha) == [hers]
        assert await service.seen_job(place.stores, asha, hers.job_id) == hers
        assert await service.recent_jobs(place.stores, ravi) == []
        with pytest.raises(NotFound):
            await service.seen_job(place.stores, ravi, hers.job_id)
        with pytest.raises(NotFound):
            await service.run_again(place.stores, ravi, hers.job_id, MORNING)
        with pytest.raises(Forbidden):
            await service.clean_up(place.stores, asha, MORNING)
        assert len(await service.recent_jobs(place.stores, ADMIN)) == 2

    tell(env, story)


def test_clean_up_removes_what_ended_a_week_ago_and_nothing_else(env: Environment) -> None:
    async def story(place: Place) -> None:
        for store in (place.main, place.sandbox):
            for _ in range(3):
                await store.write(ask)
            one, other = await store.write(service.claim, TERMS, MORNING, 2)
            await store.write(service.complete, one, None, MORNING)
            await store.write(service.fail, other, "no", MORNING, Retry(1))
        place.clock.advance(timedelta(days=7))
        assert await service.clean_up(place.stores, ADMIN, place.clock()) == 0
        now = place.clock.advance(timedelta(microseconds=1))
        assert await service.clean_up(place.stores, ADMIN, now, dry_run=True) == 4
        assert len(await service.recent_jobs(place.stores, ADMIN)) == 6
        removed = await place.main.write(service.cleanup_old_jobs, ADMIN, now, 7, 1)
        assert removed == 1  # in chunks, if need be
        assert await service.clean_up(place.stores, ADMIN, now) == 3
        left = await service.recent_jobs(place.stores, ADMIN)
        assert [job.status for job in left] == ["pending", "pending"]

    tell(env, story)
