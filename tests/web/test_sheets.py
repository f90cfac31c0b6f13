"""Tables that are taken away: exact, and nothing in them that a spreadsheet would reckon out."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import pytest

from bahi.web.sheets import csv_of

pytestmark = pytest.mark.unit


class Inner(NamedTuple):
    price: int


class Row(NamedTuple):
    symbol: str
    mark: Inner | None
    quantity: int
    at: datetime
    day: date | None


AT = datetime(2026, 11, 22, 3, 45, tzinfo=UTC)
COLUMNS = ("symbol", "mark.price", "quantity", "at", "day")


def read(*rows: Any) -> list[list[str]]:
    """Return what a spreadsheet would read."""
    text = bytes(csv_of("a test", COLUMNS, rows).body).decode()
    return list(csv.reader(text.splitlines()))


def test_amounts_are_exact_times_are_the_exchanges_and_unknown_is_empty() -> None:
    first, known, unknown = read(
        Row("SBIN", Inner(10_065_016), 250, AT, date(2026, 11, 22)),
        Row("INFY", None, -10, AT, None),
    )
    assert first == ["symbol", "mark_price", "quantity", "at", "day"]
    assert known == ["SBIN", "1006.5016", "250", "2026-11-22 09:15:00", "2026-11-22"]
    assert unknown == ["INFY", "", "-10", "2026-11-22 09:15:00", ""]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_begins_like_a_formula_is_a_text(start: str) -> None:
    (_, row) = read(Row(f"{start}1+1", None, 1, AT, None))[:2]
    assert row[0].startswith("'")
