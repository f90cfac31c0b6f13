"""How a table of prices fits a terminal: one line each, and no number cut."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rich.console import Console

from bahi.cli.price_table import price_table
from bahi.kernel.money import Price
from bahi.quotes.model.quote import Quote
from tests.quotes.names import CALL, FUTURE, NIFTY, RELIANCE

NOW = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
LISTED = (NIFTY, RELIANCE, CALL, FUTURE)


def a_price(number: int) -> Quote:
    return Quote(
        instrument_id=number,
        last=Price(263_170_000),
        at=NOW,
        received_at=NOW,
        source="simulated",
        previous_close=Price(263_570_500),
        volume=10_111_725,
    )


def drawn_in(width: int) -> list[str]:
    console = Console(width=width, force_terminal=True, color_system=None)
    with console.capture() as told:
        console.print(price_table([*((it, a_price(it.id)) for it in LISTED), (FUTURE, None)], NOW))
    return told.get().splitlines()


@pytest.mark.parametrize("width", [120, 98, 90, 80, 72, 60, 50, 40, 33])
def test_every_price_has_one_line_with_its_age_and_source(width: int) -> None:
    headings, *lines = drawn_in(width)
    assert len(lines) == len(LISTED) + 1
    assert "no price" in lines.pop()
    for it, line in zip(LISTED, lines, strict=True):
        assert len(line) <= width
        assert line.startswith(it.symbol[:5])
        assert "26,317.00" in line
        assert line.rstrip().endswith("0 s simulated")
    assert headings.split()[-2:] == ["age", "source"]


def test_the_narrower_it_is_the_fewer_columns_there_are() -> None:
    found = [drawn_in(width)[0].split() for width in range(33, 121)]
    assert found == sorted(found, key=len)
    assert found[0] == ["symbol", "last", "age", "source"]
    assert len(found[-1]) == 10
