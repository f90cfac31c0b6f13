"""`bahi docs`: writes the pages that are generated from the code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import typer

from bahi.cli.quick_reference import quick_reference
from bahi.cli.schema_page import schema_page
from bahi.config import settings_page


def commands(app: typer.Typer) -> list[tuple[str, str]]:
    """List every command of the terminal with the first line of its help."""
    return list(_walk(typer.main.get_command(app), "bahi"))


def _walk(command: Any, path: str) -> Iterator[tuple[str, str]]:
    """Walk down a tree of commands; what typer makes them of is its own affair."""
    inner = getattr(command, "commands", None)
    if inner is not None:
        for name in sorted(inner):
            yield from _walk(inner[name], f"{path} {name}")
        return
    wanted = [p for p in command.params if p.param_type_name == "argument"]
    arguments = [p.name.upper() if p.required else f"[{p.name.upper()}]" for p in wanted]
    yield " ".join([path, *arguments]), (command.help or "").strip().partition("\n")[0]


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
