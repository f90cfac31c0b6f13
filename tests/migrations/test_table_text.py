"""The text of a SQLite table: what it says counts, and not how it is written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bahi.db.table_text import TableText

WRITTEN = """CREATE TABLE lines (
    id INTEGER NOT NULL,
    page_id INTEGER NOT NULL,
    kind TEXT DEFAULT 'it''s (a, b)' NOT NULL,
    "order" INTEGER,
    CONSTRAINT pk_lines PRIMARY KEY (id),
    CONSTRAINT uq_lines_order UNIQUE ("order"),
    CONSTRAINT ck_lines_kind CHECK (kind IN ('A','b')),
    CONSTRAINT fk_lines_page_id FOREIGN KEY(page_id) REFERENCES pages (id) ON DELETE CASCADE
) STRICT"""

THE_SAME = {
    "spaces": WRITTEN.replace("KEY (", "KEY( ").replace("NOT NULL", "NOT\n\tNULL"),
    "comments": WRITTEN.replace("STRICT", "/* not ) */ STRICT -- so it is"),
    "capitals": WRITTEN.replace("CHECK", "check").replace("NOT NULL", "not null"),
    "quotes": WRITTEN.replace("lines (", '"lines" (').replace("(page_id)", "([page_id])"),
    "clauses the other way round": WRITTEN.replace(
        "DEFAULT 'it''s (a, b)' NOT NULL", "NOT NULL DEFAULT 'it''s (a, b)'"
    ),
    "rules at their columns": """CREATE TABLE lines (
        id INTEGER NOT NULL PRIMARY KEY,
        page_id INTEGER NOT NULL REFERENCES pages (id) ON DELETE CASCADE,
        kind TEXT DEFAULT 'it''s (a, b)' NOT NULL CONSTRAINT ck_lines_kind CHECK (kind IN('A','b')),
        "order" INTEGER NULL UNIQUE
    ) STRICT""",
    "defaults spelt out": WRITTEN.replace("CASCADE", "CASCADE ON UPDATE NO ACTION NOT DEFERRABLE")
    .replace("NOT NULL", "NOT NULL ON CONFLICT ABORT")
    .replace("(id)", "(id) ON CONFLICT ABORT", 1),
}


def run(*statements: str) -> Any:
    """Run statements in a database of their own; return what the last one finds, if anything."""
    with closing(sqlite3.connect(":memory:")) as scratch:
        *_, row = [scratch.execute(statement).fetchone() for statement in statements]
    return row[0] if row else None


@pytest.mark.parametrize("way", THE_SAME)
def test_the_same_table_written_otherwise_says_the_same(way: str) -> None:
    assert run(THE_SAME[way]) is None
    assert str(TableText.read(THE_SAME[way])) == str(TableText.read(WRITTEN))


OTHERS = {
    "a literal's capitals": ("'A'", "'a'"),
    "a literal's spaces": ("(a, b)", "(a,b)"),
    "a collation": ("kind TEXT", "kind TEXT COLLATE NOCASE"),
    "a default": ("DEFAULT 'it''s (a, b)' ", ""),
    "a conflict": ("(id),", "(id) ON CONFLICT REPLACE,"),
    "a deferral": ("CASCADE", "CASCADE DEFERRABLE INITIALLY DEFERRED"),
    "an action": ("CASCADE", "SET NULL"),
    "strictness": (" STRICT", " -- STRICT"),
    "an option": ("STRICT", "STRICT, WITHOUT ROWID"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_table_says_something_else(other: str) -> None:
    changed = WRITTEN.replace(*OTHERS[other])
    assert run(changed) is None
    assert str(TableText.read(changed)) != str(TableText.read(WRITTEN))


ITEMS = [
    "a INTEGER NOT NULL",
    "b TEXT DEFAULT ',' NOT NULL",
    "c TEXT",
    "d INTEGER DEFAULT (1 + (2)) CHECK (d IN (1,2))",
]


@given(st.permutations(ITEMS))
def test_the_order_of_the_items_says_nothing(items: list[str]) -> None:
    one, other = (f"CREATE TABLE t ({', '.join(each)}) STRICT" for each in (ITEMS, items))
    assert str(TableText.read(one)) == str(TableText.read(other))


@given(st.sampled_from(ITEMS[2:]), st.sampled_from([",", ",\n\t"]))
def test_a_column_that_was_added_is_as_good_as_one_that_was_there(added: str, comma: str) -> None:
    first = [*ITEMS[:2], "CONSTRAINT pk_t PRIMARY KEY (a)"]
    grown = run(
        f"CREATE TABLE t (\n\t{comma.join(first)}\n)\n\n STRICT",
        f"ALTER TABLE t ADD COLUMN {added}",
        "SELECT sql FROM sqlite_master WHERE name = 't'",
    )
    whole = [*ITEMS[:2], added, "CONSTRAINT pk_t PRIMARY KEY (a)"]
    made = f"CREATE TABLE t ({', '.join(whole)}) STRICT"
    assert str(TableText.read(grown)) == str(TableText.read(made))
