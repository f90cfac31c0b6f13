"""The words in which contexts say what their tables are.

A context's `tables.py` reads like the page of a ledger: every column with its kind, its rule and
what it means. From that one text come the DDL of both databases, the comparison of a live
database with the code, the generated tests and `docs/SCHEMA.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

import sqlalchemy as sa

from bahi.db import types
from bahi.db.dialects import SQL, Words
from bahi.db.views import Routine, View

OnDelete = Literal["CASCADE", "SET NULL", "RESTRICT"]
Stores = frozenset[str]

STORES: Final = ("main", "sandbox", "latency", "logs", "telegram", "archive")
MAIN: Final = frozenset({"main"})
TRADING: Final = frozenset({"main", "sandbox"})
TRADING_AND_ARCHIVE: Final = frozenset({"main", "sandbox", "archive"})
EVERYWHERE: Final = frozenset(STORES)

NAMES: Final = {
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}


@dataclass(frozen=True)
class AppendOnly:
    """Rows may be added and never changed, except under a permit (see `permits` in tables.py).

    `but` names the columns that may still move (a processing flag).
    """

    but: tuple[str, ...] = ()


@dataclass(eq=False)  # each is itself: hashable, and a default for others
class Schema:
    """All tables and views of a house; every context adds its own."""

    metadata: sa.MetaData = field(default_factory=lambda: sa.MetaData(naming_convention=NAMES))
    views: dict[str, View] = field(default_factory=dict)
    routines: dict[str, Routine] = field(default_factory=dict)

    def table(
        self,
        name: str,
        meaning: str,
        *parts: sa.schema.SchemaItem,
        stores: Stores,
        append_only: AppendOnly | None = None,
    ) -> sa.Table:
        """Define a table, the stores it lives in, and whether its rows are facts."""
        info = {"stores": stores, "meaning": meaning, "append_only": append_only}
        return sa.Table(name, self.metadata, *parts, info=info, sqlite_strict=True)

    def view(
        self, name: str, meaning: str, text: Callable[[Words], str], *, stores: Stores
    ) -> View:
        """Define a view."""
        if name in self.views or name in self.metadata.tables:
            raise ValueError(f"two definitions of {name}")
        self.views[name] = View(name, meaning, text, stores)
        return self.views[name]

    def routine(self, name: str, meaning: str, text: str, *, stores: Stores) -> Routine:
        """Define a function that people may call on PostgreSQL."""
        self.routines[name] = Routine(name, meaning, text, stores)
        return self.routines[name]

    def of_store(self, store: str) -> StoreSchema:
        """Return what one store holds: foreign keys that leave it are dropped."""
        routines = tuple(it for it in self.routines.values() if store in it.stores)
        return StoreSchema(store, *_within(self, store), routines)


HOUSE: Final = Schema()
"""The schema of the product; tests make their own."""


@dataclass(frozen=True)
class StoreSchema:
    """One store's tables and views, ready to be created on either database."""

    store: str
    metadata: sa.MetaData
    views: tuple[View, ...]
    routines: tuple[Routine, ...] = ()

    def statements(self, dialect: sa.Dialect) -> Iterator[str]:
        """Yield the DDL that makes the store from nothing, in an order that works."""
        sql = SQL[dialect.name]
        tables = self.metadata.sorted_tables
        for table in tables:
            yield str(sa.schema.CreateTable(table).compile(dialect=dialect)).strip()
            for index in sorted(table.indexes, key=lambda i: str(i.name)):
                yield str(sa.schema.CreateIndex(index).compile(dialect=dialect)).strip()
        yield from sql.functions()
        for table in tables:
            yield from triggers(table, sql)
        for view in self.views:
            yield f"CREATE VIEW {view.name} AS\n{view.text(sql).strip()}"
        if dialect.name == "postgresql":
            for routine in self.routines:
                yield routine.text.strip()


def triggers(table: sa.Table, sql: Words) -> Iterator[str]:
    """Yield the triggers that a table's nature asks for."""
    facts: AppendOnly | None = table.info["append_only"]
    if facts is not None:
        frozen = [c.name for c in table.columns if c.name not in facts.but]
        yield from sql.append_only(table.name, frozen if facts.but else None)
    if "updated_at" in table.columns and (facts is None or "updated_at" in facts.but):
        yield from sql.touch(table.name)


