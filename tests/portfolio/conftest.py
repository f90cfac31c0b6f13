"""What these tests ask for beside the house of either kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases import MakeDatabase
from tests.furnished import Furnished


@pytest.fixture
def sqlite_home(
    furnished: Furnished, make_database: MakeDatabase, tmp_path: Path
) -> dict[str, str]:
    """Run the test on SQLite alone, where the database's kind is not what it is about."""
    return furnished.copy("sqlite", tmp_path / "home", make_database)
