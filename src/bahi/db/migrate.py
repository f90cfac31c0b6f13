"""Bringing a store to the present, step by step, or back.

Alembic runs the steps of one history per store; what it leaves open is closed here. Each step is
one transaction that also writes its row in `schema_migrations`; only one process migrates at a
time; a step that fails leaves version and schema as they were; and before the newest step commits
the database is compared with the code, so that "done" means done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from bahi.db import catalogue
from bahi.db.failures import DRIVER_ERRORS
from bahi.db.opening import Database, there, transaction
from bahi.kernel.errors import BahiError, Misconfigured

ORIGIN: Final = 0
HEAD: Final = 1_000_000


class StepFailed(BahiError):
    """A step of a migration failed; the sentence says what became of the store."""

    code = "step_failed"


class SchemaNewer(Misconfigured):
    """The database was written by a newer Bahi than this one."""

    code = "schema_newer"


class SchemaDiffers(BahiError):
    """The database is not what the code expects."""

    code = "schema_differs"


@dataclass(frozen=True)
class Step:
    """One step of a store's history."""

    version: int
    name: str
    checksum: str
    applied_at: int | None = None


@dataclass(frozen=True)
class History:
    """The steps of one store, as files: `0001_what_it_does.py` in a folder."""

    folder: Path

    def steps(self) -> list[Step]:
        """Return every step, in order."""
        files = sorted((self.folder).glob("[0-9]*_*.py"))
        return [Step(int(f.stem[:4]), f.stem[5:], _checksum(f)) for f in files]

    @property
    def head(self) -> int:
        """The newest version."""
        return max((step.version for step in self.steps()), default=ORIGIN)


