"""PostgreSQL servers: one that is given, and clusters that tests make, kill, copy and promote."""

from __future__ import annotations

import contextlib
import functools
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self
from urllib.parse import urlsplit
from uuid import uuid4

import psutil
import psycopg
from psycopg import sql

from tests.memory import memory
from tests.ports import LOOPBACK, release_port, reserve_port
from tests.postgres import Binaries, PostgresFailed, plain_environment, unprivileged

PATIENCE_S: Final = 60
STOP_S: Final = 30
SUPERUSER: Final = "bahi"

COMMON: Final = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "dynamic_shared_memory_type": "mmap",  # inside the data folder: what a kill leaves goes with it
    "max_connections": "300",
    "shared_buffers": "64MB",
    "jit": "off",
    "timezone": "America/New_York",  # neither UTC nor IST: nothing may lean on the server's zone
    "wal_keep_size": "256MB",
    "wal_retrieve_retry_interval": "100ms",
}
DURABLE: Final = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
FAST: Final = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


def run_sql(url: str, statement: str | sql.Composed) -> list[Any]:
    """Run a statement on a connection of its own; return its rows, if it has any."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def dbname_of(url: str) -> str:
    """Return the name of the database that a URL leads to."""
    return urlsplit(url).path.removeprefix("/")


class Server:
    """A PostgreSQL server that answers at a URL."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)._replace(scheme="postgresql")

    def url(self, dbname: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return self._url._replace(path=f"/{dbname}").geturl()

    def psql(self, statement: str | sql.Composed, dbname: str = "postgres") -> list[Any]:
        """Run a statement as the superuser, in a transaction of its own; return its rows."""
        return run_sql(self.url(dbname), statement)

    def create_database(self, name: str | None = None, *, template: str = "template0") -> str:
        """Make a database, empty or the copy of one that nobody is connected to; return its URL."""
        name = name or f"bahi_test_{uuid4().hex[:16]}"
        how = "STRATEGY FILE_COPY" if self._copies_files else ""
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} ENCODING 'UTF8' " + how)
        self.psql(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return self.url(name)

    @functools.cached_property
    def _copies_files(self) -> bool:
        """Whether it has to be told to copy files, half as dear as block by block through its log.

        From 15 on it has the choice; older ones know nothing else.
        """
        ((version,),) = self.psql("SELECT current_setting('server_version_num')::integer")
        return bool(version >= 150_000)

    def drop_database(self, url: str) -> None:
        """Remove a database and end whoever still uses it."""
        name = sql.Identifier(dbname_of(url))
        self.psql(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


class Cluster(Server):
    """A server of our own, in a folder of its own, at a port that stays the same over restarts."""

    def __init__(self, folder: Path, binaries: Binaries) -> None:
        self.folder, self.binaries = folder, binaries
        self.port = reserve_port()
        self.log = folder / "log"
        self.data = folder / "data"
        self._postmaster: subprocess.Popen[bytes] | None = None
        self._leash: subprocess.Popen[bytes] | None = None
        super().__init__(f"postgresql://{SUPERUSER}@{LOOPBACK}:{self.port}")

    @classmethod
    def make(cls, binaries: Binaries, *, settings: Mapping[str, str] = DURABLE) -> Cluster:
        """Make an empty cluster, not yet started; one that need not last stands in memory."""
        folder = binaries.new_folder(memory() if settings == FAST else None)
        cluster = cls(folder, binaries)
        try:
            binaries.run(
                *("initdb", "-D", str(cluster.data), "-U", SUPERUSER, "-E", "UTF8"),
                *("--locale=C", "--auth=trust", "--no-sync"),
                cwd=cluster.folder,
            )
        except BaseException:
            cluster.remove()
            raise
        settings = {**COMMON, **settings}
        with (cluster.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
        return cluster

    def __enter__(self) -> Self:
        """Start."""
        try:
            return self if self.is_running else self.start()
        except BaseException:
            self.remove()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop and remove."""
        self.remove()

    # Life

    @property
    def is_running(self) -> bool:
        """Whether its first process lives."""
        return self._postmaster is not None and self._postmaster.poll() is None

    def start(self) -> Self:
        """Start, recover if need be, and return when it answers."""
        command = [self.binaries.path("postgres"), "-D", str(self.data), "-p", str(self.port)]
        with self.log.open("ab") as log:
            self._postmaster = subprocess.Popen(
                command,
                cwd=self.folder,
                env=plain_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C on the tests is not for it
                **unprivileged(),
            )
        self._leash = leash(self._postmaster.pid)
        self._until(self._answers, "start")
        return self

    def stop(self, mode: Literal["fast", "immediate"] = "fast") -> None:
        """Stop: `fast` ends transactions and writes all out, `immediate` leaves it to recovery."""
        self._end(signal.SIGINT if mode == "fast" else signal.SIGQUIT)

    def kill(self) -> None:
        """End all of its processes at once, in the middle of whatever they do."""
        if self._postmaster is None:
            return
        first = psutil.Process(self._postmaster.pid)
        first.suspend()  # so that it neither forks another child nor sees the others die
        doomed = [first, *first.children(recursive=True)]
        for process in doomed:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self._end(signal.SIGKILL)
        _wait(lambda: not any(_alive(process) for process in doomed), "the killed processes ended")

    def restart(self, mode: Literal["fast", "immediate"] = "fast") -> Self:
        """Stop and start."""
        self.stop(mode)
        return self.start()

    def remove(self) -> None:
        """Stop, whatever state it is in, and remove every trace."""
        self.stop("immediate")
        self._forget_shared_memory()
        shutil.rmtree(self.folder, ignore_errors=True)
        release_port(self.port)

    # Copies

    def standby(self, *, synchronous: bool = False) -> Cluster:
        """Copy it to a streaming standby, started; if synchronous, COMMIT waits for it from now."""
        copy = Cluster(self.binaries.new_folder(), self.binaries)
        source = f"host={LOOPBACK} port={self.port} user={SUPERUSER} application_name={copy.name}"
        try:
            self.binaries.run(
                *("pg_basebackup", "-D", str(copy.data), "-d", source),
                *("--write-recovery-conf", "--checkpoint=fast", "--no-sync"),
                cwd=copy.folder,
            )
            copy.start()
            self._until(lambda: self._state_of(copy) is not None, f"stream to {copy.name}")
            if synchronous:
                self.commit_only_with(copy)
        except BaseException:
            copy.remove()
            raise
        return copy

    @property
    def name(self) -> str:
        """What it calls itself when it follows another."""
        return f"bahi_{self.port}"

    def commit_only_with(self, *standbys: Cluster) -> None:
        """Answer a COMMIT only when one of the standbys has it on disk; with none, on its own."""
        names = ", ".join(standby.name for standby in standbys)
        self.psql(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self.psql("SELECT pg_reload_conf()")
        self._until(
            lambda: not standbys or any(self._state_of(copy) == "sync" for copy in standbys),
            f"take {names} as synchronous",
        )

    def promote(self) -> None:
        """Make a standby a primary."""
        self.psql(f"SELECT pg_promote(true, {PATIENCE_S})")
        self._until(lambda: not self._is_standby(), "be promoted")

    def catch_up(self, primary: Server) -> None:
        """Return when this standby shows all that the primary had committed before the call."""
        ((target,),) = primary.psql("SELECT pg_create_restore_point('caught up')::text")
        query = f"SELECT pg_last_wal_replay_lsn() >= '{target}'::pg_lsn"
        self._until(lambda: self.psql(query) == [(True,)], f"replay up to {target}")

    # Within

    def _state_of(self, standby: Cluster) -> str | None:
        query = "SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'"
        rows = self.psql(f"{query} AND application_name = '{standby.name}'")
        return rows[0][0] if rows else None

    def _is_standby(self) -> bool:
        return bool(self.psql("SELECT pg_is_in_recovery()")[0][0])

    def _answers(self) -> bool:
        try:
            return self.psql("SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            if not self.is_running:
                raise PostgresFailed(f"the server ended: {self._last_words()}") from None
            return False

    def _end(self, how: signal.Signals) -> None:
        if self._leash is not None:
            self._leash.kill()  # first: nobody may signal a number that is free again
            self._leash.communicate()
        if self._postmaster is not None:
            self._postmaster.send_signal(how)
            self._postmaster.wait(STOP_S)
        self._postmaster = self._leash = None

    def _until(self, holds: Callable[[], bool], what: str) -> None:
        try:
            _wait(holds, what)
        except TimeoutError:
            message = f"the server did not {what} in {PATIENCE_S} s: {self._last_words()}"
            raise PostgresFailed(message) from None

    def _last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " | ".join(lines[-5:])

    def _forget_shared_memory(self) -> None:
        """Give back the segment that a killed server leaves behind with the kernel."""
        with contextlib.suppress(OSError, IndexError):
            segment = (self.data / "postmaster.pid").read_text().splitlines()[6].split()[1]
            subprocess.run(["ipcrm", "-m", segment], capture_output=True, check=False)


def leash(pid: int) -> subprocess.Popen[bytes]:
    """Tie a server to this process: it is ended when we are gone, however we went."""
    command: Sequence[str] = ["sh", "-c", 'read _; kill -QUIT "$1"', "leash", str(pid)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def _wait(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not in {PATIENCE_S} s: {what}")
        time.sleep(0.02)


def _alive(process: psutil.Process) -> bool:
    """A zombie that nobody collects is dead enough."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
