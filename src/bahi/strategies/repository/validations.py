"""The only SQL of validation runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from bahi.db import types
from bahi.db.statement import Statement
from bahi.db.tx import Row, Tx
from bahi.kernel.clock import from_micros
from bahi.strategies.model.validations import SCORES, Validation, score
from bahi.strategies.tables import ml_validation_runs as runs

_COLUMNS: Final = tuple(
    sa.cast(c, types.Text()).label(c.name) if c.name == "output" else c for c in runs.columns
)
_ADD: Final = Statement(runs.insert().values({c.name: sa.bindparam(c.name) for c in runs.columns}))


def add(tx: Tx, row: Mapping[str, Any]) -> None:
    """Enter a run; a second one of its name is refused."""
    tx.change(_ADD, dict.fromkeys(runs.columns.keys()) | dict(row))


def find(tx: Tx, validation_id: str, *, lock: bool = False) -> Validation | None:
    """Return a run by its name."""
    clause = sa.select(*_COLUMNS).where(runs.c.validation_id == validation_id)
    row = tx.row(clause.with_for_update() if lock else clause)
    return None if row is None else _run(row)


def update(tx: Tx, validation_id: str, values: Mapping[str, Any]) -> None:
    """Change a run."""
    tx.change(runs.update().where(runs.c.validation_id == validation_id).values(dict(values)))


def newest(tx: Tx, limit: int, before: int | None, wanted: dict[str, Any]) -> list[Validation]:
    """Return the newest runs that fit, below an id."""
    clause = sa.select(*_COLUMNS).order_by(runs.c.id.desc()).limit(limit)
    for name, value in wanted.items():
        if value is not None:
            clause = clause.where(runs.c[name] == value)
    if before is not None:
        clause = clause.where(runs.c.id < before)
    return [_run(row) for row in tx.rows(clause)]


def _run(row: Row) -> Validation:
    it: dict[str, Any] = dict(zip(runs.columns.keys(), row, strict=True))
    for name in SCORES:
        it[name] = score(it[name])
    for name in ("created_at", "started_at", "completed_at"):
        it[name] = None if it[name] is None else from_micros(it[name])
    for name in ("date_range_start", "date_range_end"):
        it[name] = None if it[name] is None else date.fromisoformat(it[name])
    it["output"] = None if it["output"] is None else json.loads(it["output"])
    return Validation(**it)
