"""When a token dies that lives until an hour of the exchange's day."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from bahi.kernel.clock import IST, in_utc


def next_ist(now: datetime, at: time) -> datetime:
    """Return the next time that clocks in India show this hour, strictly after now."""
    local = in_utc(now).astimezone(IST)
    today = datetime.combine(local.date(), at, IST)
    return (today if local < today else today + timedelta(days=1)).astimezone(UTC)
