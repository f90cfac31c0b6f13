"""How long things took, as a histogram, and the log page by page: counted by the database."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.kernel.actor import Actor, the_house
from bahi.kernel.errors import Forbidden, Invalid
from bahi.kernel.spread import BOUNDS, Bucket, bucket_number, spread_of
from bahi.kernel.words import LogLevel
from bahi.telemetry import repository
from bahi.telemetry.model import CallEntry, LogEntry, LogWanted
from bahi.telemetry.service import BY_PROGRAMS, call_spreads, log_page, recent_calls
from tests.living import MORNING, live_in

WHO = the_house("test")
HOUR = timedelta(hours=1)


def counted(tooks: list[int]) -> tuple[Bucket, ...]:
    """Count in Python what the database counts."""
    numbers = sorted({bucket_number(it) for it in tooks})
    within = {it: [us for us in tooks if bucket_number(us) == it] for it in numbers}
    return tuple(
        Bucket(it, len(many), sum(many), min(many), max(many)) for it, many in within.items()
    )


@given(st.lists(st.integers(0, 600_000_000), min_size=1, max_size=200), st.integers(1, 100))
def test_a_percentile_is_never_further_off_than_its_bucket_is_wide(
    tooks: list[int], percent: int
) -> None:
    spread = spread_of(counted(tooks))
    exact = sorted(tooks)[max(1, -(-len(tooks) * percent // 100)) - 1]
    told = spread.percentile(percent)
    assert told is not None
    assert bucket_number(told) == bucket_number(exact)
    assert spread.many == len(tooks) == sum(it.many for it in spread.bars())
    assert (spread.least, spread.most) == (min(tooks), max(tooks))
    bars = spread.bars()
    assert all(one.until == other.since for one, other in pairwise(bars))


def test_of_nothing_there_is_no_percentile() -> None:
    nothing = spread_of(())
    assert (nothing.percentile(50), nothing.most, nothing.mean) == (None, None, None)
    assert nothing.bars() == []


def a_call(us: int, *, success: bool = True, operation: str = "place_order") -> CallEntry:
    return CallEntry(
        module="brokers",
        broker="kite",
        operation=operation,
        started_at=MORNING,
        ended_at=MORNING + timedelta(microseconds=us),
        duration_us=us,
        success=success,
        request_id="r-1",
    )


def add_calls(tx: Tx, calls: list[CallEntry]) -> None:
    for it in calls:
        repository.add_call(tx, it)


def test_calls_are_counted_by_broker_and_operation_in_the_database(home: dict[str, str]) -> None:
    chance = random.Random(9)
    edges = [us for it in BOUNDS for us in (it - 1, it, it + 1)]
    tooks = [*edges, *(int(10 ** chance.uniform(0, 9)) for _ in range(200)), 0]

    async def story(house: House) -> None:
        store = house.stores["latency"]
        calls = [a_call(us, success=place % 10 > 0) for place, us in enumerate(tooks)]
        await store.write(add_calls, [*calls, a_call(5_000, operation="cancel_order")])
        until = MORNING + HOUR
        cancels, places = await call_spreads(store, WHO, MORNING, until)
        assert (cancels.operation, cancels.spread.many) == ("cancel_order", 1)
        assert cancels.spread.percentile(99) == cancels.spread.most == 5_000
        assert (places.broker, places.operation) == ("kite", "place_order")
        assert places.spread.buckets == counted(tooks)
        assert places.failed == len(tooks[::10])
        (one,) = await call_spreads(store, WHO, MORNING, until, operation="cancel_order")
        assert one == cancels
        assert await call_spreads(store, WHO, MORNING - HOUR, MORNING) == []
        assert await call_spreads(store, WHO, MORNING, until, module=BY_PROGRAMS) == []
        assert len(await recent_calls(store, WHO, success=False, limit=500)) == places.failed
        assert await recent_calls(store, WHO, request_id="r-2") == []
        with pytest.raises(Invalid, match="at most 7 days"):
            await call_spreads(store, WHO, MORNING, MORNING + timedelta(days=8))
        with pytest.raises(Invalid, match="not after since"):
            await call_spreads(store, WHO, MORNING, MORNING)
        with pytest.raises(Forbidden):
            await call_spreads(store, Actor(name="someone", user_id=1), MORNING, until)

    live_in(home, story)


def add_logs(tx: Tx, entries: list[LogEntry]) -> None:
    for it in entries:
        repository.add_log(tx, it)


def test_the_log_is_read_by_level_word_and_request_page_by_page(
    home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "LOOKED_THROUGH", 7)

    def entry(n: int) -> LogEntry:
        return LogEntry(
            at=MORNING,
            level=LogLevel.ERROR if n % 5 == 0 else LogLevel.INFO,
            logger="bahi.test",
            message=f"Record {n} of 100% and a_b" if n % 2 else f"record {n}",
            context={"request_id": f"r-{n}"} if n != 3 else {},
        )

    async def story(house: House) -> None:
        store = house.stores["logs"]
        assert (await log_page(store, WHO)).next is None
        await store.write(add_logs, [entry(n) for n in range(20)])

        async def every(wanted: LogWanted, limit: int = 2) -> tuple[list[str], int]:
            found: list[str] = []
            before, pages = None, 0
            while True:
                page = await log_page(store, WHO, wanted, limit=limit, before=before)
                assert len(page.entries) <= limit
                found += [it.message.split()[1] for it in page.entries]
                before, pages = page.next, pages + 1
                if before is None:
                    return found, pages

        assert (await every(LogWanted()))[0] == [str(n) for n in reversed(range(20))]
        assert (await every(LogWanted(), 500))[1] == 3, "seven are looked through at once"
        assert (await every(LogWanted(levels=[LogLevel.ERROR])))[0] == ["15", "10", "5", "0"]
        assert (await every(LogWanted(word="RECORD 1")))[0][-1] == "1"
        odd = [str(n) for n in reversed(range(20)) if n % 2]
        assert (await every(LogWanted(word="100% and A_B")))[0] == odd
        assert (await every(LogWanted(word="100x and")))[0] == []
        assert (await every(LogWanted(request_id="r-4")))[0] == ["4"]
        assert (await every(LogWanted(request_id='r-4"')))[0] == []
        assert (await every(LogWanted(error_type="KeyError")))[0] == []
        with pytest.raises(Invalid, match="limit"):
            await log_page(store, WHO, limit=0)
        with pytest.raises(Invalid, match="word"):
            await log_page(store, WHO, LogWanted(word="x" * 201))
        with pytest.raises(Forbidden):
            await log_page(store, Actor(name="someone", user_id=1))

    live_in(home, story)
