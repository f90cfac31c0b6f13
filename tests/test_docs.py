"""What the documents say is so: generated pages are current, queries run, links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bahi.cli.app import app
from bahi.cli.docs import pages
from bahi.cli.quick_reference import QUERIES
from bahi.db.migrate import Migrator
from bahi.db.opening import Database
from bahi.migrations import history
from tests import databases

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("name", pages(app))
def test_a_generated_page_is_current(name: str) -> None:
    kept = (ROOT / "docs" / name).read_text("utf-8")
    assert kept == pages(app)[name](), "run `make docs`"


def test_every_query_of_the_quick_reference_runs(empty_database: databases.Database) -> None:
    for store in {query.store for query in QUERIES}:
        database = Database(store, empty_database.url)
        if empty_database.kind == "sqlite":
            database = Database(store, f"{empty_database.url}.{store}")
        Migrator(database, history(store)).upgrade()
        with database.opened() as core:
            for query in QUERIES:
                if query.store == store:
                    core.exec_driver_sql(query.text).all()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        if not link.startswith("http"):
            assert (page.parent / link).exists(), f"{page.name} leads to {link}"


def test_every_file_that_the_documents_name_is_there() -> None:
    named = re.compile(r"(?<![\w/])((?:src|tests|docs|bench)/[\w/.-]+\.(?:py|md|sql))")
    missing = {
        f"{page.name}: {file}"
        for page in PAGES
        for file in named.findall(page.read_text("utf-8"))
        if not (ROOT / file).exists()
    }
    assert missing == set()


def test_every_command_that_the_readme_names_is_in_the_makefile() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    readme = (ROOT / "README.md").read_text("utf-8")
    assert set(re.findall(r"\bmake ([a-z]+)\b", readme)) <= targets


def test_every_decision_is_numbered_once() -> None:
    numbers = [file.name[:4] for file in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == [f"{n:04}" for n in range(1, len(numbers) + 1)]
