"""Houses for doors: of one kind where the database plays no part."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.databases import MakeDatabase
from tests.furnished import TODAY, Furnished


@pytest.fixture
def furnished_at() -> datetime:
    """Say when the first start of these houses was."""
    return TODAY


@pytest.fixture
def house(
    tmp_path: Path, furnished: Furnished, furnished_at: datetime, make_database: MakeDatabase
) -> dict[str, str]:
    """Give one test the environment of a house on SQLite."""
    return furnished.copy("sqlite", tmp_path / "home", make_database, at=furnished_at)
