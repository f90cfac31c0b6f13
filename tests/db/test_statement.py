"""Hot statements: compiled once, the same rows, and a refusal of whatever would be skipped."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg

from bahi.db import types
from bahi.db.statement import Statement

DIALECTS = [sqlite.dialect(), psycopg.dialect()]
metadata = sa.MetaData()
plain = sa.Table("plain", metadata, sa.Column("id", types.Whole), sa.Column("note", types.Text))
counted = sa.Table(
    "counted",
    metadata,
    sa.Column("id", types.Whole),
    sa.Column("n", types.Whole, default=lambda: 7),
)
dated = sa.Table("dated", metadata, sa.Column("at", sa.DateTime))


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda d: d.name)
class TestOnBothDialects:
    def test_a_statement_is_compiled_once(self, dialect: sa.Dialect) -> None:
        statement = Statement(plain.insert())
        assert statement.on(dialect) is statement.on(dialect)

    def test_constants_in_the_text_are_bound_beside_the_parameters(
        self, dialect: sa.Dialect
    ) -> None:
        statement = Statement(
            plain.update()
            .where(plain.c.id == sa.bindparam("row"))
            .values(note=plain.c.note + "!", id=plain.c.id + sa.bindparam("by"))
        )
        text, bind = statement.on(dialect)
        bound = bind({"row": 3, "by": 4})
        values = list(bound.values()) if isinstance(bound, dict) else list(bound)
        assert sorted(map(str, values)) == ["!", "3", "4"]
        assert text.startswith("UPDATE plain")

    def test_a_missing_parameter_is_an_error(self, dialect: sa.Dialect) -> None:
        _, bind = Statement(plain.insert()).on(dialect)
        if dialect.positional:
            with pytest.raises(KeyError):
                bind({"id": 1})

    @pytest.mark.parametrize(
        ("clause", "why"),
        [
            (counted.insert().values(id=1), "Python-side default"),
            (plain.select().where(plain.c.id.in_([1, 2])), "expanding IN"),
            (dated.insert(), "convert 'at'"),
        ],
        ids=["default", "in", "type"],
    )
    def test_what_would_be_skipped_is_refused(
        self, dialect: sa.Dialect, clause: sa.Insert | sa.Select[tuple[int]], why: str
    ) -> None:
        if why.startswith("convert") and dialect.name == "postgresql":
            assert Statement(clause).on(dialect)  # psycopg takes a datetime as it is
            return
        with pytest.raises(TypeError, match=why):
            Statement(clause).on(dialect)
