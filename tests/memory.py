"""A place in memory for what a run throws away: nothing that a test proves needs a disk's speed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

SHARED_MEMORY: Final = Path("/dev/shm")
NEEDED_BYTES: Final = 4 * 2**30


def memory() -> Path | None:
    """Name a folder in memory with room for a run; None where there is none (or too little)."""
    if not SHARED_MEMORY.is_dir() or not os.access(SHARED_MEMORY, os.W_OK | os.X_OK):
        return None
    return SHARED_MEMORY if shutil.disk_usage(SHARED_MEMORY).free >= NEEDED_BYTES else None
