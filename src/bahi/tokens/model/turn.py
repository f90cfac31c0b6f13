"""Whose turn it is: a person logs in once at a time, through throttles and dead processes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from bahi.kernel.errors import Conflict

BETWEEN_LOGINS: Final = timedelta(seconds=5)
COOLDOWN: Final = timedelta(seconds=660)
"""Ten minutes by the broker and one of ours, counted from the failure that was recorded."""
LOGIN_TAKES: Final = timedelta(seconds=60)
"""How long a login may hold its person's turn before another process takes it for dead."""
PERSON_TAKES: Final = timedelta(minutes=10)
"""How long a person has for a login that was handed to them."""
PERSON: Final = "handover:"
"""How the owner of a turn begins that is kept for a person."""


class TurnLost(Conflict):
    """Another process has this person's turn to log in."""

    code = "turn_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Whose turn it is to log in for one person, and what the last logins came to."""

    login: str
    lease_owner: str | None = None
    leased_until: datetime | None = None
    fence: int = 0
    last_login_at: datetime | None = None
    throttled_at: datetime | None = None

    def as_of(self, now: datetime) -> Turn:
        """Return the turn with nothing later than can be: a clock that went back holds nobody."""
        longest = PERSON_TAKES if (self.lease_owner or "").startswith(PERSON) else LOGIN_TAKES
        return replace(
            self,
            leased_until=_at_most(self.leased_until, now + longest),
            last_login_at=_at_most(self.last_login_at, now),
            throttled_at=_at_most(self.throttled_at, now),
        )

    def is_held(self, now: datetime) -> bool:
        """Say whether somebody has the turn."""
        return self.leased_until is not None and self.leased_until > now

    def cooled_at(self) -> datetime | None:
        """Return when the cooldown ends, if one was ever begun."""
        return None if self.throttled_at is None else self.throttled_at + COOLDOWN

    def free_at(self, now: datetime) -> datetime:
        """Return when the next login may begin: now, or later."""
        waits = [now]
        if self.last_login_at is not None:
            waits.append(self.last_login_at + BETWEEN_LOGINS)
        if self.leased_until is not None:
            waits.append(self.leased_until)
        return max(waits)


def _at_most(instant: datetime | None, latest: datetime) -> datetime | None:
    return None if instant is None else min(instant, latest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A login that is in a person's hands."""

    id: int
    broker_api_id: int
    execution_id: str | None
    expires_at: datetime
    opened_at: datetime | None


def countdown(left: timedelta) -> str:
    """Write what is left of a cooldown as people read it: `10 min 05 s`."""
    seconds = max(0, int(left.total_seconds()))
    return f"{seconds // 60} min {seconds % 60:02} s"
