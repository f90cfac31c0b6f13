"""A limit that somebody ran into, as it was written down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bahi.kernel.money import plain

IN_TENTHOUSANDTHS: Final = frozenset(
    {"DAILY_LOSS", "POSITION_SIZE", "ORDER_VALUE", "PRICE_BAND", "MARGIN"}
)
"""What is measured in rupees or percent; everything else is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Which limit it was, how far it was reached, and what the trader was told."""

    id: int
    account_id: int
    strategy: str | None
    kind: str
    limit: int
    actual: int
    order_id: int | None
    message: str | None
    at: datetime

    @property
    def limit_text(self) -> str:
        """The limit in its unit, exactly."""
        return self._text(self.limit)

    @property
    def actual_text(self) -> str:
        """What it would have been, likewise."""
        return self._text(self.actual)

    def _text(self, value: int) -> str:
        return plain(value) if self.kind in IN_TENTHOUSANDTHS else str(value)
