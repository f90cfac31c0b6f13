"""Hot statements: compiled once per dialect, then run on the driver's own cursor.

SQLAlchemy's cost lies in what it does around a statement each time. What it would do there for a
`Statement` is nothing, and where it would do something (a Python-side default, a converting type,
an expanding IN) the statement is refused, so nothing is ever skipped in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.sql.compiler import SQLCompiler

Params = Mapping[str, Any]


class Prepared(NamedTuple):
    """The text for one driver, and how its parameters are handed over."""

    text: str
    bind: Callable[[Params], Any]


class Statement:
    """A Core statement that is used so often that it is compiled only once per dialect."""

    def __init__(self, clause: sa.Insert | sa.Update | sa.Delete | sa.Select[Any]) -> None:
        self._clause = clause
        self._prepared: dict[str, Prepared] = {}

    def on(self, dialect: sa.Dialect) -> Prepared:
        """Return the text and the binding for a dialect."""
        known = self._prepared.get(dialect.paramstyle)  # each way of asking has its own
        if known is None:
            known = self._prepared[dialect.paramstyle] = _prepare(self._clause, dialect)
        return known


def _prepare(clause: sa.ClauseElement, dialect: sa.Dialect) -> Prepared:
    compiled = clause.compile(dialect=dialect)
    assert isinstance(compiled, SQLCompiler)  # noqa: S101 - narrows the type of a DML or SELECT
    _refuse_what_would_be_skipped(compiled, dialect)
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    if not compiled.positional:
        return Prepared(compiled.string, lambda params: {**constants, **params})
    names = tuple(compiled.positiontup or ())
    if len(names) < 2:  # itemgetter gives one value as it is, and cannot give none
        return Prepared(
            compiled.string, lambda params: [{**constants, **params}[name] for name in names]
        )
    values_of = itemgetter(*names)
    if constants:
        return Prepared(compiled.string, lambda params: values_of({**constants, **params}))
    return Prepared(compiled.string, values_of)


def _refuse_what_would_be_skipped(compiled: SQLCompiler, dialect: sa.Dialect) -> None:
    if compiled.insert_prefetch or compiled.update_prefetch:
        raise TypeError(f"a hot statement cannot have Python-side defaults: {compiled.string}")
    if "POSTCOMPILE" in compiled.string:
        raise TypeError(f"a hot statement cannot have an expanding IN: {compiled.string}")
    for bind in compiled.bind_names:
        if bind.type.dialect_impl(dialect).bind_processor(dialect) is not None:
            raise TypeError(f"a hot statement cannot convert {bind.key!r}: {compiled.string}")
