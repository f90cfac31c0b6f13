"""Backups: online, dated, verified copies of one store each, in a folder of their own.

A backup is `<store>_YYYYMMDD-HHMMSS` by the desk's own clock (IST), `.sqlite` or `.pgdump`, and its
facts beside it. It is copied from one snapshot while everybody writes on, read back, and only then
given its name, so what bears a backup's name was whole when it was made.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from bahi.db.opening import Database
from bahi.db.schema import STORES
from bahi.db.upkeep.copies import Tell, copy, sync
from bahi.db.upkeep.facts import Damaged, Facts, digest_of
from bahi.db.upkeep.locks import held
from bahi.kernel.clock import IST, Clock, from_micros, to_micros
from bahi.kernel.errors import NotFound

EXTENSIONS: Final = {"sqlite": ".sqlite", "postgresql": ".pgdump"}
STAMP: Final = "%Y%m%d-%H%M%S"
NAME: Final = re.compile(r"([a-z]+)_(\d{8}-\d{6})(\.sqlite|\.pgdump)")
UNFINISHED: Final = ".unfinished"


@dataclass(frozen=True)
class Backup:
    """One backup: its file, and what that should hold."""

    file: Path

    @property
    def store(self) -> str:
        """The store that it is of."""
        return self.file.name.partition("_")[0]

    @property
    def kind(self) -> str:
        """The database that it is of."""
        return "sqlite" if self.file.suffix == EXTENSIONS["sqlite"] else "postgresql"

    @property
    def stamp(self) -> str:
        """When it was made, as its name says: sorts by time."""
        return self.file.stem.partition("_")[2]

    @property
    def facts_file(self) -> Path:
        """What it says of itself."""
        return self.file.with_name(f"{self.file.name}.facts")

    def verify(self, also: Callable[[bytes], object] = lambda _: None) -> Facts:
        """Return its facts once every byte of it is known to be right; `also` sees the bytes."""
        facts = Facts.read(self.facts_file)
        if not self.file.is_file():
            raise NotFound(f"There is no backup {self.file.name}.")
        if (facts.store, facts.kind) != (self.store, self.kind):
            raise Damaged(f"{self.file.name} holds the {facts.store} store: it was renamed.")
        if (size := self.file.stat().st_size) != facts.size:
            raise Damaged(f"{self.file.name} is {size:,} bytes long, and was {facts.size:,}.")
        if digest_of(self.file, also) != facts.digest:
            raise Damaged(f"{self.file.name} is damaged: its checksum does not fit.")
        return facts

    def is_good(self) -> bool:
        """Say whether every byte is right."""
        try:
            self.verify()
        except (Damaged, NotFound):
            return False
        return True

    def remove(self) -> None:
        """Remove it; the facts last, so that no backup is ever without them."""
        self.file.unlink(missing_ok=True)
        self.facts_file.unlink(missing_ok=True)


@dataclass(frozen=True)
class Keep:
    """How many backups of a store are kept, and for how long; what is beyond either goes."""

    count: int = 30
    days: int = 90


class Backups:
    """A folder of backups."""

    def __init__(self, folder: Path, clock: Clock, keep: Keep = Keep()) -> None:
        self.folder, self._clock, self._keep = folder, clock, keep

    def of(self, store: str) -> list[Backup]:
        """List the backups of a store, the newest first."""
        names = [it.name for it in self.folder.glob(f"{store}_*") if NAME.fullmatch(it.name)]
        return sorted((Backup(self.folder / n) for n in names), key=lambda b: b.stamp, reverse=True)

    def newest(self, store: str) -> Backup | None:
        """Return the newest backup of a store."""
        return next(iter(self.of(store)), None)

    def find(self, name: str) -> Backup:
        """Return a backup by its file's name."""
        if not NAME.fullmatch(name) or not (self.folder / name).is_file():
            raise NotFound(f"There is no backup {name} in {self.folder}.")
        return Backup(self.folder / name)

    def named(self, what: str) -> Backup:
        """Return the newest backup of a store, or the one of a file's name."""
        return (self.newest(what) if what in STORES else None) or self.find(what)

    def take(self, database: Database, tell: Tell = lambda _: None) -> Backup:
        """Copy a store while it is in use, verify the copy, and remove what is out of date."""
        with self._alone():
            backup = self._free_name(database)
            unfinished = backup.file.with_name(f".{backup.file.name}{UNFINISHED}")
            try:
                os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
                version, rows = copy(database, unfinished, tell)
                facts = Facts(
                    store=database.store,
                    kind=backup.kind,
                    version=version,
                    made_at=to_micros(self._clock()),
                    rows=rows,
                    size=unfinished.stat().st_size,
                    digest=digest_of(unfinished),
                )
                _write_new(backup.facts_file, facts.text())  # first: no backup is without its facts
                sync(unfinished)
                unfinished.rename(backup.file)
                sync(self.folder)
            finally:
                unfinished.unlink(missing_ok=True)
            self._prune(database.store)
            return backup

    def prune(self, store: str) -> list[Backup]:
        """Remove what is beyond the number or the age that is kept; return what was removed."""
        with self._alone():
            return self._prune(store)

    def _prune(self, store: str) -> list[Backup]:
        oldest = (self._clock().astimezone(IST) - timedelta(days=self._keep.days)).strftime(STAMP)
        listed = self.of(store)
        stays = [b for n, b in enumerate(listed) if n < self._keep.count and b.stamp >= oldest]
        goes = [b for b in listed if b not in stays]
        if not any(backup.is_good() for backup in stays):
            newest_good = next((backup for backup in goes if backup.is_good()), None)
            goes = [backup for backup in goes if backup != newest_good]
        for backup in goes:
            backup.remove()
        return goes

    @contextmanager
    def _alone(self) -> Iterator[None]:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with held(self.folder / ".lock", f"Another backup into {self.folder} is under way."):
            for leftover in self.folder.glob(f".*{UNFINISHED}*"):  # of one that was cut off
                leftover.unlink()
            yield

    def _free_name(self, database: Database) -> Backup:
        """Name the backup by this second, or by the next that no other has."""
        extension = EXTENSIONS["postgresql" if database.path is None else "sqlite"]
        at = self._clock().astimezone(IST)
        while True:
            backup = Backup(self.folder / f"{database.store}_{stamp(at)}{extension}")
            if not (backup.file.exists() or backup.facts_file.exists()):
                return backup
            at += timedelta(seconds=1)


def stamp(at: datetime) -> str:
    """Write an instant as backups are named by it: the desk's clock, IST."""
    return at.astimezone(IST).strftime(STAMP)


def made_at(facts: Facts) -> datetime:
    """Return when a backup was made."""
    return from_micros(facts.made_at)


def _write_new(file: Path, text: str) -> None:
    unfinished = file.with_name(f".{file.name}{UNFINISHED}")
    with os.fdopen(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as to:
        to.write(text)
    sync(unfinished)
    unfinished.rename(file)


def copy_out(backup: Backup, to: Path) -> Facts:
    """Copy a backup's file to a new place, private and on the disk; every byte is verified."""
    with os.fdopen(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as target:
        facts = backup.verify(target.write)
    sync(to)
    return facts
