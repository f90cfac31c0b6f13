"""A warm process that forks children to be killed, and a test's hold on it.

A module that calls `fork_on_demand`, run as a program, stays warm: for each `go <words>` that comes
in it forks a child, and reports on one pipe: `pid`, whatever the child says, `ended`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self


def say(line: str) -> None:
    """Write a line in one piece, whoever else writes to the pipe."""
    os.write(1, f"{line}\n".encode())


def fork_on_demand(work: Callable[..., Coroutine[Any, Any, None]]) -> None:
    """Fork a child that works with the words of every `go`, and wait for its end."""
    for line in sys.stdin:
        _, *words = line.split()
        child = os.fork()
        if child == 0:
            asyncio.run(work(*words))
        say(f"pid {child}")
        os.waitpid(child, 0)
        say(f"ended {child}")


class Forking:
    """Such a process, from the test's side."""

    def __init__(self, module: str, env: Mapping[str, str] | None = None) -> None:
        self._module, self._env = module, env

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=self._env,
            cwd=Path(__file__).parents[1],
        )
        return self

    def go(self, *words: object) -> None:
        """Let a child begin to work."""
        assert self._process.stdin is not None
        self._process.stdin.write(" ".join(("go", *map(str, words))) + "\n")
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

    def send(self, sign: signal.Signals) -> None:
        """Kill the child as a power cut would, let it stand still, or go on; it may be gone."""
        with suppress(ProcessLookupError):
            os.kill(self.child, sign)

    def kill(self) -> None:
        """End the child as a power cut would."""
        os.kill(self.child, signal.SIGKILL)

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()
