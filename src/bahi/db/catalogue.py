"""What a database really holds, as named facts that can be compared.

A catalogue is a mapping from what a thing is called to how it is defined, whichever way it came
to be. Two databases with the same catalogue refuse and accept the same rows. The order of a
table's columns is no part of it: a column that was added later stands last.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa

from bahi.db.opening import inside, lay
from bahi.db.schema import StoreSchema
from bahi.db.table_text import TableText, tokens_of

Catalogue = dict[str, str]
Facts = Iterable[tuple[str, str]]

NOT_OURS: Final = frozenset({"alembic_version"})
SCRATCH: Final = "bahi_scratch"
WRITTEN: Final = "the text of "
"""A table's whole definition: compared last, for what no fact of its own names."""


def read(core: sa.Connection) -> Catalogue:
    """Read the catalogue of the store that the connection is in."""
    return _gathered(_sqlite(core) if core.dialect.name == "sqlite" else _postgres(core))


def expected(core: sa.Connection, schema: StoreSchema) -> Catalogue:
    """Build the code's schema in a scratch place of the same server and read its catalogue."""
    if core.dialect.name == "sqlite":
        engine = sa.create_engine("sqlite://", poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as scratch:
            lay(scratch, schema.statements(core.dialect))
            return read(scratch)
    with _taken_back(core):
        core.exec_driver_sql(f"CREATE SCHEMA {SCRATCH}")
        core.exec_driver_sql(f"SET LOCAL search_path TO {SCRATCH}")
        lay(core, schema.statements(core.dialect))
        return read(core)


def differences(code: Catalogue, database: Catalogue) -> list[str]:
    """Name every difference in a sentence, in the order of the names."""
    differ = sorted(n for n in code.keys() | database.keys() if code.get(n) != database.get(n))
    named = [name for name in differ if not name.startswith(WRITTEN)]
    touched = {found[1] for name in named if (found := _OF_TABLE.match(name))}
    unnamed = [name.removeprefix(WRITTEN) for name in differ if name.startswith(WRITTEN)]
    return [_sentence(name, code.get(name), database.get(name)) for name in named] + [
        f"table {table} is written differently" for table in unnamed if table not in touched
    ]


_OF_TABLE: Final = re.compile(
    r"(?:table|column|foreign key|deferred|unique|check) ([^.(]+)", re.DOTALL
)


def _sentence(name: str, code: str | None, database: str | None) -> str:
    if database is None:
        return f"{name} is missing"
    if code is None:
        return f"{name} is not in the code"
    return f"{name} is {database!r}, and {code!r} in the code"


def _gathered(facts: Facts) -> Catalogue:
    """Keep every fact: of two under one name, neither hides the other."""
    catalogue: Catalogue = {}
    for name, definition in sorted(facts):
        first = catalogue.get(name)
        catalogue[name] = definition if first is None else f"{first}; {definition}"
    return catalogue


@contextmanager
def _taken_back(core: sa.Connection) -> Iterator[None]:
    """Undo what is done inside, and nothing of a transaction that is open already."""
    begin, undo = ("BEGIN", ["ROLLBACK"])
    if inside(core):
        begin, undo = ("SAVEPOINT scratch", ["ROLLBACK TO scratch", "RELEASE scratch"])
    core.exec_driver_sql(begin)
    try:
        yield
    finally:
        lay(core, undo)


def _sqlite(core: sa.Connection) -> Iterator[tuple[str, str]]:
    ask = core.exec_driver_sql
    everything = ask("SELECT type, name, tbl_name, sql FROM sqlite_master").all()
    for kind, name, table, sql in everything:
        if name.startswith("sqlite_") or table in NOT_OURS:
            continue
        if kind == "table":
            yield from _sqlite_table(core, name, sql)
        else:
            yield f"{kind} {name}", " ".join(tokens_of(sql))


def _sqlite_table(core: sa.Connection, table: str, sql: str) -> Iterator[tuple[str, str]]:
    ask = core.exec_driver_sql
    strict = ask(
        "SELECT strict FROM pragma_table_list WHERE schema = 'main' AND name = ?", (table,)
    ).scalar_one()
    yield f"table {table}", "strict" if strict else "not strict"
    columns = ask(
        'SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_xinfo(?)', (table,)
    )
    for name, kind, not_null, default, place in columns:
        null = "not null" if not_null else "null"
        yield f"column {table}.{name}", f"{kind.upper()} {null} default {default} key {place}"
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
    text = TableText.read(sql)
    for rule in text.rules:
        if rule.kind == "check":
            yield f"check {table}.{rule.name or 'unnamed'}", str(rule)
        if rule.tokens[-2:] == ("initially", "deferred"):
            yield f"deferred {table}.{rule.name or 'unnamed'}", str(rule)
    yield f"{WRITTEN}{table}", str(text)


_POSTGRES: Final = {  # `here` stands for the store's own schema
    "table": "SELECT relname, concat_ws(' ', relkind, relpersistence,"
    " CASE WHEN relrowsecurity THEN 'row security' END,"
    " CASE WHEN relforcerowsecurity THEN 'forced' END)"
    " FROM pg_class WHERE relnamespace = here AND relkind IN ('r', 'p', 'f')",
    "column": "SELECT c.relname || '.' || attname, concat_ws(' ', format_type(atttypid, atttypmod),"
    " CASE WHEN attnotnull THEN 'not null' ELSE 'null' END,"
    " 'default ' || coalesce(pg_get_expr(adbin, adrelid), 'None'),"
    " 'identity ' || nullif(attidentity::text, ''), 'generated ' || nullif(attgenerated::text, ''),"
    " CASE WHEN attcollation <> typcollation THEN concat('collate ', attcollation::regcollation)"
    " END) FROM pg_attribute a"
    " JOIN pg_class c ON c.oid = attrelid JOIN pg_type t ON t.oid = atttypid"
    " LEFT JOIN pg_attrdef d ON adrelid = attrelid AND adnum = attnum"
    " WHERE c.relnamespace = here AND relkind IN ('r', 'p', 'f')"
    " AND attnum > 0 AND NOT attisdropped",
    "constraint": "SELECT c.relname || '.' || conname, concat_ws(' ', pg_get_constraintdef(k.oid),"
    # the triggers that PostgreSQL makes for a foreign key, on both of its tables
    " (SELECT max('switched off') FROM pg_trigger WHERE tgconstraint = k.oid AND tgenabled <> 'O'"
    " AND tgisinternal))"
    " FROM pg_constraint k JOIN pg_class c ON c.oid = conrelid"
    " WHERE c.relnamespace = here AND contype <> 'n'",
    "index": "SELECT i.relname, concat_ws(' ', pg_get_indexdef(indexrelid),"
    " CASE WHEN NOT (indisvalid AND indisready) THEN 'not valid' END)"
    " FROM pg_index x JOIN pg_class i ON i.oid = indexrelid WHERE i.relnamespace = here",
    "trigger": "SELECT c.relname || '.' || tgname, pg_get_triggerdef(t.oid)"
    " || CASE tgenabled WHEN 'O' THEN '' ELSE ' switched off' END"
    " FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid"
    " WHERE c.relnamespace = here AND NOT tgisinternal",
    "function": "SELECT proname, pg_get_functiondef(oid) FROM pg_proc"
    " WHERE pronamespace = here AND prokind <> 'a'",
    "view": "SELECT relname, concat_ws(' ', CASE relkind WHEN 'm' THEN 'materialized' END,"
    " reloptions::text, pg_get_viewdef(oid))"
    " FROM pg_class WHERE relnamespace = here AND relkind IN ('v', 'm')",
    "rule": "SELECT c.relname || '.' || rulename, pg_get_ruledef(r.oid)"
    " || CASE ev_enabled WHEN 'O' THEN '' ELSE ' switched off' END"
    " FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class"
    " WHERE c.relnamespace = here AND rulename <> '_RETURN'",
    "policy": "SELECT c.relname || '.' || polname, concat_ws(' ', polcmd, polpermissive,"
    " polroles::regrole[]::text, pg_get_expr(polqual, polrelid),"
    " pg_get_expr(polwithcheck, polrelid))"
    " FROM pg_policy p JOIN pg_class c ON c.oid = polrelid WHERE c.relnamespace = here",
    "inheritance": "SELECT c.relname, concat(inhrelid::regclass, ' of ', inhparent::regclass)"
    " FROM pg_inherits JOIN pg_class p ON p.oid = inhparent JOIN pg_class c ON c.oid = inhrelid"
    " WHERE p.relnamespace = here OR c.relnamespace = here",
    "sequence": "SELECT relname, concat_ws(' ', seqtypid::regtype, seqstart, seqincrement, seqmin,"
    " seqmax, seqcycle) FROM pg_sequence JOIN pg_class ON oid = seqrelid WHERE relnamespace = here",
}


def _postgres(core: sa.Connection) -> Iterator[tuple[str, str]]:
    schema = core.exec_driver_sql("SELECT current_schema()").scalar_one()
    for kind, question in _POSTGRES.items():
        here = question.replace("= here", "= current_schema()::regnamespace")
        for name, definition in core.exec_driver_sql(here):
            if name.partition(".")[0] in NOT_OURS or name.startswith("alembic_version"):
                continue
            yield f"{kind} {name}", _tidy(definition, schema)


def _tidy(definition: str, schema: str) -> str:
    """Write a definition in one line and without its schema; what stands in quotes stays."""
    pieces = re.split(r"('(?:[^']|'')*')", definition)
    own = re.compile(rf"(?<![\w.]){re.escape(schema)}\.")
    pieces[::2] = [re.sub(r"\s+", " ", own.sub("", piece)) for piece in pieces[::2]]
    return "".join(pieces).strip()
