"""Houses for pages: of one kind where the database plays no part."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases import MakeDatabase
from tests.furnished import Furnished


@pytest.fixture
def house(tmp_path: Path, furnished: Furnished, make_database: MakeDatabase) -> dict[str, str]:
    """Give one test the environment of a house on SQLite."""
    return furnished.copy("sqlite", tmp_path / "home", make_database)
