"""Bahi as its users run it: real processes, each with a data folder and environment of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final, Self

import httpx

from bahi.config import STORE_VARIABLES
from bahi.migrations import history
from tests.cli import warm
from tests.databases import Database

PATIENCE_S: Final = 60.0
HEADS: Final = {store: history(store).head for store in STORE_VARIABLES}

Environment = dict[str, str]


def environment(home: Path, database: Database | None = None, **more: str) -> Environment:
    """Say where the stores are: in the folder, or as six schemas of one PostgreSQL database."""
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "BAHI_HOME": str(home), "LANG": "C.UTF-8"}
    env["BAHI_PORT"] = "0"  # any free one: the usual port may be a person's own
    env["BAHI_MARKET_ALWAYS_OPEN"] = "no"  # tests ask for the hours that they mean
    if database is not None and database.kind == "postgresql":
        env |= dict.fromkeys(STORE_VARIABLES.values(), database.url)
    return env | {"PYTHONWARNINGS": "error"} | more


def bahi(
    *words: str, env: Environment, answer: str = "", before: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `before` is Python that runs first in its process."""
    return warm.run(words, env, answer, before, PATIENCE_S)


def refusal(*words: str, env: Environment, answer: str = "", before: str = "") -> str:
    """Run a command that ends with 1, and return the one sentence that it says last."""
    ended = bahi(*words, env=env, answer=answer, before=before)
    assert ended.returncode == 1, ended
    assert "Traceback" not in ended.stderr
    sentence = ended.stderr.strip().splitlines()[-1]
    assert sentence.endswith("."), sentence
    return sentence


class Service:
    """`bahi up`, from the first line that it says to its end."""

    def __init__(self, env: Environment, *words: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bahi", "up", "--port", "0", *words],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        self.said = [self._line() for _ in range(3)]
        self.url = self.said[0].rpartition(" ")[2]
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def _line(self) -> str:
        assert self.process.stdout is not None
        if line := self.process.stdout.readline():
            return line.rstrip()
        raise AssertionError(f"it ended before it listened: {self.process.communicate()[1]}")

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=PATIENCE_S)

    def health(self) -> Any:
        return self.get("/healthz").json()

    def stop(self, by: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send the signal; return the exit code, and what was said on standard error."""
        self.process.send_signal(by)
        _, errors = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, errors


def eventually(found: Any, wanted: Any) -> None:
    """Wait until calling `found` gives what is wanted, with patience and an end to it."""
    until = time.monotonic() + PATIENCE_S
    while (seen := found()) != wanted:
        assert time.monotonic() < until, seen
        time.sleep(0.02)
