"""What every test may ask for: databases of both kinds, clusters of its own, the shared data.

Nothing is skipped silently: a run without PostgreSQL says so, and fails at once under CI.
"""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.clusters import DURABLE, Cluster
from tests.databases import (
    KINDS,
    NO_PROGRAMS,
    NO_SERVER,
    Database,
    Databases,
    Kind,
    MakeDatabase,
    Postgres,
)
from tests.furnished import Furnished
from tests.memory import memory

CI = bool(os.environ.get("CI"))
ROUNDS = int(os.environ.get("BAHI_ROUNDS", "1"))
POSTGRES = pytest.StashKey[Postgres]()
FURNISHED = pytest.StashKey[Furnished]()

STORED = frozenset({"databases", "postgres", "furnished"})
APART = frozenset({"cli", "db", "migrations"})
"""What a unit test asks for none of, and where none stands: `pytest -m unit` is the quick look."""

# No example is timed, since machines are shared. CI draws the same examples each time, so that a
# red build is the change's own; a person's runs draw new ones; torture draws many more.
UNTIMED: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [hypothesis.HealthCheck.too_slow],
}
hypothesis.settings.register_profile("person", **UNTIMED)
hypothesis.settings.register_profile("ci", **UNTIMED, derandomize=True, print_blob=True)
hypothesis.settings.register_profile("torture", **UNTIMED, max_examples=100 * ROUNDS)
hypothesis.settings.load_profile("torture" if ROUNDS > 1 else "ci" if CI else "person")


def pytest_configure(config: pytest.Config) -> None:
    """Find PostgreSQL and a place for files, once for the controller and its workers.

    A shell begins what it runs in the background with Ctrl-C and its like ignored, and whatever the
    tests start would inherit that: commands that they end by it would never end.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    config.addinivalue_line("markers", "unit: needs no database and no process of its own")
    if within := memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(within))
    if worker := getattr(config, "workerinput", None):
        config.stash[POSTGRES] = postgres = Postgres.told(worker["postgres"])
        config.stash[FURNISHED] = Furnished(Databases(postgres), Path(worker["furnished"]))
        return
    config.stash[POSTGRES] = postgres = Postgres.find(os.environ.get("BAHI_TEST_POSTGRES_URL"))
    folder = Path(tempfile.mkdtemp(prefix="bahi-furnished-", dir=memory()))
    config.stash[FURNISHED] = Furnished(Databases(postgres), folder)
    if CI and postgres.binaries is None:
        raise pytest.UsageError(NO_PROGRAMS if postgres.is_there else NO_SERVER)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run half as many again as there are processors: a test that waits for a server uses none."""
    if hasattr(os, "sched_getaffinity"):  # a container may have fewer than there are
        processors = len(os.sched_getaffinity(0))
    else:
        processors = os.cpu_count() or 1
    return processors + processors // 2


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what `-m unit` runs, and begin with the long proofs, so that none is waited for."""
    for it in items:
        asks = getattr(it, "fixturenames", ())
        if STORED.isdisjoint(asks) and APART.isdisjoint(it.path.parts):
            it.add_marker("unit")
    items.sort(key=lambda it: it.get_closest_marker("torture") is None)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Search for rings seldom, and never among what stays to the end: the modules, the tests.

    That is half a million objects: to walk them was half of what collecting costs, and a third of
    what the tests of pages do.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(700, 10, 100)
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Start the server in the controller before its first worker, and tell each where it is."""
    node.workerinput["postgres"] = node.config.stash[POSTGRES].tell()
    node.workerinput["furnished"] = str(node.config.stash[FURNISHED].folder)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove what this process made, and stop the server that it started."""
    if hasattr(config, "workerinput"):
        return
    if furnished := config.stash.get(FURNISHED, None):
        furnished.remove()
    if postgres := config.stash.get(POSTGRES, None):
        postgres.close()


def pytest_report_header(config: pytest.Config) -> str:
    """Say which PostgreSQL it is."""
    return f"postgresql: {config.stash[POSTGRES]}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    """Have a reason for skipping said once, however many tests it kept from running."""
    report = yield
    if report.skipped and isinstance(report.longrepr, tuple):
        report.longrepr = ("tests", None, report.longrepr[2])
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say loudly what could not be shown on this machine."""
    if config.stash[POSTGRES].is_there:
        return
    terminalreporter.section("NOTHING WAS SHOWN ON POSTGRESQL", red=True, bold=True)
    terminalreporter.line(NO_SERVER)


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Postgres:
    """Hand out the run's PostgreSQL."""
    return request.config.stash[POSTGRES]


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Databases:
    """Hand out what makes and drops databases: for fixtures that outlive a test (templates)."""
    return Databases(postgres)


