"""The shape of the house: what import-linter cannot say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "bahi"
PRIVATE = {"tables", "repository"}
MAY_READ_TABLES = ("bahi.migrations",)


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("bahi", cache_dir=None)


def contexts() -> set[str]:
    """Return every folder that keeps tables or rules of its own: that is what a context is."""
    words = {"model", "tables", "repository", "service"}
    found = {
        folder.name
        for folder in SOURCE.iterdir()
        if folder.is_dir()
        and any((folder / f"{w}.py").exists() or (folder / w).is_dir() for w in words)
    }
    return found - {"db", "migrations"}


def test_the_import_rules_know_every_context() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (inside,) = [
        contract
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["name"] == "Inside a context"
    ]
    assert set(inside["containers"]) == {f"bahi.{name}" for name in contexts()}


def test_tables_and_repositories_are_private_to_their_context(graph: grimp.ImportGraph) -> None:
    trespassers = []
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            _, owner, *inside = f"{imported}.".split(".")
            if owner == "db" or not inside or inside[0] not in PRIVATE:
                continue
            if not module.startswith((f"bahi.{owner}.", *MAY_READ_TABLES)):
                trespassers.append(f"{module} reads {imported}")
    assert trespassers == []


def test_every_module_says_what_it_is_for() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in SOURCE.rglob("*.py")
        if not file.read_text("utf-8").lstrip().startswith('"""')
    ]
    assert silent == []


def test_nothing_is_committed_that_nobody_would_open() -> None:
    """A module that grows past 400 lines asks to be split by noun."""
    long = {
        str(file.relative_to(ROOT)): lines
        for file in SOURCE.rglob("*.py")
        if (lines := len(file.read_text("utf-8").splitlines())) > 400
    }
    assert long == {}
