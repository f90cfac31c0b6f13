"""What says whether a COMMIT happened whose answer was lost: a row that each transaction writes.

It is asked for behind its lock, so whoever asks waits for a transaction that is still under way,
whatever happened to the server in between (`docs/decisions/0003-write-marks.md`).
"""

from __future__ import annotations

import secrets
import time
from typing import Any, Final

from bahi.db.line import Line

BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
MARK: Final = (
    "INSERT INTO write_marks (writer, unit, marked_at) VALUES ($1, $2, $3)"
    " ON CONFLICT (writer) DO UPDATE SET unit = excluded.unit, marked_at = excluded.marked_at"
)


class Mark:
    """A write thread's own row: the number of the newest unit that it committed."""

    def __init__(self) -> None:
        self._writer = secrets.randbits(62)
        self._unit = 0

    def begin(self, line: Line) -> None:
        """Begin the next unit's transaction: this goes with its first statement, in one journey."""
        self._unit += 1
        line.say(BEGIN)
        line.say(MARK, self._writer, self._unit, time.time_ns() // 1000)

    def question(self) -> str:
        """Return what asks for the row, behind whatever transaction still writes it.

        An upsert, because a lock finds no row that another transaction is only just inserting.
        """
        return (
            f"{BEGIN}; INSERT INTO write_marks"  # noqa: S608 - our integers
            f" (writer, unit, marked_at) VALUES ({self._writer}, 0, 0) ON CONFLICT (writer)"
            " DO UPDATE SET unit = write_marks.unit RETURNING unit"
        )

    def is_answered_by(self, row: Any) -> bool:
        """Say whether the row shows the newest unit as committed."""
        return row is not None and row[0] == self._unit
