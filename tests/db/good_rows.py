"""Good rows for any table, made from the metadata: every column filled, every rule kept.

Row 1 and row 2 of a table differ in every column that can differ, and so do their parents.
"""

from __future__ import annotations

import functools
from typing import Any

import sqlalchemy as sa

from bahi.db import types
from bahi.db.schema import StoreSchema
from bahi.migrations import HOUSE

Row = dict[str, Any]


@functools.cache
def schema_of(store: str) -> StoreSchema:
    """Return what a store of the house holds: made once, since every table of it is copied."""
    return HOUSE.of_store(store)


# Rules over several columns, which no single column can tell.
EXCEPT: dict[str, Row] = {
    "copy_mappings": {"leader_forever_id": None},
    "config": {"is_sensitive": 0},
    "alerts": {"acknowledged_at": None},  # only of open ones is a topic unique
    "paper_orders": {"quantity": 100, "filled_qty": 10},
    "positions": {"eve": None},  # five figures, which no bare document is
    "trading_calendars": {"segment": None},  # a furnished house has one of each
}
BROKEN: dict[str, list[Row]] = {
    "accounts": [{"name": "ab"}],
    "copy_mappings": [{"leader_order_id": None}],
    "config": [{"is_sensitive": 1, "value": "hunter2"}],
    "paper_orders": [{"filled_qty": 101}, {"filled_qty": -1}],
    "paper_fills": [{"quantity": 0}],
    "jobs": [{"progress_percent": 101}, {"progress_percent": -1}],
    "traders_control": [
        {"scope": "ACCOUNT", "account_id": None},
        {"scope": "USER", "user_id": None},
    ],
    "charge_rates": [{"rate": None, "amount": None}],
    "ledger_entries": [{"debit": -1}, {"credit": -1}],
}
HAS_NO_GOOD_ROW = {"permits"}
"""A permit is refused at COMMIT by design; its own tests are in test_permits.py."""

HAS_ONE_ROW = {"nodes"}


class Planter:
    """Plants rows with all that they point to, once each."""

    def __init__(self, core: sa.Connection, schema: StoreSchema) -> None:
        self._core = core
        self._planted: dict[tuple[str, int], Row] = {}

    def plant(self, table: sa.Table, n: int) -> Row:
        """Insert the table's n-th good row; return it."""
        if (table.name, n) not in self._planted:
            row = self.row(table, n)
            self._core.execute(table.insert(), [row])
            self._planted[table.name, n] = row
        return self._planted[table.name, n]

    def row(self, table: sa.Table, n: int) -> Row:
        """Make the table's n-th good row, and plant what it points to."""
        row = {column.name: self._value(column, n) for column in table.columns}
        return row | EXCEPT.get(table.name, {})

    def _value(self, column: sa.Column[Any], n: int) -> Any:
        for key in column.foreign_keys:
            parent = key.column.table
            if parent is column.table:
                return None
            return self.plant(parent, n)[key.column.name]
        return plain_value(column, n)


def plain_value(column: sa.Column[Any], n: int) -> Any:
    """Return a value that every rule of the column takes."""
    words = allowed(column)
    if words:
        return words[(n - 1) % len(words)]
    unit = column.info.get("unit")
    if unit == "YYYY-MM-DD":
        return f"2026-11-{n:02}"
    if unit == "HH:MM":
        return f"09:{n:02}"
    kind = column.type
    if isinstance(kind, types.Flag):
        return 1
    if isinstance(kind, types.Json):
        return f'{{"n": {n}}}'
    if isinstance(kind, types.Blob):
        return f"sealed {n}".encode()
    if isinstance(kind, types.Text):
        return f"{column.name} {n}"
    return n


def allowed(column: sa.Column[Any]) -> tuple[Any, ...]:
    """Return the words of the column's list, where it has one."""
    words: tuple[Any, ...] = column.info.get("words", ())
    return words
