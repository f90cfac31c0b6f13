"""The head of `docs/SETTINGS.md`; its lines come from the settings themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bahi.config.setting import Setting

PAGE_HEAD: Final = """\
# Settings

Bahi reads these variables of the environment once, when it starts. None needs to be set; one that
is empty counts as not set. A value that cannot be used stops the start with a sentence that names
the variable. `<home>` is the data folder; a SQLite file whose path is not absolute lies there.

This page is generated from `bahi/config`.

| variable | default | meaning |
|---|---|---|"""


def page_of(settings: Iterable[Setting]) -> str:
    """Write the page."""
    lines = [
        f"| `{s.name}` | {f'`{s.default}`' if s.default else 'not set'} | {s.meaning} |"
        for s in settings
    ]
    return "\n".join([PAGE_HEAD, *lines]) + "\n"