def _checksum(step: Path) -> str:
    """Digest a step's file and the SQL beside it."""
    digest = blake2b(digest_size=16)
    for file in sorted(step.parent.glob(f"{step.stem}.*")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Migrator:
    """Moves one store along its history."""

    database: Database
    history: History
    tell: Callable[[str], None] = lambda _: None

    def __repr__(self) -> str:
        """Name the store; its URL may hold a password."""
        return f"Migrator({self.database.store!r})"

    def version(self) -> int:
        """Return the version that the store is at."""
        with self.database.opened() as core:
            return _version(core)

    def applied(self) -> list[Step]:
        """Return every step of the history with the time when it was applied, if it was."""
        with self.database.opened() as core:
            stamps = _stamps(core)
        return [replace(s, applied_at=stamps.get(s.version, (None, None))[1]) for s in self.steps]

    def missing(self) -> list[Step]:
        """Return the steps that are not taken; a store whose records cannot be right is refused."""
        with self.database.opened() as core:
            at = self._known(core)
        return [step for step in self.steps if step.version > at]

    @cached_property
    def steps(self) -> list[Step]:
        """Every step of the history, read once: each start asks three times for each store."""
        return self.history.steps()

    @property
    def head(self) -> int:
        """The newest version of the history."""
        return max((step.version for step in self.steps), default=ORIGIN)

    def upgrade(self, to: int = HEAD) -> list[Step]:
        """Take the steps that are missing up to a version; return those taken."""
        with self.database.opened(foreign_keys=False) as core, self.database.alone(core):
            at = self._known(core)
            missing = [step for step in self.steps if at < step.version <= to]
            for step in missing:
                self._take(core, step, up=True)
        return missing

    def downgrade(self, to: int) -> list[Step]:
        """Take steps back down to a version; return those taken back."""
        with self.database.opened(foreign_keys=False) as core, self.database.alone(core):
            at = self._known(core)
            unwanted = [step for step in reversed(self.steps) if to < step.version <= at]
            for step in unwanted:
                self._take(core, step, up=False)
        return unwanted

    def differences(self) -> list[str]:
        """Name everything in which the live store differs from the code."""
        with self.database.opened() as core:
            found = [*self._edited(core), *self._contradictions(core)]
            if _version(core) == ORIGIN:
                return [*found, "nothing has been created yet"]
            code = catalogue.expected(core, self.database.schema)
            return found + catalogue.differences(code, catalogue.read(core))

    def _edited(self, core: sa.Connection) -> Iterator[str]:
        stamps = _stamps(core)
        for step in self.steps:
            checksum = stamps.get(step.version, (step.checksum, None))[0]
            if checksum != step.checksum:
                yield f"step {step.version:04} ({step.name}) was edited after it was applied"

    def _known(self, core: sa.Connection) -> int:
        """Return the version; refuse a store that is newer, or whose records cannot be right."""
        version = _version(core)
        if version > self.head:
            raise SchemaNewer(
                f"The {self.database.store} store is at version {version}, "
                f"and this Bahi knows versions up to {self.head}: install a newer Bahi."
            )
        for contradiction in self._contradictions(core):
            raise SchemaDiffers(
                f"The {self.database.store} store cannot be migrated: {contradiction}; "
                "restore a backup, or put the record right by hand."
            )
        return version

    def _contradictions(self, core: sa.Connection) -> Iterator[str]:
        """Name where the records of the steps taken contradict the history, or each other."""
        stamps = _stamps(core)
        version = max(stamps, default=ORIGIN)
        steps = {step.version for step in self.steps if step.version <= version}
        for odd in sorted(steps ^ stamps.keys()):
            what = "no record" if odd in steps else "a record"
            but = "a later one was taken" if odd in steps else "there is no such step"
            yield f"schema_migrations has {what} of step {odd:04}, and {but}"
        alembics = _alembics(core)
        if alembics != ([f"{version:04}"] if version else []):
            yield (
                f"schema_migrations says version {version:04}, "
                f"and alembic_version says {' and '.join(alembics) or 'nothing'}"
            )

    def _compare(self, core: sa.Connection, step: Step) -> None:
        code = catalogue.expected(core, self.database.schema)
        found = catalogue.differences(code, catalogue.read(core))
        if found:
            more = f" (and {len(found) - 1} more differences)" if found[1:] else ""
            raise SchemaDiffers(
                f"Step {step.version:04} ({step.name}) does not bring the {self.database.store} "
                f"store to what the code expects: {found[0]}{more}; {AS_BEFORE}."
            )

    def _take(self, core: sa.Connection, step: Step, *, up: bool) -> None:
        store, way = self.database.store, "up to" if up else "down from"
        self.tell(f"{store}: {way} {step.version:04} {step.name}")
        under_way = UnderWay(core)
        try:
            with transaction(core):
                with under_way:
                    self._run(core, step, up=up)
                if up and step.version == self.head:
                    self._compare(core, step)
        except SchemaDiffers:
            raise
        except Exception as e:  # whatever a step does wrong: what became of the store is told
            said = str(getattr(e, "orig", None) or e).partition("\n")[0]
            raise StepFailed(
                f"Step {step.version:04} ({step.name}) of the {store} store failed: {said}; "
                f"{under_way.fate()}."
            ) from e

    def _run(self, core: sa.Connection, step: Step, *, up: bool) -> None:
        _prepare(core)
        before = max((s.version for s in self.steps if s.version < step.version), default=ORIGIN)
        _run_alembic(self.history.folder, core, step, to=step.version if up else before)
        _check_foreign_keys(core)


AS_BEFORE: Final = "the store is as it was before the step"
HALF_DONE: Final = (
    "not all of it ran in its one transaction, so a part of it may have stayed: "
    "look at the store by hand"
)
IN_DOUBT: Final = (
    "the connection was lost when it was about to commit: `bahi db status` says whether it did"
)


class UnderWay:
    """Watches whether a step stays inside the one transaction that is made for it.

    The savepoint is the thread through it: no transaction but the one it was made in knows it,
    not even one that the step began itself.
    """

    def __init__(self, core: sa.Connection) -> None:
        self._core = core
        self._broken = self._whole = False

    def __enter__(self) -> None:
        """Tie the thread."""
        self._core.exec_driver_sql("SAVEPOINT step")

    def __exit__(self, _kind: object, failure: BaseException | None, _trace: object) -> None:
        """Follow it back."""
        if self._core.invalidated:
            return
        try:
            if failure is not None:
                self._core.exec_driver_sql("ROLLBACK TO step")
            self._core.exec_driver_sql("RELEASE step")
            self._whole = failure is None
        except DRIVER_ERRORS as error:
            self._broken = not self._core.invalidated
            if failure is None:
                raise BahiError("it ended its own transaction") from error

    def fate(self) -> str:
        """Say what became of the store, after a failure."""
        if self._broken:
            return HALF_DONE
        if not self._core.invalidated:
            return AS_BEFORE
        self._core.rollback()  # SQLAlchemy's own notion of a transaction went with the connection
        return IN_DOUBT if self._whole else AS_BEFORE


def _prepare(core: sa.Connection) -> None:
    """Make the table of applied steps, in the first step's transaction."""
    whole = "INTEGER" if core.dialect.name == "sqlite" else "BIGINT"
    strict = "STRICT" if core.dialect.name == "sqlite" else ""
    core.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS schema_migrations ("
        f"version {whole} NOT NULL, name TEXT NOT NULL, checksum TEXT, "
        f"applied_at {whole} NOT NULL, CONSTRAINT pk_schema_migrations PRIMARY KEY (version))"
        f" {strict}"
    )


def _run_alembic(folder: Path, core: sa.Connection, step: Step, *, to: int) -> None:
    from alembic import command  # noqa: PLC0415 - a fifth of a second that only a migration pays
    from alembic.config import Config  # noqa: PLC0415

    up = to == step.version
    recorded: list[int] = []

    def record(**_: Any) -> None:
        recorded.append(step.version)
        if up:
            core.exec_driver_sql(
                "INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES "  # noqa: S608
                f"({step.version}, '{step.name}', '{step.checksum}', {time.time_ns() // 1000})"
            )
        else:
            core.exec_driver_sql(f"DELETE FROM schema_migrations WHERE version = {step.version}")  # noqa: S608

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parents[1] / "migrations"))
    config.set_main_option("version_locations", str(folder))
    config.set_main_option("path_separator", "newline")
    config.attributes.update(connection=core, on_version_apply=record)
    move = command.upgrade if up else command.downgrade
    move(config, f"{to:04}" if to else "base")
    if recorded != [step.version]:
        raise BahiError(f"Alembic took {len(recorded)} steps where it should have taken this one")


def _check_foreign_keys(core: sa.Connection) -> None:
    if core.dialect.name != "sqlite":
        return
    broken = core.exec_driver_sql("PRAGMA foreign_key_check").first()
    if broken is not None:
        raise BahiError(
            f"a row of {broken[0]} would point to a row of {broken[2]} that is not there"
        )


def _version(core: sa.Connection) -> int:
    return max(_stamps(core), default=ORIGIN)


def _alembics(core: sa.Connection) -> list[str]:
    """Return where Alembic's own table says that the store is."""
    if not there(core, ("alembic_version",)):
        return []
    return list(core.exec_driver_sql("SELECT version_num FROM alembic_version").scalars())


def _stamps(core: sa.Connection) -> dict[int, tuple[str, int]]:
    if not there(core, ("schema_migrations",)):
        return {}
    rows = core.exec_driver_sql("SELECT version, checksum, applied_at FROM schema_migrations")
    return {version: (checksum, applied_at) for version, checksum, applied_at in rows}
