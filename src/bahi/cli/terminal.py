"""How commands speak: tables and JSON on standard output, progress and failures beside it."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO, TypeVar

import typer

from bahi.config import Settings
from bahi.kernel.errors import Invalid, Misconfigured

if TYPE_CHECKING:
    from rich.text import Text

T = TypeVar("T")

AsJson = Annotated[bool, typer.Option("--json", help="Answer in JSON, for programs.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
FromStdin = Annotated[
    bool,
    typer.Option(
        "--secret-stdin",
        help="Read secrets from standard input, one a line, instead of asking; so it is anyway"
        " where that is no terminal.",
    ),
]

PRIVATE: Final = 0o600


def settings() -> Settings:
    """Read the settings, as every command does first."""
    return Settings.from_environment(os.environ)


def in_house(work: Callable[[Any], Awaitable[T]]) -> T:
    """Do something in a house of our own; one that is behind is not migrated by the way."""
    from bahi.bootstrap import build  # noqa: PLC0415 - `bahi --help` needs no house

    if not logging.getLogger().handlers:
        # who runs a command wants to know of what failed, not of a first statement that was slow
        logging.getLogger("bahi.db").setLevel(logging.ERROR)

    async def stay() -> T:
        house = build(replace(settings(), migrate="refuse"))
        try:
            return await work(house)
        finally:
            await house.close()

    return asyncio.run(stay())


def show_json(answer: Any) -> None:
    """Answer a program."""
    typer.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def show_table(
    headings: Sequence[str], rows: Sequence[Sequence[Any]], *, numbers: Collection[str] = ()
) -> None:
    """Answer a person: a table that fits the terminal, or 80 columns where there is none.

    Columns of `numbers` stand to the right, and what is below zero is red where there are colours.
    """
    from rich.console import Console  # noqa: PLC0415 - for who looks at a table
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(
            heading, overflow="fold", justify="right" if heading in numbers else "left"
        )
    for row in rows:
        cells = zip(headings, map(str, row), strict=True)
        table.add_row(*(_cell(it, is_number=heading in numbers) for heading, it in cells))
    console = Console(markup=False, highlight=False, emoji=False)
    with console.capture() as written:
        console.print(table)
    for line in written.get().splitlines():
        typer.echo(line.rstrip())


def _cell(written: str, *, is_number: bool) -> Text:
    from rich.text import Text  # noqa: PLC0415

    colour = {"-": "red", "+": "green"}.get(written[:1], "") if is_number else ""
    return Text(written, colour)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before what cannot be undone; a no ends the command with 1."""
    if not yes:
        typer.confirm(question, abort=True, err=True)


@contextmanager
def progress(doing: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Show on standard error how far something is, while it takes longer than a moment."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(doing, total=total)
        yield lambda more: bar.advance(task, more)


def say(line: str) -> None:
    """Tell the person at the terminal what happens, beside the answer."""
    typer.echo(line, err=True)


def ask_secret(what: str, *, from_stdin: bool = False, twice: bool = False) -> str:
    """Ask for what should stand in no history of commands, and show nothing of it."""
    if sys.stdin.isatty() and not from_stdin:
        secret: str = typer.prompt(what, hide_input=True, err=True, confirmation_prompt=twice)
        return secret
    line = sys.stdin.readline()
    if not line:
        raise Invalid(f"{what}: standard input ended before it; write one secret a line.")
    return line.rstrip("\r\n")


@contextmanager
def writing_to(file: Path | None) -> Iterator[TextIO]:
    """Write to a file that is its owner's alone, or to standard output where none is named."""
    if file is None:
        yield sys.stdout
        return
    try:
        there = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE)
    except OSError as fault:
        raise Misconfigured(f"{file} cannot be written: {os.strerror(fault.errno or 0)}.") from None
    with os.fdopen(there, "w", encoding="utf-8", newline="") as written:
        os.fchmod(there, PRIVATE)  # a file that was there keeps its mode when it is opened
        yield written
