"""How many tokens an account has, of how many it needs."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Counted(NamedTuple):
    """So many with time left, of so many applications, and when the first of them ends."""

    good: int
    of: int
    ends_at: datetime | None
