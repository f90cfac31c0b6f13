"""`bahi db upgrade, downgrade, status, check, history`: on both databases, as real processes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bahi.bootstrap import take_service_lock
from bahi.config import STORE_VARIABLES, Settings
from bahi.db.opening import Database as Place
from tests.cli.processes import HEADS, Environment, bahi, environment, refusal
from tests.databases import Database
from tests.ports import LOOPBACK, reserve_port

WIDTH = 80


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def env(home: Path, empty_database: Database) -> Environment:
    return environment(home, empty_database)


def test_a_store_goes_up_and_down_and_says_where_it_is(env: Environment) -> None:
    before = json.loads(bahi("db", "status", "--json", env=env).stdout)
    assert {name: it["version"] for name, it in before.items()} == dict.fromkeys(HEADS, 0)

    taken = json.loads(bahi("db", "upgrade", "--json", env=env).stdout)
    assert {name: max(steps, default=0) for name, steps in taken.items()} == HEADS
    again = bahi("db", "upgrade", "--all", env=env).stdout.splitlines()
    assert again == [f"{name}: nothing to do" for name in HEADS]

    check = bahi("db", "check", env=env)
    assert check.returncode == 0, check
    status = bahi("db", "status", env=env)
    assert status.returncode == 0
    assert status.stdout.count("up to date") == len(HEADS)

    history = json.loads(bahi("db", "history", "--json", env=env).stdout)
    assert all(step["applied_at"] for step in history)

    down = bahi("db", "downgrade", "logs", "0", "--yes", "--json", env=env)
    assert json.loads(down.stdout) == {"logs": list(range(HEADS["logs"], 0, -1))}
    left = json.loads(bahi("db", "status", "logs", "--json", env=env).stdout)
    assert left["logs"]["version"] == 0
    assert bahi("db", "upgrade", "logs", env=env).returncode == 0


def test_a_planted_difference_is_named(env: Environment) -> None:
    assert bahi("db", "upgrade", env=env).returncode == 0
    url = Settings.from_environment(env).urls["logs"]
    with Place("logs", url).opened() as core:
        core.exec_driver_sql("CREATE TABLE strangers (id INTEGER)")
    check = bahi("db", "check", env=env)
    assert check.returncode == 1
    assert "strangers" in check.stdout
    found = json.loads(bahi("db", "check", "--json", env=env).stdout)
    assert [name for name, differences in found.items() if differences] == ["logs"]


def test_looking_makes_nothing(home: Path) -> None:
    env = environment(home)
    for words in (("status",), ("history",), ("check",)):
        bahi("db", *words, env=env)
    assert not home.exists()
    assert bahi("db", "status", env=env).stdout.count("behind") == len(HEADS)


@pytest.mark.parametrize("command", ["status", "history"])
def test_tables_fit_eighty_columns(home: Path, command: str) -> None:
    long = home / ("a-folder-with-quite-a-long-name/" * 3)
    env = environment(long)
    assert bahi("db", "upgrade", env=env).returncode == 0
    lines = bahi("db", command, env=env).stdout.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert all(any(line.startswith(store) for line in lines) for store in STORE_VARIABLES)


def test_going_back_asks_first(home: Path) -> None:
    env = environment(home)
    assert bahi("db", "upgrade", env=env).returncode == 0
    for answer in ("n\n", ""):
        kept = bahi("db", "downgrade", "main", "0", env=env, answer=answer)
        assert kept.returncode == 1
        assert "with its rows" in kept.stderr
        status = json.loads(bahi("db", "status", "main", "--json", env=env).stdout)
        assert status["main"]["version"] == HEADS["main"]
    assert bahi("db", "downgrade", "main", "0", env=env, answer="y\n").returncode == 0


def test_nothing_is_taken_back_under_a_service(home: Path) -> None:
    env = environment(home)
    assert bahi("db", "upgrade", env=env).returncode == 0
    with take_service_lock(home):
        assert "already serves" in refusal("db", "downgrade", "main", "0", "--yes", env=env)


def test_a_version_that_never_was_is_refused(home: Path) -> None:
    sentence = refusal("db", "downgrade", "logs", "77", "--yes", env=environment(home))
    assert sentence == f"The logs store has versions 0 to {HEADS['logs']}."


def test_a_store_that_never_was_is_refused(home: Path) -> None:
    sentence = refusal("db", "status", "cellar", env=environment(home))
    assert sentence.startswith("There is no store 'cellar'; the stores are main, sandbox")


def test_the_others_are_shown_when_one_does_not_answer(home: Path) -> None:
    url = f"postgresql://desk:hunter2@{LOOPBACK}:{reserve_port()}/bahi"
    env = environment(home, LOGS_DATABASE_URL=url)
    status = bahi("db", "status", env=env)
    assert status.returncode == 1
    assert "hunter2" not in status.stdout + status.stderr
    assert status.stdout.count("behind") == len(HEADS) - 1


def test_a_store_made_by_hand_has_its_keyring_beside_it(home: Path) -> None:
    env = environment(home)
    assert bahi("db", "upgrade", "main", env=env).returncode == 0
    assert (home / "keyring").exists()
