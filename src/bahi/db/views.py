"""The pieces of which views are made: what people see of a table.

Tables give programs integers; views give people rupees as exact text and instants as Indian time,
under the same names. Which column is which, the table itself says (`unit`). A view that reads a
lower context's table finds it by name in the schema: the module that defines it stays private.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import sqlalchemy as sa

from bahi.db.dialects import Words


@dataclass(frozen=True)
class View:
    """A SELECT that people may rely on, written once and rendered per dialect."""

    name: str
    meaning: str
    text: Callable[[Words], str]
    stores: frozenset[str]


@dataclass(frozen=True)
class Routine:
    """A function of the database that its users call by name, on PostgreSQL alone."""

    name: str
    meaning: str
    text: str
    stores: frozenset[str]


def seen(sql: Words, table: sa.Table, alias: str, *names: str) -> str:
    """List columns as people see them; all of the table but its secrets, unless some are named."""
    columns = [table.c[name] for name in names] or [
        column for column in table.columns if not column.info.get("secret")
    ]
    return ", ".join(seen_as(sql, column, alias, column.name) for column in columns)


def seen_as(sql: Words, column: sa.Column[object], alias: str, name: str) -> str:
    """Show one column under a name."""
    value = f"{alias}.{column.name}"
    match column.info.get("unit"):
        case "1/10000 rupee" | "1/10000 percent":
            return f"{sql.rupees(value)} AS {name}"
        case "us UTC":
            return f"{sql.ist(value)} AS {name}"
        case _:
            return f"{value} AS {name}"


def select(*columns: str, rest: str) -> str:
    """Join what is shown with where it comes from."""
    return f"SELECT {', '.join(columns)}\n{rest}"


def among(column: str, words: Iterable[StrEnum]) -> str:
    """Say that a column holds one of some words."""
    return f"{column} IN ({','.join(repr(str(word)) for word in words)})"
