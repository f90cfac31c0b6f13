"""A house that is made once in a run: tests that need one as it stands begin with a copy."""

from __future__ import annotations

import asyncio
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

Make = tuple[Kind, datetime | None]


class Furnished:
    """Folders with keyring and stores, and beside them the databases that hold their schemas.

    With a time, the first start has been there then: the admin, the calendars, the small master.
    Without, a house has its schemas and no more.
    """

    def __init__(self, databases: Databases, folder: Path) -> None:
        self._databases, self._folder = databases, folder
        self._made: dict[Make, Database | None] = {}

    def copy(
        self, kind: Kind, home: Path, make: MakeDatabase, *, at: datetime | None = None
    ) -> Environment:
        """Furnish a data folder, and return the environment that leads to its stores."""
        if (kind, at) not in self._made:
            self._made[kind, at] = self._furnish(kind, at)
        shutil.copytree(self._place(kind, at), home)
        original = self._made[kind, at]
        return environment(home, original and make(kind, template=original))

    def _place(self, kind: Kind, at: datetime | None) -> Path:
        return self._folder / (f"{kind} {at:%Y-%m-%d}" if at else kind)

    def _furnish(self, kind: Kind, at: datetime | None) -> Database | None:
        if at is None:
            database = None if kind == "sqlite" else self._databases.make(kind, self._folder)
            environ = environment(self._place(kind, at), database)
        else:
            made: list[Database] = []

            def make(kind: Kind, template: Database | None = None) -> Database:
                made.append(self._databases.make(kind, self._folder, template=template))
                return made[-1]

            environ = self.copy(kind, self._place(kind, at), make)
            database = made[0] if made else None
        asyncio.run(_first_start(environ, at))
        return database

    def remove(self) -> None:
        """Drop the databases that were copied."""
        for database in self._made.values():
            if database is not None:
                self._databases.drop(database)


async def _first_start(environ: Environment, at: datetime | None) -> None:
    clock = SystemClock() if at is None else StoppedClock(at)
    house = build(Settings.from_environment(environ), clock=clock)
    if at is not None:
        await house.furnish()
    await house.close()
