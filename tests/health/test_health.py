"""Asking the parts of the house: all at once, each within a bound, remembered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.bootstrap import House
from bahi.health.model import Check, Finding, Looked, Report, overall
from bahi.health.service import (
    MIB,
    beats,
    clock_is_right,
    disk_has_room,
    forget_health_before,
    history,
    keep,
    look_around,
    queue_is_short,
    replica_keeps_up,
    store_answers,
)
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.errors import Forbidden, Unavailable
from bahi.kernel.words import Health
from tests.clusters import Cluster
from tests.living import MORNING, live_in, stopped

CANARY = "c4n4ry-S1ngs-Aloud"
WHO = the_house("test")
WELL, HALF, ILL = Health.HEALTHY, Health.DEGRADED, Health.UNHEALTHY


def says(status: Health) -> Callable[..., object]:
    async def ask() -> Finding:
        return Finding(status, "as it says")

    return ask


async def fails() -> Finding:
    raise Unavailable(f"postgresql://desk:{CANARY}@db does not answer.")


async def breaks() -> Finding:
    raise ValueError(CANARY)


async def is_silent() -> Finding:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        await asyncio.Event().wait()  # does not even let itself be stopped
    raise AssertionError


async def looked_at(check: Check) -> Looked:
    (part,) = (await look_around([check])).parts
    return part


def test_one_that_fails_breaks_or_is_silent_costs_no_other() -> None:
    checks = [
        Check("well", says(WELL)),
        Check("fails", fails),
        Check("breaks", breaks),
        Check("silent", is_silent),
    ]

    async def story() -> Report:
        return await look_around(checks, within_s=0.2)

    loop = asyncio.new_event_loop()
    report = loop.run_until_complete(story())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert [it.status for it in report.parts] == [WELL, ILL, ILL, ILL]
    assert report.status is ILL
    assert CANARY not in repr(report)
    assert "No answer" in report.parts[3].details


@given(st.lists(st.tuples(st.sampled_from(Health), st.booleans())))
def test_the_house_is_as_its_parts_are(parts: list[tuple[Health, bool]]) -> None:
    found = overall(parts)
    assert (found is ILL) == ((ILL, True) in parts)
    assert (found is WELL) == all(status is WELL for status, _ in parts)


def test_history_counts_errors_and_names_what_changed(home: dict[str, str]) -> None:
    def report(status: Health) -> Report:
        looked = Looked(component="disk", status=status, details="", response_time_ms=3)
        return Report(parts=(looked,))

    async def story(house: House) -> None:
        main = house.stores["main"]
        seen = []
        for n, status in enumerate((WELL, ILL, ILL, HALF, WELL, WELL)):
            at = MORNING + timedelta(minutes=n)
            seen.append(await main.write(keep, report(status), at))
        assert [[(it.before, it.after) for it in each] for each in seen] == [
            [],
            [(WELL, ILL)],
            [],
            [(ILL, HALF)],
            [(HALF, WELL)],
            [],
        ]
        assert seen[1][0].is_bad
        past = await history(main, WHO, component="disk")
        assert [it.error_count for it in reversed(past)] == [0, 1, 2, 3, 0, 0]
        assert await history(main, WHO, limit=2, before=past[1].id) == past[2:4]
        before = MORNING + timedelta(minutes=4)
        assert await forget_health_before(main, before, dry_run=True) == 4
        assert await forget_health_before(main, before) == 4
        assert len(await history(main, WHO)) == 2
        with pytest.raises(Forbidden):
            await history(main, Actor(name="someone", user_id=1))

    live_in(home, story)


def test_a_store_answers_until_it_is_closed(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        checks = [store_answers(store) for store in house.stores]
        assert (await look_around(checks)).status is WELL
        await house.stores["logs"].close()
        report = await look_around(checks)
        ill = [it.component for it in report.parts if it.status is not WELL]
        assert ill == ["store logs"]

    live_in(home, story)


def test_what_is_handed_in_is_graded() -> None:
    clock = stopped()

    async def number() -> int:
        return 50

    async def newest() -> int:
        return 1 << 62

    async def none_yet() -> int:
        return 0

    async def beat() -> object:
        return MORNING - timedelta(seconds=20)

    async def never() -> None:
        return None

    def heart(late: int, dead: int) -> Check:
        times = {"late_after": timedelta(seconds=late), "dead_after": timedelta(seconds=dead)}
        return beats("worker", beat, clock, **times)

    def disk(free_mib: int) -> Check:
        return disk_has_room(Path("/"), free=lambda _: free_mib * MIB)

    minute = timedelta(minutes=1)
    cases = [
        (disk(10_000), WELL),
        (disk(1_000), HALF),
        (disk(100), ILL),
        (disk_has_room(Path("/nowhere/at/all")), ILL),
        (clock_is_right(clock, newest), ILL),
        (clock_is_right(clock, none_yet), WELL),
        (queue_is_short("jobs", number, degraded_from=51, unhealthy_from=100), WELL),
        (queue_is_short("jobs", number, degraded_from=50, unhealthy_from=100), HALF),
        (queue_is_short("jobs", number, degraded_from=10, unhealthy_from=50), ILL),
        (heart(30, 60), WELL),
        (heart(10, 60), HALF),
        (heart(10, 20), ILL),
        (beats("worker", never, clock, late_after=minute, dead_after=minute), ILL),
    ]

    async def story() -> None:
        for check, status in cases:
            assert (await looked_at(check)).status is status, check

    asyncio.run(story())


def test_a_replica_that_is_there_keeps_up(
    make_cluster: Callable[..., Cluster], tmp_path: Path
) -> None:
    primary = make_cluster()
    url = primary.create_database("desk")
    standby = make_cluster(standby_of=primary)
    from bahi.config import STORE_VARIABLES

    environ = {"BAHI_HOME": str(tmp_path / "home")} | dict.fromkeys(STORE_VARIABLES.values(), url)

    async def alone(house: House) -> Looked:
        return await looked_at(replica_keeps_up(house.stores["main"]))

    assert live_in(environ, alone).status is HALF
    found = live_in(environ | {"READ_DATABASE_URL": standby.url("desk")}, alone)
    assert found.status is WELL, found
