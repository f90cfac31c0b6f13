"""OpenAlgo's own clients, unchanged, against a house of its own: every method that they have."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cli.processes import Environment, Service, bahi, environment
from tests.databases import MakeDatabase
from tests.furnished import TODAY, Furnished
from tests.orders.desks import OPEN

TOUR: Final = Path(__file__).with_name("tour.py")
GUIDE: Final = Path(__file__).parents[3] / "docs" / "OPENALGO.md"
DEFAULT: Final = "http://127.0.0.1:8000"
ROOT: Final = Path(__file__).parents[3]
NEWER: Final = ("python3.13", "python3.12")
CLIENT: Final = "2.0.5"
PATIENCE_S: Final = 200


@pytest.fixture
def served(tmp_path: Path, furnished: Furnished, make_database: MakeDatabase) -> Environment:
    """Lead to a house whose market never closes."""
    home = tmp_path / "home"
    furnished.copy("sqlite", home, make_database, at=TODAY)
    return environment(home, **OPEN)


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an interpreter that has the newer client, by the ordinary pip."""
    if sys.version_info >= (3, 12):
        return Path(sys.executable)
    python = _newer_python()
    if python is None:
        pytest.skip("the client 2.0.5 needs a Python of 3.12 or 3.13, and there is none")
    room = tmp_path_factory.mktemp("newer")
    subprocess.run([python, "-m", "venv", str(room)], check=True, timeout=PATIENCE_S)
    made = room / "bin" / "python"
    wanted = ["-c", str(ROOT / "constraints.txt"), f"openalgo=={CLIENT}"]
    installed = subprocess.run(
        [str(made), "-m", "pip", "install", "-q", *wanted],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    if installed.returncode:
        pytest.skip(f"the client {CLIENT} could not be installed: {installed.stderr[-300:]}")
    return made


def _newer_python() -> str | None:
    """Return a Python that can make rooms: on the path, or where pyenv keeps its own."""
    pyenv = sorted(Path.home().glob(".pyenv/versions/3.1[23].*/bin/python3"), reverse=True)
    for name in (*map(str, pyenv), *NEWER):
        found = shutil.which(name)
        if (
            found
            and not subprocess.run(
                [found, "-c", "import ensurepip, venv"],
                capture_output=True,
                check=False,
                timeout=60,
            ).returncode
        ):
            return found
    return None


def run(python: Path, script: str, env: Environment, *words: str, **more: str) -> str:
    """Run a script that knows nothing of the house to its end; return what it says."""
    ended = subprocess.run(
        [str(python), script, *words],
        env={"PATH": env["PATH"], "HOME": env["HOME"], "LANG": "C.UTF-8", **more},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3_000:]
    return ended.stdout


def on_tour(python: Path, env: Environment) -> tuple[set[str], set[str]]:
    """Have a client go through its methods; return what it asked, and what it could have."""
    with Service(env) as service:
        issued = bahi("key", "issue", "--scope", "trade", "--json", env=env)
        assert issued.returncode == 0, issued
        key = json.loads(issued.stdout)["key"]
        ended = run(python, str(TOUR), env, TOUR_KEY=key, TOUR_HOST=service.url)
        page = re.search(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
        assert page is not None
        snippet = page[1].replace("the key", key).replace(DEFAULT, service.url)
        assert "'status': 'success'" in run(python, "-c", env, snippet)
        code, errors = service.stop()
        assert code == 0, errors
        assert "Traceback" not in errors
    public = subprocess.run(
        [
            str(python),
            "-c",
            "from openalgo import api; print(*(it for it in dir(api) if it[0] != '_'))",
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    return set(json.loads(ended)), set(public.stdout.split())


def methods_of(named: set[str], shared: Any) -> set[str]:
    """Return the methods that were captured: the client has attributes beside them."""
    return named & set(shared["public"])


def test_the_client_that_is_installed_finds_every_method_of_its_own(
    served: Environment, shared_data: Path
) -> None:
    asked, named = on_tour(Path(sys.executable), served)
    captured = json.loads(
        (shared_data / "captures" / f"openalgo-{version('openalgo')}.json").read_text()
    )
    assert methods_of(named, captured) <= asked


def test_the_newer_client_finds_every_method_of_its_own(
    served: Environment, newer: Path, shared_data: Path
) -> None:
    asked, named = on_tour(newer, served)
    captured = json.loads((shared_data / "captures" / f"openalgo-{CLIENT}.json").read_text())
    assert methods_of(named, captured) <= asked
