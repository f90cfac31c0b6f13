"""The bell: rung after a COMMIT that left work, it wakes whoever may do it, wherever that runs.

In this process by a call; in others of this machine by one byte on the named pipe that each worker
has in the data folder (a socket's path would have to be short); on PostgreSQL by a NOTIFY too, for
other machines. All but the call is done by a thread, at most one ring at a time, so a transaction
never waits for it, and a thousand commits in a moment are a few rings. Nothing depends on a ring:
workers look for themselves, only later.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
import weakref
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psycopg

from bahi.db.postgres import connect
from bahi.db.stores import sqlite_path
from bahi.kernel.errors import BahiError

CHANNEL: Final = "bahi_jobs"
ONE_BYTE: Final = b"!"
CLOSE_WITHIN_S: Final = 6.0

log = logging.getLogger("bahi.jobs")
_bells: weakref.WeakSet[Bell] = weakref.WeakSet()
_making: Final = threading.Lock()


def ring() -> None:
    """Ring the bells of this process: there may be something to do."""
    with _making:
        bells = list(_bells)
    for bell in bells:
        bell.ring()


class Bell:
    """One house's bell."""

    def __init__(self, home: Path, urls: Iterable[str]) -> None:
        self.folder = home / "wake"
        self.urls = tuple(dict.fromkeys(url for url in urls if sqlite_path(url) is None))
        self._near: tuple[Callable[[], None], ...] = ()
        self._changing = threading.Lock()
        self._rung, self._closed = threading.Event(), False
        self._thread: threading.Thread | None = None
        self._lines: dict[str, psycopg.Connection[Any]] = {}
        with _making:
            _bells.add(self)

    def ring(self) -> None:
        """Wake whoever listens, from any thread and without waiting."""
        for wake in self._near:
            wake()
        if not self._rung.is_set():
            self._rung.set()
            self._start()

    def add(self, wake: Callable[[], None]) -> None:
        """Call this on every ring; it is called from any thread and must not wait."""
        with self._changing:
            self._near = (*self._near, wake)

    def remove(self, wake: Callable[[], None]) -> None:
        """Call it no more."""
        with self._changing:
            self._near = tuple(each for each in self._near if each != wake)

    def close(self) -> None:
        """Ring for the last time if need be, and hang it up."""
        with _making:
            _bells.discard(self)
        with self._changing:
            self._closed = True
            thread = self._thread
        self._rung.set()
        if thread is not None:
            thread.join(CLOSE_WITHIN_S)

    def _start(self) -> None:
        with self._changing:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._work, name="bell", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        try:
            while True:
                self._rung.wait()
                self._rung.clear()
                last = self._closed  # asked first: a ring before the close is still rung
                self._ring_pipes()
                for url in self.urls:
                    self._notify(url)
                if last:
                    return
        finally:
            for line in self._lines.values():
                line.close()

    def _ring_pipes(self) -> None:
        for pipe in self.folder.glob("*.pipe"):
            try:
                end = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as fault:
                if fault.errno == errno.ENXIO:  # its worker is gone
                    with suppress(OSError):
                        pipe.unlink(missing_ok=True)
                continue
            with suppress(OSError):  # it is full of rings already, or its worker just left
                os.write(end, ONE_BYTE)
            os.close(end)

    def _notify(self, url: str) -> None:
        try:
            line = self._lines.get(url)
            if line is None:
                line = self._lines[url] = connect(url, "public")
            line.execute(f"NOTIFY {CHANNEL}")
        except (psycopg.Error, BahiError) as fault:
            log.debug("other machines were not woken: %s", fault)
            if line := self._lines.pop(url, None):
                line.close()
