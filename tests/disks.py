"""A disk that is small enough to fill."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path | None]:
    """Mount a disk of that size; None where we may not (then bound the file itself instead)."""
    folder = Path(tempfile.mkdtemp(prefix="bahi-disk-"))
    options = f"size={megabytes}m,mode=700"
    mounted = os.geteuid() == 0 and _ran("mount", "-t", "tmpfs", "-o", options, "tmpfs", folder)
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            _ = _ran("umount", folder) or _ran("umount", "--lazy", folder)
        folder.rmdir()


def _ran(program: str, *arguments: str | Path) -> bool:
    try:
        done = subprocess.run([program, *arguments], capture_output=True, check=False, timeout=30)
    except FileNotFoundError:
        return False
    return done.returncode == 0
