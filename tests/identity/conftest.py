"""Houses whose first start is over: their stories are of people."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.living import MORNING


@pytest.fixture
def furnished_at() -> datetime:
    """Say when the first start of these houses was."""
    return MORNING
