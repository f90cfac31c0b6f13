"""What moved positions since: for doors that tell their clients of it."""

from __future__ import annotations

from typing import Final

from bahi.portfolio.repository import happened as rows
from bahi.portfolio.repository.happened import Moved

__all__ = ["Moved", "moved", "newest"]

moved: Final = rows.moved
"""Return trades of all accounts above an id that are not known yet, with their positions."""
newest: Final = rows.newest_trade
"""Return the id of the newest trade, 0 where there is none."""
