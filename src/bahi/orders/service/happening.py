"""What happened to orders since: for doors that tell their clients of it."""

from __future__ import annotations

from typing import Final

from bahi.orders.repository import happened as rows
from bahi.orders.repository.happened import Happened

__all__ = ["Happened", "happened", "newest"]

happened: Final = rows.happened
"""Return events of all orders above an id that are not known yet."""
newest: Final = rows.newest_event
"""Return the id of the newest event, 0 where there is none."""
