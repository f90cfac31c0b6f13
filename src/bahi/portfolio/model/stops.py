"""What stops an account's entries, as it stands on its page: switches and limits."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple


class Stops(NamedTuple):
    """Switches that are engaged over an account, and the limits that bind it."""

    globally: bool = False
    for_user: bool = False
    for_account: bool = False
    strategies: tuple[str, ...] = ()
    reason: str | None = None
    since: datetime | None = None
    limits: str | None = None
