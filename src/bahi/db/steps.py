"""What the steps of a migration are written with.

A step is a Python file with `upgrade()` and `downgrade()`. One that lays down much at once keeps
its DDL beside it, as `<step>.<dialect>.sql`: statements parted by a blank line, what takes them
back after a line `-- down`. A CREATE TABLE under a line `-- rebuild` gives a table that is there a
new definition. SQL that has been applied somewhere is never edited again.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import op

from bahi.db.opening import lay
from bahi.kernel.errors import BahiError

TAKES_BACK: Final = "\n-- down\n"
REBUILD: Final = re.compile(r"-- rebuild\n(CREATE TABLE (\w+) \(.*)", re.DOTALL)


def lay_down(step: str) -> None:
    """Run the SQL that lies beside a step (`lay_down(__file__)`)."""
    _run(_text(step).partition(TAKES_BACK)[0])


def take_back(step: str) -> None:
    """Undo it."""
    _run(_text(step).partition(TAKES_BACK)[2], loses=True)


def _text(step: str) -> str:
    path = Path(step).with_suffix("")
    return path.with_name(f"{path.name}.{op.get_bind().dialect.name}.sql").read_text("utf-8")


def _run(script: str, *, loses: bool = False) -> None:
    core = op.get_bind()
    for part in filter(str.strip, script.split("\n\n")):
        if again := REBUILD.match(part.strip()):
            definition, table = again.groups()
            rebuild(table, definition, drop=_columns(core, table) if loses else ())
        else:
            lay(core, [part])


def rebuild(
    table: str,
    definition: str,
    *,
    carry: Mapping[str, str] | None = None,
    drop: Collection[str] = (),
) -> None:
    """Give a SQLite table a new definition where ALTER cannot: build, copy, drop, rename.

    `definition` is the CREATE TABLE under the table's own name. Columns of the same name are
    copied; `carry` names the others (new column: expression over the old row); a column that is
    to go is named in `drop`. Indexes and triggers come back as they were. Foreign keys are off
    while steps run, so dropping the old table takes no children with it; the runner checks every
    key before the step commits.
    """
    core = op.get_bind()
    ask = core.exec_driver_sql
    kept = ask(
        "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger')"
        " AND sql IS NOT NULL",
        (table,),
    ).scalars()
    again = list(kept)
    new, old = _quoted(table), _quoted(f"{table}__old")
    before = _columns(core, table)
    with _views_left_alone(core):
        ask(f"ALTER TABLE {new} RENAME TO {old}")
        ask(definition)
        after = _columns(core, table)
        if lost := [name for name in before if name not in after and name not in drop]:
            raise BahiError(
                f"the new {table} has no column {lost[0]}, and its values would be lost: "
                "name it in drop=(...) if that is meant"
            )
        same = {name: _quoted(name) for name in after if name in before}
        values = same | dict(carry or {})
        ask(
            f"INSERT INTO {new} ({', '.join(map(_quoted, values))})"  # noqa: S608 - our own columns
            f" SELECT {', '.join(values.values())} FROM {old}"
        )
        ask(f"DROP TABLE {old}")
        for statement in again:
            ask(statement)


def restore(step: str, added: Mapping[str, Collection[str]], *, as_in: str) -> None:
    """Give SQLite tables back the definitions of an earlier step, without the columns added since.

    SQLite cannot drop a column that a key or a rule names; PostgreSQL can, in its own script.
    """
    if op.get_bind().dialect.name != "sqlite":
        return
    script = Path(step).with_name(f"{as_in}.sqlite.sql").read_text("utf-8")
    for table, columns in added.items():
        begins = f"CREATE TABLE {table} ("
        (definition,) = (part for part in script.split("\n\n") if part.startswith(begins))
        rebuild(table, definition, drop=columns)


@contextmanager
def _views_left_alone(core: sa.Connection) -> Iterator[None]:
    """Let a table be renamed though views read it; their text stays as it is."""
    was = core.exec_driver_sql("PRAGMA legacy_alter_table").scalar_one()
    core.exec_driver_sql("PRAGMA legacy_alter_table = ON")
    try:
        yield
    finally:
        core.exec_driver_sql(f"PRAGMA legacy_alter_table = {was}")


def _columns(core: sa.Connection, table: str) -> list[str]:
    return list(core.exec_driver_sql("SELECT name FROM pragma_table_info(?)", (table,)).scalars())


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
