"""`bahi docs`: writes the pages that are generated from the code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import click
import typer

from bahi.cli.quick_reference import quick_reference
from bahi.cli.schema_page import schema_page
from bahi.config import settings_page


def commands(app: typer.Typer) -> list[tuple[str, str]]:
    """List every command of the terminal with the first line of its help."""
    return list(_walk(typer.main.get_command(app), "bahi"))


def _walk(command: click.Command, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _walk(command.commands[name], f"{path} {name}")
        return
    arguments = [p.make_metavar(click.Context(command)) for p in command.params if _is_argument(p)]
    yield " ".join([path, *arguments]), (command.help or "").strip().partition("\n")[0]


def _is_argument(parameter: click.Parameter) -> bool:
    return parameter.param_type_name == "argument"


def pages(app: typer.Typer) -> dict[str, Callable[[], str]]:
    """Return each generated page's name, and what writes it."""
    return {
        "SCHEMA.md": schema_page,
        "QUICK_REFERENCE.md": lambda: quick_reference(commands(app)),
        "SETTINGS.md": settings_page,
    }


FOLDER: Final = Path("docs")


def write_pages(app: typer.Typer, folder: Path = FOLDER) -> list[Path]:
    """Write every generated page into a folder; return the files."""
    written = []
    for name, page in pages(app).items():
        file = folder / name
        file.write_text(page(), "utf-8")
        written.append(file)
    return written
