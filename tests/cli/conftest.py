"""A terminal whose commands run in this process, in a house that is there."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.cli.here import Terminal
from tests.databases import MakeDatabase
from tests.furnished import TODAY, Furnished


@pytest.fixture
def furnished_at() -> datetime:
    """Say when the first start of these houses was."""
    return TODAY


@pytest.fixture
def terminal(
    request: pytest.FixtureRequest, home: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> Terminal:
    """Run the test twice, on databases of both kinds: for what is stored and found again."""
    return Terminal(home, monkeypatch)


@pytest.fixture
def quick(
    furnished: Furnished,
    furnished_at: datetime,
    make_database: MakeDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Terminal:
    """Run the test once: for what the terminal itself refuses, asks and shows."""
    environ = furnished.copy("sqlite", tmp_path / "home", make_database, at=furnished_at)
    return Terminal(environ, monkeypatch)
