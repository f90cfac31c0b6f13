"""What is remembered for a while, and requests counted by window."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bahi.bootstrap import House
from bahi.db.tx import Tx
from bahi.kernel.errors import Invalid
from bahi.settings.model import (
    Asked,
    CacheUse,
    Counted,
    Limit,
    RateUse,
)
from bahi.settings.service import (
    cache_use,
    clear_cache,
    count_cache,
    count_request,
    expire_cache,
    expire_windows,
    get_cache,
    put_cache,
    rate_use,
)
from tests.living import MORNING, live_in

HOUR = timedelta(hours=1)


def remember(tx: Tx, key: str, kind: str | None = None, keep_for: timedelta = HOUR) -> None:
    put_cache(tx, key, f"value of {key}", MORNING, keep_for=keep_for, kind=kind)


def test_what_is_remembered_is_there_until_it_expires(home: dict[str, str]) -> None:
    async def story(house: House) -> None:
        main = house.stores["main"]
        await main.write(remember, "a", "market_data")
        await main.write(remember, "b", None, timedelta(days=2))
        assert await main.write(get_cache, "a", MORNING) == "value of a"
        assert await main.write(get_cache, "a", MORNING) == "value of a"
        assert await main.write(get_cache, "a", MORNING + HOUR) is None
        assert await main.write(get_cache, "nothing", MORNING) is None
        used = await main.read(cache_use, fresh=True)
        assert used == [CacheUse("", 1, 0), CacheUse("market_data", 1, 2)]
        later = MORNING + 2 * HOUR

        def dry(tx: Tx) -> int:
            return expire_cache(tx, later, dry_run=True)

        assert await main.write(dry) == 1
        assert await main.write(expire_cache, later) == 1
        assert await main.read(count_cache, fresh=True) == 1
        assert await main.write(clear_cache) == 1

    live_in(home, story)


def test_memory_has_a_bound(home: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bahi.settings.service.ENTRIES_AT_MOST", 5)
    monkeypatch.setattr("bahi.settings.service.ROOM_FOR", 2)

    async def story(house: House) -> None:
        main = house.stores["main"]
        for n in range(9):
            await main.write(remember, f"k{n}", None, timedelta(hours=n + 1))
        assert await main.read(count_cache, fresh=True) <= 5
        assert await main.write(get_cache, "k8", MORNING) == "value of k8"
        with pytest.raises(Invalid):
            await main.write(remember, "k", None, timedelta(days=31))
        with pytest.raises(Invalid):
            await main.write(remember, "x" * 300)

    live_in(home, story)


def test_requests_are_counted_right_however_many_count_at_once(home: dict[str, str]) -> None:
    asked = Asked(api_name="kite", endpoint="/orders", user_ref="someone")
    limit = Limit(requests=30, window_s=60)

    async def story(house: House) -> None:
        main = house.stores["main"]
        once = lambda: main.write(count_request, asked, limit, MORNING)  # noqa: E731
        ends: list[Counted] = await asyncio.gather(*(once() for _ in range(50)))
        assert sorted(it.left for it in ends if it.allowed) == list(range(30))
        assert sum(not it.allowed for it in ends) == 20
        assert {it.resets_at for it in ends} == {MORNING + timedelta(minutes=1)}
        later = MORNING + timedelta(minutes=1)
        assert (await main.write(count_request, asked, limit, later)).left == 29
        other = Asked(api_name="breeze", endpoint="/orders", user_ref="someone")
        assert (await main.write(count_request, other, limit, MORNING)).left == 29
        day = timedelta(days=1)
        used = await main.read(rate_use, MORNING - day, MORNING + day, fresh=True)
        assert used == [RateUse("breeze", 1, 1, 0), RateUse("kite", 51, 2, 1)]

        def dry(tx: Tx) -> int:
            return expire_windows(tx, MORNING + day, dry_run=True)

        assert await main.write(dry) == 3
        assert await main.write(expire_windows, MORNING + timedelta(minutes=2)) == 2
        assert await main.write(expire_windows, MORNING + day) == 1
        with pytest.raises(Invalid):
            await main.write(count_request, asked, Limit(1, 0), MORNING)

    live_in(home, story)
