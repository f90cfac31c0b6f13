"""What the steps of a migration are written with.

A step is a Python file with `upgrade()` and `downgrade()`. One that lays down much at once keeps
its DDL beside it, as `<step>.<dialect>.sql`: statements parted by a blank line, what takes them
back after a line `-- down`. SQL that has been applied somewhere is never edited again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import op

from bahi.db.opening import lay

TAKES_BACK: Final = "\n-- down\n"


def lay_down(step: str) -> None:
    """Run the SQL that lies beside a step (`lay_down(__file__)`)."""
    _run(_text(step).partition(TAKES_BACK)[0])


def take_back(step: str) -> None:
    """Undo it."""
    _run(_text(step).partition(TAKES_BACK)[2])


def _text(step: str) -> str:
    path = Path(step).with_suffix("")
    return path.with_name(f"{path.name}.{op.get_bind().dialect.name}.sql").read_text("utf-8")


def _run(script: str) -> None:
    lay(op.get_bind(), (part for part in script.split("\n\n") if part.strip()))


def rebuild(table: str, definition: str, *, carry: dict[str, str] | None = None) -> None:
    """Give a SQLite table a new definition where ALTER cannot: build, copy, drop, rename.

    `definition` is the CREATE TABLE under the table's own name. Columns of the same name are
    copied; `carry` names the others (new column: expression over the old row). Indexes and
    triggers come back as they were. Foreign keys are off while steps run, so dropping the old
    table takes no children with it; the runner checks every key before the step commits.
    """
    core = op.get_bind()
    ask = core.exec_driver_sql
    kept = ask(
        "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger')"
        " AND sql IS NOT NULL",
        (table,),
    ).scalars()
    again = list(kept)
    ask("PRAGMA legacy_alter_table = ON")  # or the views that read the table would be refused
    old = set(ask("SELECT name FROM pragma_table_info(?)", (table,)).scalars())
    ask(f"ALTER TABLE {table} RENAME TO {table}__old")
    ask(definition)
    new = list(ask("SELECT name FROM pragma_table_info(?)", (table,)).scalars())
    values = {name: name for name in new if name in old} | (carry or {})
    ask(
        f"INSERT INTO {table} ({', '.join(values)})"  # noqa: S608 - our own columns
        f" SELECT {', '.join(values.values())} FROM {table}__old"
    )
    ask(f"DROP TABLE {table}__old")
    for statement in again:
        ask(statement)
    ask("PRAGMA legacy_alter_table = OFF")
