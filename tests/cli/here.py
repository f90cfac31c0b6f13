"""Commands run in this process, and a real terminal for those that ask a person."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from typing import Any, Self

import pytest
from typer import testing

from bahi.cli.app import app
from bahi.kernel.errors import BahiError
from tests.cli.processes import PATIENCE_S

# What commands there are is put together once here, and not for each of them anew.
testing._get_command = functools.cache(testing._get_command)


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it answered a program."""
        assert self.code == 0, self
        return json.loads(self.out)


class Terminal:
    """A terminal whose environment leads to one house; it keeps all that was ever shown."""

    def __init__(self, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.environ = environ
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        self.shown = ""

    def __call__(self, *words: str, answer: str = "") -> Said:
        """Run a command; `answer` is its standard input, which is no terminal."""
        ended = testing.CliRunner().invoke(app, list(words), input=answer)
        code, err = ended.exit_code, ended.stderr
        if isinstance(ended.exception, BahiError):  # as `main` says it
            err += f"{ended.exception}\n"
        elif not isinstance(ended.exception, SystemExit | None):
            raise ended.exception
        self.shown += ended.stdout + err
        return Said(code, ended.stdout, err)

    def json(self, *words: str, answer: str = "") -> Any:
        """Run a command that answers a program."""
        return self(*words, "--json", answer=answer).json

    def refusal(self, *words: str, answer: str = "") -> str:
        """Run a command that ends with 1, and return the sentence that it says."""
        said = self(*words, answer=answer)
        assert said.code == 1, said
        sentence = said.err.strip().splitlines()[-1]
        assert sentence.endswith("."), sentence
        return sentence


class Teletype:
    """A command at a real terminal: what it shows is read, and what a person types is written."""

    def __init__(self, environ: dict[str, str], *words: str, before: str = "") -> None:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 400, 0, 0))
        first = f"{before}; from bahi.__main__ import main; main()"
        self.process = subprocess.Popen(
            [sys.executable, "-c", first.lstrip("; "), *words],
            env={**environ, "TERM": "xterm"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._ours, self._read = ours, 0
        self.shown = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)

    def until(self, pattern: str) -> re.Match[str]:
        """Wait until something is shown after what was found before, and return it."""
        while not (found := re.compile(pattern).search(self.shown, self._read)):
            assert self._more(), f"{pattern!r} never came: {self.shown}"
        self._read = found.end()
        return found

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self._ours, f"{line}\n".encode())

    def end(self) -> int:
        """Read to the end; return the exit code."""
        while self._more():
            pass
        return self.process.wait(PATIENCE_S)

    def _more(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], PATIENCE_S)
        assert ready, f"nothing came any more: {self.shown}"
        try:
            came = os.read(self._ours, 65_536)
        except OSError:  # Linux says so when the other side is closed
            return False
        self.shown += came.decode(errors="replace")
        return bool(came)
