"""What a database really holds, as named facts that can be compared.

A catalogue is a mapping from what a thing is called to how it is defined, whichever way it came
to be. Two databases with the same catalogue refuse and accept the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import sqlalchemy as sa

from bahi.db.opening import lay
from bahi.db.schema import StoreSchema

Catalogue = dict[str, str]

NOT_OURS: Final = frozenset({"alembic_version"})
SCRATCH: Final = "bahi_scratch"


def read(core: sa.Connection) -> Catalogue:
    """Read the catalogue of the store that the connection is in."""
    facts = _sqlite(core) if core.dialect.name == "sqlite" else _postgres(core)
    return dict(facts)


def expected(core: sa.Connection, schema: StoreSchema) -> Catalogue:
    """Build the code's schema in a scratch place of the same server and read its catalogue."""
    if core.dialect.name == "sqlite":
        engine = sa.create_engine("sqlite://", poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as scratch:
            lay(scratch, schema.statements(core.dialect))
            return read(scratch)
    core.exec_driver_sql("BEGIN")
    try:
        core.exec_driver_sql(f"CREATE SCHEMA {SCRATCH}")
        core.exec_driver_sql(f"SET LOCAL search_path TO {SCRATCH}")
        lay(core, schema.statements(core.dialect))
        return read(core)
    finally:
        core.exec_driver_sql("ROLLBACK")


def differences(code: Catalogue, database: Catalogue) -> list[str]:
    """Name every difference in a sentence, in the order of the names."""
    found = []
    for name in sorted(code.keys() | database.keys()):
        if name not in database:
            found.append(f"{name} is missing")
        elif name not in code:
            found.append(f"{name} is not in the code")
        elif code[name] != database[name]:
            found.append(f"{name} is {database[name]!r}, and {code[name]!r} in the code")
    return found


def _tidy(text: str | None) -> str:
    return " ".join((text or "").split())


def _sqlite(core: sa.Connection) -> Iterator[tuple[str, str]]:
    ask = core.exec_driver_sql
    everything = ask("SELECT type, name, tbl_name, sql FROM sqlite_master").all()
    for kind, name, table, sql in everything:
        if name.startswith("sqlite_") or table in NOT_OURS:
            continue
        if kind == "table":
            yield from _sqlite_table(core, name, sql)
        else:
            yield f"{kind} {name}", _tidy(sql)


def _sqlite_table(core: sa.Connection, table: str, sql: str) -> Iterator[tuple[str, str]]:
    ask = core.exec_driver_sql
    yield f"table {table}", "strict" if sql.rstrip().upper().endswith("STRICT") else "not strict"
    columns = ask(
        'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?)', (table,)
    )
    for name, kind, not_null, default, place in columns:
        null = "not null" if not_null else "null"
        yield f"column {table}.{name}", f"{kind} {null} default {default} key {place}"
    keys = ask(
        'SELECT id, group_concat("from"), "table", group_concat("to"), on_update, on_delete'
        " FROM pragma_foreign_key_list(?) GROUP BY id",
        (table,),
    )
    for _, here, target, there, on_update, on_delete in keys:
        action = f"on update {on_update} on delete {on_delete}"
        yield f"foreign key {table}({here})", f"{target}({there}) {action}"
    for columns_of in ask(
        "SELECT (SELECT group_concat(name) FROM pragma_index_info(i.name))"
        " FROM pragma_index_list(?) i WHERE origin = 'u'",
        (table,),
    ):
        yield f"unique {table}({columns_of[0]})", "unique"
    for name, rule in _checks(sql):
        yield f"check {table}.{name}", rule
    for name, when in re.findall(r"CONSTRAINT (\w+) FOREIGN KEY[^,]*?(DEFERRABLE \w+ \w+)", sql):
        yield f"deferrable {table}.{name}", _tidy(when)


def _checks(sql: str) -> Iterator[tuple[str, str]]:
    for found in re.finditer(r'(?:CONSTRAINT\s+"?(\w+)"?\s+)?CHECK\s*\(', sql):
        depth, end = 1, found.end()
        while depth:
            depth += {"(": 1, ")": -1}.get(sql[end], 0)
            end += 1
        yield found[1] or "unnamed", _tidy(sql[found.end() : end - 1])


_POSTGRES: Final = {
    "table": "SELECT relname, relkind::text FROM pg_class"
    " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')",
    "column": "SELECT c.relname || '.' || attname, format_type(atttypid, atttypmod)"
    " || CASE WHEN attnotnull THEN ' not null' ELSE ' null' END"
    " || ' default ' || coalesce(pg_get_expr(adbin, adrelid), 'None')"
    " FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid"
    " LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum"
    " WHERE c.relnamespace = current_schema()::regnamespace AND relkind = 'r'"
    " AND attnum > 0 AND NOT attisdropped",
    "constraint": "SELECT c.relname || '.' || conname, pg_get_constraintdef(k.oid)"
    " FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid"
    " WHERE c.relnamespace = current_schema()::regnamespace AND contype <> 'n'",
    "index": "SELECT i.relname, pg_get_indexdef(indexrelid) FROM pg_index x"
    " JOIN pg_class i ON i.oid = indexrelid WHERE i.relnamespace = current_schema()::regnamespace",
    "trigger": "SELECT c.relname || '.' || tgname, pg_get_triggerdef(t.oid)"
    " || CASE tgenabled WHEN 'O' THEN '' ELSE ' switched off' END"
    " FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid"
    " WHERE c.relnamespace = current_schema()::regnamespace AND NOT tgisinternal",
    "function": "SELECT proname, pg_get_functiondef(oid) FROM pg_proc"
    " WHERE pronamespace = current_schema()::regnamespace",
    "view": "SELECT relname, pg_get_viewdef(oid) FROM pg_class"
    " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('v','m')",
}


def _postgres(core: sa.Connection) -> Iterator[tuple[str, str]]:
    schema = core.exec_driver_sql("SELECT current_schema()").scalar_one()
    for kind, question in _POSTGRES.items():
        for name, definition in core.exec_driver_sql(question.replace("%", "%%")):
            if name.partition(".")[0] in NOT_OURS or name.startswith("alembic_version"):
                continue
            yield f"{kind} {name}", _tidy(definition).replace(f"{schema}.", "")
