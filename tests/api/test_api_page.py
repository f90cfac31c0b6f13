"""Each example of `docs/API.md` runs against a real server, as it stands on the page."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

import pytest

from bahi.kernel.words import BrokerSlug
from tests.api.serving import Server
from tests.api.standing import Standing
from tests.furnished import TODAY, Furnished
from tests.orders.desks import OPEN

PAGE: Final = Path(__file__).parents[2] / "docs" / "API.md"
ENDINGS: Final = {"sh": ".sh", "python": ".py", "js": ".mjs"}
NEEDED: Final = {"sh": ("bash", "curl", "jq"), "python": (), "js": ("node",)}
WITHIN_S: Final = 60

SAYS: Final = {
    "A first key": "",
    "An order, and what became of it": "EXECUTED",
    "The book": "",
    "Stop everything": "",
    "Events": "",
}
"""What each example prints, among other things."""


class Example(NamedTuple):
    """A block of code under a heading."""

    heading: str
    language: str
    code: str


def examples() -> Iterator[Example]:
    parts = re.split(r"^## (.+)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        for language, code in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            yield Example(heading, language, code)


EXAMPLES: Final = list(examples())


@pytest.fixture(scope="module")
def served(
    furnished: Furnished, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """Serve a house with a key and an account; return the environment of who asks it."""
    home = tmp_path_factory.mktemp("api_page") / "home"
    environ = {**furnished.copy("sqlite", home, no_database, at=TODAY), **OPEN}

    async def furnishing(it: Standing) -> dict[str, str]:
        admin = await it.admin()
        account = await it.account(admin, BrokerSlug.PAPER, "For the page")
        return {"BAHI_KEY": await it.key(admin), "BAHI_ACCOUNT": str(account.id)}

    with Server(environ) as server:
        scripts = Path(sys.executable).parent
        path = f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"
        given = server.do(furnishing)
        yield {**os.environ, **environ, **given, "BAHI_URL": server.url, "PATH": path}


def no_database(*_: object) -> NoReturn:
    raise AssertionError("a house of files needs no database")


def test_the_page_shows_each_thing_in_each_language() -> None:
    shown = {(it.heading, it.language) for it in EXAMPLES}
    assert shown == {(heading, language) for heading in SAYS for language in ENDINGS}


@pytest.mark.parametrize("it", EXAMPLES, ids=lambda it: f"{it.heading} ({it.language})")
def test_an_example_of_the_page_runs(it: Example, served: dict[str, str], tmp_path: Path) -> None:
    for program in NEEDED[it.language]:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not here: the page's {it.language} examples were not run")
    file = tmp_path / f"example{ENDINGS[it.language]}"
    file.write_text(it.code, "utf-8")
    begin = {"sh": ["bash", "-euo", "pipefail"], "python": [sys.executable], "js": ["node"]}
    ran = subprocess.run(
        [*begin[it.language], str(file)],
        env=served,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr + ran.stdout
    assert SAYS[it.heading] in ran.stdout
    assert ran.stdout.strip()
