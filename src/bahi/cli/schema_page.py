"""docs/SCHEMA.md: every table, column, rule and view, written from the metadata."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Final

import sqlalchemy as sa

from bahi.db import types
from bahi.db.schema import HOUSE, STORES, AppendOnly
from bahi.migrations import CONTEXTS

KINDS: Final = {
    types.Whole: "integer",
    types.Flag: "0 or 1",
    types.Text: "text",
    types.Json: "JSON",
    types.Blob: "sealed",
}
COLUMNS: Final = "SELECT name FROM pragma_table_info(?)"
OPENING: Final = """# The schema

*Written from the code by `make docs`; a test holds it to be current. Edit the `tables.py` of the
context, never this page.*

Money and prices are integers of 1/10000 rupee, instants integers of microseconds UTC, days ISO text
of the exchange's calendar (Asia/Kolkata). On SQLite every table is STRICT (INTEGER, TEXT, BLOB); on
PostgreSQL an integer is a bigint, a flag a smallint, JSON is jsonb, a sealed value bytea, and each
store is a schema of its name. Ids are ours: 63 bits, ordered by time, minted by Bahi. An
**append-only** table refuses UPDATE, DELETE, TRUNCATE and REPLACE. `updated_at` moves by itself
where a writer forgets it.
"""


def schema_page() -> str:
    """Write the whole page."""
    return "\n".join(_lines()).rstrip() + "\n"


def _lines() -> Iterator[str]:
    yield OPENING
    yield from _stores()
    for name, module in CONTEXTS.items():
        tables = _tables_of(module)
        if tables:
            yield f"## {name}\n"
            yield from _diagram(tables)
            for table in tables:
                yield from _table(table)
    yield "## Views\n"
    yield "What people may rely on by name: rupees as exact text, times in IST.\n"
    columns = _view_columns()
    for view in sorted(HOUSE.views.values(), key=lambda view: view.name):
        stores = ", ".join(store for store in STORES if store in view.stores)
        yield f"### {view.name}\n\n{view.meaning}\n\nIn {stores}: {columns[view.name]}.\n"
    yield "## Functions\n"
    yield "On PostgreSQL alone, by the names that the second of the sources gives its procedures.\n"
    for routine in HOUSE.routines.values():
        signature = routine.text.removeprefix("CREATE FUNCTION ").partition(" RETURNS")[0]
        yield f"### {routine.name}\n\n{routine.meaning}\n\n`{' '.join(signature.split())}`\n"


def _stores() -> Iterator[str]:
    yield "| store | tables | views |\n|---|---|---|"
    for store in STORES:
        schema = HOUSE.of_store(store)
        tables = ", ".join(sorted(schema.metadata.tables))
        views = ", ".join(sorted(view.name for view in schema.views)) or "none"
        yield f"| **{store}** | {tables} | {views} |"
    yield ""


def _tables_of(context: ModuleType) -> list[sa.Table]:
    found = {v.name: v for v in vars(context).values() if isinstance(v, sa.Table)}
    return list(found.values())


def _diagram(tables: list[sa.Table]) -> Iterator[str]:
    arrows = sorted(
        {
            f"    {key.column.table.name} ||--o{{ {table.name} : {column.name}"
            for table in tables
            for column in table.columns
            for key in column.foreign_keys
        }
    )
    if arrows:
        yield from ("```mermaid", "erDiagram", *arrows, "```\n")


def _table(table: sa.Table) -> Iterator[str]:
    yield f"### {table.name}\n"
    yield f"{table.info['meaning']}\n"
    stores = ", ".join(store for store in STORES if store in table.info["stores"])
    yield f"In {stores}.{_nature(table.info['append_only'])}\n"
    yield "| column | kind | | meaning |\n|---|---|---|---|"
    for column in table.columns:
        yield f"| {column.name} | {_kind(column)} | {_rule(column)} | {_meaning(column)} |"
    yield ""
    yield from (f"- {line}" for line in sorted(_constraints(table)))
    yield ""


def _nature(facts: AppendOnly | None) -> str:
    if facts is None:
        return ""
    but = f" (but for {', '.join(facts.but)})" if facts.but else ""
    return f" **Append-only**{but}."


def _kind(column: sa.Column[object]) -> str:
    unit = column.info.get("unit")
    kind = KINDS.get(type(column.type), "integer")
    return f"{kind}, {unit}" if unit else kind


def _rule(column: sa.Column[object]) -> str:
    rules = ["key"] if column.primary_key else []
    if not column.nullable and not column.primary_key:
        rules.append("required")
    if isinstance(column.server_default, sa.DefaultClause):
        rules.append(f"default `{column.server_default.arg}`")
    rules += [f"→ {key.target_fullname}{_action(key.ondelete)}" for key in column.foreign_keys]
    return ", ".join(rules)


def _action(on_delete: str | None) -> str:
    return f" ({on_delete.lower()})" if on_delete else ""


def _meaning(column: sa.Column[object]) -> str:
    words = column.info.get("words", ())
    listed = f" One of {', '.join(f'`{word}`' for word in words)}." if words else ""
    return f"{column.doc or ''}{listed}".replace("|", "\\|")


def _constraints(table: sa.Table) -> Iterator[str]:
    for rule in table.constraints:
        if isinstance(rule, sa.UniqueConstraint):
            yield f"unique ({', '.join(column.name for column in rule.columns)})"
        elif isinstance(rule, sa.CheckConstraint) and len(rule.columns) != 1:
            yield f"check `{rule.sqltext}`"
    for index in table.indexes:
        columns = ", ".join(str(e).removeprefix(f"{table.name}.") for e in index.expressions)
        where = index.dialect_options["sqlite"]["where"]
        only = "" if where is None else f" where `{where}`"
        yield f"{'unique' if index.unique else 'index'} ({columns}){only}"


def _view_columns() -> dict[str, str]:
    """Ask a scratch database for each view's columns: `SELECT *` hides them from the metadata."""
    found: dict[str, str] = {}
    for store in STORES:
        schema = HOUSE.of_store(store)
        engine = sa.create_engine("sqlite://", poolclass=sa.NullPool)
        with engine.connect() as scratch:
            for statement in schema.statements(scratch.dialect):
                scratch.exec_driver_sql(statement)
            for view in schema.views:
                names = scratch.exec_driver_sql(COLUMNS, (view.name,))
                found[view.name] = ", ".join(f"`{name}`" for name in names.scalars())
    return found