def _within(schema: Schema, store: str) -> tuple[sa.MetaData, tuple[View, ...]]:
    metadata = sa.MetaData(naming_convention=NAMES)
    here = [t for t in schema.metadata.tables.values() if store in t.info["stores"]]
    names = {table.name for table in here}
    for table in here:
        copy = table.to_metadata(metadata)
        for key in list(copy.foreign_key_constraints):
            if key.elements[0].target_fullname.split(".")[0] not in names:
                _drop_foreign_key(copy, key)
    return metadata, tuple(v for v in schema.views.values() if store in v.stores)


def _drop_foreign_key(table: sa.Table, key: sa.ForeignKeyConstraint) -> None:
    table.constraints.discard(key)
    for element in key.elements:
        table.foreign_keys.discard(element)
        element.parent.foreign_keys.discard(element)


# Columns. Each takes its name and its meaning; `null=True` where the fact may be missing.


def key(name: str = "id", meaning: str = "Ours: 63 bits, ordered by time.") -> sa.Column[int]:
    """Make an integer primary key, always minted by us and never by the database."""
    return sa.Column(name, types.Whole, primary_key=True, autoincrement=False, doc=meaning)


def text_key(name: str, meaning: str, *, default: str | None = None) -> sa.Column[str]:
    """Make a text primary key (or a part of one)."""
    return sa.Column(
        name, types.Text, primary_key=True, nullable=False, server_default=default, doc=meaning
    )


def ref(
    name: str,
    target: str,
    meaning: str,
    *,
    on_delete: OnDelete,
    null: bool = False,
    unique: bool = False,
    primary: bool = False,
) -> sa.Column[int]:
    """Make a foreign key with its stated action; `target` is `table.column`."""
    return sa.Column(
        name,
        types.Whole,
        sa.ForeignKey(target, ondelete=on_delete),
        nullable=null,
        unique=unique or None,
        primary_key=primary,
        autoincrement=False,
        doc=meaning,
    )


def whole(
    name: str,
    meaning: str,
    *,
    null: bool = False,
    default: int | None = None,
    unique: bool = False,
    among: Iterable[int] | None = None,
) -> sa.Column[int]:
    """Make a plain integer: a count, an index, a version, a reference that no key guards."""
    rules: list[sa.schema.SchemaItem] = []
    if among is not None:
        allowed = ",".join(str(value) for value in among)
        rules.append(sa.CheckConstraint(f"{name} IN ({allowed})", name=name))
    column: sa.Column[int] = _column(
        name, types.Whole(), meaning, null, default, *rules, unique=unique
    )
    if among is not None:
        column.info["words"] = tuple(among)
    return column


def money(
    name: str, meaning: str, *, null: bool = False, default: int | None = None
) -> sa.Column[int]:
    """Make an amount in 1/10000 rupee."""
    return _column(name, types.Whole(), meaning, null, default, unit="1/10000 rupee")


def price(
    name: str, meaning: str, *, null: bool = False, default: int | None = None
) -> sa.Column[int]:
    """Make a price in 1/10000 rupee."""
    return _column(name, types.Whole(), meaning, null, default, unit="1/10000 rupee")


def quantity(
    name: str, meaning: str, *, null: bool = False, default: int | None = None
) -> sa.Column[int]:
    """Make a number of shares or units (not of lots)."""
    return _column(name, types.Whole(), meaning, null, default, unit="units")


def percent(
    name: str, meaning: str, *, null: bool = False, default: int | None = None
) -> sa.Column[int]:
    """Make a percentage in 1/10000 of a percent."""
    return _column(name, types.Whole(), meaning, null, default, unit="1/10000 percent")


def ratio(
    name: str, meaning: str, *, null: bool = False, default: int | None = None
) -> sa.Column[int]:
    """Make a ratio in millionths."""
    return _column(name, types.Whole(), meaning, null, default, unit="1/1000000")


def instant(name: str, meaning: str, *, null: bool = False) -> sa.Column[int]:
    """Make an instant: microseconds since 1970, UTC."""
    return _column(name, types.Whole(), meaning, null, None, unit="us UTC")


def text(
    name: str,
    meaning: str,
    *,
    null: bool = False,
    default: str | None = None,
    unique: bool = False,
) -> sa.Column[str]:
    """Make free text."""
    return _column(name, types.Text(), meaning, null, default, unique=unique)


