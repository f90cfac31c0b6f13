"""Taking the data of a store out: a CSV or Parquet file for each table, without secret columns.

The files are for programs and exact. Text is always quoted and nothing else is, so an empty text
and no value stay apart, and integers stay integers (1/10000 rupee, microseconds). A text that
begins like a formula (= + - @) is left as it is: who opens a file in a spreadsheet imports it as
text. All files of one export show one snapshot.
"""

from __future__ import annotations

import importlib.util
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import sqlalchemy as sa

from bahi.db import types
from bahi.db.failures import DRIVER_ERRORS, translate
from bahi.db.opening import Database
from bahi.db.upkeep.copies import Tell
from bahi.kernel.errors import Conflict, Invalid, Misconfigured, NotFound

CHUNK_ROWS: Final = 10_000
FORMS: Final = ("csv", "parquet")
BYTES: Final = frozenset({"BLOB", "BYTEA"})
WHOLE: Final = frozenset({"INTEGER", "BIGINT", "SMALLINT"})

Form = Literal["csv", "parquet"]


@dataclass(frozen=True)
class Exported:
    """One file that was written."""

    file: Path
    rows: int


@dataclass(frozen=True)
class Source:
    """A table or a view, and those of its columns that may leave."""

    name: str
    columns: dict[str, bool]
    """Whether each holds whole numbers (else text)."""

    @property
    def question(self) -> sa.Select[Any]:
        """Ask for every row, in the order of the first column."""
        columns: list[sa.ColumnClause[Any]] = [sa.column(name) for name in self.columns]
        return sa.select(*columns).select_from(sa.table(self.name)).order_by(columns[0])


def export(
    database: Database,
    folder: Path,
    *,
    tables: Sequence[str] = (),
    form: Form = "csv",
    views: bool = False,
    tell: Tell = lambda _: None,
) -> list[Exported]:
    """Write the tables of a store (or those named) into a folder, and its views if wanted."""
    if form not in FORMS:
        raise Invalid(f"An export is {' or '.join(FORMS)}, not {form!r}.")
    if form == "parquet" and importlib.util.find_spec("duckdb") is None:
        raise Misconfigured('Parquet needs duckdb; install it with: pip install "bahi[parquet]"')
    if database.path is not None and not database.path.is_file():
        raise NotFound(f"There is no {database.store} store at {database.path}.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with _snapshot(database) as core:
            sources = _chosen(core, database, tables, views=views)
            return [_write(core, source, folder, form, tell) for source in sources]
    except DRIVER_ERRORS as error:
        raise translate(error) from error


@contextmanager
def _snapshot(database: Database) -> Iterator[sa.Connection]:
    with database.opened() as core:
        on_sqlite = core.dialect.name == "sqlite"
        core.exec_driver_sql(
            "BEGIN" if on_sqlite else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        )
        try:
            yield core
        finally:
            core.exec_driver_sql("ROLLBACK")


def _chosen(
    core: sa.Connection, database: Database, names: Sequence[str], *, views: bool
) -> list[Source]:
    schema = database.schema
    tables = {table.name: _table(table) for table in schema.metadata.sorted_tables}
    secret = {
        column.name for table in schema.metadata.sorted_tables for column in _secret_columns(table)
    }
    seen = {view.name: _view(core, view.name, secret) for view in schema.views}
    if not names:
        return [*tables.values(), *(seen.values() if views else ())]
    known = {**tables, **seen}
    for name in names:
        if name not in known:
            raise NotFound(f"The {database.store} store has no table {name!r}.")
    return [known[name] for name in names]


def _secret_columns(table: sa.Table) -> Iterable[sa.Column[Any]]:
    return (
        column
        for column in table.columns
        if column.info.get("secret") or isinstance(column.type, types.Blob)
    )


def _table(table: sa.Table) -> Source:
    secret = set(_secret_columns(table))
    columns = {
        column.name: isinstance(column.type, types.Whole | types.Flag)
        for column in table.columns
        if column not in secret
    }
    return Source(table.name, columns)


def _view(core: sa.Connection, name: str, secret: set[str]) -> Source:
    """Describe a view as the database does; a column with a secret's name stays here."""
    kinds = {c["name"]: str(c["type"]).upper() for c in sa.inspect(core).get_columns(name)}
    shown = {c: kind for c, kind in kinds.items() if c not in secret and kind not in BYTES}
    return Source(name, {column: kind in WHOLE for column, kind in shown.items()})


def _write(core: sa.Connection, source: Source, folder: Path, form: Form, tell: Tell) -> Exported:
    file = folder / f"{source.name}.{form}"
    text = folder / f".{source.name}.csv.unfinished"
    if file.exists():
        raise Conflict(f"{file} is there already; name another folder, or remove it.")
    try:
        rows = _write_csv(core, source, text, tell)
        if form == "csv":
            text.rename(file)
        else:
            _to_parquet(text, source, file)
    finally:
        text.unlink(missing_ok=True)
    return Exported(file, rows)


def _write_csv(core: sa.Connection, source: Source, file: Path, tell: Tell) -> int:
    rows = 0
    answer = core.execute(
        source.question, execution_options={"stream_results": True, "yield_per": CHUNK_ROWS}
    )
    with _private(file) as to:
        to.write(",".join(_cell(name) for name in source.columns) + "\n")
        for chunk in answer.partitions():
            to.writelines(",".join(map(_cell, row)) + "\n" for row in chunk)
            rows += len(chunk)
            tell(f"{source.name}: {rows:,} rows")
    return rows


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return '"' + value.replace('"', '""') + '"'
    if isinstance(value, bytes | memoryview):
        raise Invalid("Bytes do not leave in an export: they are ciphertext.")
    return str(value)


def _to_parquet(text: Path, source: Source, file: Path) -> None:
    import duckdb  # noqa: PLC0415 - an extra, and only who asks for Parquet waits for it

    kinds = ", ".join(
        f"'{name}': '{'BIGINT' if whole else 'VARCHAR'}'" for name, whole in source.columns.items()
    )
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".") as private:  # mode 700
        unfinished = Path(private) / file.name
        with duckdb.connect() as duck:
            duck.execute(
                f"COPY (SELECT * FROM read_csv($text, columns = {{{kinds}}}, auto_detect = false,"  # noqa: S608 - our own columns
                " header = true, delim = ',', quote = '\"', escape = '\"', nullstr = '',"
                " allow_quoted_nulls = false)) TO $file (FORMAT parquet)",
                {"text": str(text), "file": str(unfinished)},
            )
        unfinished.chmod(0o600)
        unfinished.rename(file)


def _private(file: Path) -> Any:
    handle = os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    return os.fdopen(handle, "w", encoding="utf-8", newline="")
