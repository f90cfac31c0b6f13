"""The commands around backups, from the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bahi.cli.backup import app
from bahi.kernel.errors import Conflict
from tests.databases import MakeDatabase
from tests.furnished import Furnished


@pytest.fixture
def home(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    furnished: Furnished,
    make_database: MakeDatabase,
) -> Path:
    """A data folder whose stores are as the code wants them."""
    home = tmp_path / "data"
    furnished.copy("sqlite", home, make_database)
    monkeypatch.setenv("BAHI_HOME", str(home))
    return home


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))  # type: ignore[return-value] # Typer's own click


def test_saved_drilled_replaced_measured_and_maintained(home: Path) -> None:
    saved = json.loads(run("backup", "--json").stdout)
    assert set(saved) == {"main", "sandbox", "latency", "logs", "telegram", "archive"}
    drilled = run("drill")
    assert drilled.exit_code == 0
    assert drilled.stdout.count("is good") == 6
    name = Path(saved["logs"]).name
    restored = run("restore", name)
    assert restored.exit_code == 0  # it holds no rows yet
    assert f"logs: is as {name} has it" in restored.stdout
    assert "logs: what was there is kept as logs_replaced_" in restored.stdout
    (measured,) = json.loads(run("size", "logs", "--json").stdout)
    assert measured["store"] == "logs"
    assert run("slow").exit_code == 0
    assert "main: in good shape" in run("maintain", "main").stdout
    assert run("export", "main", "config", "--to", str(home / "out")).exit_code == 0
    assert (home / "out" / "config.csv").is_file()


def test_a_drill_that_fails_says_which_and_ends_with_one(home: Path) -> None:
    saved = json.loads(run("backup", "main", "--json").stdout)
    file = Path(saved["main"])
    file.write_bytes(file.read_bytes()[:-100])
    drilled = run("drill", "main")
    assert drilled.exit_code == 1
    assert drilled.stdout.startswith(f"main: {file.name} is not good: ")


def test_one_store_that_fails_does_not_keep_the_others_from_being_saved(home: Path) -> None:
    (home / "logs.sqlite").write_bytes(b"no database")
    saved = run("backup", "--json")
    assert saved.exit_code == 1
    assert len(json.loads(saved.stdout)) == 5
    assert "LOGS_DATABASE_URL" in saved.stderr


def test_nothing_is_restored_while_the_service_runs(home: Path) -> None:
    from bahi.bootstrap import take_service_lock

    saved = json.loads(run("backup", "main", "--json").stdout)
    with take_service_lock(home):
        refused = run("restore", Path(saved["main"]).name)
    assert isinstance(refused.exception, Conflict)
