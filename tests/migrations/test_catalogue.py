"""The catalogue: whatever changes which rows are taken or kept is found and named."""

from __future__ import annotations

import pytest

from bahi.db import catalogue
from bahi.db.opening import lay, transaction
from tests.databases import Database
from tests.migrations.houses import migrator

VIEW = "SELECT l.id, p.name, l.amount FROM lines l JOIN pages p ON p.id = l.page_id"
BOTH = {
    "a changed view": (["DROP VIEW v_lines", "CREATE VIEW v_lines AS SELECT 1 AS id"], "v_lines"),
    "a stranger": (["CREATE TABLE stranger (id INTEGER)"], "table stranger is not in the code"),
}
ON_POSTGRESQL = BOTH | {
    "a dropped rule": (["ALTER TABLE lines DROP CONSTRAINT ck_lines_positive"], "positive"),
    "a missing trigger": (["DROP TRIGGER lines_touch ON lines"], "lines_touch is missing"),
    "a trigger switched off": (["ALTER TABLE lines DISABLE TRIGGER lines_touch"], "lines_touch"),
    "a column that may be null": (
        ["ALTER TABLE pages ALTER COLUMN name DROP NOT NULL"],
        "column pages.name",
    ),
    "a table that a crash empties": (["ALTER TABLE lines SET UNLOGGED"], "table lines"),
    "a foreign key that asks nothing": (
        ["ALTER TABLE lines DISABLE TRIGGER ALL", "ALTER TABLE lines ENABLE TRIGGER lines_touch"],
        "constraint lines.fk_lines_page_id",
    ),
    "a foreign key that deletes nothing": (
        ["ALTER TABLE pages DISABLE TRIGGER ALL"],
        "constraint lines.fk_lines_page_id",
    ),
    "an identity": (
        ["ALTER TABLE pages ALTER id ADD GENERATED ALWAYS AS IDENTITY"],
        "column pages.id",
    ),
    "a generated column": (
        [
            "ALTER TABLE lines DROP updated_at CASCADE",
            "ALTER TABLE lines ADD updated_at bigint GENERATED ALWAYS AS (7) STORED NOT NULL",
        ],
        "generated s",
    ),
    "a rule that swallows rows": (
        ["CREATE RULE gone AS ON INSERT TO pages DO INSTEAD NOTHING"],
        "rule pages.gone",
    ),
    "row security": (["ALTER TABLE pages ENABLE ROW LEVEL SECURITY"], "table pages"),
    "a policy": (["CREATE POLICY none ON pages USING (false)"], "policy pages.none"),
    "a collation": (
        [
            "DROP VIEW v_lines",
            'ALTER TABLE pages ALTER name TYPE text COLLATE "POSIX"',
            f"CREATE VIEW v_lines AS {VIEW}",
        ],
        "collate",
    ),
    "an index that is not valid": (
        ["UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'uq_pages_name'::regclass"],
        "index uq_pages_name",
    ),
    "an index that is not ready": (
        ["UPDATE pg_index SET indisready = false WHERE indexrelid = 'uq_pages_name'::regclass"],
        "index uq_pages_name",
    ),
    "a view that stands still": (
        ["DROP VIEW v_lines", f"CREATE MATERIALIZED VIEW v_lines AS {VIEW}"],
        "view v_lines is 'materialized",
    ),
    "a view's options": (["ALTER VIEW v_lines SET (security_barrier = true)"], "view v_lines"),
    "an heir": (["CREATE TABLE public.kid () INHERITS (pages)"], "inheritance kid"),
    "a sequence": (["CREATE SEQUENCE sneaky"], "sequence sneaky"),
    "a namesake of a function": (
        ["CREATE FUNCTION touch(integer) RETURNS integer LANGUAGE sql AS 'SELECT 1'"],
        "function touch",
    ),
}


def rewritten(old: str, new: str) -> list[str]:
    """Change the text of SQLite's schema under its feet."""
    return [
        "PRAGMA writable_schema = ON",
        f"UPDATE sqlite_master SET sql = replace(sql, '{old}', '{new}')",
        "PRAGMA writable_schema = RESET",
    ]