@pytest.fixture
def make_database(databases: Databases, tmp_path: Path) -> Iterator[MakeDatabase]:
    """Make databases that end with the test: `make_database("sqlite", template=migrated)`."""
    with ExitStack() as made:

        def make(kind: Kind, template: Database | None = None) -> Database:
            database = databases.make(kind, tmp_path, template=template)
            made.callback(databases.drop, database)
            return database

        yield make


@pytest.fixture(params=KINDS)
def empty_database(request: pytest.FixtureRequest, make_database: MakeDatabase) -> Database:
    """Run the test twice, each time with an empty database of the other kind."""
    return make_database(request.param)


@pytest.fixture(scope="session")
def furnished(request: pytest.FixtureRequest) -> Furnished:
    """Hand out copies of a house that was migrated once: `furnished.copy(kind, home, make)`."""
    return request.config.stash[FURNISHED]


@pytest.fixture
def furnished_at() -> datetime | None:
    """Say when the first start of these tests' houses was; None: it is still to come.

    A folder whose stories begin behind it overrides this: MORNING for those with a stopped clock,
    TODAY for those that live by the real one.
    """
    return None


@pytest.fixture(params=KINDS)
def home(
    request: pytest.FixtureRequest,
    furnished: Furnished,
    furnished_at: datetime | None,
    make_database: MakeDatabase,
    tmp_path: Path,
) -> dict[str, str]:
    """Run the test twice, each time with the environment of a house of the other kind."""
    return furnished.copy(request.param, tmp_path / "home", make_database, at=furnished_at)


@pytest.fixture
def sqlite_url(make_database: MakeDatabase) -> str:
    """Give one test an empty SQLite database."""
    return make_database("sqlite").url


@pytest.fixture
def postgres_url(make_database: MakeDatabase) -> str:
    """Give one test an empty database on the run's PostgreSQL."""
    return make_database("postgresql").url


@pytest.fixture
def make_cluster(postgres: Postgres) -> Iterator[Callable[..., Cluster]]:
    """Make running clusters that a test may kill, and standbys of them; all end with the test."""
    with ExitStack() as made:

        def make(*, standby_of: Cluster | None = None, **options: Any) -> Cluster:
            if standby_of is not None:
                return made.enter_context(standby_of.standby(**options))
            settings = DURABLE | options.pop("settings", {})
            return made.enter_context(Cluster.make(postgres.needed_binaries, settings=settings))

        yield make


@pytest.fixture
def rounds() -> Callable[[int], int]:
    """Turn CI's number of rounds into this run's: a hundred times as many under `make torture`."""
    return lambda of_ci: of_ci * ROUNDS


@pytest.fixture(scope="session")
def shared_data(pytestconfig: pytest.Config) -> Path:
    """Find the recorded data that the project never contains."""
    shared = os.environ.get("BAHI_SHARED") or pytestconfig.rootpath.parent / "shared"
    data = Path(shared) / "data"
    if not data.is_dir():
        pytest.skip(f"no shared data at {data}: set BAHI_SHARED")
    return data
