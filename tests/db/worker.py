"""A process that writes to the small house until it is killed, and says what was acknowledged.

Run as a program it stays warm: for each `go <url> <writers> <name>` on its input it forks a child
that writes, and reports on one pipe: `pid`, an `ack` for each acknowledged unit, `ended`. A unit is
a pair of entries and their sum on a page, so half a unit can be seen.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from bahi.db.tx import Tx
from bahi.kernel.errors import InDoubt, NotCommitted
from tests.db.ledger import enter, open_store


def enter_pair(tx: Tx, note: str, book: int) -> None:
    """Write two entries that stand or fall together."""
    enter(tx, f"{note}/debit", 3, book)
    enter(tx, f"{note}/credit", 5, book)


def whole_units(notes: set[str]) -> set[str]:
    """Return the units in the notes; half of one is an error."""
    debits = {note.removesuffix("/debit") for note in notes if note.endswith("/debit")}
    credits_ = {note.removesuffix("/credit") for note in notes if note.endswith("/credit")}
    assert debits == credits_, "half a unit was committed"
    return debits


async def write_on(url: str, writers: int, name: str) -> None:
    """Write units for ever, each writer one after the other."""
    _, store = open_store(url, start=int.from_bytes(os.urandom(5)) << 20)

    async def one(writer: int) -> None:
        n = 0
        while True:
            n += 1
            note = f"{name}-{writer}-{n}"
            try:
                await store.write(enter_pair, note, 1 + writer % 4, account=writer)
            except (NotCommitted, InDoubt) as end:
                say(f"{end.code} {note}")
            else:
                say(f"ack {note}")

    await asyncio.gather(*(one(writer) for writer in range(writers)))


def say(line: str) -> None:
    """Write a line in one piece, whoever else writes to the pipe."""
    os.write(1, f"{line}\n".encode())


def main() -> None:
    """Fork a writing child for every `go`, and wait for its end."""
    for line in sys.stdin:
        _, url, writers, name = line.split()
        child = os.fork()
        if child == 0:
            asyncio.run(write_on(url, int(writers), name))
        say(f"pid {child}")
        os.waitpid(child, 0)
        say(f"ended {child}")


class Worker:
    """Such a process, from the test's side."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "tests.db.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        return self

    def go(self, url: str, writers: int, name: str) -> None:
        """Let a child begin to write."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"go {url} {writers} {name}\n")
        self._process.stdin.flush()
        word, pid = self._line()
        assert word == "pid"
        self.child = int(pid)

    def _line(self) -> list[str]:
        assert self._process.stdout is not None
        return self._process.stdout.readline().split()

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield what the child says until it has ended."""
        while True:
            word, what = self._line()
            if word == "ended":
                return
            yield word, what

    def kill(self) -> None:
        """End the child as a power cut would."""
        os.kill(self.child, signal.SIGKILL)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()


if __name__ == "__main__":
    main()
