"""A house that is made once in a run: tests that need one as it stands begin with a copy."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
from datetime import datetime
from pathlib import Path
from typing import Final

from bahi.bootstrap import build
from bahi.config import Settings
from bahi.kernel.clock import StoppedClock, SystemClock
from tests.cli.processes import Environment, environment
from tests.databases import Database, Databases, Kind, MakeDatabase

TODAY: Final = SystemClock()()
"""When the houses of tests that live by the real clock were furnished."""


class Furnished:
    """Folders with keyring and stores, and beside them the databases that hold their schemas.

    With a time, the first start has been there then: the admin, the calendars, the small master.
    Without, a house has its schemas and no more. The workers of a run share one such folder: who
    needs a house first makes it, and who comes meanwhile waits.
    """

    def __init__(self, databases: Databases, folder: Path) -> None:
        self._databases, self.folder = databases, folder

    def copy(
        self, kind: Kind, home: Path, make: MakeDatabase, *, at: datetime | None = None
    ) -> Environment:
        """Furnish a data folder, and return the environment that leads to its stores."""
        place = self.folder / (f"{kind} {at:%Y-%m-%d}" if at else kind)
        original = self._original(place, kind, at)
        shutil.copytree(place, home)
        return environment(home, original and make(kind, template=original))

    def _original(self, place: Path, kind: Kind, at: datetime | None) -> Database | None:
        made = _made(place)
        with place.with_name(f"{place.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                database = self._furnish(place, kind, at)
                made.write_text(database.url if database else "", "utf-8")
        url = made.read_text("utf-8")
        return Database(kind, url) if url else None

    def _furnish(self, place: Path, kind: Kind, at: datetime | None) -> Database | None:
        shutil.rmtree(place, ignore_errors=True)  # one that broke off half-way
        if at is None:
            database = None if kind == "sqlite" else self._databases.make(kind, self.folder)
            environ = environment(place, database)
        else:
            own: list[Database] = []

            def make(kind: Kind, template: Database | None = None) -> Database:
                own.append(self._databases.make(kind, self.folder, template=template))
                return own[-1]

            environ = self.copy(kind, place, make)
            database = own[0] if own else None
        asyncio.run(_first_start(environ, at))
        return database

    def remove(self) -> None:
        """Drop the databases that were copied, and the folders."""
        for made in self.folder.glob(str(_made(Path("*")))):
            if url := made.read_text("utf-8"):
                self._databases.drop(Database("postgresql", url))
        shutil.rmtree(self.folder, ignore_errors=True)


def _made(place: Path) -> Path:
    """Name the file that says that a house is made, and in which database."""
    return place.with_name(f"{place.name}.made")


async def _first_start(environ: Environment, at: datetime | None) -> None:
    clock = SystemClock() if at is None else StoppedClock(at)
    house = build(Settings.from_environment(environ), clock=clock)
    if at is not None:
        await house.furnish()
    await house.close()
