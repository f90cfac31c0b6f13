"""Fair turns for several processes on one SQLite file.

SQLite's own busy timeout polls, and whoever asks most often wins: of four processes one did 99 %
of the work. Two file locks make a turnstile: who wants to write holds the gate while it waits for
the turn, so a process that has just had its turn stands behind whoever waits already. The kernel
lets go of both when a process dies.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self


def lock_beside(database: Path, what: str) -> Path:
    """Name a lock file of a database: beside it, hidden, and never removed (who waits holds it)."""
    return database.with_name(f".{database.name}.{what}")


class Turnstile:
    """`with turnstile:` is one process's turn."""

    def __init__(self, database: Path) -> None:
        self._gate = _open(lock_beside(database, "gate"))
        self._turn = _open(lock_beside(database, "turn"))

    def __enter__(self) -> Self:
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        fcntl.flock(self._gate, fcntl.LOCK_UN)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        fcntl.flock(self._turn, fcntl.LOCK_UN)

    def close(self) -> None:
        """Let go of the files."""
        os.close(self._gate)
        os.close(self._turn)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
