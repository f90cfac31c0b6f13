"""A house for a morning's stories."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import datetime

import pytest

from bahi.kernel.clock import StoppedClock
from tests.living import MORNING
from tests.tokens.mornings import Live, Morning, Story, a_house, furnished, settings, upstox


@pytest.fixture
def furnished_at() -> datetime:
    """Say when the first start of these houses was."""
    return MORNING


@pytest.fixture
def live(home: dict[str, str]) -> Iterator[Live]:
    """Live through a story in a house whose Upstox is on loopback."""
    with upstox() as broker:

        def go(story: Story) -> None:
            async def whole() -> None:
                clock = StoppedClock(MORNING)
                house = a_house(settings(home, broker.url), clock)
                try:
                    await story(Morning(house, await furnished(house), broker, clock))
                finally:
                    await house.close()

            asyncio.run(whole())

        yield go
