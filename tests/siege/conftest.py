"""Houses that are besieged: of one kind, since it is the doors that are tried."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.processes import Environment, environment
from tests.databases import Database, Kind
from tests.furnished import TODAY, Furnished


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory, furnished: Furnished) -> Environment:
    """Lead to a house on SQLite whose first start was today."""
    home: Path = tmp_path_factory.mktemp("siege") / "home"
    furnished.copy("sqlite", home, no_database, at=TODAY)
    return environment(home)


def no_database(kind: Kind, template: Database | None = None) -> Database:
    """A house on SQLite has none elsewhere."""
    raise AssertionError(kind)


@pytest.fixture(scope="module")
def many_files() -> Iterator[None]:
    """Let this process have as many files as its attacks need."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4_096 if hard == resource.RLIM_INFINITY else min(4_096, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
