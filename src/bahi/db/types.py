"""The only source of column types: what each word of the schema is on SQLite and on PostgreSQL.

None of them converts anything in Python, so a value means the same through SQLAlchemy and through
the driver's own cursor (`statement.py`). Rules get their money, instants and flags from the
repositories, which know what an integer stands for.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles


class Whole(sa.types.UserDefinedType[int]):
    """A 63-bit integer: ids, money, prices, quantities, instants in microseconds."""

    cache_ok = True
    render_bind_cast = True  # psycopg would pick the smallest type that fits, and overflow in sums


class Flag(sa.types.UserDefinedType[int]):
    """0 or 1."""

    cache_ok = True
    render_bind_cast = True


class Text(sa.types.UserDefinedType[str]):
    """Text, ISO days and HH:MM hours included."""

    cache_ok = True
    render_bind_cast = True


class Json(sa.types.UserDefinedType[str]):
    """A JSON document, handed in and out as text on both databases."""

    cache_ok = True
    render_bind_cast = True


class Blob(sa.types.UserDefinedType[bytes]):
    """Bytes: ciphertext."""

    cache_ok = True
    render_bind_cast = True


_SPELLINGS: dict[type[Any], tuple[str, str]] = {
    Whole: ("INTEGER", "BIGINT"),
    Flag: ("INTEGER", "SMALLINT"),
    Text: ("TEXT", "TEXT"),
    Json: ("TEXT", "JSONB"),
    Blob: ("BLOB", "BYTEA"),
}


def _spell(kind: type[Any], on_sqlite: str, on_postgresql: str) -> None:
    compiles(kind, "sqlite")(lambda *_args, **_options: on_sqlite)
    compiles(kind, "postgresql")(lambda *_args, **_options: on_postgresql)


for _kind, (_on_sqlite, _on_postgresql) in _SPELLINGS.items():
    _spell(_kind, _on_sqlite, _on_postgresql)
