"""What the house is asked about itself tells of what is wrong, and of nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bahi.bootstrap import House
from bahi.bootstrap.trading import Lease
from bahi.db.tx import Tx
from bahi.health.model import Report
from bahi.health.service import look_around
from bahi.jobs.service import enqueue
from bahi.kernel.clock import exchange_day
from bahi.kernel.words import Health
from bahi.orders.service.placing import place_order
from bahi.portfolio.model.reconciling import Break, Class, Subject
from bahi.portfolio.repository.breaks import add
from bahi.portfolio.service.books import lock_book, save_book
from tests.identity.lives import tell
from tests.living import live_in, stopped
from tests.orders.brokers import SILENT
from tests.orders.desks import NOON, OPEN, limit, paper_desk
from tests.orders.stand import stand_of


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


def _about(report: Report, name: str) -> tuple[Health, str]:
    (found,) = [it for it in report.parts if it.component == name]
    return found.status, found.details


def test_the_desk_says_who_drives_it_and_what_nobody_answered_for(home: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        report = await look_around(house.checks)
        for name in ("driver", "orders", "breaks", "prices", "limits"):
            assert _about(report, name)[0] is Health.HEALTHY
        stand = await stand_of(house, clock)
        lease = Lease(stand.desk.store, clock)
        assert await lease.is_ours()
        stand.broker.next.append(SILENT)
        order = await place_order(stand.desk, limit(stand.desk))
        await place_order(stand.desk, limit(stand.desk))
        placed = list(stand.broker.orders.values())[-1]
        stand.broker.fill(placed, 10)
        await stand.hear(placed)
        report = await look_around(house.checks)
        assert "drives trading, and reports within 10 s" in _about(report, "driver")[1]
        clock.advance(timedelta(minutes=3))
        report = await look_around(house.checks)
        assert _about(report, "driver")[0] is Health.DEGRADED
        assert _about(report, "orders") == (
            Health.UNHEALTHY,
            f"1 order of which nobody knows what became: {order.id} for 180 s.",
        )
        assert _about(report, "prices") == (
            Health.HEALTHY,
            "1 open instrument, each with a fresh price.",
        )

    live_in(home | OPEN, story, clock)


def test_open_breaks_and_latched_limits_are_told_of(home: dict[str, str]) -> None:
    clock = stopped(NOON)

    async def story(house: House) -> None:
        desk = await paper_desk(house)

        def go_wrong(tx: Tx) -> None:
            found = Break(Subject.POSITION, "NSE_EQ/SBIN/CNC", Class.NOT_OURS, "Why.", {}, {})
            add(tx, desk.account_id, found, clock())
            before = lock_book(tx, desk.account_id)
            after = replace(before.on(exchange_day(clock())), latched_at=clock())
            save_book(tx, before, after, clock())

        await desk.store.write(go_wrong)
        report = await look_around(house.checks)
        assert _about(report, "breaks")[1] == "1 difference between our books and a broker's."
        assert str(desk.account_id) in _about(report, "limits")[1]
        clock.advance(timedelta(days=1))
        assert _about(await look_around(house.checks), "limits")[0] is Health.HEALTHY

    live_in(home | OPEN, story, clock)
