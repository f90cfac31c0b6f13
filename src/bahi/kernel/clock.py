"""Instants, and the exchange's days.

An instant is an aware UTC datetime in the rules and a whole number of microseconds in storage; the
two are turned into each other without a float. Whoever needs the time is handed a `Clock`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, Protocol

from bahi.kernel.errors import Invalid

# Asia/Kolkata has kept this one offset since 1945, and a bare machine may carry no zone files.
IST: Final = timezone(timedelta(hours=5, minutes=30), "IST")
BOUNDARY_HOUR: Final = 3

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_BOOT_CLOCK: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """Tells the time; handed in to whoever needs it."""

    def __call__(self) -> datetime:
        """Return the present instant, aware and in UTC."""


class SystemClock:
    """The machine's clock."""

    def __call__(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)


class StoppedClock:
    """A clock that moves only when told to; for tests and replays."""

    def __init__(self, at: datetime) -> None:
        self._now = in_utc(at)

    def __call__(self) -> datetime:
        """Return the instant it was last set to."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move on by a while (or back, as real clocks do), and return the new instant."""
        self._now += by
        return self._now

    def set(self, to: datetime) -> None:
        """Move to an instant."""
        self._now = in_utc(to)


def in_utc(instant: datetime) -> datetime:
    """Return the same instant in UTC; refuse one that does not say its zone."""
    if instant.tzinfo is UTC:
        return instant
    if instant.utcoffset() is None:
        raise Invalid(f"{instant} does not say its zone; hand in an aware datetime, best in UTC.")
    return instant.astimezone(UTC)


def to_micros(instant: datetime) -> int:
    """Turn an instant into what is stored: microseconds since 1970, UTC."""
    return (in_utc(instant) - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Turn stored microseconds back into an instant."""
    try:
        return _EPOCH + micros * _MICROSECOND
    except OverflowError:
        raise Invalid(
            f"{micros} microseconds since 1970 lie outside the years 1 to 9999."
        ) from None


def instant_of(micros: int | None) -> datetime | None:
    """Turn stored microseconds into an instant, and nothing into nothing."""
    return None if micros is None else from_micros(micros)


def micros_of(instant: datetime | None) -> int | None:
    """Turn an instant into what is stored, and nothing into nothing."""
    return None if instant is None else to_micros(instant)


def exchange_day(instant: datetime) -> date:
    """Return the day that an instant falls on at the exchange."""
    return in_utc(instant).astimezone(IST).date()


def day_begins(instant: datetime) -> datetime:
    """Return when the exchange's day of an instant began: at midnight in India."""
    return end_of_day(instant) - timedelta(days=1)


def end_of_day(instant: datetime) -> datetime:
    """Return when the exchange's day of an instant ends: at midnight in India."""
    tomorrow = exchange_day(instant) + timedelta(days=1)
    return in_utc(datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=IST))


def session_boundary(now: datetime) -> datetime:
    """Return the next 03:00 IST, where a trading day ends for good: tokens, caches, all of it."""
    local = in_utc(now).astimezone(IST)
    boundary = local.replace(hour=BOUNDARY_HOUR, minute=0, second=0, microsecond=0)
    return in_utc(boundary if local < boundary else boundary + timedelta(days=1))


def ist_text(instant: datetime) -> str:
    """Write an instant as people at the exchange read it: `2026-11-20 09:15:00`."""
    local = in_utc(instant).astimezone(IST).replace(tzinfo=None)
    return local.isoformat(sep=" ", timespec="seconds")


def parse_ist(text: str, field: str = "time") -> datetime:
    """Read `2026-11-20 09:15:00`, the exchange's time, as an instant."""
    instant = None
    with suppress(ValueError, OverflowError):
        instant = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=IST).astimezone(UTC)
    if instant is None or ist_text(instant) != text:  # strptime alone would let 2026-1-2 pass
        right = "write the exchange's time as 2026-11-20 09:15:00"
        raise Invalid(f"{field}: {text[:40]!r} is not a time; {right}.")
    return instant


def unix_ms() -> int:
    """Return the machine's time in whole milliseconds since 1970, for minting ids."""
    return time.time_ns() // 1_000_000


def boot_seconds() -> float:
    """Return seconds on a clock that nobody sets and that counts a suspended machine's sleep.

    Where the system has no such clock, the monotonic one stands in.
    """
    return time.clock_gettime(_BOOT_CLOCK)


class Deadline:
    """A moment some seconds away, which no step of the wall clock can move."""

    def __init__(self, seconds: float, now: Callable[[], float] = boot_seconds) -> None:
        self._now = now
        self._ends_at_s = now() + seconds

    def left_s(self) -> float:
        """Return the seconds that are left, never less than none."""
        return max(0.0, self._ends_at_s - self._now())

    def passed(self) -> bool:
        """Say whether it is too late."""
        return self._now() >= self._ends_at_s
