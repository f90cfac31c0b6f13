"""A furnished house of each kind, for stories about jobs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.processes import Environment
from tests.databases import KINDS, MakeDatabase
from tests.furnished import Furnished


@pytest.fixture(params=KINDS)
def env(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    furnished: Furnished,
    make_database: MakeDatabase,
) -> Environment:
    return furnished.copy(request.param, tmp_path / "data", make_database)