def word(
    name: str,
    words: type[StrEnum] | tuple[str, ...],
    meaning: str,
    *,
    null: bool = False,
    default: str | None = None,
    primary: bool = False,
) -> sa.Column[str]:
    """Make a word of a closed vocabulary; the database refuses any other."""
    allowed = ",".join(f"'{each}'" for each in words)
    check = sa.CheckConstraint(f"{name} IN ({allowed})", name=name)
    column: sa.Column[str] = _column(name, types.Text(), meaning, null, default, check)
    column.primary_key = primary
    column.info["words"] = tuple(str(each) for each in words)
    return column


def day(name: str, meaning: str, *, null: bool = False) -> sa.Column[str]:
    """Make a day of the exchange, ISO text."""
    check = sa.CheckConstraint(f"length({name}) = 10", name=name)
    return _column(name, types.Text(), meaning, null, None, check, unit="YYYY-MM-DD")


def hour(name: str, meaning: str, *, null: bool = False) -> sa.Column[str]:
    """Make an hour of the day in the calendar's zone."""
    check = sa.CheckConstraint(f"length({name}) = 5", name=name)
    return _column(name, types.Text(), meaning, null, None, check, unit="HH:MM")


def flag(
    name: str, meaning: str, *, null: bool = False, default: bool | None = None
) -> sa.Column[int]:
    """Make a yes or no, stored as 1 or 0."""
    check = sa.CheckConstraint(f"{name} IN (0,1)", name=name)
    start = None if default is None else int(default)
    return _column(name, types.Flag(), meaning, null, start, check)


def json(name: str, meaning: str, *, null: bool = False) -> sa.Column[str]:
    """Make a JSON document."""
    return _column(name, types.Json(), meaning, null, None)


def sealed(name: str, meaning: str, *, null: bool = False) -> sa.Column[bytes]:
    """Make a secret that is read back: ciphertext with its key's id."""
    column: sa.Column[bytes] = _column(name, types.Blob(), meaning, null, None)
    column.info["secret"] = True
    return column


def digest(name: str, meaning: str, *, null: bool = False, unique: bool = False) -> sa.Column[str]:
    """Make a secret that is only compared: a keyed digest in hex."""
    column: sa.Column[str] = _column(name, types.Text(), meaning, null, None, unique=unique)
    column.info["secret"] = True
    return column


def unique(*columns: str, where: str | None = None) -> sa.schema.SchemaItem:
    """Make a uniqueness over plain columns, or over the rows that `where` picks."""
    if where is None:
        return sa.UniqueConstraint(*columns)
    clause = sa.text(where)
    name = f"uq_{{table}}_{'_'.join(columns)}"
    return _NamedLater(name, columns, unique=True, where=clause)


def index(*columns: str, where: str | None = None, unique: bool = False) -> sa.schema.SchemaItem:
    """Make an index; columns may be expressions, `where` makes it partial."""
    clause = None if where is None else sa.text(where)
    prefix = "uq" if unique else "ix"
    name = f"{prefix}_{{table}}_{'_'.join(_plain(c) for c in columns)}"
    return _NamedLater(name, columns, unique=unique, where=clause)


def check(name: str, rule: str) -> sa.CheckConstraint:
    """Make a rule over several columns."""
    return sa.CheckConstraint(rule, name=name)


def _plain(column: str) -> str:
    """Name an expression by the column in it: `coalesce(symbol,'')` is `symbol`."""
    return column.partition("(")[2].partition(",")[0] or column


class _NamedLater(sa.schema.SchemaItem):
    """An index that learns its table's name when it is attached to it."""

    def __init__(self, name: str, columns: tuple[str, ...], *, unique: bool, where: Any) -> None:
        self._name, self._columns = name, columns
        self._unique, self._where = unique, where

    def _set_parent(self, parent: Any, **_: Any) -> None:
        name = self._name.format(table=parent.name)
        sa.Index(
            name if len(name) <= 60 else name[:60].rstrip("_"),
            *(parent.c[c] if c in parent.c else sa.text(c) for c in self._columns),
            _table=parent,
            unique=self._unique,
            sqlite_where=self._where,
            postgresql_where=self._where,
        )


def _column(
    name: str,
    kind: sa.types.TypeEngine[Any],
    meaning: str,
    null: bool,  # noqa: FBT001 - one private door for all of the above
    default: str | int | None,
    *rules: sa.schema.SchemaItem,
    unique: bool = False,
    unit: str = "",
) -> sa.Column[Any]:
    start = sa.text(str(default)) if isinstance(default, int) else default
    return sa.Column(
        name,
        kind,
        *rules,
        nullable=null,
        server_default=start,
        unique=unique or None,
        doc=meaning,
        info={"unit": unit} if unit else {},
    )
