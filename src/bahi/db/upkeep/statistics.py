"""How long each function of a transaction takes, told from a running process to any other.

The store counts as it runs (`running.Watch`); here the counts go, every few seconds, into
`<home>/statistics/<store>-<pid>.json`, which `bahi db slow` reads. Names of functions only, never
a value. The files of a run stay until the next one begins, so a stopped service can be asked too.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from bahi.db.running import Spent, everything_spent

EVERY_S: Final = 5.0

ByFunction = dict[str, Spent]


class StatisticsFiles:
    """Writes this process's counts, for as long as it runs."""

    def __init__(self, home: Path, *, every_s: float = EVERY_S) -> None:
        self._folder, self._every_s = folder_of(home), every_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="statistics", daemon=True)

    def start(self) -> None:
        """Forget the processes that are gone, and begin."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file in self._folder.glob("*-*.json"):
            if not _is_alive(file):
                file.unlink(missing_ok=True)
        self._thread.start()

    def close(self) -> None:
        """Write for the last time, and end."""
        self._ended.set()
        self._thread.join()

    def write(self) -> None:
        """Write the counts of every store that has any."""
        for store, functions in everything_spent().items():
            if functions:
                _replace(self._folder / f"{store}-{os.getpid()}.json", json.dumps(functions))

    def _work(self) -> None:
        while not self._ended.wait(self._every_s):
            with suppress(OSError):  # a full disk stops the house elsewhere, and in words
                self.write()
        with suppress(OSError):
            self.write()


def read_statistics(home: Path, store: str) -> ByFunction:
    """Add up what the processes of the present or the last run have told of a store."""
    total: ByFunction = {}
    for file in folder_of(home).glob(f"{store}-*.json"):
        for name, spent in _read(file).items():
            count, total_us, worst_us = total.get(name, [0, 0, 0])
            total[name] = [count + spent[0], total_us + spent[1], max(worst_us, spent[2])]
    return total


def folder_of(home: Path) -> Path:
    """Return where the files lie."""
    return home / "statistics"


def _read(file: Path) -> Mapping[str, Spent]:
    with suppress(OSError, ValueError):  # just removed, or not ours
        read: Mapping[str, Spent] = json.loads(file.read_text("utf-8"))
        return read
    return {}


def _is_alive(file: Path) -> bool:
    try:
        os.kill(int(file.stem.rpartition("-")[2]), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:  # somebody's, so it lives
        return True
    return True


def _replace(file: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".")
    with os.fdopen(handle, "w", encoding="utf-8") as to:
        to.write(text)
    Path(name).replace(file)
