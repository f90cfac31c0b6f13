"""What steps are written with: a table that is rebuilt loses nothing unsaid."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from bahi.db.opening import lay, transaction
from bahi.db.steps import rebuild
from bahi.kernel.errors import BahiError
from tests.migrations.houses import migrator

ODD = 'CREATE TABLE "odd one" (id INTEGER NOT NULL, "order" TEXT, "a ""b""" TEXT) STRICT'


@pytest.fixture
def step(sqlite_url: str) -> Iterator[sa.Connection]:
    """Stand inside a step, in a store with one oddly named table."""
    with (
        migrator(sqlite_url).database.opened(foreign_keys=False) as core,
        transaction(core),
        Operations.context(MigrationContext.configure(core)),
    ):
        lay(core, [ODD, "INSERT INTO \"odd one\" VALUES (1, 'first', 'x')"])
        yield core


def test_a_column_is_lost_only_where_it_is_named(step: sa.Connection) -> None:
    fewer = 'CREATE TABLE "odd one" (id INTEGER NOT NULL, place TEXT, "a ""b""" TEXT) STRICT'
    step.exec_driver_sql("SAVEPOINT before")
    with pytest.raises(BahiError, match=r"has no column order.*name it in drop"):
        rebuild("odd one", fewer, carry={"place": '"order"'})
    step.exec_driver_sql("ROLLBACK TO before")
    rebuild("odd one", fewer, carry={"place": '"order"'}, drop=("order",))
    assert step.exec_driver_sql('SELECT * FROM "odd one"').all() == [(1, "first", "x")]


def test_names_that_need_quotes_are_quoted(step: sa.Connection) -> None:
    rebuild("odd one", ODD.replace('"order" TEXT', "\"order\" TEXT DEFAULT 'last'"))
    assert step.exec_driver_sql('SELECT * FROM "odd one"').all() == [(1, "first", "x")]


@pytest.mark.parametrize("was", [0, 1])
def test_a_rebuild_that_fails_puts_the_old_rename_back(step: sa.Connection, was: int) -> None:
    step.exec_driver_sql(f"PRAGMA legacy_alter_table = {was}")
    with pytest.raises(sa.exc.OperationalError):
        rebuild("odd one", "CREATE TABLE nonsense (")
    assert step.exec_driver_sql("PRAGMA legacy_alter_table").scalar_one() == was
