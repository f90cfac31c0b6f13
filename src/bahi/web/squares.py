"""A text as a square that a camera reads (QR): plain coordinates that a template draws."""

from __future__ import annotations

from itertools import groupby
from typing import Final, NamedTuple

import segno

QUIET: Final = 4
"""Blank all round, in the squares it is made of: cameras need it."""


class Square(NamedTuple):
    """The picture: how wide it is, in the squares it is made of, and which of them are dark."""

    side: int
    path: str


def square_of(text: str) -> Square:
    """Draw a text; a sixth of the picture may be hidden and it is read still."""
    rows = [bytes(it) for it in segno.make(text, error="m", micro=False).matrix]
    path = []
    for down, row in enumerate(rows, QUIET):
        across = QUIET
        for is_dark, run in groupby(row):
            many = len(list(run))
            if is_dark:
                path.append(f"M{across} {down}h{many}v1h-{many}z")
            across += many
    return Square(len(rows) + 2 * QUIET, "".join(path))
