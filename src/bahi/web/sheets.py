"""Tables to take away: the rows of a page as CSV, exact and safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

from fastapi import Response

from bahi.kernel.clock import ist_text
from bahi.kernel.money import plain

MONEY: Final = frozenset(
    {
        "price", "trigger_price", "average_price", "amount", "balance", "value", "charges", "cash",
        "average", "last", "gross", "net_amount", "realized", "unrealized", "margin", "strike",
    }
)  # fmt: skip
"""Columns that are amounts, by the last part of their names."""
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet would reckon out."""


def csv_of(name: str, columns: Sequence[str], rows: Iterable[Any]) -> Response:
    """Write rows as a file of CSV; a column is the path of an attribute: `position.net`."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow([it.replace(".", "_") for it in columns])
    for row in rows:
        writer.writerow([_cell(column, _of(row, column)) for column in columns])
    return Response(
        file.getvalue(),
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="bahi-{name}.csv"',
        },
    )


def _of(row: Any, path: str) -> Any:
    """Return what stands at a path of attributes; behind what is not there is nothing."""
    for name in path.split("."):
        row = None if row is None else getattr(row, name)
    return row


def _cell(column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return ist_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int) and column.rpartition(".")[2] in MONEY:
        return plain(value)
    said = str(value)
    is_formula = isinstance(value, str) and said.startswith(FORMULAS)
    return f"'{said}" if is_formula else said
