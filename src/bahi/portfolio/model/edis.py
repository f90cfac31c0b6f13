"""Leave to sell from a demat account (eDIS): asked for with a TPIN, given for a day.

An account with a DDPI needs none: whoever asks what is deliverable says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bahi.kernel.errors import Invalid


class Leave(StrEnum):
    """What became of a request."""

    PENDING = "PENDING"
    AUTHORIZED = "AUTHORIZED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A request for leave: so many of one security, or (`is_bulk`) all that is held."""

    account_id: int
    isin: str
    quantity: int
    exchange: str
    segment: str
    is_bulk: bool = False
    tpin: str = field(default="", repr=False)

    def check(self) -> None:
        """Refuse what no depository would take."""
        if self.quantity < 1:
            raise Invalid("quantity: leave is asked for one share or more.")
        if not self.isin:
            raise Invalid("isin: name the security; the broker's holdings show it.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it stands."""

    id: int
    account_id: int
    isin: str
    quantity: int
    is_bulk: bool
    status: Leave
    expires_at: datetime | None
    request_id: str | None = None
    error_message: str | None = None