DIFFERENTLY = "table {} is written differently"
ON_SQLITE = BOTH | {
    "a dropped rule": (rewritten("amount > 0", "amount > -1"), "check lines.ck_lines_positive"),
    "a missing trigger": (["DROP TRIGGER lines_touch"], "lines_touch is missing"),
    "a column too many": (["ALTER TABLE pages ADD COLUMN extra TEXT"], "column pages.extra"),
    "a unique name that replaces": (
        rewritten("UNIQUE (name)", "UNIQUE (name) ON CONFLICT REPLACE"),
        DIFFERENTLY.format("pages"),
    ),
    "a primary key that replaces": (
        rewritten("pk_pages PRIMARY KEY (id)", "pk_pages PRIMARY KEY (id) ON CONFLICT REPLACE"),
        DIFFERENTLY.format("pages"),
    ),
    "a null that is passed over": (
        rewritten("amount INTEGER NOT NULL", "amount INTEGER NOT NULL ON CONFLICT IGNORE"),
        DIFFERENTLY.format("lines"),
    ),
    "a name whose capitals are all one": (
        rewritten("name TEXT NOT NULL", "name TEXT NOT NULL COLLATE NOCASE"),
        DIFFERENTLY.format("pages"),
    ),
    "a generated column": (
        rewritten("updated_at INTEGER NOT NULL", "updated_at INTEGER NOT NULL AS (7)"),
        DIFFERENTLY.format("lines"),
    ),
    "one rule more, in small letters": (
        rewritten("amount INTEGER NOT NULL", "amount INTEGER NOT NULL check(amount < 5)"),
        "check lines.unnamed is not in the code",
    ),
    "a second rule under a name": (
        rewritten(
            "ck_lines_positive CHECK (amount > 0)",
            "ck_lines_positive CHECK (amount > 1), CONSTRAINT ck_lines_positive CHECK (amount > 0)",
        ),
        "check lines.ck_lines_positive",
    ),
    "a key that waits for the end": (
        rewritten("ON DELETE CASCADE", "ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"),
        "deferred lines.fk_lines_page_id",
    ),
    "a key that no longer waits": (
        rewritten("DEFERRABLE INITIALLY DEFERRED", "NOT DEFERRABLE INITIALLY DEFERRED"),
        "deferred permits.fk_permits_never is missing",
    ),
    "a second key over a column": (
        rewritten("page_id INTEGER NOT NULL", "page_id INTEGER NOT NULL REFERENCES pages (id)"),
        "foreign key lines(page_id)",
    ),
    "a table that only a comment calls strict": (
        rewritten(") STRICT", ") -- STRICT"),
        "is 'not strict'",
    ),
}


def plant(url: str, statements: list[str]) -> list[str]:
    moves = migrator(url)
    moves.upgrade()
    with moves.database.opened() as core:
        lay(core, statements)
    return moves.differences()


@pytest.mark.parametrize("planted", ON_POSTGRESQL)
def test_a_difference_planted_in_postgresql_is_named(postgres_url: str, planted: str) -> None:
    statements, name = ON_POSTGRESQL[planted]
    found = plant(postgres_url, statements)
    assert any(name in each for each in found), found


@pytest.mark.parametrize("planted", ON_SQLITE)
def test_a_difference_planted_in_sqlite_is_named(sqlite_url: str, planted: str) -> None:
    statements, name = ON_SQLITE[planted]
    found = plant(sqlite_url, statements)
    assert any(name in each for each in found), found


@pytest.mark.parametrize("other", ["'a  b'", "'A b'", "'main.a b'"])
def test_what_stands_in_quotes_is_compared_to_the_letter(
    empty_database: Database, other: str
) -> None:
    with migrator(empty_database.url).database.opened() as core:
        lay(core, ["CREATE VIEW v_said AS SELECT 'a b' AS said"])
        one = catalogue.read(core)
        lay(core, ["DROP VIEW v_said", f"CREATE VIEW v_said AS SELECT {other} AS said"])
        assert len(catalogue.differences(one, catalogue.read(core))) == 1


def test_the_code_is_built_aside_and_an_open_transaction_stays_as_it_is(
    empty_database: Database,
) -> None:
    moves = migrator(empty_database.url)
    moves.upgrade()
    with moves.database.opened() as core:
        with transaction(core):
            lay(core, ["INSERT INTO pages VALUES (1, 'cash')"])
            code = catalogue.expected(core, moves.database.schema)
            assert catalogue.differences(code, catalogue.read(core)) == []
        assert core.exec_driver_sql("SELECT name FROM pages").scalars().all() == ["cash"]
