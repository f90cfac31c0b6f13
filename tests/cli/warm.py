"""`bahi` without its start: a warm process that has it at hand forks a child for each command.

The child is what `python -m bahi` would be after three quarters of a second: a process of its own,
with the environment, arguments and three files that it was given.
"""

from __future__ import annotations

import array
import atexit
import functools
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, NoReturn

import typer.main

ROOT: Final = Path(__file__).parents[2]
ORDER_BYTES: Final = 2**20
WARMED: Final = ("bahi.__main__", "bahi.asgi", "bahi.cli.app")


def run(
    words: Sequence[str], env: Mapping[str, str], answer: str, before: str, patience_s: float
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, within bounds; `before` is Python that runs first."""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
        with tempfile.TemporaryFile("w+") as typed, socket.socket(socket.AF_UNIX) as line:
            typed.write(answer)
            typed.flush()
            typed.seek(0)
            line.settimeout(patience_s)
            line.connect(_warm())
            code = _ended(line, _order(words, env, before), (typed, said, errors))
        return subprocess.CompletedProcess(list(words), code, _text(said), _text(errors))


def _order(words: Sequence[str], env: Mapping[str, str], before: str) -> bytes:
    order = {"words": list(words), "env": dict(env), "before": before, "folder": str(Path.cwd())}
    return json.dumps(order).encode()


def _ended(line: socket.socket, order: bytes, files: Sequence[IO[str]]) -> int:
    numbers = array.array("i", [it.fileno() for it in files])
    line.sendmsg([order], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)])
    line.shutdown(socket.SHUT_WR)
    with line.makefile() as heard:
        child = int(heard.readline())
        try:
            return int(heard.readline())
        except TimeoutError:
            os.kill(child, signal.SIGKILL)
            raise


def _text(file: IO[str]) -> str:
    file.seek(0)
    return file.read()


@functools.cache
def _warm() -> str:
    """Start the warm process, once in this one; it ends when we do."""
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONWARNINGS": "error"}
    process = subprocess.Popen(
        [sys.executable, "-m", __name__], env=env, cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    atexit.register(process.communicate)
    assert process.stdout is not None
    return process.stdout.readline().rstrip()


# In the warm process


def serve() -> None:
    """Fork for each order, until whoever started us is gone."""
    for name in WARMED:
        importlib.import_module(name)
    typer.main.get_command = functools.cache(typer.main.get_command)
    typer.main.get_command(importlib.import_module("bahi.cli.app").app)
    gc.collect()
    gc.freeze()  # a child that collects leaves alone what it shares with us
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    folder = tempfile.mkdtemp()  # no `with`: the children leave this function as well
    door = socket.socket(socket.AF_UNIX)
    door.bind(f"{folder}/door")
    door.listen()
    os.write(1, f"{folder}/door\n".encode())
    while _comes(door):
        line, _ = door.accept()
        if os.fork() == 0:
            door.close()
            _attend(line)
        line.close()
    door.close()
    shutil.rmtree(folder)


def _comes(door: socket.socket) -> bool:
    """Wait for an order; what can be read on standard input is its end, and ours."""
    ready, _, _ = select.select([door, 0], [], [])
    return 0 not in ready


def _attend(line: socket.socket) -> NoReturn:
    """Run one command in a child of ours, and say who it is and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    order, files, _, _ = socket.recv_fds(line, ORDER_BYTES, 3)
    while more := line.recv(ORDER_BYTES):
        order += more
    child = os.fork()
    if child == 0:
        line.close()
        _become(json.loads(order), files)
    line.sendall(f"{child}\n".encode())
    _, status = os.waitpid(child, 0)
    line.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(order: Any, files: Sequence[int]) -> NoReturn:
    """Be the command: nothing of the warm process is left but what it loaded."""
    from bahi.__main__ import main

    for standard, file in enumerate(files):
        os.dup2(file, standard)
        os.close(file)
    os.environ.clear()
    os.environ.update(order["env"])
    os.chdir(order["folder"])
    sys.argv = ["bahi", *order["words"]]
    code = 0
    try:
        exec(order["before"], {})
        main()
    except SystemExit as end:
        code = _said(end)
    except BaseException:  # noqa: BLE001 - as Python itself does
        traceback.print_exc()
        code = 1
    _end(code)


def _said(end: SystemExit) -> int:
    if isinstance(end.code, str):
        print(end.code, file=sys.stderr)
    return end.code if isinstance(end.code, int) else int(end.code is not None)


def _end(code: int) -> NoReturn:
    """End as Python ends: threads are waited for, exits are run, what was left open is told of.

    All but one thing: to take a hundred modules apart, which each child would do anew.
    """
    threading._shutdown()  # type: ignore[attr-defined] # as Py_FinalizeEx does
    atexit._run_exitfuncs()
    gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    serve()
