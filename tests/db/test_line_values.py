"""What the line sends is what SQLAlchemy would have sent, by value and by refusal."""

from __future__ import annotations

import asyncio
import enum
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from psycopg.pq import ExecStatus

import bahi
from bahi.config import Settings
from bahi.db import postgres, types
from bahi.db.line import DIALECT, Line
from bahi.db.schema import HOUSE, STORES
from bahi.db.statement import Statement
from bahi.db.tx import Tx
from bahi.kernel.errors import BahiError
from tests.clusters import Cluster
from tests.databases import Database, Databases, MakeDatabase
from tests.db.ledger import ADD_ENTRY, create, notes, open_store
from tests.furnished import Furnished

KINDS: Final[dict[str, type[sa.types.TypeEngine[Any]]]] = {
    "whole": types.Whole,
    "flag": types.Flag,
    "words": types.Text,
    "document": types.Json,
    "bytes": types.Blob,
}
kinds = sa.Table("kinds", sa.MetaData(), *(sa.Column(name, kind) for name, kind in KINDS.items()))
ADD: Final = kinds.insert()
ADD_HOT: Final = Statement(ADD)
READ: Final = sa.select(kinds)
READ_HOT: Final = Statement(READ)
TAKE_AWAY: Final = Statement(kinds.delete())


class Word(enum.StrEnum):
    """A word of a closed vocabulary, as the model has them."""

    BUY = "BUY"


class Number(enum.IntEnum):
    """A number with a name."""

    FIVE = 5


TEXTS = st.text() | st.text(st.sampled_from("\0\ud800₹'\"\\%$1:{}\r\n\t")) | st.just(Word.BUY)
NUMBERS = (
    st.integers()
    | st.integers(-(1 << 65), 1 << 65)
    | st.sampled_from([edge + n for edge in (1 << 15, 1 << 31, 1 << 63) for n in (-1, 0, 1)])
    | st.sampled_from([-(1 << 63), -(1 << 63) - 1, Number.FIVE, True, False])
    | st.floats()
    | st.decimals()
)
DOCUMENTS = st.sampled_from(
    ["{}", "[]", "null", '{"b": 1, "a": [1.50, "₹\\u20b9"], "b": 2}', '"\\u0000"', "", "{", " 1 "]
)
VALUES: Final = {
    "whole": NUMBERS,
    "flag": st.booleans() | NUMBERS,
    "words": TEXTS | st.just("x₹" * 1_000_000),
    "document": DOCUMENTS | TEXTS,
    "bytes": st.binary() | st.sampled_from([b"\\x41", b"\\", b"\0" * 100]),
}
NOTHING: Final[dict[str, Any]] = dict.fromkeys(KINDS)
ROWS: Final = st.sampled_from([*KINDS]).flatmap(
    lambda name: VALUES[name].map(lambda value: NOTHING | {name: value})
)
"""One value each: of two that are wrong, either may be named first."""


@pytest.fixture(scope="module")
def of_all_kinds(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Make a table with a column of every kind that there is."""
    database: Database = databases.make("postgresql", tmp_path_factory.mktemp("kinds"))
    with closing(postgres.connect(database.url, "public")) as driver:
        spelt = (f"{name} {_on_postgres(kind)}" for name, kind in KINDS.items())
        driver.execute(f"CREATE TABLE kinds ({', '.join(spelt)})")
    yield database.url
    databases.drop(database)


def _on_postgres(kind: type[sa.types.TypeEngine[Any]]) -> str:
    return kind().compile(dialect=DIALECT)


def test_every_kind_of_column_of_the_house_is_looked_at() -> None:
    columns = (column for table in HOUSE.metadata.tables.values() for column in table.columns)
    assert {type(column.type) for column in columns} <= set(KINDS.values())


class Ways:
    """The same transaction in two ways, each undone behind itself."""

    def __init__(self, url: str) -> None:
        self._core = postgres.engine(url, "public").connect()
        driver = self._core.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        self._driver, self._line = driver, Line(driver)

    def by_sqlalchemy(self, row: dict[str, Any]) -> Any:
        """Insert and read as any statement of Core."""
        return self._told(None, lambda tx: (tx.change(ADD, row), tx.rows(READ))[1])

    def by_the_line(self, row: dict[str, Any]) -> Any:
        """Insert without waiting, and read."""
        return self._told(self._line, lambda tx: (tx.put(ADD_HOT, row), tx.rows(READ_HOT))[1])

    def _told(self, line: Line | None, work: Callable[[Tx], list[Any]]) -> Any:
        self._driver.execute("BEGIN")
        tx = Tx(self._core, self._driver, lambda: True, int, line)
        try:
            return [tuple(map(_exactly, row)) for row in work(tx)]
        except BahiError as refusal:
            return type(refusal), str(refusal)
        finally:
            self._line.forget()
            self._driver.execute("ROLLBACK")

    def close(self) -> None:
        """Let the connection go."""
        self._core.close()


def _exactly(value: object) -> tuple[type, object]:
    return type(value), value


@pytest.fixture(scope="module")
def ways(of_all_kinds: str) -> Iterator[Ways]:
    """Open both ways."""
    with closing(Ways(of_all_kinds)) as both:
        yield both


@given(row=ROWS)
def test_a_row_by_the_line_is_the_row_by_sqlalchemy(ways: Ways, row: dict[str, Any]) -> None:
    assert ways.by_the_line(row) == ways.by_sqlalchemy(row)


def test_every_hot_statement_of_the_house_can_be_prepared(
    furnished: Furnished, make_database: MakeDatabase, tmp_path: Path
) -> None:
    home = furnished.copy("postgresql", tmp_path / "home", make_database)
    found = dict(_hot_statements())
    assert len(found) > 50
    with closing(postgres.connect(Settings.from_environment(home).main, "public")) as driver:
        driver.execute(f"SET search_path = {', '.join(STORES)}")
        for name, statement in found.items():
            prepared = driver.pgconn.prepare(b"", statement.on(DIALECT).text.encode())
            assert prepared.status == ExecStatus.COMMAND_OK, (name, prepared.error_message)


def _hot_statements() -> Iterator[tuple[str, Statement]]:
    for module in pkgutil.walk_packages(bahi.__path__, "bahi."):
        if ".repository" in module.name:
            for name, value in vars(importlib.import_module(module.name)).items():
                yield from _within(f"{module.name}.{name}", value)


def _within(name: str, value: object) -> Iterator[tuple[str, Statement]]:
    if isinstance(value, Statement):
        yield name, value
    if isinstance(value, Mapping):
        for key, each in value.items():
            if key != "sqlite":  # spelt for the other database
                yield from _within(f"{name}[{key}]", each)


def test_a_database_of_another_encoding_takes_what_it_can_write_and_refuses_the_rest(
    make_cluster: Callable[..., Cluster], monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = make_cluster()
    cluster.psql(
        "CREATE DATABASE desk ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
    )
    url = cluster.url("desk")

    def put(tx: Tx, note: str) -> None:
        tx.put(ADD_ENTRY, {"id": tx.new_id(), "book_id": 1, "amount": 1, "note": note})

    async def whole() -> None:
        create(url)
        stores, store = open_store(url)
        await store.write(put, "é")
        with pytest.raises(BahiError):
            await store.write(put, "₹")
        assert await store.read(notes, fresh=True) == {"é"}
        await stores.close()

    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    asyncio.run(whole())
