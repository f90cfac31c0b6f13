"""Latency: a histogram whose lines carry their numbers, of a day or of an hour of it."""

from __future__ import annotations

import re
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from bahi.kernel.clock import exchange_day, in_utc
from bahi.kernel.spread import Bucket, bucket_number, spread_of
from bahi.telemetry.model import CallEntry
from bahi.telemetry.repository import add_call
from bahi.web.histograms import HEIGHT, WIDTH, histogram_of
from tests.api.standing import Standing, standing
from tests.web.reading import cost_to, tables_of
from tests.web.seated import trader

MARKET = {"BAHI_MARKET": "simulated", "BAHI_MARKET_ALWAYS_OPEN": "yes"}


async def _call(it: Standing, took_us: int, *, well: bool = True) -> None:
    at = in_utc(it.house.clock())
    call = CallEntry(
        module="brokers",
        broker="kite",
        operation="<script>place",
        started_at=at,
        ended_at=at + timedelta(microseconds=took_us),
        duration_us=took_us,
        success=well,
    )
    await it.house.stores["latency"].write(add_call, call)


def test_calls_are_shown_by_operation_with_their_percentiles(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        browser, _ = await it.signed_in(await it.admin())
        assert "Nothing was timed" in (await browser.get("/latency?day=2020-01-01")).text
        for took in (1_000, 2_000, 3_000, 400_000):
            await _call(it, took, well=took < 100_000)
        page = await browser.get("/latency?of=asked of brokers: kite <script>place")
        assert await cost_to(browser, "/latency?of=asked of brokers: kite <script>place") <= 12
        shown = tables_of(page)
        assert "Kite <script>place asked of brokers 4 1 2 ms 400 ms 400 ms 400 ms" in shown
        assert "<script>place" not in page.text
        picture = re.search(
            r'<svg viewBox.*?role="img" aria-label="([^"]*)".*?</svg>', page.text, re.DOTALL
        )
        assert picture is not None
        assert "4 of them: p50 2 ms, p90 400 ms, p99 400 ms, longest 400 ms" in picture[1]
        assert ">p50 2 ms</text>" in picture[0]
        sheet = (await browser.get("/latency.csv")).text
        assert "asked of brokers,kite <script>place,4,1,2000,400000" in sheet
        for bad in ("hour=24", "day=today", "hour=x"):
            assert (await browser.get(f"/latency?{bad}")).status_code == 400, bad

    standing(home, story)


def test_a_trader_sees_the_stages_of_their_own_orders_alone(home: dict[str, str]) -> None:
    async def story(it: Standing) -> None:
        asha, ravi = await trader(it), await trader(it, "ravi")
        await asha.order()
        await _call(it, 1_000)
        mine = await asha.browser.get("/latency")
        assert "Intent to first fill" in tables_of(mine)
        assert "kite" not in mine.text
        assert "Nothing was timed" in (await ravi.browser.get("/latency")).text
        day = exchange_day(it.house.clock()) - timedelta(days=1)
        assert "Nothing was timed" in (await asha.browser.get(f"/latency?day={day}")).text

    standing({**home, **MARKET}, story)


@given(st.lists(st.integers(0, 600_000_000), min_size=1, max_size=40))
def test_a_histogram_stays_within_its_frame_and_loses_nothing(took: list[int]) -> None:
    spread = spread_of(Bucket(bucket_number(it), 1, it, it, it) for it in took)
    picture = histogram_of(spread)
    assert picture is not None
    for column in picture.columns:
        assert 0 <= column.x <= column.x + column.width <= WIDTH
        assert 0 <= column.y <= column.y + column.height <= HEIGHT
    for line in picture.lines:
        assert 0 <= line.x <= WIDTH
    assert [it.x for it in picture.lines] == sorted(it.x for it in picture.lines)
    assert sum(it.height > 0 for it in picture.columns) == sum(it.many > 0 for it in spread.bars())


def test_of_nothing_there_is_no_picture() -> None:
    assert histogram_of(spread_of(())) is None
