"""What tests of orders may ask for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from bahi.bootstrap import House
from tests.living import MORNING, live_in, stopped
from tests.orders.desks import NOON, OPEN
from tests.orders.stand import Story, stand_of


@pytest.fixture
def furnished_at() -> datetime:
    """Have these houses furnished on the morning of their day."""
    return MORNING


@pytest.fixture
def at_a_stand(home: dict[str, str]) -> Callable[[Story], None]:
    """Let a story happen at a desk whose broker is in memory, on both databases."""

    def happen(story: Story) -> None:
        clock = stopped(NOON)

        async def whole(house: House) -> None:
            await story(await stand_of(house, clock))

        live_in(home | OPEN, whole, clock)

    return happen
