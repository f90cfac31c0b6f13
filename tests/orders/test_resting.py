"""The driver's rest: it ends when something moved, and it never outlives its house."""

from __future__ import annotations

import asyncio

import pytest

from bahi.orders.service.errands import Trading


@pytest.mark.unit
def test_a_rest_that_is_woken_and_cancelled_at_once_is_cancelled() -> None:
    async def story() -> bool:
        trading = Trading()

        async def drive() -> None:
            while True:
                await trading.rest(60)

        driving = asyncio.create_task(drive())
        await asyncio.sleep(0)
        trading.wake()
        await asyncio.sleep(0)  # the wait is over, and who waited has not heard of it
        driving.cancel()
        done, _ = await asyncio.wait([driving], timeout=2)
        driving.cancel()
        return bool(done)

    assert asyncio.run(story())
