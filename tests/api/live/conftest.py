"""Houses for what is pushed: of both kinds where tables are read, of one where sockets are."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.furnished import TODAY


@pytest.fixture
def furnished_at() -> datetime:
    """Say when the first start of these houses was."""
    return TODAY
