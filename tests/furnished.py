"""A house that is migrated once in a run: tests that need one as it stands begin with a copy."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from bahi.bootstrap import build
from bahi.config import Settings
from tests.cli.processes import Environment, environment
from tests.databases import Database, Databases, Kind, MakeDatabase


class Furnished:
    """Folders with keyring and stores, and beside them the databases that hold their schemas."""

    def __init__(self, databases: Databases, folder: Path) -> None:
        self._databases, self._folder = databases, folder
        self._made: dict[Kind, Database | None] = {}

    def copy(self, kind: Kind, home: Path, make: MakeDatabase) -> Environment:
        """Furnish a data folder, and return the environment that leads to its stores."""
        if kind not in self._made:
            self._made[kind] = self._furnish(kind)
        shutil.copytree(self._folder / kind, home)
        original = self._made[kind]
        return environment(home, original and make(kind, template=original))

    def _furnish(self, kind: Kind) -> Database | None:
        database = None if kind == "sqlite" else self._databases.make(kind, self._folder)
        home = self._folder / kind
        house = build(Settings.from_environment(environment(home, database)))
        asyncio.run(house.close())
        return database

    def remove(self) -> None:
        """Drop the databases that were copied."""
        for database in self._made.values():
            if database is not None:
                self._databases.drop(database)
