"""A square that a camera reads: the template's path draws exactly what the code says."""

from __future__ import annotations

import re

import segno
from hypothesis import given
from hypothesis import strategies as st

from bahi.web.squares import QUIET, square_of

RUN = re.compile(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z")


@given(st.text(st.characters(codec="ascii"), min_size=1, max_size=120))
def test_a_square_is_dark_where_its_code_is_and_blank_all_round(text: str) -> None:
    square = square_of(text)
    dark = set()
    for across, down, many, back in RUN.findall(square.path):
        assert many == back
        dark |= {(int(across) + it, int(down)) for it in range(int(many))}
    assert RUN.sub("", square.path) == ""
    rows = segno.make(text, error="m", micro=False).matrix
    assert square.side == len(rows) + 2 * QUIET
    assert dark == {
        (x + QUIET, y + QUIET) for y, row in enumerate(rows) for x, it in enumerate(row) if it
    }
