"""What the house is asked about itself tells of what is wrong, and of nothing else."""

from __future__ import annotations

from datetime import timedelta

from bahi.bootstrap import House
from bahi.health.service import look_around
from bahi.jobs.service import enqueue
from bahi.kernel.words import Health
from tests.identity.lives import tell


def test_a_job_that_no_worker_handles_is_no_sign_of_a_missing_worker(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main, asked_at = house.stores["main"], house.clock()
        await main.write(enqueue, "test", "done_elsewhere", {}, asked_at)
        house.clock.advance(timedelta(minutes=6))  # type: ignore[attr-defined]
        assert await worker_of(house) is Health.HEALTHY
        await main.write(enqueue, "test", "retention", {}, asked_at)
        assert await worker_of(house) is Health.UNHEALTHY

    tell(home, story)


async def worker_of(house: House) -> Health:
    report = await look_around(house.checks)
    (found,) = [it.status for it in report.parts if it.component == "worker"]
    return found
