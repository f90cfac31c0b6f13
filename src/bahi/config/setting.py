"""One variable of the environment: its name, its default, how it reads and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bahi.config.kinds import Kind
from bahi.config.urls import redacted
from bahi.kernel.errors import Misconfigured


@dataclass(frozen=True)
class Setting:
    """One variable of the environment."""

    name: str
    default: str
    kind: Kind
    meaning: str

    def value(self, environ: Mapping[str, str], home: Path) -> Any:
        """Read the variable; one that is empty counts as not set."""
        given = environ.get(self.name, "").strip() or self.default.replace("<home>", str(home))
        try:
            return self.kind.read(given, home)
        except ValueError:
            shown = "not usable" if self.kind.secret else repr(redacted(given))
            raise Misconfigured(f"{self.name} is {shown}; it must be {self.kind.right}.") from None
