"""File locks between processes: held for as long as the `with` lasts, or until its process dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from bahi.kernel.clock import Deadline
from bahi.kernel.errors import Conflict

PAUSE_S: Final = 0.01


@contextmanager
def held(path: Path, busy: str, *, within_s: float = 0.0) -> Iterator[None]:
    """Hold a lock file; who cannot have it within the bound is told why in the sentence `busy`."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = Deadline(within_s)
        while not _taken(handle):
            if deadline.passed():
                raise Conflict(busy)
            time.sleep(PAUSE_S)
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
