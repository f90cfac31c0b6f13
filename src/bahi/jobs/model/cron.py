"""When something comes round: crontab texts by the exchange's clock, which knows no summer time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from heapq import merge
from itertools import groupby, islice
from typing import TYPE_CHECKING, Final

from apscheduler.triggers.cron import CronTrigger  # type: ignore[import-untyped] # has no types

from bahi.kernel.clock import IST, in_utc
from bahi.kernel.errors import Invalid

if TYPE_CHECKING:
    from collections.abc import Iterator

RIGHT: Final = "write minute, hour, day, month and weekday, as in `30 8 * * mon-fri`"
_JUST_AFTER: Final = timedelta(microseconds=1)
_KNOWN_AT_MOST: Final = 500


@dataclass(frozen=True, slots=True)
class Cron:
    """One or several crontabs, parted by `;`: due whenever one of them is."""

    text: str

    def __post_init__(self) -> None:
        _triggers(self.text)

    def next_after(self, instant: datetime) -> datetime | None:
        """Return when it is due next, later than the instant; None where it never is again."""
        found = (_next(trigger, instant) for trigger in _triggers(self.text))
        return min((due for due in found if due is not None), default=None)

    def upcoming(self, after: datetime, most: int) -> list[datetime]:
        """Return the next times, at most so many."""
        series = merge(*(_series(trigger, after) for trigger in _triggers(self.text)))
        return [due for due, _ in islice(groupby(series), most)]

    def latest(self, since: datetime, until: datetime) -> datetime | None:
        """Return the last time it was due in a stretch, both ends included."""
        found, due = None, self.next_after(since - _JUST_AFTER)
        while due is not None and due <= until:
            found, due = due, self.next_after(due)
        return found


@lru_cache(maxsize=_KNOWN_AT_MOST)
def _triggers(text: str) -> tuple[CronTrigger, ...]:
    return tuple(_trigger(each.strip()) for each in text.split(";"))


def _trigger(crontab: str) -> CronTrigger:
    weekday = crontab.split()[-1:]
    if any(sign.isdigit() for sign in "".join(weekday).partition("/")[0]):
        raise Invalid(
            f"cron: {crontab[:60]!r} numbers its weekdays, which some count from Sunday and some "
            "from Monday; name them: mon-fri."
        )
    try:
        return CronTrigger.from_crontab(crontab, timezone=IST)
    except ValueError as fault:
        raise Invalid(f"cron: {crontab[:60]!r} is no crontab ({fault}); {RIGHT}.") from None


def _next(trigger: CronTrigger, after: datetime) -> datetime | None:
    due: datetime | None = trigger.get_next_fire_time(None, in_utc(after) + _JUST_AFTER)
    return None if due is None else in_utc(due)


def _series(trigger: CronTrigger, after: datetime) -> Iterator[datetime]:
    due = _next(trigger, after)
    while due is not None:
        yield due
        due = _next(trigger, due)
